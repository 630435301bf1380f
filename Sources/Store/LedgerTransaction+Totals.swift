public import Domain
internal import SQLite

/// Whose limits a conversion counts towards.
public enum LimitScope: Sendable {
    case offer(OfferID)
    case campaign(CampaignID)

    var name: String {
        switch self {
        case .offer: "offer"
        case .campaign: "campaign"
        }
    }

    var entityID: Int64 {
        switch self {
        case .offer(let id): id.rawValue
        case .campaign(let id): id.rawValue
        }
    }
}

/// Sums of what counts towards limits, kept beside the conversions in the same transaction.
extension LedgerTransaction {
    /// Stands for all days; no instant there is lies in it.
    static let allDays: Int64 = -1_000_000_000

    /// - Parameter day: in UTC, of the conversions' own time; nil for all days.
    public func usage(of scope: LimitScope, on day: Day?) throws(StoreError)
        -> LimitUsage
    {
        try sql { () throws(SQLiteError) in
            let find = statements.findTotals
            defer { find.reset() }
            find.bind(1, text: scope.name)
            find.bind(2, scope.entityID)
            find.bind(3, day.map { Int64($0.number) } ?? Self.allDays)
            var total = LimitUsage()
            while try find.step() {
                guard let currency = Currency(find.text(0)) else {
                    throw .corrupt("a sum of \(scope.name) \(scope.entityID) has no currency")
                }
                total.conversions += find.int64(1)
                total.payouts[currency] =
                    Int128(find.int64(2)) * 1_000_000_000 + Int128(find.int64(3))
            }
            return total
        }
    }

    /// Adds a conversion to the sums, or takes it out of them.
    func count(_ conversion: Conversion, isRemoved: Bool = false) throws(SQLiteError) {
        guard conversion.countsTowardsLimits else { return }
        let sign: Int64 = isRemoved ? -1 : 1
        let nanos = conversion.payout.nanos
        let add = statements.addToTotals
        add.bind(1, conversion.offerID.rawValue)
        add.bind(2, conversion.click.campaignID.rawValue)
        add.bind(3, Int64(conversion.convertedAt.day.number))
        add.bind(4, text: conversion.payout.currency.code)
        add.bind(5, sign)
        add.bind(6, sign * (nanos / 1_000_000_000))
        add.bind(7, sign * (nanos % 1_000_000_000))
        try add.run()
        try countWay(
            CountedConversion(
                way: ConversionWay(conversion), at: conversion.convertedAt,
                payout: conversion.payout, sign: sign))
    }
}

public import Domain
internal import SQLite

/// Which way the clicks of conversions went: what sums for caps on traffic are taken by.
public struct ConversionWay: Hashable, Sendable {
    public let campaignID: CampaignID
    /// As in `ClickWay`.
    public let flowVersion: Int64
    public let rule: Int
    public let path: Int
    public let offerID: OfferID

    init(_ conversion: Conversion) {
        campaignID = conversion.click.campaignID
        flowVersion = conversion.click.flowVersion ?? 0
        rule = conversion.click.rule ?? 0
        path = conversion.click.path
        offerID = conversion.offerID
    }

    /// From columns `campaign_id, flow_version, rule, path, offer_id`.
    init(_ row: Statement) {
        campaignID = CampaignID(row.int64(0))
        flowVersion = row.int64(1)
        rule = Int(row.int64(2))
        path = Int(row.int64(3))
        offerID = OfferID(row.int64(4))
    }
}

/// A conversion that has begun to count towards limits, or has ceased to.
public struct CountedConversion: Sendable {
    public let way: ConversionWay
    public let at: Instant
    public let payout: Money
    /// 1, or -1 for one that is taken out.
    public let sign: Int64
}

extension LedgerTransaction {
    /// Adds to the sums by way.
    func countWay(_ counted: CountedConversion) throws(SQLiteError) {
        let add = statements.addToWays
        let way = counted.way
        add.bind(1, QuarterHour(containing: counted.at).number)
        add.bind(2, way.campaignID.rawValue)
        add.bind(3, way.flowVersion)
        add.bind(4, Int64(way.rule))
        add.bind(5, Int64(way.path))
        add.bind(6, way.offerID.rawValue)
        add.bind(7, text: counted.payout.currency.code)
        add.bind(8, counted.sign)
        add.bind(9, counted.sign * (counted.payout.nanos / 1_000_000_000))
        add.bind(10, counted.sign * (counted.payout.nanos % 1_000_000_000))
        try add.run()
        note(counted)
    }
}

extension TrafficHistory {
    /// Conversions that count, of a range of times whose bounds lie on quarter hours.
    public func conversions(from: Instant, to: Instant) throws(StoreError)
        -> [ConversionWay: LimitUsage]
    {
        try conversions(
            "WHERE slot >= \(QuarterHour(containing: from).number) "
                + "AND slot < \(QuarterHour(containing: to).number)")
    }

    public func allConversions() throws(StoreError) -> [ConversionWay: LimitUsage] {
        try conversions("")
    }

    private func conversions(_ condition: String) throws(StoreError)
        -> [ConversionWay: LimitUsage]
    {
        var sums: [ConversionWay: LimitUsage] = [:]
        _ = try reader.sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT campaign_id, flow_version, rule, path, offer_id, currency,
                    sum(conversions), sum(payout_units), sum(payout_nanos)
                FROM conversion_way \(condition)
                GROUP BY campaign_id, flow_version, rule, path, offer_id, currency
                """
            ) { (row) throws(SQLiteError) in
                guard let currency = Currency(row.text(5)) else {
                    throw .corrupt("a sum of conversions has no currency")
                }
                var usage = LimitUsage()
                usage.add(
                    row.int64(6), Int128(row.int64(7)) * 1_000_000_000 + Int128(row.int64(8)),
                    currency)
                sums[ConversionWay(row), default: LimitUsage()].add(usage)
            }
        }
        return sums
    }
}

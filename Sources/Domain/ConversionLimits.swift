/// What an offer or a campaign takes of new conversions: how long after the click, how many, and
/// for how much. Past a limit a conversion is not counted but parked, with its value.
///
/// Conversions that are known already may still change. One that an update raises past a limit of
/// money counts with all of it: the network has said so, and the next new one is parked.
public struct ConversionLimits: Hashable, Sendable {
    /// From the click to the call; exactly so many hours are still within.
    public let windowHours: Int64?
    public let conversionsPerDay: Int64?
    public let conversionsTotal: Int64?
    /// Nanos of `currency`.
    public let payoutPerDay: Int64?
    public let payoutTotal: Int64?
    /// Payouts in another one are not limited: nothing says what they are worth.
    public let currency: Currency?

    /// Ten years.
    static let windowHoursMax: Int64 = 87_600
    static let conversionsMax: Int64 = 1_000_000_000_000

    private static let windowName = "conversion_window_hours"
    private static let perDayName = "conversions_per_day"
    private static let totalName = "conversions_total"
    private static let payoutPerDayName = "payout_per_day"
    private static let payoutTotalName = "payout_total"

    /// - Parameter fallback: the currency of amounts where none is given.
    init(_ entity: inout DocumentReader, currency fallback: Currency?) {
        let windowHours = entity.optionalInteger(Self.windowName, in: 1...Self.windowHoursMax)
        var reader =
            entity.reader("caps") ?? DocumentReader(.object([]), problems: entity.problems)
        self.init(windowHours: windowHours, caps: &reader, currency: fallback)
        reader.finish()
    }

    /// Reads the members of `caps` by themselves.
    init(windowHours: Int64? = nil, caps reader: inout DocumentReader, currency fallback: Currency?)
    {
        func amount(_ name: String) -> Int64? {
            guard let nanos = reader.amount(name) else { return nil }
            if nanos < 0 { reader.fail(name, "must not be negative") }
            return nanos
        }
        self.windowHours = windowHours
        conversionsPerDay = reader.optionalInteger(Self.perDayName, in: 0...Self.conversionsMax)
        conversionsTotal = reader.optionalInteger(Self.totalName, in: 0...Self.conversionsMax)
        payoutPerDay = amount(Self.payoutPerDayName)
        payoutTotal = amount(Self.payoutTotalName)
        if reader.value("currency") != nil {
            currency = reader.currency("currency", default: .usDollar)
        } else if payoutPerDay != nil || payoutTotal != nil {
            currency = fallback
            if fallback == nil { reader.fail("currency", "is required: amounts need one") }
        } else {
            currency = nil
        }
    }

    /// Members of the entity's document.
    var members: [JSONMember] {
        [
            JSONMember(name: Self.windowName, value: .integer(orNull: windowHours)),
            JSONMember(name: "caps", value: caps),
        ]
    }

    private var caps: JSONValue {
        guard hasCaps || currency != nil else { return .null }
        return .object(capMembers)
    }

    var capMembers: [JSONMember] {
        func amount(_ nanos: Int64?) -> JSONValue {
            .string(orNull: nanos.map { Amount.format($0) })
        }
        return [
            JSONMember(name: Self.perDayName, value: .integer(orNull: conversionsPerDay)),
            JSONMember(name: Self.totalName, value: .integer(orNull: conversionsTotal)),
            JSONMember(name: Self.payoutPerDayName, value: amount(payoutPerDay)),
            JSONMember(name: Self.payoutTotalName, value: amount(payoutTotal)),
            JSONMember(name: "currency", value: .string(orNull: currency?.code)),
        ]
    }

    // MARK: Deciding

    public var hasCaps: Bool { limitsDays || limitsTotal }
    /// Whether the sum of the conversion's day matters.
    public var limitsDays: Bool { conversionsPerDay != nil || payoutPerDay != nil }
    /// Whether the sum of all days matters.
    public var limitsTotal: Bool { conversionsTotal != nil || payoutTotal != nil }
    public var limitsMoney: Bool { payoutPerDay != nil || payoutTotal != nil }

    /// The limit of time that a call came after; nil when it came within.
    public func windowPassed(clickedAt: Instant, convertedAt: Instant) -> String? {
        guard let windowHours else { return nil }
        let after = convertedAt - clickedAt
        guard after > .seconds(windowHours * 3600) else { return nil }
        return "\(Self.windowName) is \(windowHours), and the click was "
            + "\(after.components.seconds / 3600) hours before"
    }

    /// The limit that one more conversion passes; nil when there is room for it.
    ///
    /// - Parameters:
    ///   - day: what counts already on the UTC day of the conversion.
    ///   - all: what counts already.
    public func capPassed(by payout: Money, day: LimitUsage, all: LimitUsage) -> String? {
        if let limit = conversionsPerDay, day.conversions >= limit {
            return "\(Self.perDayName) is \(limit), and the day has \(day.conversions)"
        }
        if let limit = conversionsTotal, all.conversions >= limit {
            return "\(Self.totalName) is \(limit), and there are \(all.conversions)"
        }
        return moneyPassed(by: payout, day: day, all: all)
    }

    /// Whether anything of a day, or of all days, has come to its limit.
    public func isReached(day: LimitUsage, all: LimitUsage) -> Bool {
        func isReached(_ limit: Int64?, _ known: Int128) -> Bool {
            limit.map { known >= Int128($0) } ?? false
        }
        func payout(_ usage: LimitUsage) -> Int128 { currency.flatMap { usage.payouts[$0] } ?? 0 }
        return isReached(conversionsPerDay, Int128(day.conversions))
            || isReached(conversionsTotal, Int128(all.conversions))
            || isReached(payoutPerDay, payout(day)) || isReached(payoutTotal, payout(all))
    }

    /// The limit of money that an amount more passes.
    public func moneyPassed(by payout: Money, day: LimitUsage, all: LimitUsage)
        -> String?
    {
        // What adds nothing passes nothing, whatever updates have come to.
        guard payout.nanos > 0 else { return nil }
        return moneyPassed(by: payout, Self.payoutPerDayName, payoutPerDay, day)
            ?? moneyPassed(by: payout, Self.payoutTotalName, payoutTotal, all)
    }

    private func moneyPassed(
        by payout: Money, _ name: String, _ limit: Int64?, _ total: LimitUsage
    ) -> String? {
        guard let limit, payout.currency == currency else { return nil }
        let known = total.payouts[payout.currency] ?? 0
        guard known + Int128(payout.nanos) > Int128(limit) else { return nil }
        return "\(name) is \(Amount.format(limit)) \(payout.currency.code), of which "
            + "\(Amount.format(known)) are taken"
    }

    /// Why the amounts here say nothing about a payout; nil when they do.
    public func unlimited(_ payout: Money) -> String? {
        guard limitsMoney, let currency, payout.currency != currency, payout.nanos > 0 else {
            return nil
        }
        return "caps in \(currency.code) don't limit payouts in \(payout.currency.code)"
    }
}

/// What counts towards limits already.
public struct LimitUsage: Hashable, Sendable {
    public var conversions: Int64
    /// Sums of nanos.
    public var payouts: [Currency: Int128]

    public init(conversions: Int64 = 0, payouts: [Currency: Int128] = [:]) {
        self.conversions = conversions
        self.payouts = payouts
    }

    public mutating func add(_ conversions: Int64, _ nanos: Int128, _ currency: Currency) {
        self.conversions += conversions
        payouts[currency, default: 0] += nanos
    }

    public mutating func add(_ other: LimitUsage) {
        conversions += other.conversions
        payouts.merge(other.payouts, uniquingKeysWith: +)
    }
}

extension Conversion {
    /// Whether it takes room of its offer's and its campaign's limits: one that will not be paid
    /// leaves its room to others.
    public var countsTowardsLimits: Bool {
        if isTest { return false }
        switch status {
        case .pending, .approved: return true
        case .rejected, .trash, .chargeback: return false
        }
    }
}

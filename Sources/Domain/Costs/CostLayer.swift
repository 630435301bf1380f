/// A correction of what a campaign's clicks cost within a range of times. It lies over what was
/// recorded with each click, and over older layers, without changing either: what is removed again
/// was as if it had never been there.
///
/// Where it holds, it tells all that a click and its conversions cost. A click that several layers
/// are about costs what the newest says; each layer's shares are dealt out as if it were alone.
public struct CostLayer: Hashable, Sendable {
    public enum Charge: Hashable, Sendable {
        /// Nanos for all clicks together, dealt out evenly.
        case total(Int64)
        /// Nanos a click.
        case perClick(Int64)
        /// Nanos a thousand clicks.
        case perMille(Int64)

        fileprivate static let names = ["total", "cpc", "cpm"]

        fileprivate var member: (name: String, nanos: Int64) {
            switch self {
            case .total(let nanos): ("total", nanos)
            case .perClick(let nanos): ("cpc", nanos)
            case .perMille(let nanos): ("cpm", nanos)
            }
        }
    }

    public let campaign: EntityKey
    public let from: QuarterHour
    /// Outside.
    public let to: QuarterHour
    public let filter: CostFilter
    public let charge: Charge
    public let currency: Currency
    public let note: String?
    private let times: Times

    /// As they were entered, for people.
    private struct Times: Hashable {
        let from: String
        let to: String
        let zone: String
    }

    /// What a document leaves to the campaign that it names.
    public struct Defaults: Sendable {
        public let currency: Currency
        /// The source's parameter names by the number of their `{varN}`.
        public let variables: [Int: String]

        public init(currency: Currency, variables: [Int: String]) {
            self.currency = currency
            self.variables = variables
        }
    }

    /// A year of quarter hours, and a day for clocks that change.
    public static let quartersMax: Int64 = 367 * 96
    private static let first = QuarterHour(
        containing: Instant(micros: ClickRowID.epochMilliseconds * 1000))

    /// Reads one that somebody enters.
    ///
    /// - Parameter defaults: of the campaign; nil where there is none of that key.
    public init(document: JSONValue, defaults: (EntityKey) -> Defaults?) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        // An answer may be sent again: it makes another layer.
        reader.ignore("id", "clicks", "range", "created_at", "removed_at")
        let campaign = reader.requiredKey("campaign")
        var known = Defaults(currency: .usDollar, variables: [:])
        if !reader.hasFailed("campaign") {
            if let found = defaults(campaign) {
                known = found
            } else {
                reader.fail("campaign", "there is no campaign \"\(campaign)\"")
            }
        }
        let (times, range) = Self.times(&reader)
        self.init(
            &reader, campaign: campaign, times, from: range.lowerBound, to: range.upperBound, known)
        reader.finish()
        try problems.throwIfAny()
    }

    /// Reads back a `document`; its range of times does not depend on today's time zones.
    public init(kept document: JSONValue, from: QuarterHour, to: QuarterHour)
        throws(ValidationError)
    {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        let campaign = reader.requiredKey("campaign")
        let times = Times(
            from: reader.requiredString("from"), to: reader.requiredString("to"),
            zone: reader.requiredString("time_zone"))
        self.init(
            &reader, campaign: campaign, times, from: from, to: to,
            Defaults(currency: .usDollar, variables: [:]))
        reader.finish()
        try problems.throwIfAny()
    }

    private init(
        _ reader: inout DocumentReader, campaign: EntityKey, _ times: Times, from: QuarterHour,
        to: QuarterHour, _ defaults: Defaults
    ) {
        self.campaign = campaign
        self.times = times
        self.from = from
        self.to = to
        filter = CostFilter(&reader, variables: defaults.variables)
        charge = Self.charge(&reader)
        currency = reader.currency("currency", default: defaults.currency)
        note = reader.string("note").flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func charge(_ reader: inout DocumentReader) -> Charge {
        let amounts = Charge.names.map { (name: $0, nanos: reader.amount($0)) }
        let given = amounts.filter { $0.nanos != nil }
        for (name, nanos) in given where (nanos ?? 0) < 0 {
            reader.fail(name, "must not be negative")
        }
        guard given.count == 1, let name = given.first?.name, let nanos = given.first?.nanos else {
            let isTold = Charge.names.contains { reader.hasFailed($0) }
            if !isTold {
                reader.fail("total", "either this, \"cpc\" or \"cpm\" is required, and only one")
            }
            return .total(0)
        }
        switch name {
        case "cpc": return .perClick(nanos)
        case "cpm": return .perMille(nanos)
        default: return .total(nanos)
        }
    }

    // MARK: Times

    private static let timeRule =
        "must be a day such as 2026-11-20, or a time such as 2026-11-20T22:45:00Z"

    private static func times(_ reader: inout DocumentReader) -> (Times, Range<QuarterHour>) {
        let zoneName = reader.string("time_zone", max: 64) ?? ""
        let fromText = reader.requiredString("from", max: 40)
        let given = reader.string("to", max: 40) ?? ""
        // A day by itself is meant from its beginning to its end.
        let toText = given.isEmpty && Day(fromText) != nil ? fromText : given
        var zone = TimeZoneRules.utc
        do throws(TimeZoneError) {
            if !zoneName.isEmpty { zone = try TimeZoneRules(name: zoneName) }
        } catch {
            reader.fail("time_zone", error.message)
        }
        let from = quarter(
            "from", Day(fromText).map { zone.start(of: $0) } ?? Instant(rfc3339: fromText), reader)
        let isToMissed = toText.isEmpty && reader.hasFailed("from")
        let to =
            isToMissed
            ? nil
            : quarter(
                "to",
                Day(toText).map { zone.start(of: $0.advanced(by: 1)) } ?? Instant(rfc3339: toText),
                reader)
        let times = Times(from: fromText, to: toText, zone: zone.name)
        guard let from, let to else { return (times, first..<first) }
        if from < first {
            reader.fail("from", "lies before 2026, when there were no clicks")
        }
        guard from < to else {
            reader.fail("to", "must be later than from")
            return (times, first..<first)
        }
        let (length, overflow) = to.number.subtractingReportingOverflow(from.number)
        if overflow || length > quartersMax {
            reader.fail("to", "must be at most a year after from")
        }
        return (times, from..<to)
    }

    /// Clicks are summed by quarter hours, so a layer can't part one.
    private static func quarter(_ name: String, _ instant: Instant?, _ reader: DocumentReader)
        -> QuarterHour?
    {
        guard let instant else {
            if !reader.hasFailed(name) { reader.fail(name, timeRule) }
            return nil
        }
        guard let quarter = QuarterHour(startingAt: instant) else {
            reader.fail(name, "must lie on a quarter of an hour")
            return nil
        }
        return quarter
    }

    // MARK: What it means

    /// Is it about the clicks of that time?
    public func covers(_ quarter: QuarterHour) -> Bool { from <= quarter && quarter < to }

    /// - Parameter clicks: how many it is about.
    public func shares(ofClicks clicks: Int64) -> CostShares {
        switch charge {
        case .total(let nanos): CostShares(total: nanos, count: clicks)
        case .perClick(let nanos): CostShares(each: nanos)
        case .perMille(let nanos): CostShares(perThousand: nanos)
        }
    }

    /// Nanos that nobody carries when no click came at all.
    public var nanosWithoutClicks: Int64 {
        switch charge {
        case .total(let nanos): nanos
        case .perClick, .perMille: 0
        }
    }

    /// The UTC days in which it has clicks, some of them perhaps in part.
    public var days: ClosedRange<Day> {
        // Not empty: `to` is later than `from`, or the document was refused.
        from.day...max(from.day, QuarterHour(number: to.number - 1).day)
    }

    public var document: JSONValue {
        let (name, nanos) = charge.member
        return .object(
            [
                JSONMember(name: "campaign", value: .string(campaign.text)),
                JSONMember(name: "from", value: .string(times.from)),
                JSONMember(name: "to", value: .string(times.to)),
                JSONMember(name: "time_zone", value: .string(times.zone)),
                JSONMember(name: "where", value: filter.document),
                JSONMember(name: name, value: .string(Amount.format(nanos))),
                JSONMember(name: "currency", value: .string(currency.code)),
                JSONMember(name: "note", value: .string(orNull: note)),
            ])
    }
}

/// A layer with its place among the others: the larger number lies on top.
public struct StoredCostLayer: Sendable, Equatable {
    public let id: Int64
    public let campaignID: CampaignID
    public let layer: CostLayer
    public let createdAt: Instant
    /// While it is set, the layer counts for nothing.
    public let removedAt: Instant?

    public init(
        id: Int64, campaignID: CampaignID, layer: CostLayer, createdAt: Instant,
        removedAt: Instant?
    ) {
        self.id = id
        self.campaignID = campaignID
        self.layer = layer
        self.createdAt = createdAt
        self.removedAt = removedAt
    }
}

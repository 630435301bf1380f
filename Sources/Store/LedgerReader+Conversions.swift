public import Domain
internal import SQLite

/// Which conversions a list shows; nil members do not narrow it.
public struct ConversionFilter: Sendable {
    /// By the time of the conversion.
    public var from: Instant?
    public var to: Instant?
    public var campaign: CampaignID?
    public var network: NetworkID?
    public var status: ConversionStatus?
    public var event: String?
    public var transactionID: String?
    public var externalID: [UInt8]?
    public var clickRowID: ClickRowID?

    public init() {}

    /// An index finds the few that there are.
    fileprivate var isSelective: Bool {
        transactionID != nil || externalID != nil || clickRowID != nil
    }
}

extension LedgerReader {
    /// Newest first.
    public func conversions(_ filter: ConversionFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<Conversion>
    {
        var conditions = Conditions()
        conditions.add("id < ?", cursor)
        conditions.add("converted_at_us >= ?", filter.from?.micros)
        conditions.add("converted_at_us < ?", filter.to?.micros)
        conditions.add("campaign_id = ?", filter.campaign?.rawValue)
        conditions.add("network_id = ?", filter.network?.rawValue)
        conditions.add("status = ?", filter.status?.rawValue)
        conditions.add("event = ?", filter.event)
        conditions.add("transaction_id <> '' AND transaction_id = ?", filter.transactionID)
        conditions.add("external_id = ?", filter.externalID)
        conditions.add("click_row_id = ?", filter.clickRowID?.rawValue)
        let lookedAt =
            filter.isSelective
            ? .all
            : LookedAt(
                before: cursor, newest: try newest("conversion"), rowsMax: rowsLookedAtMax)
        conditions.add("id >= ?", lookedAt.from)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT \(ConversionRow.columns) FROM conversion \(conditions.sql) "
                    + "ORDER BY id DESC LIMIT \(limit + 1)", conditions.values
            ) { (row) throws(SQLiteError) in try ConversionRow.read(row) }
        }
        return Page(items, limit: limit, endedAt: lookedAt.from) { $0.id.rawValue }
    }

    /// The greatest number in a table of ours; 0 when it is empty.
    func newest(_ table: String) throws(StoreError) -> Int64 {
        try sql { (connection) throws(SQLiteError) in
            try connection.int64("SELECT max(id) FROM \(table)") ?? 0
        }
    }

    public func conversion(_ id: ConversionID) throws(StoreError) -> Conversion? {
        try sql { (connection) throws(SQLiteError) in
            try connection.first(
                "SELECT \(ConversionRow.columns) FROM conversion WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in try ConversionRow.read(row) }
        }
    }

    /// In their order.
    public func revisions(of id: ConversionID) throws(StoreError) -> [ConversionRevision] {
        try sql { (connection) throws(SQLiteError) in
            try ConversionRow.revisions(of: id, connection)
        }
    }

    /// Sums of the conversions whose clicks lie in a range of times, without test calls.
    /// - Parameter reporting: the currency in which their amounts are summed a second time.
    public func conversionTotals(
        from: Instant, to: Instant, reporting: Currency? = nil
    ) throws(StoreError) -> [ConversionTotal] {
        var totals: [ConversionTotal] = []
        try audienceConversions(by: nil, from: from, to: to, reporting: reporting) { item in
            totals.append(item.total)
            return true
        }
        return totals
    }

    /// The same by who made the clicks, handed on; of the same ones there may be several.
    /// - Parameters:
    ///   - parts: nil: nothing is told apart.
    ///   - take: false: no more are wanted.
    public func audienceConversions(
        by parts: Audience.Parts?, from: Instant, to: Instant, reporting: Currency? = nil,
        _ take: (AudienceConversions) -> Bool
    ) throws(StoreError) {
        try sql { (connection) throws(SQLiteError) in
            // `converted` is NULL for what was not converted: zero needs no rate, nor does the
            // reporting currency itself.
            let rows = try connection.prepare(
                """
                SELECT \(Audience.columns(parts)), campaign_id, status, currency, payout_nanos,
                    CASE WHEN currency = ?3 OR payout_nanos = 0 THEN payout_nanos
                        WHEN reporting_currency = ?3 THEN reporting_nanos END AS converted
                FROM conversion WHERE click_row_id >= ?1 AND click_row_id < ?2 AND is_test = 0
                """)
            rows.bind(1, Self.firstRowID(at: from))
            rows.bind(2, Self.firstRowID(at: to))
            rows.bind(3, text: reporting?.code)
            defer { rows.reset() }
            var sums: [ConversionSum.Key: ConversionSum] = [:]
            while try rows.step() {
                let key = ConversionSum.Key(
                    campaign: rows.int64(3), status: rows.text(4), currency: rows.text(5),
                    audience: AudienceKey(rows))
                sums[key, default: ConversionSum()].add(rows.int64(6), rows.optionalInt64(7))
                guard sums.count == Audience.sumsMax else { continue }
                guard try ConversionSum.handOn(sums, take) else { return }
                sums.removeAll(keepingCapacity: true)
            }
            _ = try ConversionSum.handOn(sums, take)
        }
    }

    static func firstRowID(at instant: Instant) -> Int64 {
        let milliseconds = instant.milliseconds - ClickRowID.epochMilliseconds
        let clamped = min(max(0, milliseconds), ClickRowID.millisecondsMax)
        return ClickRowID(milliseconds: clamped, node: 0, sequence: 0).rawValue
    }
}

/// What rows of conversions that are alike come to.
private struct ConversionSum {
    struct Key: Hashable {
        let campaign: Int64
        let status: String
        let currency: String
        let audience: AudienceKey
    }

    private var count: Int64 = 0
    private var unconverted: Int64 = 0
    private var nanos: Int128 = 0
    private var converted: Int128 = 0

    mutating func add(_ payoutNanos: Int64, _ convertedNanos: Int64?) {
        count += 1
        nanos += Int128(payoutNanos)
        if let convertedNanos { converted += Int128(convertedNanos) } else { unconverted += 1 }
    }

    /// False when no more are wanted.
    static func handOn(_ sums: [Key: ConversionSum], _ take: (AudienceConversions) -> Bool)
        throws(SQLiteError) -> Bool
    {
        for (key, sum) in sums {
            guard let status = ConversionStatus(rawValue: key.status),
                let currency = Currency(key.currency)
            else { throw .corrupt("a conversion can't be read") }
            let total = ConversionTotal(
                campaignID: CampaignID(key.campaign), status: status, currency: currency,
                conversions: sum.count, payoutNanos: sum.nanos, reportingNanos: sum.converted,
                unconverted: sum.unconverted)
            if !take(AudienceConversions(audience: key.audience.audience, total: total)) {
                return false
            }
        }
        return true
    }
}

/// How many conversions of one status a campaign had, and their payouts, in one currency.
public struct ConversionTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    public let status: ConversionStatus
    public let currency: Currency
    public let conversions: Int64
    public let payoutNanos: Int128
    /// The same in the reporting currency, without those that were not converted.
    public let reportingNanos: Int128
    /// How many are not in that sum.
    public let unconverted: Int64

    public init(
        campaignID: CampaignID, status: ConversionStatus, currency: Currency, conversions: Int64,
        payoutNanos: Int128, reportingNanos: Int128 = 0, unconverted: Int64 = 0
    ) {
        self.campaignID = campaignID
        self.status = status
        self.currency = currency
        self.conversions = conversions
        self.payoutNanos = payoutNanos
        self.reportingNanos = reportingNanos
        self.unconverted = unconverted
    }
}

/// A WHERE clause from the members of a filter that are set.
struct Conditions {
    private var parts: [String] = []
    private(set) var values: [Value] = []

    mutating func add(_ part: String, _ value: Int64?) {
        if let value { append(part, .integer(value)) }
    }

    mutating func add(_ part: String, _ value: String?) {
        if let value { append(part, .text(value)) }
    }

    mutating func add(_ part: String, _ value: [UInt8]?) {
        if let value { append(part, .blob(value)) }
    }

    /// One that binds nothing.
    mutating func add(_ part: String) { parts.append(part) }

    private mutating func append(_ part: String, _ value: Value) {
        parts.append(part)
        values.append(value)
    }

    var sql: String { parts.isEmpty ? "" : "WHERE " + parts.joined(separator: " AND ") }
}

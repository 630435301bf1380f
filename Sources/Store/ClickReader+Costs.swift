public import Domain
internal import SQLite

/// How many clicks of a quarter of an hour cost something in one currency, and how much.
public struct QuarterTotal: Sendable, Equatable {
    public let quarter: QuarterHour
    /// Nil for clicks whose cost is not known.
    public let currency: Currency?
    public let clicks: Int64
    public let costNanos: Int128
}

/// What a cost layer may look at in a click.
public struct PricedClick {
    public let rowID: ClickRowID
    public let cost: Money?
    public let offerVersion: Int64
    fileprivate let names: [String: Int]
    fileprivate let values: [UInt8]

    /// A parameter of the campaign URL; nil where it had none of that name.
    public func parameter(_ name: String) -> [UInt8]? {
        names[name].flatMap { PackedTexts.text(at: $0, in: values) }
    }
}

extension ClickReader {
    /// One campaign's sums of a day, in the order of time.
    public func quarterTotals(of campaign: CampaignID, on day: Day) throws(StoreError)
        -> [QuarterTotal]
    {
        try read(day) { (connection, _) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT slot, currency, clicks, cost_units, cost_nanos FROM click_total
                WHERE campaign_id = ?1 ORDER BY slot, currency
                """, [.integer(campaign.rawValue)]
            ) { (row) throws(SQLiteError) in
                QuarterTotal(
                    quarter: QuarterHour(number: row.int64(0)),
                    currency: Currency(rawValue: UInt32(truncatingIfNeeded: row.int64(1))),
                    clicks: row.int64(2),
                    costNanos: Int128(row.int64(3)) * 1_000_000_000 + Int128(row.int64(4)))
            }
        } ?? []
    }

    /// How many clicks a campaign had in some quarters of a day.
    public func clickCount(
        of campaign: CampaignID, on day: Day, from: QuarterHour, to: QuarterHour
    ) throws(StoreError) -> Int64 {
        try read(day) { (connection, _) throws(SQLiteError) in
            try connection.int64(
                """
                SELECT sum(clicks) FROM click_total
                WHERE campaign_id = ?1 AND slot >= ?2 AND slot < ?3
                """,
                [
                    .integer(campaign.rawValue), .integer(from.number), .integer(to.number),
                ]) ?? 0
        } ?? 0
    }

    /// Every click of a campaign on a day, in the order of their IDs. Reads all of the day's clicks.
    public func eachClick(
        of campaign: CampaignID, on day: Day, _ body: (PricedClick) -> Void
    ) throws(StoreError) {
        _ = try read(day) { (connection, version) throws(SQLiteError) in
            // Few names lists are shared by all clicks.
            var names: [Int64: [String: Int]] = [:]
            _ = try connection.rows(
                """
                SELECT id, cost_nanos, currency, offer_version, parameter_names, parameter_values
                FROM click WHERE campaign_id = ?1\(version < 5 ? "" : " AND visit IS NULL")
                ORDER BY id
                """, [.integer(campaign.rawValue)]
            ) { (row) throws(SQLiteError) in
                guard let rowID = ClickRowID(rawValue: row.int64(0)) else { return }
                let currency = row.optionalInt64(2).flatMap {
                    Currency(rawValue: UInt32(truncatingIfNeeded: $0))
                }
                let list = row.optionalInt64(4)
                var known: [String: Int] = [:]
                if let list {
                    if let found = names[list] {
                        known = found
                    } else {
                        known = try Self.places(ofNames: list, connection)
                        names[list] = known
                    }
                }
                body(
                    PricedClick(
                        rowID: rowID,
                        cost: row.optionalInt64(1).flatMap { nanos in
                            currency.map { Money(nanos: nanos, currency: $0) }
                        },
                        offerVersion: row.int64(3), names: known, values: row.blob(5)))
            }
        }
    }

    /// Of a name that is there twice the first place counts, as everywhere.
    private static func places(ofNames list: Int64, _ connection: Connection)
        throws(SQLiteError) -> [String: Int]
    {
        let packed = try connection.first(
            "SELECT value FROM text WHERE id = ?1", [.integer(list)]
        ) { (row) throws(SQLiteError) in row.blob(0) }
        return Dictionary(
            PackedTexts.unpack(packed ?? []).enumerated().map {
                (String(decoding: $1, as: UTF8.self), $0)
            },
            uniquingKeysWith: { first, _ in first })
    }
}

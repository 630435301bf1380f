public import Domain
internal import SQLite

/// What a campaign's conversions cost by themselves, by the quarter hour of their click.
public struct ConversionCostTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    public let quarter: QuarterHour
    public let currency: Currency
    /// Those that cost something.
    public let conversions: Int64
    public let costNanos: Int128

    public init(
        campaignID: CampaignID, quarter: QuarterHour, currency: Currency, conversions: Int64,
        costNanos: Int128
    ) {
        self.campaignID = campaignID
        self.quarter = quarter
        self.currency = currency
        self.conversions = conversions
        self.costNanos = costNanos
    }
}

extension LedgerReader {
    /// Of the conversions whose clicks lie in a range of times, without test calls.
    public func conversionCosts(from: Instant, to: Instant) throws(StoreError)
        -> [ConversionCostTotal]
    {
        try audienceCosts(by: nil, from: from, to: to).map(\.total)
    }

    /// The same by who made the clicks.
    /// - Parameter parts: nil: nothing is told apart.
    public func audienceCosts(by parts: Audience.Parts?, from: Instant, to: Instant)
        throws(StoreError) -> [AudienceCosts]
    {
        return try sql { (connection) throws(SQLiteError) in
            // Units and nanos apart, so that no sum can overflow.
            try connection.rows(
                """
                SELECT campaign_id,
                    ((click_row_id >> 22) + \(ClickRowID.epochMilliseconds))
                        / \(QuarterHour.micros / 1000) AS quarter,
                    own_cost_currency, count(*), sum(own_cost_nanos / 1000000000),
                    sum(own_cost_nanos % 1000000000), visit, device, place
                FROM (
                    SELECT \(Audience.columns(parts)), campaign_id, click_row_id,
                        own_cost_currency, own_cost_nanos
                    FROM conversion
                    WHERE click_row_id >= ?1 AND click_row_id < ?2 AND is_test = 0
                        AND own_cost_nanos <> 0)
                GROUP BY campaign_id, quarter, own_cost_currency, visit, device, place
                """,
                [.integer(Self.firstRowID(at: from)), .integer(Self.firstRowID(at: to))]
            ) { (row) throws(SQLiteError) in
                guard let currency = Currency(row.text(2)) else {
                    throw .corrupt("the cost of a conversion can't be read")
                }
                let total = ConversionCostTotal(
                    campaignID: CampaignID(row.int64(0)),
                    quarter: QuarterHour(number: row.int64(1)), currency: currency,
                    conversions: row.int64(3),
                    costNanos: Int128(row.int64(4)) * 1_000_000_000 + Int128(row.int64(5)))
                return AudienceCosts(
                    audience: Audience(
                        visit: VisitKind(stored: row.optionalInt64(6)),
                        device: row.withBytes(7) { Device(packed: $0) },
                        place: row.withBytes(8) { Place(packed: $0) }),
                    total: total)
            }
        }
    }
}

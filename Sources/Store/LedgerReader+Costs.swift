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
        var totals: [ConversionCostTotal] = []
        try audienceCosts(by: nil, from: from, to: to) { item in
            totals.append(item.total)
            return true
        }
        return totals
    }

    /// The same by who made the clicks, handed on; of the same ones there may be several.
    /// - Parameters:
    ///   - parts: nil: nothing is told apart.
    ///   - take: false: no more are wanted.
    public func audienceCosts(
        by parts: Audience.Parts?, from: Instant, to: Instant, _ take: (AudienceCosts) -> Bool
    ) throws(StoreError) {
        try sql { (connection) throws(SQLiteError) in
            let rows = try connection.prepare(
                """
                SELECT \(Audience.columns(parts)), campaign_id,
                    ((click_row_id >> 22) + \(ClickRowID.epochMilliseconds))
                        / \(QuarterHour.micros / 1000),
                    own_cost_currency, own_cost_nanos
                FROM conversion
                WHERE click_row_id >= ?1 AND click_row_id < ?2 AND is_test = 0
                    AND own_cost_nanos <> 0
                """)
            rows.bind(1, Self.firstRowID(at: from))
            rows.bind(2, Self.firstRowID(at: to))
            defer { rows.reset() }
            var sums: [CostSum.Key: CostSum] = [:]
            while try rows.step() {
                let key = CostSum.Key(
                    campaign: rows.int64(3), quarter: rows.int64(4), currency: rows.text(5),
                    audience: AudienceKey(rows))
                sums[key, default: CostSum()].add(rows.int64(6))
                guard sums.count == Audience.sumsMax else { continue }
                guard try CostSum.handOn(sums, take) else { return }
                sums.removeAll(keepingCapacity: true)
            }
            _ = try CostSum.handOn(sums, take)
        }
    }
}

/// What rows of conversions that are alike cost.
private struct CostSum {
    struct Key: Hashable {
        let campaign: Int64
        let quarter: Int64
        let currency: String
        let audience: AudienceKey
    }

    private var count: Int64 = 0
    private var nanos: Int128 = 0

    mutating func add(_ costNanos: Int64) {
        count += 1
        nanos += Int128(costNanos)
    }

    /// False when no more are wanted.
    static func handOn(_ sums: [Key: CostSum], _ take: (AudienceCosts) -> Bool)
        throws(SQLiteError) -> Bool
    {
        for (key, sum) in sums {
            guard let currency = Currency(key.currency) else {
                throw .corrupt("the cost of a conversion can't be read")
            }
            let total = ConversionCostTotal(
                campaignID: CampaignID(key.campaign), quarter: QuarterHour(number: key.quarter),
                currency: currency, conversions: sum.count, costNanos: sum.nanos)
            if !take(AudienceCosts(audience: key.audience.audience, total: total)) { return false }
        }
        return true
    }
}

public import Domain

/// Costs that no click has by itself, of one campaign and currency.
public struct CostTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    public let currency: Currency
    /// How many conversions, or layers without clicks, it is the cost of.
    public let count: Int64
    public let costNanos: Int128
    /// The cost in the reporting currency; nil where it was not converted.
    public let reportingNanos: Int128?

    public init(
        campaignID: CampaignID, currency: Currency, count: Int64, costNanos: Int128,
        reportingNanos: Int128? = nil
    ) {
        self.campaignID = campaignID
        self.currency = currency
        self.count = count
        self.costNanos = costNanos
        self.reportingNanos = reportingNanos
    }
}

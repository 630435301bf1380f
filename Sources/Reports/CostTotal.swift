public import Domain
internal import Store

/// Costs that no click has by itself, of one campaign and currency.
public struct CostTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    public let currency: Currency
    /// How many conversions it is the cost of.
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

    /// What conversions cost, one for each day of their clicks: that day's rate converts it.
    static func ofConversions(
        _ reader: LedgerReader, _ period: ReportPeriod, _ rates: ExchangeRates
    ) throws(StoreError) -> [CostTotal] {
        struct Place: Hashable {
            let campaignID: CampaignID
            let day: Day
            let currency: Currency
        }
        var sums: [Place: (count: Int64, nanos: Int128)] = [:]
        for total in try reader.conversionCosts(from: period.from, to: period.to) {
            let place = Place(
                campaignID: total.campaignID, day: total.quarter.day, currency: total.currency)
            sums[place, default: (0, 0)].count += total.conversions
            sums[place, default: (0, 0)].nanos += total.costNanos
        }
        return sums.map { place, sum in
            CostTotal(
                campaignID: place.campaignID, currency: place.currency, count: sum.count,
                costNanos: sum.nanos,
                reportingNanos: rates.converted(sum.nanos, of: place.currency, on: place.day))
        }
    }
}

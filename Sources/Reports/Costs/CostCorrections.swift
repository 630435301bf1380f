public import Domain
public import Store

/// What clicks and conversions cost in a period, with every cost layer laid over what was recorded.
struct CostCorrections {
    private let reader: LedgerReader
    private let period: ReportPeriod
    /// Those that have layers in the period.
    private let campaigns: [CampaignID: CampaignCosts]

    /// - Parameter days: that have a file.
    init(_ reader: LedgerReader, _ period: ReportPeriod, _ days: Set<Day>) throws(StoreError) {
        self.reader = reader
        self.period = period
        let layers = Dictionary(
            grouping: try reader.costLayers(from: period.from, to: period.to), by: \.campaignID)
        var campaigns: [CampaignID: CampaignCosts] = [:]
        for (campaign, layers) in layers {
            campaigns[campaign] = try CampaignCosts(campaign, layers, days, reader, period)
        }
        self.campaigns = campaigns
    }

    /// Of the period's part of a day, by campaign and currency.
    func clicks(on day: Day) throws(StoreError) -> [ClickTotal] {
        let changed = campaigns.values.filter { $0.isChanged(on: day) }
        var totals = try reader.clicks.totals(on: day, from: period.from, to: period.to)
        guard !changed.isEmpty else { return totals }
        let replaced = totals.filter { total in
            changed.contains { $0.campaign == total.campaignID }
        }
        totals.removeAll { total in changed.contains { $0.campaign == total.campaignID } }
        // A layer is about clicks; how many requests are none stays as it was counted.
        totals += replaced.filter { $0.bots > 0 }.map {
            ClickTotal(
                campaignID: $0.campaignID, currency: nil, clicks: 0, costNanos: 0, bots: $0.bots)
        }
        for campaign in changed { totals += try campaign.clicks(on: day) }
        return totals
    }

    /// Costs that no click has: those of conversions, and what was entered for times without clicks.
    func otherCosts(_ rates: ExchangeRates) throws(StoreError) -> [CostTotal] {
        var sums: [Place: Sum] = [:]
        for total in try reader.conversionCosts(from: period.from, to: period.to)
        where campaigns[total.campaignID] == nil {
            let place = Place(
                campaignID: total.campaignID, day: total.quarter.day, currency: total.currency)
            sums[place, default: Sum()].count += total.conversions
            sums[place, default: Sum()].nanos += total.costNanos
        }
        for campaign in campaigns.values {
            let conversions = try campaign.conversions()
                .map { (day: $0.day, currency: $0.cost.currency, nanos: $0.cost.nanos) }
            for (day, currency, nanos) in conversions + campaign.withoutClicks() {
                let place = Place(campaignID: campaign.campaign, day: day, currency: currency)
                sums[place, default: Sum()].count += 1
                sums[place, default: Sum()].nanos += Int128(nanos)
            }
        }
        // One for each day: that day's rate converts it.
        return sums.map { place, sum in
            CostTotal(
                campaignID: place.campaignID, currency: place.currency, count: sum.count,
                costNanos: sum.nanos,
                reportingNanos: rates.converted(sum.nanos, of: place.currency, on: place.day))
        }
    }

    private struct Place: Hashable {
        let campaignID: CampaignID
        let day: Day
        let currency: Currency
    }

    private struct Sum {
        var count: Int64 = 0
        var nanos: Int128 = 0
    }
}

extension CampaignReport {
    /// How many clicks of each day layers are about, by their numbers, as far as the days have files.
    /// A campaign's clicks are looked at once for all its layers. One that is not kept yet has a
    /// number below 1, which no other has.
    public static func clicks(of layers: [StoredCostLayer], _ reader: LedgerReader)
        throws(StoreError) -> [Int64: [Day: Int64]]
    {
        let days = Set(try reader.clickDays())
        let asksForOffers = layers.contains { stored in
            stored.layer.filter.tests.contains { $0.field == .offer }
        }
        let offers = asksForOffers ? try reader.offerKeys() : [:]
        var all: [Int64: [Day: Int64]] = [:]
        for (campaign, layers) in Dictionary(grouping: layers, by: \.campaignID) {
            let counts = try LayerCounts(campaign, reader, days, offers).counts(of: layers)
            all.merge(counts) { first, _ in first }
        }
        return all
    }
}

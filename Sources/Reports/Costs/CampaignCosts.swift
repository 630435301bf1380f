internal import Domain
internal import Store

/// What one campaign's clicks and conversions cost, with its layers laid over what was recorded.
struct CampaignCosts {
    let campaign: CampaignID
    /// The topmost, which is the newest, first.
    private let layers: [CountedLayer]
    private let reader: LedgerReader
    private let period: ReportPeriod
    /// The offers that clicks were sent to, where a filter asks for them.
    private let offers: [Int64: [UInt8]]

    /// - Parameters:
    ///   - layers: all that have a part in the period, in any order.
    ///   - days: that have a file.
    init(
        _ campaign: CampaignID, _ layers: [StoredCostLayer], _ days: Set<Day>,
        _ reader: LedgerReader, _ period: ReportPeriod
    ) throws(StoreError) {
        self.campaign = campaign
        self.reader = reader
        self.period = period
        let sorted = layers.sorted { $0.id > $1.id }
        let asksForOffers = sorted.contains { stored in
            stored.layer.filter.tests.contains { $0.field == .offer }
        }
        let offers = asksForOffers ? try reader.offerKeys() : [:]
        self.offers = offers
        let counts = try LayerCounts(campaign, reader, days, offers).counts(of: sorted)
        self.layers = sorted.map { CountedLayer($0, counts: counts[$0.id] ?? [:]) }
    }

    private func layers(on day: Day) -> [CountedLayer] {
        layers.filter { $0.layer.days.contains(day) }
    }

    func isChanged(on day: Day) -> Bool { layers.contains { $0.layer.days.contains(day) } }

    /// Of the period's part of a day, by currency.
    func clicks(on day: Day) throws(StoreError) -> [ClickTotal] {
        let layers = layers(on: day)
        let index = CostLayerIndex(layers.map(\.layer))
        var costs = DayCosts(day, period, layers)
        if index.isGeneral {
            for total in try reader.clicks.quarterTotals(of: campaign, on: day) {
                costs.add(
                    total.clicks, in: total.quarter,
                    at: index.places(at: total.quarter) { _ in nil },
                    currency: total.currency, nanos: total.costNanos)
            }
        } else {
            try reader.clicks.eachClick(of: campaign, on: day) { click in
                let quarter = QuarterHour(containing: click.rowID.instant)
                costs.add(
                    1, in: quarter,
                    at: index.places(at: quarter) { click.value(of: $0, offers) },
                    currency: click.cost?.currency, nanos: Int128(click.cost?.nanos ?? 0))
            }
        }
        return costs.totals(of: campaign)
    }

    /// What was entered for times in which no click came that it could be a part of the cost of: it
    /// stands at the first of those times, unless a newer layer tells what all clicks of that time
    /// cost, or the same ones.
    func withoutClicks() -> [(day: Day, currency: Currency, nanos: Int64)] {
        layers.enumerated().compactMap { place, counted in
            let layer = counted.layer
            let nanos = layer.nanosWithoutClicks
            guard counted.clicks == 0, nanos != 0, period.contains(layer.from),
                !layers[..<place].contains(where: { newer in
                    newer.layer.covers(layer.from)
                        && (newer.layer.filter.isAll || newer.layer.filter == layer.filter)
                })
            else { return nil }
            return (layer.from.day, layer.currency, nanos)
        }
    }

    // MARK: Conversions

    /// Conversions whose click no layer is about keep their cost.
    func conversions() throws(StoreError) -> [(day: Day, cost: Money)] {
        let index = CostLayerIndex(layers.map(\.layer))
        var costs: [(day: Day, cost: Money)] = []
        try reader.eachConversionWithCost(of: campaign, from: period.from, to: period.to) {
            conversion in
            guard let cost = conversion.cost else { return }
            let click = conversion.click
            let quarter = QuarterHour(containing: click.rowID.instant)
            let places = index.places(at: quarter) { click.value(of: $0, offers) }
            if places.isEmpty { costs.append((click.rowID.day, cost)) }
        }
        return costs
    }
}

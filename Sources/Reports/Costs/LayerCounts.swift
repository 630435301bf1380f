internal import Domain
internal import Store

/// Counts the clicks that layers of one campaign are about.
struct LayerCounts {
    private let campaign: CampaignID
    private let reader: LedgerReader
    /// That have a file.
    private let days: Set<Day>
    private let offers: [Int64: [UInt8]]

    init(
        _ campaign: CampaignID, _ reader: LedgerReader, _ days: Set<Day>,
        _ offers: [Int64: [UInt8]]
    ) {
        self.campaign = campaign
        self.reader = reader
        self.days = days
        self.offers = offers
    }

    /// Of each day, by the layer's number. Of days whose clicks retention has deleted, what was noted
    /// while they were there: so the others' shares stay what they are.
    func counts(of layers: [StoredCostLayer]) throws(StoreError) -> [Int64: [Day: Int64]] {
        var counts: [Int64: [Day: Int64]] = [:]
        var byDay: [Day: [StoredCostLayer]] = [:]
        for stored in layers {
            var isWhole = true
            var day = stored.layer.days.lowerBound
            while day <= stored.layer.days.upperBound {
                if days.contains(day) {
                    byDay[day, default: []].append(stored)
                } else {
                    isWhole = false
                }
                day = day.advanced(by: 1)
            }
            guard !isWhole else { continue }
            counts[stored.id] = try reader.notedClicks(ofCostLayer: stored.id)
                .filter { !days.contains($0.key) }
        }
        for (day, layers) in byDay {
            for (id, count) in try self.counts(of: layers, on: day) {
                counts[id, default: [:]][day] = count
            }
        }
        return counts
    }

    private func counts(of layers: [StoredCostLayer], on day: Day) throws(StoreError)
        -> [Int64: Int64]
    {
        var counts: [Int64: Int64] = [:]
        var unknown: [(stored: StoredCostLayer, ofClicks: Int64)] = []
        for stored in layers {
            let clicks = try reader.clicks.clickCount(
                of: campaign, on: day, from: stored.layer.from, to: stored.layer.to)
            if clicks == 0 || stored.layer.filter.isAll {
                counts[stored.id] = clicks
            } else if stored.id > 0,
                let known = reader.costCounts.count(
                    CostCounts.Key(layer: stored.id, day: day), ofClicks: clicks)
            {
                counts[stored.id] = known
            } else {
                unknown.append((stored, clicks))
            }
        }
        if unknown.isEmpty { return counts }
        let index = CostLayerIndex(unknown.map(\.stored.layer))
        var found = [Int64](repeating: 0, count: unknown.count)
        try reader.clicks.eachClick(of: campaign, on: day) { click in
            let quarter = QuarterHour(containing: click.rowID.instant)
            for place in index.places(at: quarter, { click.value(of: $0, offers) }) {
                found[place] += 1
            }
        }
        for (place, item) in unknown.enumerated() {
            counts[item.stored.id] = found[place]
            // One that is not kept yet has no number of its own.
            guard item.stored.id > 0 else { continue }
            // Clicks that came in between make the number one that is counted again.
            reader.costCounts.set(
                found[place], for: CostCounts.Key(layer: item.stored.id, day: day),
                ofClicks: item.ofClicks)
        }
        return counts
    }
}

extension PricedClick {
    /// What it has in a field that costs are told apart by.
    /// - Parameter offers: the key of each wording's offer.
    func value(of field: CostFilter.Field, _ offers: [Int64: [UInt8]]) -> [UInt8]? {
        switch field {
        case .parameter(let name): parameter(name)
        case .offer: offers[offerVersion]
        }
    }
}

extension Click {
    /// The same of a click that is known whole.
    func value(of field: CostFilter.Field, _ offers: [Int64: [UInt8]]) -> [UInt8]? {
        switch field {
        case .parameter(let name): parameters.first { $0.name == name }?.value
        case .offer: offers[offerVersion]
        }
    }
}

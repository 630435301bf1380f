internal import Domain
internal import Store

/// What is taken of every cap that a campaign's visitors may come upon.
enum CapStates {
    static func all(
        of campaign: Stored<Campaign>, _ flow: Flow, _ catalog: Catalog,
        _ counters: TrafficCounters, at instant: Instant
    ) -> [SimulatedVisit.CapState] {
        let table = CapTable(counters)
        func state(
            _ of: SimulatedVisit.CapState.Of, _ scope: CapScope, _ caps: TrafficCaps?
        ) -> [SimulatedVisit.CapState] {
            guard let cap = table.cap(scope, caps),
                let usage = counters.usage(of: scope, at: instant)
            else { return [] }
            return [
                SimulatedVisit.CapState(
                    of: of, caps: cap.caps, usage: usage, isOpen: cap.isOpen(at: instant))
            ]
        }
        var states = state(.campaign, .campaign(campaign.id), campaign.value.trafficCaps)
        for (name, caps) in flow.cappedPaths {
            states += state(.path(name), .path(campaign.id, name: name), caps)
        }
        for offer in offers(flow, catalog) {
            states += state(.offer(offer.value.key), .offer(offer.id), offer.value.trafficCaps)
        }
        return states
    }

    /// Those that the flow leads to, and those that they overflow to, each once.
    private static func offers(_ flow: Flow, _ catalog: Catalog) -> [Stored<Offer>] {
        var known: Set<EntityKey> = []
        var found: [Stored<Offer>] = []
        var waiting = Array(flow.offers.map(\.key).reversed())
        while let key = waiting.popLast() {
            guard known.insert(key).inserted, let offer = catalog.offers[key] else { continue }
            found.append(offer)
            if let next = offer.value.overflowOffer { waiting.append(next) }
        }
        return found
    }
}

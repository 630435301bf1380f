internal import Domain
internal import Store

/// One scope's caps with its counter.
final class Cap: Sendable {
    let caps: TrafficCaps
    let counter: CapCounter

    init(caps: TrafficCaps, counter: CapCounter) {
        self.caps = caps
        self.counter = counter
    }

    func isOpen(at instant: Instant) -> Bool { counter.isOpen(caps, at: instant) }
}

/// Finds the counters while routes are compiled.
struct CapTable {
    private let counters: TrafficCounters

    init(_ counters: TrafficCounters) { self.counters = counters }

    func cap(_ scope: CapScope, _ caps: TrafficCaps?) -> Cap? {
        guard let caps, let counter = counters.counter(of: scope) else { return nil }
        return Cap(caps: caps, counter: counter)
    }
}

/// Room of caps that one click has taken. A class: a choice is copied some times on its way, and most
/// have taken none.
final class TakenRoom: Sendable {
    private let offer: CapCounter?
    private let path: CapCounter?
    private let campaign: CapCounter?
    private let instant: Instant

    fileprivate init(
        offer: CapCounter?, path: CapCounter?, campaign: CapCounter?, at instant: Instant
    ) {
        self.offer = offer
        self.path = path
        self.campaign = campaign
        self.instant = instant
    }

    /// The click was not recorded, and the visitor told to come again.
    func giveBack() {
        offer?.giveBack(takenAt: instant)
        path?.giveBack(takenAt: instant)
        campaign?.giveBack(takenAt: instant)
    }

    /// The visitor goes to another offer than was decided.
    /// - Returns: nil, and nothing was changed, where that one is full.
    func moved(to cap: Cap?) -> TakenRoom? {
        if let cap, !cap.counter.take(cap.caps, at: instant) { return nil }
        offer?.giveBack(takenAt: instant)
        return TakenRoom(offer: cap?.counter, path: path, campaign: campaign, at: instant)
    }
}

/// What caps close of one campaign. A class: each click asks some times, and copying the lists would
/// count references to all of them.
final class RouteCaps: Sendable {
    private let campaign: Cap?
    /// By rule and path, as in `Route`.
    private let paths: [[Cap?]]
    private let offers: [[[Landing]]]

    /// Nil where nothing has a cap.
    init?(
        _ stored: Stored<Campaign>, _ flow: Flow, _ table: CapTable, offers: [[[Landing]]]
    ) {
        campaign = table.cap(.campaign(stored.id), stored.value.trafficCaps)
        paths = ([flow.paths] + flow.rules.map(\.paths)).map { group in
            group.map { path in
                path.name.flatMap { table.cap(.path(stored.id, name: $0), path.trafficCaps) }
            }
        }
        self.offers = offers
        if campaign == nil, !paths.joined().contains(where: { $0 != nil }),
            !offers.joined().joined().contains(where: { $0.cap != nil })
        {
            return nil
        }
    }

    /// Whether the campaign itself takes one more.
    func isOpen(at instant: Instant) -> Bool { campaign?.isOpen(at: instant) ?? true }

    /// The decision's offer, or where it is full the first of its overflow that is not.
    func offer(of decision: Decision, at instant: Instant) -> (landing: Landing, cap: Cap?)? {
        offers[decision.rule][decision.path - 1][decision.offer].open(at: instant)
    }

    /// Takes room of all three caps or, where one is reached, of none.
    func take(_ decision: Decision, _ offer: Cap?, at instant: Instant) -> TakenRoom? {
        if let offer, !offer.counter.take(offer.caps, at: instant) { return nil }
        let path = paths[decision.rule][decision.path - 1]
        if let path, !path.counter.take(path.caps, at: instant) {
            offer?.counter.giveBack(takenAt: instant)
            return nil
        }
        if let campaign, !campaign.counter.take(campaign.caps, at: instant) {
            offer?.counter.giveBack(takenAt: instant)
            path?.counter.giveBack(takenAt: instant)
            return nil
        }
        return TakenRoom(
            offer: offer?.counter, path: path?.counter, campaign: campaign?.counter, at: instant)
    }

    func isOpen(rule: Int, path: Int, at instant: Instant) -> Bool {
        paths[rule][path - 1]?.isOpen(at: instant) ?? true
    }

    func isOpen(rule: Int, path: Int, offer: Int, at instant: Instant) -> Bool {
        offers[rule][path - 1][offer].open(at: instant) != nil
    }
}

extension Landing {
    /// Itself, or where it is full the first of its overflow that is not; nil where all are.
    func open(at instant: Instant) -> (landing: Landing, cap: Cap?)? {
        guard let cap else { return (self, nil) }
        if cap.isOpen(at: instant) { return (self, cap) }
        for next in overflow where next.cap?.isOpen(at: instant) ?? true {
            return (next, next.cap)
        }
        return nil
    }
}

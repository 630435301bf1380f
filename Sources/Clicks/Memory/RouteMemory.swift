internal import Domain
internal import Store

/// How a campaign knows visitors that come again.
struct RouteMemory: Sendable {
    let scope: MemoryScope
    /// Whose rules and paths a `VisitedPlace` of this campaign counts.
    let flow: MemoryScope
    let windowSeconds: Int64
    let rotation: Rotation

    /// Whether anybody reads where its visitors were sent.
    var keepsPlaces: Bool {
        if case .campaign = scope { rotation != .random } else { true }
    }

    /// Nil where nothing asks who comes again: a click costs no time to look then.
    init?(_ stored: Stored<Campaign>, _ router: Router, _ catalog: Catalog) {
        let campaign = stored.value
        let isAskedFor =
            campaign.uniqueness != nil || campaign.rotation != .random
            || router.facts.contains(.unique) || router.facts.contains(.clickNumber)
        guard isAskedFor else { return nil }
        let uniqueness = campaign.uniqueness ?? .standard
        switch campaign.flow {
        case .own: flow = .campaign(stored.id)
        case .shared(let key):
            flow = catalog.flows[key].map { .flow($0.id) } ?? .campaign(stored.id)
        }
        scope =
            switch uniqueness.scope {
            case .campaign: .campaign(stored.id)
            case .flow: flow
            case .everywhere: .everywhere
            }
        windowSeconds = Int64(uniqueness.windowHours) * 3600
        rotation = campaign.rotation
    }
}

/// Within what a visitor is known, by ID.
enum MemoryScope: Hashable {
    case campaign(CampaignID)
    case flow(FlowID)
    case everywhere

    /// Different for each: IDs are far from 2⁶².
    var salt: UInt64 {
        switch self {
        case .campaign(let id): UInt64(bitPattern: id.rawValue) | 1 << 62
        case .flow(let id): UInt64(bitPattern: id.rawValue) | 1 << 63
        case .everywhere: 0
        }
    }
}

/// Who comes, and what is remembered of it, this visit counted in.
struct KnownVisitor {
    let number: VisitorNumber
    let key: VisitorKey
    let record: VisitorRecord
}

/// What a visitor that comes again should rather take of a route.
struct SeenWays {
    /// Where it was sent before; nil where nobody is to be sent the same way, or it is gone.
    let remembered: Decision?
    private let offers: [OfferID]
    private let landers: [LanderID]
    private let ways: [[WayPoints]]
    private let instant: Instant

    /// Nil where it makes no difference.
    init?(
        _ visitor: KnownVisitor?, _ memory: RouteMemory?, _ ways: [[WayPoints]],
        at instant: Instant
    ) {
        guard let visitor, let memory else { return nil }
        self.ways = ways
        self.instant = instant
        switch memory.rotation {
        case .random: return nil
        case .sticky:
            offers = []
            landers = []
            remembered = visitor.record.place(in: memory.flow)
                .flatMap { Self.decision($0, ways) }
            if remembered == nil { return nil }
        case .unseen:
            offers = visitor.record.seenOffers
            landers = visitor.record.seenLanders
            remembered = nil
            if offers.isEmpty { return nil }
        }
    }

    func isUnseen(rule: Int, path: Int, lander: Int) -> Bool {
        !landers.contains(ways[rule][path - 1].landers[lander].landerID)
    }

    func isUnseen(rule: Int, path: Int, offer: Int) -> Bool {
        // Where the visitor would come to.
        let landing = ways[rule][path - 1].offers[offer]
        return !offers.contains((landing.open(at: instant)?.landing ?? landing).offerID)
    }

    /// Nil where the flow has changed since.
    private static func decision(_ place: VisitedPlace, _ ways: [[WayPoints]]) -> Decision? {
        guard ways.indices.contains(place.rule),
            ways[place.rule].indices.contains(place.path - 1)
        else { return nil }
        let points = ways[place.rule][place.path - 1]
        let offer =
            points.offers.firstIndex { $0.offerID == place.offer }
            ?? points.offers.firstIndex { offer in
                // It was full, and sent its visitors on.
                offer.overflow.contains { $0.offerID == place.offer }
            }
        guard let offer else { return nil }
        var lander: Int?
        // Where the path has none, the visitor was on a page that sent it without a redirect.
        if let id = place.lander, !points.landers.isEmpty {
            lander = points.landers.firstIndex { $0.landerID == id }
            if lander == nil { return nil }
        }
        return Decision(rule: place.rule, path: place.path, lander: lander, offer: offer)
    }
}

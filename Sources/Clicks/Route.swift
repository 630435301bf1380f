internal import Domain
internal import Store

/// One campaign, ready for its next click.
final class Route: Sendable {
    let campaignKey: EntityKey
    let key: [UInt8]
    let campaignID: CampaignID
    let sourceID: SourceID
    let source: Source
    let externalIDParameter: [UInt8]?
    /// Nil: the URL says, or nothing does.
    let costNanos: Int64?
    let urlCost: URLCost?
    let currency: Currency
    /// Parameter names by the number of their `{varN}`, from 1; empty where none is mapped.
    let variables: [[UInt8]]
    /// The source's own, by the same numbers.
    let variableNames: [Int: String]
    let router: Router
    let redirect: Redirect
    /// Nil: no parameter is passed on.
    let passing: ParameterPassing?
    let fallback: URLTemplate?
    /// Nil: no cap can close anything here, and a click costs none the time to look.
    private let caps: RouteCaps?
    /// Nil: nobody has to be known again here.
    let memory: RouteMemory?
    /// By rule: 0 are the default paths.
    private let paths: [[WayPoints]]

    /// Nil for one that leads nowhere.
    init?(
        _ stored: Stored<Campaign>, _ catalog: Catalog, _ landings: [EntityKey: Landing],
        _ capTable: CapTable
    ) {
        let campaign = stored.value
        guard let source = catalog.sources[campaign.source],
            let flow = catalog.flow(of: campaign), let version = catalog.flowVersions[stored.id]
        else { return nil }
        var paths: [[WayPoints]] = []
        for group in [flow.paths] + flow.rules.map(\.paths) {
            var wayPoints: [WayPoints] = []
            for path in group {
                let offers = path.offers.compactMap { landings[$0.offer] }
                let landers = path.landers.compactMap { LanderLanding($0.lander, catalog) }
                guard offers.count == path.offers.count, landers.count == path.landers.count
                else { return nil }
                wayPoints.append(WayPoints(landers: landers, offers: offers))
            }
            paths.append(wayPoints)
        }
        campaignKey = campaign.key
        key = Array(campaign.key.text.utf8)
        campaignID = stored.id
        sourceID = source.id
        self.source = source.value
        externalIDParameter = source.value.externalIDParameter.map { Array($0.utf8) }
        costNanos = campaign.cost.nanosPerClick
        urlCost = URLCost(campaign.cost, source.value)
        currency = campaign.cost.currency ?? source.value.currency
        let names = catalog.variables(of: source.value)
        variableNames = names
        variables = (1...Token.variableMax).map { Array((names[$0] ?? "var\($0)").utf8) }
        router = Router(flow, version: version.id)
        redirect = Redirect(campaign.redirect, campaign.referrerPolicy)
        passing = ParameterPassing(campaign.passedParameters, from: source.value)
        fallback = campaign.fallbackURL
        self.paths = paths
        memory = RouteMemory(stored, router, catalog)
        caps = RouteCaps(stored, flow, capTable, offers: paths.map { $0.map(\.offers) })
    }

    /// What is open to a click, and what its visitor should rather take.
    func ways(_ rowID: ClickRowID, _ visitor: KnownVisitor?) -> OpenWays {
        OpenWays(
            caps: caps, seen: SeenWays(visitor, memory, paths, at: rowID.instant),
            instant: rowID.instant)
    }

    /// Where the click with this row ID is sent; nil when nothing takes it.
    ///
    /// - Parameter visitor: nil where it is not known.
    /// - Parameter takesRoom: whether the visit counts towards caps: room is taken then, and has to
    ///   be given back if the click can't be recorded.
    func choose(
        _ rowID: ClickRowID, _ sheet: FactSheet, _ visitor: KnownVisitor?, takesRoom: Bool
    ) -> Choice? {
        let instant = rowID.instant
        let ways = ways(rowID, visitor)
        guard let caps else {
            let decision =
                ways.seen == nil
                ? router.decide(rowID, sheet) : router.decide(rowID, sheet, ways)
            guard let decision else { return fallbackChoice }
            return choice(decision)
        }
        for _ in 0..<Self.triesMax {
            guard caps.isOpen(at: instant),
                let decision = router.decide(rowID, sheet, ways),
                let (offer, cap) = caps.offer(of: decision, at: instant)
            else { return fallbackChoice }
            var choice = choice(decision, offer: offer)
            if !takesRoom { return choice }
            if let taken = caps.take(decision, cap, at: instant) {
                choice.taken = taken
                return choice
            }
            // Others were faster: what they have filled is closed now.
        }
        return fallbackChoice
    }

    /// Each try ends with another cap that is full, or with a visitor on the way.
    private static let triesMax = 100

    private func choice(_ decision: Decision, offer overflow: Landing? = nil) -> Choice {
        let wayPoints = paths[decision.rule][decision.path - 1]
        let lander = decision.lander.map { wayPoints.landers[$0] }
        let offer = overflow ?? wayPoints.offers[decision.offer]
        return Choice(
            decision: decision, url: lander?.url ?? offer.url, lander: lander, offer: offer)
    }

    private var fallbackChoice: Choice? {
        fallback.map {
            Choice(
                decision: Decision(rule: Decision.fallbackRule, path: 0, lander: nil, offer: 0),
                url: $0, lander: nil, offer: nil)
        }
    }
}

/// What stands behind one path, in the order of its document.
struct WayPoints {
    let landers: [LanderLanding]
    let offers: [Landing]
}

extension Route {
    /// The offer that a lander's link means after that decision; nil for a number that the path
    /// doesn't have.
    func landing(_ number: OfferNumber, _ decision: Decision) -> Landing? {
        let offers = offers(decision)
        switch number {
        case .nth(let number): return offers.indices.contains(number - 1) ? offers[number - 1] : nil
        case .any: return offers.indices.contains(decision.offer) ? offers[decision.offer] : nil
        }
    }

    /// The offers of the path, in the order of its document; none at the fallback URL.
    func offers(_ decision: Decision) -> [Landing] {
        decision.path > 0 ? paths[decision.rule][decision.path - 1].offers : []
    }
}

/// Where one click is sent.
struct Choice {
    let decision: Decision
    /// Nil: nowhere.
    var url: URLTemplate?
    var lander: LanderLanding?
    /// Also where a lander comes first; nil at the fallback URL.
    var offer: Landing?
    /// Room of caps that this one takes.
    var taken: TakenRoom?

    /// Of a visitor whom nothing takes: the campaign is full, say, and has no fallback URL.
    static var nowhere: Choice {
        Choice(
            decision: Decision(rule: Decision.fallbackRule, path: 0, lander: nil, offer: 0),
            url: nil, lander: nil, offer: nil)
    }

    /// Goes to another offer than was decided, by the visitor's own choice, unless that is full:
    /// the one that it goes to counts.
    mutating func go(to landing: Landing?, at instant: Instant) {
        guard let landing = landing?.taking(offer, at: instant), landing.offerID != offer?.offerID
        else { return }
        if let taken {
            guard let moved = taken.moved(to: landing.cap) else { return }
            self.taken = moved
        }
        offer = landing
    }
}

/// An offer's landing URL in its present wording.
final class Landing: Sendable {
    let key: EntityKey
    let url: URLTemplate
    let versionID: Int64
    let offerID: OfferID
    let networkID: NetworkID
    let cap: Cap?
    /// Take its visitors in turn when its cap is reached.
    let overflow: [Landing]

    /// - Parameter overflowsLeft: how many offers may follow this one.
    init?(
        _ key: EntityKey, _ catalog: Catalog, _ caps: CapTable,
        overflowsLeft: Int = Landing.overflowsMax
    ) {
        guard let offer = catalog.offers[key], let version = catalog.currentVersions[offer.id],
            let network = catalog.networks[offer.value.network],
            // Saving has checked it.
            let url = try? offer.value.landingURL(network: network.value)
        else { return nil }
        self.key = key
        self.url = url
        versionID = version.id
        offerID = offer.id
        networkID = version.networkID
        cap = offer.value.trafficCaps.flatMap { caps.cap(.offer(offer.id), $0) }
        overflow = Self.overflow(of: offer.value, catalog, caps, overflowsLeft)
    }

    /// An offer's overflow may overflow in its turn; this bounds a ring of them, too.
    private static let overflowsMax = 5

    private static func overflow(
        of offer: Offer, _ catalog: Catalog, _ caps: CapTable, _ left: Int
    ) -> [Landing] {
        // Without a cap nobody overflows.
        guard left > 0, offer.trafficCaps != nil, let key = offer.overflowOffer,
            catalog.offers[key]?.isArchived == false,
            let next = Landing(key, catalog, caps, overflowsLeft: left - 1)
        else { return [] }
        return [next] + next.overflow
    }
}

/// A lander's URL in its present wording.
final class LanderLanding: Sendable {
    let key: EntityKey
    let url: URLTemplate
    let versionID: Int64
    let landerID: LanderID

    init?(_ key: EntityKey, _ catalog: Catalog) {
        guard let lander = catalog.landers[key],
            let version = catalog.currentLanderVersions[lander.id]
        else { return nil }
        self.key = key
        url = lander.value.url
        versionID = version.id
        landerID = lander.id
    }
}

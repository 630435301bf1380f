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
    /// By rule: 0 are the default paths.
    private let paths: [[WayPoints]]

    /// What stands behind one path, in the order of its document.
    private struct WayPoints {
        let landers: [LanderLanding]
        let offers: [Landing]
    }

    /// Nil for one that leads nowhere.
    init?(_ stored: Stored<Campaign>, _ catalog: Catalog, _ landings: [EntityKey: Landing]) {
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
    }

    /// Where the click with this row ID is sent; nil when nothing takes it.
    func choose(_ rowID: ClickRowID, _ sheet: FactSheet) -> Choice? {
        guard let decision = router.decide(rowID, sheet) else {
            return fallback.map {
                Choice(
                    decision: Decision(
                        rule: Decision.fallbackRule, path: 0, lander: nil, offer: 0),
                    url: $0, lander: nil, offer: nil)
            }
        }
        let wayPoints = paths[decision.rule][decision.path - 1]
        let lander = decision.lander.map { wayPoints.landers[$0] }
        let offer = wayPoints.offers[decision.offer]
        return Choice(
            decision: decision, url: lander?.url ?? offer.url, lander: lander, offer: offer)
    }
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
    var url: URLTemplate
    var lander: LanderLanding?
    /// Also where a lander comes first; nil at the fallback URL.
    var offer: Landing?
}

/// An offer's landing URL in its present wording.
final class Landing: Sendable {
    let key: EntityKey
    let url: URLTemplate
    let versionID: Int64
    let offerID: OfferID
    let networkID: NetworkID

    init?(_ key: EntityKey, _ catalog: Catalog) {
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

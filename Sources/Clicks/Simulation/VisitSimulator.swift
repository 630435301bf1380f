public import Crypto
public import Domain
internal import HTTP
public import Store
internal import Visitors

/// Tells what would become of a visit, by the code that real ones go through, and records nothing:
/// no click, no row ID, no room of a cap, no memory of a visitor.
///
/// It reads location files and looks at every rule: for a reader's thread, not for an event loop.
public struct VisitSimulator: Sendable {
    private let settings: ClickHandler.Settings
    private let counters: TrafficCounters
    private let visitors: VisitorMemory
    private let clickIDs: ClickIDKeys
    private let alwaysServed: [HostName]
    private let signer: OnwardSigner

    /// - Parameters:
    ///   - counters: which know the caps of the catalogs that visits are simulated with.
    ///   - alwaysServed: hosts that campaigns are served at, whatever domains there are.
    public init(
        settings: ClickHandler.Settings, counters: TrafficCounters, visitors: VisitorMemory,
        clickIDs: ClickIDKeys, alwaysServed: [HostName] = []
    ) {
        self.settings = settings
        self.counters = counters
        self.visitors = visitors
        self.clickIDs = clickIDs
        self.alwaysServed = alwaysServed
        signer = OnwardSigner(clickIDs)
    }

    /// - Parameter campaign: one of the catalog's, which may be archived.
    /// - Throws: `.invalid` for what no request can be made of, or another campaign's click ID;
    ///   `.conflict` when the campaign leads to something that is not there.
    public func simulate(
        _ sample: SampleVisit, _ campaign: Stored<Campaign>, _ catalog: Catalog, now: Instant
    ) throws(StoreError) -> SimulatedVisit {
        guard let flow = catalog.flow(of: campaign.value),
            let route = Route(simulated: campaign, catalog, counters)
        else {
            throw .conflict("campaign \(campaign.value.key) leads to something that is not there")
        }
        let identity = try identity(sample, campaign, now)
        let at = sample.at ?? identity.rowID.instant
        let who: VisitorIdentity
        do throws(CryptoError) {
            who = try VisitorIdentity(clickIDs)
        } catch {
            throw .conflict("visitors can't be told apart: \(error)")
        }
        let place = place(sample.host, catalog)
        let untold = settings.withoutRate
        var simulated: SimulatedVisit?
        let made: Void? = RequestMaker().withRequest(
            target: Array("/c/\(campaign.value.key)?".utf8) + sample.query,
            host: sample.host?.text ?? "x",
            fields: sample.fields.map { (Array($0.name.utf8), Array($0.value.utf8)) },
            peerAddress: nil, receivedAtMicros: at.micros
        ) { http in
            var visit = SimulatedClick(
                route, flow, identity, sample, untold, at: at,
                clickID: sample.clickID ?? clickIDs.seal(identity))
            visit.read(http, who, visitors)
            simulated = visit.result(campaign, catalog, place, signer, counters)
        }
        guard made != nil, let simulated else {
            throw .invalid(
                ValidationError("query", "and headers make no request that could be sent"))
        }
        return simulated
    }

    /// What the sample's host is to the tracker.
    private func place(_ host: HostName?, _ catalog: Catalog) -> DomainTable.Place {
        guard let host else { return .anywhere }
        let domains = DomainTable(catalog, [], alwaysServed: alwaysServed)
        return Array(host.text.utf8).withUnsafeBytes { domains.place(of: $0) }
    }

    private func identity(
        _ sample: SampleVisit, _ campaign: Stored<Campaign>, _ now: Instant
    ) throws(StoreError) -> ClickIdentity {
        guard let clickID = sample.clickID else {
            return ClickIdentity(rowID: .sample(at: sample.at ?? now), campaignID: campaign.id)
        }
        guard let identity = clickIDs.open(clickID) else {
            throw .invalid(
                ValidationError("click_id", "must be a click ID of this installation"))
        }
        guard identity.campaignID == campaign.id else {
            throw .invalid(ValidationError("click_id", "is a click ID of another campaign"))
        }
        return identity
    }
}

extension DomainTable.Place {
    var fallbackChoice: Choice? {
        guard case .domain(let domain) = self else { return nil }
        return domain.fallbackChoice
    }
}

extension ClickHandler.Settings {
    /// The same, but visits are not counted: no sample brings a real visitor closer to being a bot.
    fileprivate var withoutRate: ClickHandler.Settings {
        let rules = visits.newest
        var settings = self
        settings.visits = SharedVisitRules(
            VisitRules(bots: rules.bots, marks: rules.marks.subtracting([.rate])))
        return settings
    }
}

extension Route {
    /// As the routing table compiles it, alone.
    fileprivate convenience init?(
        simulated campaign: Stored<Campaign>, _ catalog: Catalog, _ counters: TrafficCounters
    ) {
        let caps = CapTable(counters)
        var landings: [EntityKey: Landing] = [:]
        for (_, key) in catalog.flow(of: campaign.value)?.offers ?? [] where landings[key] == nil {
            landings[key] = Landing(key, catalog, caps)
        }
        self.init(campaign, catalog, landings, caps)
    }
}

public import Domain
public import Store
internal import Synchronization

/// Everything a click needs to know, compiled from the catalog: a click reads no database.
public final class RoutingTable: Sendable {
    /// Campaign keys are compared as bytes, so that a request needs no `String`.
    private let slots: [Route?]
    private let mask: Int
    let domains: DomainTable
    /// Archived ones too: their visitors are still on landers.
    private let routesByID: [CampaignID: Route]
    private let landings: [EntityKey: Landing]
    /// Each wording's offer in its present one.
    private let landingsByVersion: [Int64: Landing]
    private let landers: [EntityKey: LanderLanding]
    /// The lander of each wording.
    let landerIDs: [Int64: LanderID]
    /// The longest window of the campaigns that know their visitors, in seconds; nil: none does.
    let longestMemory: Int64?

    /// - Parameters:
    ///   - alwaysServed: hosts that campaigns are served at, whatever domains there are.
    ///   - counters: which know the catalog's caps.
    public init(
        _ catalog: Catalog, alwaysServed: [HostName] = [],
        counters: TrafficCounters = TrafficCounters()
    ) {
        let caps = CapTable(counters)
        var landings: [EntityKey: Landing] = [:]
        for offer in catalog.offers.all {
            landings[offer.value.key] = Landing(offer.value.key, catalog, caps)
        }
        let all = catalog.campaigns.all.compactMap { campaign in
            Route(campaign, catalog, landings, caps).map { (campaign: campaign, route: $0) }
        }
        self.landings = landings
        landingsByVersion = catalog.offerVersions.compactMapValues { version in
            catalog.offers[version.offerID].flatMap { landings[$0.value.key] }
        }
        landers = Dictionary(
            uniqueKeysWithValues: catalog.landers.all.filter { !$0.isArchived }.compactMap {
                stored in
                LanderLanding(stored.value.key, catalog).map { (stored.value.key, $0) }
            })
        landerIDs = catalog.landerVersions.mapValues(\.landerID)
        longestMemory = all.compactMap(\.route.memory?.windowSeconds).max()
        routesByID = Dictionary(
            all.map { ($0.campaign.id, $0.route) }, uniquingKeysWith: { first, _ in first })
        let routes = all.filter { !$0.campaign.isArchived }.map(\.route)
        // At most half full, so that a search ends soon.
        var capacity = 8
        while capacity < routes.count * 2 { capacity *= 2 }
        var slots = [Route?](repeating: nil, count: capacity)
        for route in routes {
            var index = route.key.withUnsafeBytes { Self.hash($0) } & (capacity - 1)
            while slots[index] != nil { index = (index + 1) & (capacity - 1) }
            slots[index] = route
        }
        self.slots = slots
        mask = capacity - 1
        domains = DomainTable(catalog, routes, alwaysServed: alwaysServed)
    }

    /// The campaign of that key; nil for an unknown or archived one.
    func route(_ key: UnsafeRawBufferPointer) -> Route? {
        guard key.count <= EntityKey.lengthMax else { return nil }
        var index = Self.hash(key) & mask
        while let route = slots[index] {
            if route.key.elementsEqual(key) { return route }
            index = (index + 1) & mask
        }
        return nil
    }

    /// The campaign of that number, also where it is archived.
    func route(_ id: CampaignID) -> Route? { routesByID[id] }

    /// The offer of that key in its present wording, also where it is archived.
    func landing(of key: EntityKey) -> Landing? { landings[key] }

    /// The lander of that key; nil where it is archived.
    func lander(of key: EntityKey) -> LanderLanding? { landers[key] }

    /// The offer that a click's wording is of, in its present one.
    func landing(ofVersion id: Int64) -> Landing? { landingsByVersion[id] }

    /// The keys are the user's, so nobody from outside can choose those that collide.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        let hash = FNV1a.hash(bytes)
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}

/// The routing table of the newest commit, shared by all loops. A change is published before it is
/// answered, so it holds from the next click on; a click that finds nothing new takes no lock.
public final class Routing: Sendable {
    private let generation = Atomic<Int>(0)
    private let table: Mutex<RoutingTable>
    private let alwaysServed: [HostName]

    private let counters: TrafficCounters

    /// - Parameters:
    ///   - alwaysServed: hosts that campaigns are served at, whatever domains there are.
    ///   - counters: of all caps; they outlive the tables.
    public init(
        _ catalog: Catalog, alwaysServed: [HostName] = [],
        counters: TrafficCounters = TrafficCounters()
    ) {
        self.alwaysServed = alwaysServed
        self.counters = counters
        counters.follow(catalog)
        table = Mutex(RoutingTable(catalog, alwaysServed: alwaysServed, counters: counters))
    }

    public func publish(_ catalog: Catalog) {
        counters.follow(catalog)
        let compiled = RoutingTable(catalog, alwaysServed: alwaysServed, counters: counters)
        table.withLock { $0 = compiled }
        generation.add(1, ordering: .releasing)
    }

    var newest: RoutingTable { table.withLock { $0 } }

    /// Changes when a table was published: who reads it first and then `newest` misses none.
    var version: Int { generation.load(ordering: .acquiring) }
}

internal import Domain
public import Store
internal import Synchronization

/// Everything a click needs to know, compiled from the catalog: a click reads no database.
public final class RoutingTable: Sendable {
    /// Campaign keys are compared as bytes, so that a request needs no `String`.
    private let slots: [Route?]
    private let mask: Int

    public init(_ catalog: Catalog) {
        let routes = catalog.campaigns.all.compactMap { Route($0, catalog) }
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

    /// FNV-1a. The keys are the user's, so nobody from outside can choose those that collide.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}

/// One campaign, ready for its next click.
final class Route: Sendable {
    let key: [UInt8]
    let campaignID: CampaignID
    let sourceID: SourceID
    let externalIDParameter: [UInt8]?
    /// Nil: the URL says, or nothing does.
    let costNanos: Int64?
    let urlCost: URLCost?
    let currency: Currency
    /// Parameter names by the number of their `{varN}`, from 1; empty where none is mapped.
    let variables: [[UInt8]]
    private let pathChoice: WeightedChoice
    private let paths: [Path]

    private struct Path {
        let choice: WeightedChoice
        let offers: [Landing]
    }

    /// Nil for one that is archived or leads nowhere.
    init?(_ stored: Stored<Campaign>, _ catalog: Catalog) {
        let campaign = stored.value
        guard !stored.isArchived, let source = catalog.sources[campaign.source],
            let pathChoice = WeightedChoice(weights: campaign.flow.paths.map(\.weight))
        else { return nil }
        var paths: [Path] = []
        for path in campaign.flow.paths {
            var landings: [Landing] = []
            for item in path.offers {
                guard let landing = Landing(item.offer, catalog) else { return nil }
                landings.append(landing)
            }
            // A path of weight 0 is never chosen, so it may have no offers to choose from.
            guard let choice = WeightedChoice(weights: path.offers.map(\.weight)) else {
                return nil
            }
            paths.append(Path(choice: choice, offers: landings))
        }
        key = Array(campaign.key.text.utf8)
        campaignID = stored.id
        sourceID = source.id
        externalIDParameter = source.value.externalIDParameter.map { Array($0.utf8) }
        costNanos = campaign.cost.nanosPerClick
        urlCost = URLCost(campaign.cost, source.value)
        currency = campaign.cost.currency ?? source.value.currency
        let names = catalog.variables(of: source.value)
        variables = (1...Token.variableMax).map { Array((names[$0] ?? "var\($0)").utf8) }
        self.pathChoice = pathChoice
        self.paths = paths
    }

    /// The path, from 1, and the offer that a click with this row ID is sent to.
    func choose(_ rowID: ClickRowID) -> (path: Int, landing: Landing) {
        let seed = UInt64(bitPattern: rowID.rawValue)
        let path = pathChoice.index(for: WeightedChoice.mix(seed, salt: 1))
        let offers = paths[path].offers
        let offer = paths[path].choice.index(for: WeightedChoice.mix(seed, salt: 2))
        return (path + 1, offers[offer])
    }
}

/// An offer's landing URL in its present wording.
final class Landing: Sendable {
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
        self.url = url
        versionID = version.id
        offerID = offer.id
        networkID = version.networkID
    }
}

/// The routing table of the newest commit, shared by all loops. A change is published before it is
/// answered, so it holds from the next click on; a click that finds nothing new takes no lock.
public final class Routing: Sendable {
    private let generation = Atomic<Int>(0)
    private let table: Mutex<RoutingTable>

    public init(_ catalog: Catalog) { table = Mutex(RoutingTable(catalog)) }

    public func publish(_ catalog: Catalog) {
        let compiled = RoutingTable(catalog)
        table.withLock { $0 = compiled }
        generation.add(1, ordering: .releasing)
    }

    /// Replaces `held` when a newer table was published since `seen`.
    func refresh(_ held: inout RoutingTable?, seen: inout Int) {
        let now = generation.load(ordering: .acquiring)
        if now == seen, held != nil { return }
        held = table.withLock { $0 }
        seen = now
    }
}

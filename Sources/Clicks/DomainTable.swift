internal import Domain
internal import Store

/// The hosts that visitors are served at, compared as bytes: a request needs no `String`.
final class DomainTable: Sendable {
    /// What the host of a request is to this tracker.
    enum Place {
        /// One that is always served, or any while there is no domain.
        case anywhere
        case domain(DomainRoute)
        case unknown
    }

    private let slots: [DomainRoute?]
    private let mask: Int
    private let isEmpty: Bool
    /// Lower case.
    private let alwaysServed: [[UInt8]]

    /// Whoever can name these asks from the tracker's own machine, or misnames it without gain.
    private static let local = ["localhost", "127.0.0.1", "[::1]"].map { Array($0.utf8) }

    /// - Parameter alwaysServed: beside the tracker's own machine.
    init(_ catalog: Catalog, _ campaigns: [Route], alwaysServed: [HostName]) {
        let byKey = Dictionary(campaigns.map { ($0.key, $0) }) { first, _ in first }
        let routes = catalog.domains.all.filter { !$0.isArchived }.map { domain in
            DomainRoute(
                domain.value, root: domain.value.campaign.flatMap { byKey[Array($0.text.utf8)] })
        }
        // At most half full, so that a search ends soon.
        var capacity = 8
        while capacity < routes.count * 2 { capacity *= 2 }
        var slots = [DomainRoute?](repeating: nil, count: capacity)
        for route in routes {
            var index = route.host.withUnsafeBytes { Self.hash($0) } & (capacity - 1)
            while slots[index] != nil { index = (index + 1) & (capacity - 1) }
            slots[index] = route
        }
        self.slots = slots
        mask = capacity - 1
        isEmpty = routes.isEmpty
        self.alwaysServed = Self.local + alwaysServed.map { Array($0.text.utf8) }
    }

    /// - Parameter host: of a request, with or without a port.
    func place(of host: UnsafeRawBufferPointer) -> Place {
        if isEmpty { return .anywhere }
        let name = HostName.bare(host)
        var index = Self.hash(name) & mask
        while let route = slots[index] {
            if Self.isSame(route.host, name) { return .domain(route) }
            index = (index + 1) & mask
        }
        return alwaysServed.contains { Self.isSame($0, name) } ? .anywhere : .unknown
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    private static func isSame(_ known: [UInt8], _ name: UnsafeRawBufferPointer) -> Bool {
        guard known.count == name.count else { return false }
        for index in known.indices where known[index] != lower(name[index]) { return false }
        return true
    }

    /// FNV-1a. The hosts are the user's, so nobody from outside can choose those that collide.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(lower(byte))) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}

/// One domain, ready for its next visitor.
final class DomainRoute: Sendable {
    let host: [UInt8]
    /// The campaign at `/`.
    let root: Route?
    let fallback: URLTemplate?
    /// For the visitors of a campaign that has nowhere to send them.
    let fallbackChoice: Choice?

    init(_ domain: TrackingDomain, root: Route?) {
        host = Array(domain.host.text.utf8)
        self.root = root
        fallback = domain.fallbackURL
        fallbackChoice = domain.fallbackURL.map {
            Choice(
                decision: Decision(rule: Decision.fallbackRule, path: 0, lander: nil, offer: 0),
                url: $0, lander: nil, offer: nil)
        }
    }
}

/// Of a visitor who is no click.
struct NoValues: TokenValues {
    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool { false }
    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {}
}

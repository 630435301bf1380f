/// How much of the dispatcher's room a host gets, by what is known of it.
///
/// A host that doesn't answer holds each call until its time is up, and must cost nobody's
/// deliveries but its own, however many such hosts there are. So hosts that answered find a quarter
/// of all calls free of others, and hosts in doubt never hold more than another. A host that nobody
/// knows is called once before it's called more.
enum Lane: Int, CaseIterable {
    /// It answered its last call.
    case proven
    /// It was not called yet, as far as is remembered.
    case unknown
    /// Its last call failed, or what it's to be told has been due for long.
    case doubtful

    /// Calls in flight to hosts of this lane and those that are known less well.
    func callsMax(of concurrency: Int) -> Int {
        switch self {
        case .proven: concurrency
        case .unknown: max(1, concurrency - concurrency / 4)
        case .doubtful: max(1, concurrency / 4)
        }
    }

    /// Calls in flight to one host.
    func callsMax(perHost: Int) -> Int {
        switch self {
        case .proven: perHost
        case .unknown: 1
        case .doubtful: max(1, perHost / 4)
        }
    }
}

/// Origins that take turns within their lane, and lanes that take turns.
struct LaneTurns {
    private var rings = Lane.allCases.map { _ in Ring<(origin: DeliveryPlan.Origin, ticket: Int)>()
    }
    private var lastTicket = 0
    private var nextLane = 0

    /// - Returns: the origin's ticket: the turn is good while it holds that.
    mutating func append(_ origin: DeliveryPlan.Origin) -> Int {
        lastTicket += 1
        rings[origin.lane.rawValue].append((origin, lastTicket))
        return lastTicket
    }

    func count(_ lane: Lane) -> Int { rings[lane.rawValue].count }

    mutating func popFirst(_ lane: Lane) -> (origin: DeliveryPlan.Origin, ticket: Int)? {
        rings[lane.rawValue].popFirst()
    }

    /// The lanes in the order in which they are asked now: the one that was `served` is the last.
    var order: [Lane] { Self.orders[nextLane] }

    /// By the first of them; made once, since each call begun asks for one.
    private static let orders = Lane.allCases.indices.map { first in
        Array(Lane.allCases[first...] + Lane.allCases[..<first])
    }

    mutating func served(_ lane: Lane) { nextLane = (lane.rawValue + 1) % Self.orders.count }
}

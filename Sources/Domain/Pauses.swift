/// The pauses that last, and the newest that ended: those still count for deliveries that waited
/// meanwhile.
public struct Pauses: Sendable, Equatable {
    /// That last at a time.
    public static let lastingMax = 1000
    /// That are remembered after their end. What an older one held up is given up that much earlier.
    public static let endedMax = 1000

    private var byScope: [Pause.Scope: [Pause]] = [:]
    /// By their numbers.
    public private(set) var lasting: [Pause] = []
    /// Destinations that are not to be called now.
    public private(set) var destinations: Set<String> = []
    private var hosts: Set<String> = []

    public init(_ pauses: [Pause] = []) {
        for pause in pauses {
            byScope[pause.scope, default: []].append(pause)
            guard pause.resumedAt == nil else { continue }
            lasting.append(pause)
            switch pause.scope {
            case .destination(let name): destinations.insert(name)
            case .host(let host): hosts.insert(host)
            }
        }
        lasting.sort { $0.id < $1.id }
    }

    public var isEmpty: Bool { byScope.isEmpty }

    /// Whether nothing at all is to be sent there now.
    public func holds(origin: String) -> Bool {
        !hosts.isEmpty
            && (hosts.contains(Origin.normalized(origin))
                || hosts.contains(String(Origin.host(origin))))
    }

    /// Why a delivery is not sent now; nil when nothing keeps it from being sent.
    public func holding(destination: String, origin: String) -> Pause? {
        guard !lasting.isEmpty else { return nil }
        for scope in Self.scopes(destination, origin) {
            if let pause = byScope[scope]?.first(where: { $0.resumedAt == nil }) { return pause }
        }
        return nil
    }

    /// The part of a range of times in which a delivery was held.
    public func held(destination: String, origin: String, from: Instant, to: Instant) -> Duration {
        guard !byScope.isEmpty else { return .zero }
        let spans = Self.scopes(destination, origin).flatMap { byScope[$0] ?? [] }
            .map { (max($0.pausedAt, from), min($0.resumedAt ?? to, to)) }
            .sorted { $0.0 < $1.0 }
        var held = Duration.zero
        var counted = from
        // Pauses of a destination and of its host may lie over one another.
        for (start, end) in spans where end > max(start, counted) {
            held += end - max(start, counted)
            counted = end
        }
        return held
    }

    private static func scopes(_ destination: String, _ origin: String) -> [Pause.Scope] {
        [
            .destination(destination), .host(Origin.normalized(origin)),
            .host(String(Origin.host(origin))),
        ]
    }
}

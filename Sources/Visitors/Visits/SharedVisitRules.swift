internal import Synchronization

/// The rules in use, for all event loops: the operator's list can be read anew while visitors come.
public final class SharedVisitRules: Sendable {
    private let generation = Atomic<Int>(0)
    private let rules: Mutex<VisitRules>

    public init(_ rules: VisitRules = VisitRules()) { self.rules = Mutex(rules) }

    public func publish(_ rules: VisitRules) {
        self.rules.withLock { $0 = rules }
        generation.add(1, ordering: .releasing)
    }

    /// Replaces `held` when newer rules were published since `seen`; else it takes no lock.
    public func refresh(_ held: inout VisitRules, seen: inout Int) {
        let now = generation.load(ordering: .acquiring)
        if now == seen { return }
        held = rules.withLock { $0 }
        seen = now
    }
}

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

    public var newest: VisitRules { rules.withLock { $0 } }

    /// Changes when rules were published: who reads it first and then `newest` misses none.
    public var version: Int { generation.load(ordering: .acquiring) }
}

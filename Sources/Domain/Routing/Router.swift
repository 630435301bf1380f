/// A flow, ready to decide. The decision is a pure function of the click's row ID, the flow's
/// version and the facts, so that any past one can be computed again.
public struct Router: Sendable {
    public let version: Int64
    /// What the rules ask for; a `FactSheet` holds the values in this order.
    public let facts: [Fact]
    private let rules: [RouterRule]
    private let defaults: PathChoice?

    public init(_ flow: Flow, version: Int64) {
        self.version = version
        var slots: [Fact: Int] = [:]
        var facts: [Fact] = []
        for fact in flow.rules.flatMap(\.when.facts) where slots[fact] == nil {
            slots[fact] = facts.count
            facts.append(fact)
        }
        self.facts = facts
        rules = flow.rules.enumerated().compactMap { index, rule in
            RouterRule(rule, number: index + 1, slots: slots)
        }
        defaults = PathChoice(flow.paths)
    }

    /// Where the click goes; nil when no rule and no default path takes it.
    public func decide(_ rowID: ClickRowID, _ sheet: FactSheet) -> Decision? {
        let seed = seed(rowID)
        for rule in rules where rule.holds(sheet) {
            return rule.paths.decide(seed, rule: rule.number)
        }
        return defaults?.decide(seed, rule: 0)
    }

    /// Whether a rule looks at the visit at all: without one the sheet may stay empty.
    public var hasRules: Bool { !rules.isEmpty }

    private func seed(_ rowID: ClickRowID) -> UInt64 {
        WeightedChoice.mix(
            UInt64(bitPattern: rowID.rawValue), salt: UInt64(bitPattern: version))
    }
}

/// A rule that can take visitors; a disabled one or one without a usable path takes none.
struct RouterRule: Sendable {
    let number: Int
    let paths: PathChoice
    private let condition: CompiledCondition

    init?(_ rule: Rule, number: Int, slots: [Fact: Int]) {
        guard rule.isEnabled, let paths = PathChoice(rule.paths) else { return nil }
        self.number = number
        self.paths = paths
        condition = CompiledCondition(rule.when.root, slots: slots)
    }

    func holds(_ sheet: FactSheet) -> Bool { condition.evaluate(sheet) == .yes }
}

/// A condition whose tests know where their facts stand in the sheet.
indirect enum CompiledCondition: Sendable {
    case all([CompiledCondition])
    case any([CompiledCondition])
    case not(CompiledCondition)
    case test(FactTest, slot: Int)

    init(_ node: Condition.Node, slots: [Fact: Int]) {
        switch node {
        case .all(let nodes): self = .all(nodes.map { CompiledCondition($0, slots: slots) })
        case .any(let nodes): self = .any(nodes.map { CompiledCondition($0, slots: slots) })
        case .not(let node): self = .not(CompiledCondition(node, slots: slots))
        // The router gives every fact of its rules a slot; of one that had none, nothing is known.
        case .test(let test): self = .test(test, slot: slots[test.fact] ?? -1)
        }
    }

    func evaluate(_ sheet: FactSheet) -> Truth {
        switch self {
        case .all(let conditions):
            var result = Truth.yes
            for condition in conditions {
                switch condition.evaluate(sheet) {
                case .no: return .no
                case .unknown: result = .unknown
                case .yes: break
                }
            }
            return result
        case .any(let conditions):
            var result = Truth.no
            for condition in conditions {
                switch condition.evaluate(sheet) {
                case .yes: return .yes
                case .unknown: result = .unknown
                case .no: break
                }
            }
            return result
        case .not(let condition): return condition.evaluate(sheet).opposite
        case .test(let test, let slot): return test.evaluate(sheet, slot: slot)
        }
    }
}

/// The weights of a list of paths, and of what lies behind each.
struct PathChoice: Sendable {
    private let choice: WeightedChoice
    private let paths: [(landers: WeightedChoice?, offers: WeightedChoice)?]

    /// Nil when no path of them is usable.
    init?(_ paths: [Path]) {
        guard
            let choice = WeightedChoice(weights: paths.map { $0.isUsable ? $0.weight : 0 })
        else { return nil }
        self.choice = choice
        self.paths = paths.map { path in
            guard path.isUsable, let offers = WeightedChoice(weights: path.offers.map(\.weight))
            else { return nil }
            return (WeightedChoice(weights: path.landers.map(\.weight)), offers)
        }
    }

    /// Path, lander and offer are three independent choices.
    func decide(_ seed: UInt64, rule: Int) -> Decision? {
        let index = choice.index(for: WeightedChoice.mix(seed, salt: 1))
        guard let path = paths[index] else { return nil }
        return Decision(
            rule: rule, path: index + 1,
            lander: path.landers?.index(for: WeightedChoice.mix(seed, salt: 3)),
            offer: path.offers.index(for: WeightedChoice.mix(seed, salt: 2)))
    }
}

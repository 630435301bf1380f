/// A flow, ready to decide. The decision is a pure function of the click's row ID, the flow's
/// version and the facts, so that any past one can be computed again.
public struct Router: Sendable {
    public let version: Int64
    /// What the rules ask for; a `FactSheet` holds the values in this order.
    public let facts: [Fact]
    let rules: [RouterRule]
    private let index: RuleIndex
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
        index = RuleIndex(rules.map(\.condition))
        defaults = PathChoice(flow.paths)
    }

    /// Where the click goes; nil when no rule and no default path takes it.
    public func decide(_ rowID: ClickRowID, _ sheet: FactSheet) -> Decision? {
        let seed = seed(rowID)
        let rule = index.first(sheet) { place in rules[place].holds(sheet) ? rules[place] : nil }
        if let rule { return rule.paths.decide(seed, rule: rule.number) }
        return defaults?.decide(seed, rule: 0)
    }

    /// As `decide(_:_:)` among what `selection` leaves open: a rule whose paths are all closed is
    /// passed over. With everything open, unseen and nothing remembered it decides the same.
    public func decide(
        _ rowID: ClickRowID, _ sheet: FactSheet, _ selection: some Selection
    ) -> Decision? {
        let seed = seed(rowID)
        return index.first(sheet) { place in
            let rule = rules[place]
            return rule.holds(sheet)
                ? rule.paths.decide(seed, rule: rule.number, selection) : nil
        } ?? defaults?.decide(seed, rule: 0, selection)
    }

    /// Whether a rule looks at the visit at all: without one the sheet may stay empty.
    public var hasRules: Bool { !rules.isEmpty }

    func seed(_ rowID: ClickRowID) -> UInt64 {
        WeightedChoice.mix(
            UInt64(bitPattern: rowID.rawValue), salt: UInt64(bitPattern: version))
    }
}

/// A rule that can take visitors; a disabled one or one without a usable path takes none.
final class RouterRule: Sendable {
    let number: Int
    let paths: PathChoice
    let condition: CompiledCondition
    let schedule: Schedule?

    init?(_ rule: Rule, number: Int, slots: [Fact: Int]) {
        guard rule.isEnabled, let paths = PathChoice(rule.paths) else { return nil }
        self.number = number
        self.paths = paths
        schedule = rule.schedule
        condition = CompiledCondition(rule.when.root, slots: slots)
    }

    func holds(_ sheet: FactSheet) -> Bool {
        if let schedule, !schedule.contains(sheet.instant) { return false }
        return condition.evaluate(sheet) == .yes
    }
}

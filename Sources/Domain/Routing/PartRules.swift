/// What a router's rules ask of one part of a visit alone.
struct PartRules: Sendable {
    private let ruleCount: Int
    private let conditions: [(rule: Int, condition: CompiledCondition)]

    /// - Parameter conjuncts: of one part, by rule.
    init(_ conjuncts: [[Condition.Node]], _ slots: FactSlots) {
        ruleCount = conjuncts.count
        conditions = conjuncts.enumerated().flatMap { rule, nodes in
            nodes.map { (rule, CompiledCondition($0, slots)) }
        }
    }

    /// The rules that the sheet's facts leave.
    func rules(_ sheet: FactSheet) -> RuleSet {
        var rules = RuleSet(allOf: ruleCount)
        for (rule, condition) in conditions where condition.evaluate(sheet) != .yes {
            rules.remove(rule)
        }
        return rules
    }
}

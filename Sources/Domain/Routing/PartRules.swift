/// What a router's rules ask of one part of a visit alone.
struct PartRules: Sendable {
    private let part: VisitPart
    private let ruleCount: Int
    private let conditions: [(rule: Int, condition: CompiledCondition)]

    /// - Parameter conjuncts: of that part, by rule.
    init(_ part: VisitPart, _ conjuncts: [[Condition.Node]], _ slots: FactSlots) {
        self.part = part
        ruleCount = conjuncts.count
        conditions = conjuncts.enumerated().flatMap { rule, nodes in
            nodes.map { (rule, CompiledCondition($0, slots)) }
        }
    }

    var isEmpty: Bool { conditions.isEmpty }

    /// The rules that may still hold; nil: all of them.
    func left(_ sheet: FactSheet) -> RuleSet? {
        isEmpty ? nil : sheet.rules(leftBy: part) ?? rules(sheet)
    }

    /// Worked out from the sheet's facts.
    func rules(_ sheet: FactSheet) -> RuleSet {
        var rules = RuleSet(allOf: ruleCount)
        for (rule, condition) in conditions where condition.evaluate(sheet) != .yes {
            rules.remove(rule)
        }
        return rules
    }
}

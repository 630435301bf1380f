/// Which rules a visit may match, by the values that their conditions list: one look at each fact
/// leaves few of fifty rules to be tried. Never leaves out a rule that holds.
struct RuleIndex: Sendable {
    /// A bit for each rule.
    private let wordCount: Int
    private let all: [UInt64]
    private let facts: [IndexedFact]

    /// A fact that rules list values of.
    private struct IndexedFact {
        let slot: Int
        let values: TextList
        /// Those rules that may hold for each value, and behind them, for any other: `wordCount` words
        /// each.
        let rules: [UInt64]
    }

    /// - Parameter conditions: of the rules, in their order.
    init(_ conditions: [CompiledCondition]) {
        let wordCount = (conditions.count + 63) / 64
        self.wordCount = wordCount
        var all = [UInt64](repeating: 0, count: wordCount)
        for rule in conditions.indices { all[rule / 64] |= 1 << UInt64(rule % 64) }
        self.all = all
        var lists: [Int: [Int: TextList]] = [:]
        for (rule, condition) in conditions.enumerated() {
            for (slot, list) in condition.listedValues where lists[slot]?[rule] == nil {
                lists[slot, default: [:]][rule] = list
            }
        }
        facts = lists.sorted { $0.key < $1.key }.map { slot, lists in
            let values = TextList(joining: Array(lists.values))
            var rules: [UInt64] = []
            for place in 0...values.count {
                var allowed = all
                for (rule, list) in lists
                where place == values.count || !list.contains(values[place]) {
                    allowed[rule / 64] &= ~(1 << UInt64(rule % 64))
                }
                rules += allowed
            }
            return IndexedFact(slot: slot, values: values, rules: rules)
        }
    }

    /// Calls `body` with the rules that may hold, in their order and counted from 0, until it gives
    /// something.
    func first<Result>(_ sheet: FactSheet, _ body: (Int) -> Result?) -> Result? {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount) { left in
            for word in 0..<wordCount { left.initializeElement(at: word, to: all[word]) }
            for fact in facts {
                let place =
                    sheet.withText(fact.slot) { $0.flatMap { fact.values.index(of: $0) } }
                    ?? fact.values.count
                for word in 0..<wordCount { left[word] &= fact.rules[place * wordCount + word] }
            }
            for word in 0..<wordCount {
                var bits = left[word]
                while bits != 0 {
                    if let result = body(word * 64 + bits.trailingZeroBitCount) { return result }
                    bits &= bits - 1
                }
            }
            return nil
        }
    }
}

extension CompiledCondition {
    /// Facts of which one of some values must be there for the condition to hold, by slot.
    fileprivate var listedValues: [(slot: Int, values: TextList)] {
        switch self {
        case .all(let conditions): conditions.flatMap(\.listedValues)
        case .any, .not: []
        case .test(let test, let slot): test.listedValues.map { [(slot, $0)] } ?? []
        }
    }
}

extension FactTest {
    /// Nil where a value that isn't listed may do, too.
    fileprivate var listedValues: TextList? {
        guard case .isIn(let list) = operation, !isNegated else { return nil }
        switch fact.kind {
        case .text, .version, .number, .address, .flag, .weekday, .hour: return list
        // A part of the value may be listed.
        case .domain, .language: return nil
        }
    }
}

/// Which rules a visit may match, by the values that their conditions list and by what is missing:
/// one look at each fact leaves few of fifty rules to be tried. Never leaves out a rule that holds.
struct RuleIndex: Sendable {
    private let all: RuleSet
    private let facts: [IndexedFact]

    /// A fact that rules test by itself.
    private final class IndexedFact: Sendable {
        let slot: Int
        let values: TextList
        /// A bit for each of those rules that may hold, for each value, behind them for any other
        /// value, and behind that for none: `wordCount` words each.
        let rules: [UInt64]

        init(slot: Int, values: TextList, rules: [UInt64]) {
            self.slot = slot
            self.values = values
            self.rules = rules
        }
    }

    private var wordCount: Int { all.words.count }

    /// - Parameter conditions: of the rules, in their order.
    init(_ conditions: [CompiledCondition]) {
        all = RuleSet(allOf: conditions.count)
        var tests: [Int: [(rule: Int, test: FactTest)]] = [:]
        for (rule, condition) in conditions.enumerated() {
            for (slot, test) in condition.indexedTests {
                tests[slot, default: []].append((rule, test))
            }
        }
        let all = all
        facts = tests.sorted { $0.key < $1.key }.map { slot, tests in
            let values = TextList(joining: tests.compactMap(\.test.listedValues))
            var rules: [UInt64] = []
            for place in 0..<values.count {
                rules += all.removing(tests) { $0.listedValues?.contains(values[place]) ?? true }
            }
            rules += all.removing(tests) { $0.listedValues == nil }
            rules += all.removing(tests) { $0.evaluate(nil) == .yes }
            return IndexedFact(slot: slot, values: values, rules: rules)
        }
    }

    /// Calls `body` with the rules that may hold, in their order and counted from 0, until it gives
    /// something.
    /// - Parameter rules: a bit for each that may, as in `RuleSet`.
    func first<Result>(
        _ sheet: FactSheet, among rules: UnsafeBufferPointer<UInt64>, _ body: (Int) -> Result?
    ) -> Result? {
        let wordCount = wordCount
        precondition(rules.count == wordCount, "\(rules.count) words of rules, not \(wordCount)")
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount) { left in
            _ = left.initialize(from: rules)
            for fact in facts {
                let place = sheet.withText(fact.slot) { value in
                    guard let value else { return fact.values.count + 1 }
                    return fact.values.index(of: value) ?? fact.values.count
                }
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

extension RuleSet {
    /// Without the rules that have a test which may not hold.
    fileprivate func removing(
        _ tests: [(rule: Int, test: FactTest)], unless mayHold: (FactTest) -> Bool
    ) -> [UInt64] {
        var left = self
        for (rule, test) in tests where !mayHold(test) { left.remove(rule) }
        return left.words
    }
}

extension CompiledCondition {
    /// Tests of the sheet's values that must hold for the condition to hold, with their slots.
    fileprivate var indexedTests: [(slot: Int, test: FactTest)] {
        switch self {
        case .all(let conditions): conditions.flatMap(\.indexedTests)
        case .any, .not: []
        case .test(let test, let slot): test.asksSheet ? [(slot, test)] : []
        }
    }
}

extension FactTest {
    /// False: it looks at the address or at the clock.
    fileprivate var asksSheet: Bool {
        switch fact.kind {
        case .address, .weekday, .hour: false
        case .text, .domain, .language, .version, .number, .flag: true
        }
    }

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

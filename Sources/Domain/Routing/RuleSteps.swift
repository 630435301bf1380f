/// The conditions of a router's rules as tests in a row, each of which says where to go on: walking
/// through the trees as they were written counts references at each node, which takes longer than
/// most of their tests.
// Unchecked: the memory is filled by `init`, and changed by nobody.
final class RuleSteps: @unchecked Sendable {
    private struct Step {
        // Unmanaged: `tests` holds it.
        let test: Unmanaged<FactTest>
        let slot: Int
        let wanted: Truth
        /// Always an earlier step than this one, or the end.
        let ifSo: Int
        let otherwise: Int
    }

    private enum End {
        static let holds = -1
        static let fails = -2
    }

    private let steps: UnsafeMutableBufferPointer<Step>
    /// The first step of each rule.
    private let starts: UnsafeMutableBufferPointer<Int>
    private let tests: [FactTest]

    init(_ conditions: [CompiledCondition]) {
        var maker = Maker()
        let starts = conditions.map {
            maker.start(of: $0, wanted: .yes, ifSo: End.holds, otherwise: End.fails)
        }
        self.starts = .allocate(capacity: starts.count)
        _ = self.starts.initialize(from: starts)
        steps = .allocate(capacity: maker.steps.count)
        _ = steps.initialize(from: maker.steps)
        tests = maker.tests
    }

    deinit {
        steps.deallocate()
        starts.deallocate()
    }

    /// Whether the rule's condition evaluates to yes.
    func holds(_ rule: Int, _ sheet: FactSheet) -> Bool {
        var place = starts[rule]
        while place >= 0 {
            let step = steps[place]
            let truth = step.test._withUnsafeGuaranteedRef { $0.evaluate(sheet, slot: step.slot) }
            place = truth == step.wanted ? step.ifSo : step.otherwise
        }
        return place == End.holds
    }

    private struct Maker {
        var steps: [Step] = []
        var tests: [FactTest] = []

        /// From the back, so that each step knows where to go on.
        /// - Parameter wanted: yes or no; what isn't known is neither, nor is its opposite.
        mutating func start(
            of condition: CompiledCondition, wanted: Truth, ifSo: Int, otherwise: Int
        ) -> Int {
            switch condition {
            case .test(let test, let slot):
                tests.append(test)
                steps.append(
                    Step(
                        test: .passUnretained(test), slot: slot, wanted: wanted, ifSo: ifSo,
                        otherwise: otherwise))
                return steps.count - 1
            case .not(let condition):
                return start(
                    of: condition, wanted: wanted.opposite, ifSo: ifSo, otherwise: otherwise)
            case .all(let conditions):
                return wanted == .yes
                    ? each(of: conditions, wanted: .yes, ifSo: ifSo, otherwise: otherwise)
                    : one(of: conditions, wanted: .no, ifSo: ifSo, otherwise: otherwise)
            case .any(let conditions):
                return wanted == .yes
                    ? one(of: conditions, wanted: .yes, ifSo: ifSo, otherwise: otherwise)
                    : each(of: conditions, wanted: .no, ifSo: ifSo, otherwise: otherwise)
            }
        }

        private mutating func each(
            of conditions: [CompiledCondition], wanted: Truth, ifSo: Int, otherwise: Int
        ) -> Int {
            conditions.reversed().reduce(ifSo) { next, condition in
                start(of: condition, wanted: wanted, ifSo: next, otherwise: otherwise)
            }
        }

        private mutating func one(
            of conditions: [CompiledCondition], wanted: Truth, ifSo: Int, otherwise: Int
        ) -> Int {
            conditions.reversed().reduce(otherwise) { next, condition in
                start(of: condition, wanted: wanted, ifSo: ifSo, otherwise: next)
            }
        }
    }
}

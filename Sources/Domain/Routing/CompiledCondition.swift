/// A condition whose tests know where their facts stand in the sheet.
indirect enum CompiledCondition: Sendable {
    case all([CompiledCondition])
    case any([CompiledCondition])
    case not(CompiledCondition)
    case test(FactTest, slot: Int)

    init(_ node: Condition.Node, _ slots: FactSlots) {
        switch node {
        case .all(let nodes): self = .all(nodes.map { CompiledCondition($0, slots) })
        case .any(let nodes): self = .any(nodes.map { CompiledCondition($0, slots) })
        case .not(let node): self = .not(CompiledCondition(node, slots))
        case .test(let test): self = .test(test, slot: slots[test.fact])
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

/// Which place in a sheet each fact has.
struct FactSlots {
    let facts: [Fact]
    private let slots: [Fact: Int]

    /// - Parameter facts: repeats count once.
    init(_ facts: [Fact]) {
        var slots: [Fact: Int] = [:]
        var once: [Fact] = []
        for fact in facts where slots[fact] == nil {
            slots[fact] = once.count
            once.append(fact)
        }
        self.facts = once
        self.slots = slots
    }

    /// Of one that has none, nothing is known.
    subscript(fact: Fact) -> Int { slots[fact] ?? -1 }
}

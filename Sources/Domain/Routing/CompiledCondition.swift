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

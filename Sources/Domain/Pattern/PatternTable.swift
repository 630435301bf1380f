/// A pattern as a deterministic automaton: one look-up for each character of the text.
///
/// Nearly all patterns people write have a small one. Those that don't (`a.{50}b` has 2⁵⁰ states)
/// are left to `PatternProgram`.
struct PatternTable: Sendable {
    /// What may be spent on a table when a pattern is compiled.
    struct Limits {
        var states = 512
        var cells = 32_768
        /// About a millisecond's worth.
        var steps = 200_000
    }

    /// By state, then by class: the next state.
    private let cells: [UInt16]
    private let classCount: Int
    /// Is the pattern found if the text ends in this state?
    private let accepting: [Bool]

    private static let found: UInt16 = 0
    /// Here nothing can be found any more.
    private static let hopeless: UInt16 = 1
    private static let start: UInt16 = 2

    /// Nil when the table would exceed the limits.
    init?(_ program: PatternProgram, limits: Limits) {
        var builder = PatternTableBuilder(program, limits)
        guard builder.build() else { return nil }
        cells = builder.cells
        accepting = builder.accepting
        classCount = program.classes.count
    }

    func matches(
        _ bytes: UnsafeRawBufferPointer, _ classes: ScalarClasses, steps: inout Int
    ) -> Bool {
        var state = Self.start
        var position = 0
        while position < bytes.count {
            steps += 1
            let scalarClass = classes.next(bytes, &position)
            state = cells[Int(state) * classCount + scalarClass]
            if state <= Self.hopeless { return state == Self.found }
        }
        return accepting[Int(state)]
    }
}

/// Finds the states of a table: each is a set of the program's states, and what was before.
private struct PatternTableBuilder {
    private struct State: Hashable {
        /// Sorted.
        var pending: [UInt16]
        var isStart: Bool
        var isAfterWord: Bool
    }

    private let program: PatternProgram
    private let limits: PatternTable.Limits
    private var states: [State] = []
    private var numbers: [State: UInt16] = [:]
    private(set) var cells: [UInt16] = []
    private(set) var accepting: [Bool] = []
    private var steps = 0

    init(_ program: PatternProgram, _ limits: PatternTable.Limits) {
        self.program = program
        self.limits = limits
    }

    /// False when a limit was passed.
    mutating func build() -> Bool {
        let classCount = program.classes.count
        // The found state and the hopeless one, which lead to themselves.
        cells =
            [UInt16](repeating: 0, count: classCount) + [UInt16](repeating: 1, count: classCount)
        accepting = [true, false]
        // Nothing looks at these two; they keep the numbers right.
        states = [State](
            repeating: State(pending: [], isStart: false, isAfterWord: false), count: 2)
        _ = number(State(pending: [], isStart: program.asksForStart, isAfterWord: false))
        return PatternScratch.with(states: program.instructions.count) { scratch in
            var done = 2
            while done < states.count {
                guard states.count <= limits.states, states.count * classCount <= limits.cells,
                    steps <= limits.steps
                else { return false }
                fill(done, &scratch)
                done += 1
            }
            return true
        }
    }

    private mutating func number(_ state: State) -> UInt16 {
        if let known = numbers[state] { return known }
        // One row adds at most as many states as there are classes, some thousand.
        let number = UInt16(clamping: states.count)
        states.append(state)
        numbers[state] = number
        return number
    }

    private mutating func fill(_ row: Int, _ scratch: inout PatternScratch) {
        let state = states[row]
        var isHopeless = true
        for scalarClass in 0..<program.classes.count {
            let next = follow(state, over: scalarClass, &scratch)
            isHopeless = isHopeless && Int(next) == row
            cells.append(next)
        }
        let accepts = close(state, before: nil, &scratch)
        accepting.append(accepts)
        if isHopeless && !accepts {
            // What leads here leads to the hopeless state instead, from rows filled before too.
            for cell in cells.indices where Int(cells[cell]) == row { cells[cell] = 1 }
            numbers[state] = 1
        }
    }

    private mutating func follow(
        _ state: State, over scalarClass: Int, _ scratch: inout PatternScratch
    ) -> UInt16 {
        if close(state, before: scalarClass, &scratch) { return 0 }
        program.advance(&scratch, over: scalarClass)
        var pending = scratch.pending[..<scratch.pendingCount].sorted()
        pending.removeRepeats()
        return number(
            State(
                pending: pending, isStart: false,
                isAfterWord: program.asksForWords && program.isWord(scalarClass)))
    }

    private mutating func close(
        _ state: State, before scalarClass: Int?, _ scratch: inout PatternScratch
    ) -> Bool {
        for (index, pending) in state.pending.enumerated() { scratch.pending[index] = pending }
        scratch.pendingCount = state.pending.count
        let place = PatternPlace(
            isStart: state.isStart, isEnd: scalarClass == nil, isAfterWord: state.isAfterWord,
            isBeforeWord: scalarClass.map(program.isWord) ?? false)
        return program.close(&scratch, at: place, steps: &steps)
    }
}

extension [UInt16] {
    /// Of a sorted array.
    fileprivate mutating func removeRepeats() {
        var kept: [UInt16] = []
        for value in self where value != kept.last { kept.append(value) }
        self = kept
    }
}

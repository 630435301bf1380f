/// A pattern as a nondeterministic automaton (Thompson, 1968), run by following all of its
/// possible states at once: each state at most once for each character of the text.
struct PatternProgram: Sendable {
    enum Instruction {
        /// Takes a character of the set.
        case take(set: UInt16, next: UInt16)
        case split(UInt16, UInt16)
        case assert(PatternAssertion, next: UInt16)
        case accept
    }

    let instructions: [Instruction]
    let classes: ScalarClasses
    let ignoresCase: Bool
    let asksForStart: Bool
    let asksForWords: Bool
    /// For each set, in turn: bits by class.
    private let setBits: [UInt64]
    private let wordsPerSet: Int
    private let wordClasses: [Bool]

    init(_ parsed: (node: PatternNode, ignoringCase: Bool)) throws(PatternError) {
        guard parsed.node.size < Pattern.statesMax else {
            throw PatternError(
                "is too large: with its repeats written out it has more than "
                    + "\(Pattern.statesMax) characters")
        }
        var compiler = PatternCompiler()
        compiler.emit(parsed.node)
        instructions = compiler.instructions + [.accept]
        ignoresCase = parsed.ignoringCase
        asksForStart = compiler.assertions.contains(.start)
        asksForWords =
            compiler.assertions.contains(.wordBoundary)
            || compiler.assertions.contains(.notWordBoundary)
        classes = ScalarClasses(telling: compiler.sets + (asksForWords ? [.word] : []))
        wordsPerSet = (classes.count + 63) / 64
        var bits: [UInt64] = []
        for set in compiler.sets {
            var words = [UInt64](repeating: 0, count: wordsPerSet)
            for (number, example) in classes.examples.enumerated() where set.contains(example) {
                words[number / 64] |= 1 << UInt64(number % 64)
            }
            bits += words
        }
        setBits = bits
        wordClasses = classes.examples.map(ScalarSet.word.contains)
    }

    func isWord(_ scalarClass: Int) -> Bool { wordClasses[scalarClass] }

    @inline(__always)
    private func set(_ set: UInt16, contains scalarClass: Int) -> Bool {
        setBits[Int(set) * wordsPerSet + scalarClass / 64] >> UInt64(scalarClass % 64) & 1 == 1
    }

    /// Follows what takes no character from `scratch.pending` and, since a match may begin
    /// anywhere, from the start. True when the end was reached; else `scratch.active` has the
    /// states that wait for a character.
    func close(_ scratch: inout PatternScratch, at place: PatternPlace, steps: inout Int) -> Bool {
        scratch.begin()
        for index in -1..<scratch.pendingCount {
            scratch.visit(index < 0 ? 0 : scratch.pending[index])
            while let state = scratch.nextVisit() {
                steps += 1
                switch instructions[Int(state)] {
                case .accept: return true
                case .take: scratch.activate(state)
                case .split(let first, let second):
                    scratch.visit(second)
                    scratch.visit(first)
                case .assert(let assertion, let next):
                    if assertion.holds(place) { scratch.visit(next) }
                }
            }
        }
        return false
    }

    /// Takes a character of this class: `scratch.pending` has the states behind it.
    func advance(_ scratch: inout PatternScratch, over scalarClass: Int) {
        scratch.pendingCount = 0
        for index in 0..<scratch.activeCount {
            guard case .take(let set, let next) = instructions[Int(scratch.active[index])],
                self.set(set, contains: scalarClass)
            else { continue }
            scratch.pending[scratch.pendingCount] = next
            scratch.pendingCount += 1
        }
    }

    func matches(_ bytes: UnsafeRawBufferPointer, steps: inout Int) -> Bool {
        PatternScratch.with(states: instructions.count) { scratch in
            var position = 0
            var isAfterWord = false
            while true {
                let isStart = position == 0
                let isEnd = position == bytes.count
                let next = isEnd ? nil : classes.next(bytes, &position)
                let place = PatternPlace(
                    isStart: isStart, isEnd: isEnd, isAfterWord: isAfterWord,
                    isBeforeWord: next.map(isWord) ?? false)
                if close(&scratch, at: place, steps: &steps) { return true }
                guard let next else { return false }
                advance(&scratch, over: next)
                isAfterWord = place.isBeforeWord
            }
        }
    }
}

/// Writes a pattern's nodes out as instructions.
struct PatternCompiler {
    private(set) var instructions: [PatternProgram.Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private(set) var assertions: Set<PatternAssertion> = []
    private var setNumbers: [ScalarSet: UInt16] = [:]

    /// `PatternNode.size` was checked, so that there are few enough states to number them in 16
    /// bits, and the parser bounded how deep this calls itself.
    mutating func emit(_ node: PatternNode) {
        switch node {
        case .empty: break
        case .set(let set): instructions.append(.take(set: number(set), next: here + 1))
        case .assertion(let assertion):
            assertions.insert(assertion)
            instructions.append(.assert(assertion, next: here + 1))
        case .sequence(let parts):
            for part in parts { emit(part) }
        case .choice(let parts): emitChoice(parts)
        case .repeated(let part, let least, let most): emit(part, least: least, most: most)
        }
    }

    private var here: UInt16 { UInt16(instructions.count) }

    private mutating func number(_ set: ScalarSet) -> UInt16 {
        if let known = setNumbers[set] { return known }
        let number = UInt16(sets.count)
        sets.append(set)
        setNumbers[set] = number
        return number
    }

    /// An instruction that is written once its targets are known.
    private mutating func reserve() -> Int {
        instructions.append(.accept)
        return instructions.count - 1
    }

    private mutating func emitChoice(_ parts: [PatternNode]) {
        var ends: [Int] = []
        for part in parts.dropLast() {
            let split = reserve()
            emit(part)
            ends.append(reserve())
            instructions[split] = .split(UInt16(split + 1), here)
        }
        if let last = parts.last { emit(last) }
        for end in ends { instructions[end] = .split(here, here) }
    }

    private mutating func emit(_ part: PatternNode, least: Int, most: Int?) {
        guard let most else {
            for _ in 1..<max(1, least) { emit(part) }
            let skip = least == 0 ? reserve() : nil
            let start = here
            emit(part)
            let split = reserve()
            instructions[split] = .split(start, here)
            if let skip { instructions[skip] = .split(start, here) }
            return
        }
        for _ in 0..<least { emit(part) }
        var skips: [Int] = []
        for _ in least..<most {
            skips.append(reserve())
            emit(part)
        }
        for skip in skips { instructions[skip] = .split(UInt16(skip + 1), here) }
    }
}

/// The sets of states while a `PatternProgram` runs; room for each state once in each of them.
///
/// Up to about 150 states it lies on the stack.
struct PatternScratch {
    /// Where the last character led.
    var pending: UnsafeMutableBufferPointer<UInt16>
    var pendingCount = 0
    /// States that wait for a character.
    private(set) var active: UnsafeMutableBufferPointer<UInt16>
    private(set) var activeCount = 0
    private var stack: UnsafeMutableBufferPointer<UInt16>
    private var stackCount = 0
    private var seen: UnsafeMutableBufferPointer<UInt16>

    static func with<Result>(states: Int, _ body: (inout PatternScratch) -> Result) -> Result {
        let seenWords = (states + 15) / 16
        return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: states * 3 + seenWords) {
            var scratch = PatternScratch($0, states: states)
            return body(&scratch)
        }
    }

    private init(_ memory: UnsafeMutableBufferPointer<UInt16>, states: Int) {
        memory.initialize(repeating: 0)
        pending = UnsafeMutableBufferPointer(rebasing: memory[..<states])
        active = UnsafeMutableBufferPointer(rebasing: memory[states..<states * 2])
        stack = UnsafeMutableBufferPointer(rebasing: memory[(states * 2)..<states * 3])
        seen = UnsafeMutableBufferPointer(rebasing: memory[(states * 3)...])
    }

    mutating func begin() {
        seen.update(repeating: 0)
        activeCount = 0
        stackCount = 0
    }

    /// To be looked at, unless it was already: so nothing here can outgrow the number of states.
    @inline(__always)
    mutating func visit(_ state: UInt16) {
        let bit: UInt16 = 1 << (state % 16)
        guard seen[Int(state / 16)] & bit == 0 else { return }
        seen[Int(state / 16)] |= bit
        stack[stackCount] = state
        stackCount += 1
    }

    @inline(__always)
    mutating func nextVisit() -> UInt16? {
        guard stackCount > 0 else { return nil }
        stackCount -= 1
        return stack[stackCount]
    }

    @inline(__always)
    mutating func activate(_ state: UInt16) {
        active[activeCount] = state
        activeCount += 1
    }
}

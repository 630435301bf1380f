/// What is known of one visit, in the order in which its flow asks for it. One value per event
/// loop, filled anew for each click, so that a click allocates nothing of its own, and a class, so
/// that none of it is copied on the way through the rules.
public final class FactSheet {
    private(set) var instant = Instant(micros: 0)
    private(set) var ip: IPAddress?

    // In memory of its own: rules look at it dozens of times for each click, and each look at an
    // array that a class changes in place is checked.
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 16)
    private var memoryUsed = 0
    private var values = UnsafeMutableBufferPointer<Value>.allocate(capacity: 32)
    private var valueCount = 0

    /// A bit for each rule, as in `RuleSet`.
    private var left = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 1)
    /// 0: nothing was remembered.
    private var leftCount = 0

    private struct Value {
        let start: Int
        /// 0: it isn't known.
        let count: Int
    }

    public init() {}

    deinit {
        memory.deallocate()
        values.deallocate()
        left.deallocate()
    }

    /// Starts a visit of which nothing is known yet.
    public func begin(at instant: Instant, ip: IPAddress?) {
        self.instant = instant
        self.ip = ip
        memoryUsed = 0
        valueCount = 0
        leftCount = 0
    }

    /// Brings what `Router` said before of the rules that the same device and the same place leave, so
    /// that their facts need not be here.
    public func remember(leftByDevice: RuleSet, leftByPlace: RuleSet) {
        leftCount = min(leftByDevice.words.count, leftByPlace.words.count)
        if left.count < leftCount {
            left.deallocate()
            left = .allocate(capacity: leftCount)
        }
        for word in 0..<leftCount {
            left.initializeElement(
                at: word, to: leftByDevice.words[word] & leftByPlace.words[word])
        }
    }

    /// Rules that the visit's device and place leave; nil: its facts have to tell.
    var rememberedRules: UnsafeBufferPointer<UInt64>? {
        leftCount == 0 ? nil : UnsafeBufferPointer(rebasing: left[..<leftCount])
    }

    /// Takes the next fact's value, in the order of `Router.facts`.
    /// - Parameter value: nil or empty: there is none.
    public func append(_ value: [UInt8]?) {
        if valueCount == values.count { growValues() }
        let start = memoryUsed
        let count = value?.count ?? 0
        if let value {
            if memory.count - start < count { growMemory(by: count) }
            value.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: $0)
            }
        }
        values[valueCount] = Value(start: start, count: count)
        valueCount += 1
        memoryUsed = start + count
    }

    /// The value in that place; nil where it isn't known.
    func withText<Result>(_ slot: Int, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard slot >= 0, slot < valueCount, values[slot].count > 0 else { return body(nil) }
        let start = values[slot].start
        return body(
            UnsafeRawBufferPointer(rebasing: memory[start..<(start + values[slot].count)]))
    }

    private func growValues() {
        let larger = UnsafeMutableBufferPointer<Value>.allocate(capacity: values.count * 2)
        _ = larger.initialize(from: values[..<valueCount])
        values.deallocate()
        values = larger
    }

    private func growMemory(by count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(memory.count * 2, memoryUsed + count), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<memoryUsed]))
        memory.deallocate()
        memory = larger
    }
}

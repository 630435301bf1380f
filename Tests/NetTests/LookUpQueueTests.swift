import Testing

@testable import Net

/// Who is looked up when, computed.
@Suite struct LookUpQueueTests {
    private typealias Queue = LookUpQueue<Int>

    private static let second: UInt64 = 1_000_000_000

    private func queue(
        threads: Int = 64, waiters: Int = 1000, history: Int = 4096
    ) -> Queue {
        var limits = Queue.Limits()
        limits.threadsMax = threads
        limits.waitersMax = waiters
        limits.historyMax = history
        return Queue(limits: limits)
    }

    /// Everything that may begin now.
    private func begin(_ queue: inout Queue, at now: UInt64 = 0) -> [String] {
        var names: [String] = []
        while let name = queue.next(at: now) { names.append(name) }
        return names
    }

    /// Lets `names` be looked up, each for so long.
    private func pass(_ queue: inout Queue, _ names: [String], nanos: UInt64) {
        for name in names { #expect(queue.ask(name, 0, at: 0) == nil) }
        var left = Set(names)
        while !left.isEmpty {
            let begun = begin(&queue)
            #expect(!begun.isEmpty)
            for name in begun { _ = queue.finish(name, at: nanos) }
            left.subtract(begun)
            guard !begun.isEmpty else { return }
        }
    }

    @Test func `names begin in the order in which they were asked for`() {
        var queue = queue(threads: 2)
        for name in ["c", "a", "b", "a"] { #expect(queue.ask(name, 0, at: 0) == nil) }
        #expect(begin(&queue) == ["c", "a"])
        #expect(queue.finish("a", at: 1).count == 2)
        #expect(begin(&queue) == ["b"])
        #expect(queue.finish("b", at: 1).count == 1 && queue.finish("c", at: 1).count == 1)
        #expect(begin(&queue).isEmpty)
    }

    @Test func `names nobody knows leave a quarter of the threads to those that were answered`() {
        var queue = queue(threads: 64)
        pass(&queue, ["good"], nanos: 5)
        for number in 0..<100 { _ = queue.ask("new\(number)", 0, at: 0) }
        #expect(begin(&queue).count == 48)
        _ = queue.ask("good", 0, at: 0)
        #expect(begin(&queue) == ["good"])
        _ = queue.finish("good", at: 1)
        #expect(begin(&queue).isEmpty, "what one of them leaves is not for the others")
        _ = queue.finish("new0", at: 1)
        #expect(begin(&queue) == ["new48"])
    }

    @Test func `names that hung hold an eighth of the threads, until they are answered`() {
        var queue = queue(threads: 64)
        let names = (0..<20).map { "bad\($0)" }
        pass(&queue, names, nanos: 2 * Self.second)
        for name in names { _ = queue.ask(name, 0, at: 0) }
        #expect(begin(&queue).count == 8)
        for number in 0..<60 { _ = queue.ask("new\(number)", 0, at: 0) }
        #expect(begin(&queue) == (0..<40).map { "new\($0)" }, "as if there were no others")

        // A moment less than two seconds is an answer in time.
        _ = queue.finish("bad0", at: 2 * Self.second - 1)
        _ = begin(&queue)
        for number in 1..<8 { _ = queue.finish("bad\(number)", at: 30 * Self.second) }
        _ = queue.ask("bad0", 0, at: 0)
        #expect(begin(&queue).first == "bad0")
    }

    @Test func `one who waits for a name that hangs is not kept for ever`() {
        var queue = queue(threads: 1)
        _ = queue.ask("bad", 1, at: 0)
        #expect(begin(&queue) == ["bad"])
        #expect(queue.ask("bad", 2, at: 5 * Self.second) == nil)
        let refusal = queue.ask("bad", 3, at: 6 * Self.second)
        #expect(refusal == "the name server has not answered for 6 s")
        let givenUp = queue.takeGivenUp()
        #expect(givenUp.map(\.waiters) == [[1, 2]])
        #expect(queue.takeGivenUp().isEmpty)
        #expect(queue.finish("bad", at: 30 * Self.second).isEmpty)
    }

    @Test func `a look-up that couldn't begin for five seconds is not begun for nobody`() {
        var queue = queue(threads: 1)
        _ = queue.ask("bad", 1, at: 0)
        _ = begin(&queue)
        _ = queue.ask("early", 2, at: 0)
        _ = queue.ask("late", 3, at: Self.second)
        _ = queue.finish("bad", at: 6 * Self.second)
        #expect(begin(&queue, at: 6 * Self.second) == ["late"])
        #expect(queue.takeGivenUp().map(\.waiters) == [[2]])
    }

    @Test func `there is room for so many, and those who waited too long make it`() {
        var queue = queue(threads: 1, waiters: 4)
        _ = queue.ask("bad", 0, at: 0)
        _ = begin(&queue)
        for number in 1...3 { #expect(queue.ask("n\(number)", number, at: 0) == nil) }
        #expect(queue.ask("n4", 4, at: Self.second) == "too many look-ups are waiting")
        #expect(queue.ask("n4", 4, at: 6 * Self.second) == nil)
        #expect(queue.takeGivenUp().flatMap(\.waiters).sorted() == [0, 1, 2, 3])
        _ = queue.finish("bad", at: 6 * Self.second)
        #expect(begin(&queue, at: 6 * Self.second) == ["n4"])
    }

    @Test func `names that hung take half of the room`() {
        var queue = queue(threads: 8, waiters: 8)
        pass(&queue, ["a", "b", "c", "d", "e"], nanos: 3 * Self.second)
        for name in ["a", "b", "c", "d"] { #expect(queue.ask(name, 0, at: 0) == nil) }
        #expect(
            queue.ask("e", 0, at: 0)
                == "too many look-ups of names that were not answered are waiting")
        #expect(queue.ask("new", 0, at: 0) == nil)
    }

    @Test func `no more names than allowed are remembered`() {
        var queue = queue(history: 10)
        let names = (0..<1000).map { "n\($0)" }
        for name in names { pass(&queue, [name], nanos: 3 * Self.second) }
        for name in names { _ = queue.ask(name, 0, at: 0) }
        #expect(begin(&queue).count == 48, "and not eight, as of names that hung")
    }
}

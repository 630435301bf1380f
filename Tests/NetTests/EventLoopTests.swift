import Glibc
import Synchronization
import Testing

@testable import Net

@Suite struct EventLoopTests {
    @Test func `timers fire by deadline and equal deadlines in order`() throws {
        let loop = try EventLoop(name: "timers")
        var fired: [Int] = []
        var cancelled: [TimerID] = []
        for (index, delay) in [30, 10, 20, 10, 0].enumerated() {
            _ = loop.schedule(afterNanos: UInt64(delay) * 1_000_000) { fired.append(index) }
            cancelled.append(
                loop.schedule(afterNanos: UInt64(delay) * 1_000_000) { fired.append(99) })
        }
        for timer in cancelled { loop.cancel(timer) }
        _ = loop.schedule(afterNanos: 40_000_000) { loop.stop() }
        loop.run()
        #expect(fired == [4, 1, 3, 2, 0])
        // Cancelling what has fired or was cancelled must not hit a later owner of the slot.
        for timer in cancelled { loop.cancel(timer) }
    }

    @Test(arguments: 1...20) func `the heap agrees with a sorted list`(seed: UInt64) {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var timers = Timers()
        var expected: [(deadline: UInt64, order: Int, id: TimerID)] = []
        final class Seen { var orders: [Int] = [] }
        let seen = Seen()
        for order in 0..<500 {
            if random(4) == 0, !expected.isEmpty {
                let index = Int(random(UInt64(expected.count)))
                timers.cancel(expected.remove(at: index).id)
                continue
            }
            let deadline = random(100)
            let id = timers.schedule(at: deadline) { seen.orders.append(order) }
            expected.append((deadline, order, id))
        }
        #expect(timers.count == expected.count)
        while let body = timers.popDue(at: 49, before: .max) { body() }
        #expect(timers.nextDeadline.map { $0 > 49 } ?? true)
        while let body = timers.popDue(at: .max, before: .max) { body() }
        let sorted = expected.sorted { ($0.deadline, $0.order) < ($1.deadline, $1.order) }
        #expect(seen.orders == sorted.map(\.order))
    }

    @Test func `work posted by many threads is all run and in each sender's order`() throws {
        let loop = try EventLoop(name: "posts")
        let runner = try LoopThread.running(loop)
        let seen = Mutex<[[Int]]>(Array(repeating: [], count: 4))
        var senders: [LoopThread] = []
        for sender in 0..<4 {
            senders.append(
                try LoopThread {
                    for index in 0..<5000 {
                        loop.post { seen.withLock { $0[sender].append(index) } }
                    }
                })
        }
        for sender in senders { sender.join() }
        loop.stop()
        runner.join()
        // Everything was posted before stop(), so nothing may be missing.
        #expect(seen.withLock { $0 } == Array(repeating: Array(0..<5000), count: 4))
    }

    /// Both ends readable in the same turn: whoever comes first closes the other and opens a
    /// pipe that gets its number.
    @Test func `an event of a closed descriptor does not reach the next owner of its number`()
        throws
    {
        final class Closer: EventHandler {
            let loop: EventLoop
            let pipes: [(read: Int32, write: Int32)]
            let newcomer: Newcomer
            var calls = 0
            var reopened: [Int32] = [0, 0]
            init(_ loop: EventLoop, _ pipes: [(read: Int32, write: Int32)], _ newcomer: Newcomer) {
                self.loop = loop
                self.pipes = pipes
                self.newcomer = newcomer
            }
            func ready(_ events: Interest) {
                calls += 1
                // The other pipe is closed, whichever of the two this call is for.
                let mine = pipes[0].read
                loop.remove(mine)
                let victim = pipes[1].read
                loop.remove(victim)
                #expect(pipe(&reopened) == 0)
                // Closes the victim and takes its number in one step, whatever other tests open.
                #expect(dup2(reopened[0], victim) == victim)
                #expect(throws: Never.self) { try loop.add(victim, .read, newcomer) }
            }
        }
        final class Newcomer: EventHandler {
            var calls = 0
            func ready(_ events: Interest) { calls += 1 }
        }
        let loop = try EventLoop(name: "generations")
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<2 {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            pipes.append((ends[0], ends[1]))
        }
        let newcomer = Newcomer()
        let closer = Closer(loop, pipes, newcomer)
        for ends in pipes {
            try loop.add(ends.read, .read, closer)
            #expect(write(ends.write, "x", 1) == 1)
        }
        _ = loop.schedule(afterNanos: 20_000_000) { loop.stop() }
        loop.run()
        #expect(closer.calls == 1)
        #expect(newcomer.calls == 0)
        for ends in pipes {
            close(ends.write)
            close(ends.read)
        }
        close(closer.reopened[0])
        close(closer.reopened[1])
    }

    @Test func `a timer that schedules itself for now lets others run`() throws {
        let loop = try EventLoop(name: "again")
        var count = 0
        func again() {
            count += 1
            _ = loop.schedule(afterNanos: 0) { again() }
        }
        again()
        loop.post { loop.stop() }
        loop.run()
        #expect((2...3).contains(count))
    }

    @Test func `hooks run after the work of every turn`() throws {
        let loop = try EventLoop(name: "hooks")
        var log: [String] = []
        loop.atTurnEnd { log.append("hook") }
        _ = loop.schedule(afterNanos: 0) {
            log.append("timer")
            loop.stop()
        }
        loop.run()
        #expect(
            log.starts(with: ["timer", "hook"]) || log.starts(with: ["hook", "timer", "hook"]))
    }

    @Test func `a change is told once, and the other side's end with it`() throws {
        final class Seen: EventHandler {
            var events: [Interest] = []
            func ready(_ events: Interest) { self.events.append(events) }
        }
        let loop = try EventLoop(name: "changes")
        var ends: [Int32] = [0, 0]
        // A child process that had them would keep the other side open.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #expect(socketpair(AF_UNIX, type, 0, &ends) == 0)
        defer { close(ends[0]) }
        let (once, always) = (Seen(), Seen())
        let copy = dup(ends[0])
        defer { close(copy) }
        try loop.add(ends[0], [.read, .end, .changes], once)
        try loop.add(copy, .read, always)
        #expect(write(ends[1], "x", 1) == 1)
        for _ in 0..<3 { loop.turn(timeout: 0) }
        #expect(once.events == [.read])
        #expect(always.events == [.read, .read, .read])
        #expect(write(ends[1], "y", 1) == 1)
        close(ends[1])
        for _ in 0..<3 { loop.turn(timeout: 0) }
        #expect(once.events.count == 2)
        #expect(once.events.last == [.read, .end, .hangup])
    }
}

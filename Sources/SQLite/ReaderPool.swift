/// Threads that each own a state, such as read-only connections, and take work as it comes.
///
/// A state is made by the thread's first piece of work, on that thread, and never leaves it. Work
/// is begun in the order it was submitted. The queue is bounded: `submit` says false when full.
///
/// Without threads it is driven, as a `BatchThread` may be: it works when `turn` is called.
public final class ReaderPool<State>: Sendable {
    public typealias Work = @Sendable (State) -> Void

    private struct Mailbox {
        var work: [Work] = []
        /// Those before it are taken; the array is cut when they outnumber the rest.
        var head = 0
        var sleeping = 0
        var isStopping = false

        var count: Int { work.count - head }

        mutating func take() -> Work {
            let next = work[head]
            head += 1
            if head * 2 >= work.count {
                work.removeFirst(head)
                head = 0
            }
            return next
        }
    }

    private let monitor: Monitor<Mailbox>
    private let threads: [NamedThread]
    private let makeState: @Sendable () -> State
    /// Of a driven pool.
    private let driven = Driven()
    /// How much work may wait; what is being done does not count.
    public let capacity: Int

    // Unchecked: used only by whoever drives the pool.
    private final class Driven: @unchecked Sendable {
        var state: State?
    }

    /// - Parameters:
    ///   - threads: 0 for a driven one.
    ///   - name: a thread's name is this and its number, up to 15 bytes in all.
    ///   - niceness: of its threads, above 0 for work that shall leave the processor to others.
    ///   - makeState: called once on each thread. What may fail, such as opening a file, belongs
    ///     in a lazy part of the state, where the work that needs it can report the failure.
    public init(
        name: String, threads count: Int, capacity: Int, niceness: Int32 = 0,
        makeState: @escaping @Sendable () -> State
    ) {
        precondition(count >= 0 && capacity > 0, "a pool of \(count) threads for \(capacity)")
        let monitor = Monitor(Mailbox())
        self.monitor = monitor
        self.capacity = capacity
        self.makeState = makeState
        threads = (0..<count).map { index in
            NamedThread(name: "\(name)-\(index + 1)", niceness: niceness) {
                Self.work(monitor, makeState)
            }
        }
    }

    /// Queues work for whichever thread is free first. False if the queue is full or the pool was
    /// stopped: the work will not run.
    public func submit(_ work: @escaping Work) -> Bool {
        let (isTaken, mustWake) = monitor.withLock { box in
            if box.isStopping || box.count >= capacity { return (false, false) }
            box.work.append(work)
            return (true, box.sleeping > 0)
        }
        if mustWake { monitor.wakeOne() }
        return isTaken
    }

    /// Does the first piece of work that waits, on the calling thread. Driven pools only.
    ///
    /// - Returns: false when nothing waited.
    @discardableResult
    public func turn() -> Bool {
        precondition(threads.isEmpty, "threads do this already")
        guard let work = monitor.withLock({ $0.count == 0 ? nil : $0.take() }) else { return false }
        let state = driven.state ?? makeState()
        driven.state = state
        work(state)
        return true
    }

    /// Takes no more work, does all that was taken, and waits for the threads to end. Safe to
    /// repeat, from any thread but the pool's.
    public func stop() {
        precondition(!threads.contains { $0.isCurrent }, "a reader cannot wait for itself")
        requestStop()
        if threads.isEmpty {
            while turn() {}
            driven.state = nil
        }
        for thread in threads { thread.join() }
    }

    /// What was taken is still done, but nobody waits for it.
    deinit { requestStop() }

    private func requestStop() {
        monitor.withLock { $0.isStopping = true }
        monitor.wakeAll()
    }

    private static func work(_ monitor: Monitor<Mailbox>, _ makeState: () -> State) {
        var state: State?
        while true {
            let work: Work? = monitor.withSleep { box, sleeper in
                while box.pointee.count == 0 && !box.pointee.isStopping {
                    box.pointee.sleeping += 1
                    sleeper.sleep()
                    box.pointee.sleeping -= 1
                }
                return box.pointee.count == 0 ? nil : box.pointee.take()
            }
            guard let work else { return }
            let own = state ?? makeState()
            state = own
            work(own)
        }
    }
}

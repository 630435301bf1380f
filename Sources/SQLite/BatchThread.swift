/// A thread that takes everything that has queued and works on it in one go.
///
/// While it works on one batch the next gathers, so batches grow with the load and no timer is
/// needed. Items are taken in the order they were submitted. The queue is bounded: `submit` says
/// false when it is full, and nothing was taken.
///
/// A driven one has no thread: it works when `turn` and `idle` are called, and never else, so that
/// a simulation decides what happens when.
public final class BatchThread<Item: Sendable>: Sendable {
    private struct Mailbox {
        var items: [Item] = []
        var isAsleep = false
        var isStopping = false
    }

    private let monitor: Monitor<Mailbox>
    /// Nil: driven.
    private let thread: NamedThread?
    private let run: @Sendable ([Item]) -> Void
    private let idleWork: @Sendable () -> Void
    /// How many items may wait; those being worked on do not count.
    public let capacity: Int

    /// - Parameters:
    ///   - name: shown by the system's tools, up to 15 bytes.
    ///   - idleEvery: how often `idle` is called at least, counted from the start of its last
    ///     call; nil for never. It is called with nothing to do and, under load, between two
    ///     batches.
    ///   - isDriven: whether it has no thread.
    ///   - run: works on a batch of at least one item. Everything it needs it makes or is given
    ///     here, because only this thread calls it.
    public init(
        name: String, capacity: Int, idleEvery: Duration? = nil, isDriven: Bool = false,
        idle: @escaping @Sendable () -> Void = {},
        run: @escaping @Sendable ([Item]) -> Void
    ) {
        precondition(capacity > 0, "a mailbox for \(capacity) items")
        let monitor = Monitor(Mailbox())
        let interval = idleEvery.map { $0.nanos }
        self.capacity = capacity
        self.monitor = monitor
        self.run = run
        idleWork = idle
        thread =
            isDriven
            ? nil
            : NamedThread(name: name) {
                Self.work(monitor, interval: interval, idle: idle, run: run)
            }
    }

    /// Queues one item. False if the mailbox is full or the thread was stopped.
    public func submit(_ item: Item) -> Bool {
        let (isTaken, mustWake) = monitor.withLock { box in
            if box.isStopping || box.items.count >= capacity { return (false, false) }
            box.items.append(item)
            defer { box.isAsleep = false }
            return (true, box.isAsleep)
        }
        if mustWake { monitor.wakeOne() }
        return isTaken
    }

    /// Items waiting, without the batch that is being worked on.
    public var depth: Int { monitor.withLock { $0.items.count } }

    /// Works on what has queued, on the calling thread. Driven ones only.
    ///
    /// - Returns: false when nothing had.
    @discardableResult
    public func turn() -> Bool {
        precondition(thread == nil, "a thread works on this already")
        let batch = monitor.withLock { box in
            defer { box.items.removeAll() }
            return box.items
        }
        if !batch.isEmpty { run(batch) }
        return !batch.isEmpty
    }

    /// Does what is done now and then, on the calling thread. Driven ones only.
    public func idle() {
        precondition(thread == nil, "a thread does this already")
        idleWork()
    }

    /// Takes no more items, works on all that were taken, and waits for the thread to end. Safe to
    /// repeat, from any thread but its own.
    public func stop() {
        requestStop()
        guard let thread else {
            turn()
            return
        }
        precondition(!thread.isCurrent, "a batch thread cannot wait for itself")
        thread.join()
    }

    /// What was taken is still worked on, but nobody waits for it.
    deinit { requestStop() }

    private func requestStop() {
        monitor.withLock { box in
            box.isStopping = true
            box.isAsleep = false
        }
        monitor.wakeOne()
    }

    private static func work(
        _ monitor: Monitor<Mailbox>, interval: UInt64?, idle: () -> Void, run: ([Item]) -> Void
    ) {
        var batch: [Item] = []
        var idleAt = interval.map { monotonicNanos() + $0 }
        while true {
            let isLast = monitor.withSleep { box, sleeper in
                while box.pointee.items.isEmpty && !box.pointee.isStopping {
                    box.pointee.isAsleep = true
                    if let idleAt {
                        if monotonicNanos() >= idleAt { break }
                        sleeper.sleep(untilNanos: idleAt)
                    } else {
                        sleeper.sleep()
                    }
                }
                box.pointee.isAsleep = false
                swap(&box.pointee.items, &batch)
                return box.pointee.isStopping && batch.isEmpty
            }
            if isLast { return }
            if !batch.isEmpty {
                run(batch)
                // The memory serves again; `capacity` bounds it.
                batch.removeAll(keepingCapacity: true)
            }
            if let interval, let due = idleAt, monotonicNanos() >= due {
                idleAt = monotonicNanos() + interval
                idle()
            }
        }
    }
}

extension Duration {
    /// At least 1, at most about 292 years.
    var nanos: UInt64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let all = overflow ? Int64.max / 2 : min(whole, Int64.max / 2) + attoseconds / 1_000_000_000
        return UInt64(max(1, all))
    }
}

internal import CLinux
internal import Glibc
internal import Synchronization

/// What a descriptor is watched for, and what it is ready for.
public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let read = Interest(rawValue: 1)
    public static let write = Interest(rawValue: 2)
    /// Error or both directions shut. Always reported, whatever was asked for.
    public static let hangup = Interest(rawValue: 4)
    /// The other side sends no more (EPOLLRDHUP): its end stands behind what can be read.
    public static let end = Interest(rawValue: 8)
    /// Each change is told once, when it comes, instead of in every turn while it lasts (EPOLLET).
    /// Whoever leaves something unread or unwritten has to come back to it unasked.
    public static let changes = Interest(rawValue: 16)
}

/// Receives the readiness of one descriptor, on its loop's thread.
public protocol EventHandler: AnyObject {
    /// May add, modify and remove any descriptor of the loop, its own included.
    func ready(_ events: Interest)
}

/// An epoll loop with timers and a mailbox, run by one thread.
///
/// A turn is: wait, read the clocks, ready descriptors, due timers, mailbox, turn-end hooks.
/// Nothing run by it may block.
// Unchecked because everything except `post`, `stop` and `isOnLoop` is confined to the thread in
// `run` (before `run`: to the thread that prepares the loop); those three use the mailbox's lock
// and atomics.
public final class EventLoop: @unchecked Sendable {
    public let name: String

    /// CLOCK_MONOTONIC, read once per turn. Loop thread only.
    public var nowNanos: UInt64 { monotonicNanos }
    // Stored apart: each look at a property that others see is checked, and a request takes five.
    private var monotonicNanos: UInt64
    private var epochMicros: Int64
    /// CLOCK_REALTIME in microseconds since 1970, read once per turn. Loop thread only.
    public var wallMicros: Int64 { epochMicros }

    private struct Registration {
        var handler: (any EventHandler)?
        /// Bumped by `add`, `remove` and `forget`, and carried in the epoll event, so that an event of
        /// a closed descriptor never reaches the next owner of its number.
        var generation: UInt32 = 0
        var interest: Interest = []
    }

    private static let eventsMax = 128
    private static let longTurnNanos: UInt64 = 2_000_000

    private let epoll: Int32
    private let mailbox: Mailbox
    private let stopping = Atomic<Bool>(false)
    private let thread = Atomic<UInt>(0)

    private var registrations: [Registration] = []
    private var timers = Timers()
    private var hooks: [() -> Void] = []
    private var batch: [Mailbox.Work] = []
    private var isTurnWanted = false
    private let events: UnsafeMutablePointer<epoll_event>

    public init(name: String) throws(NetError) {
        self.name = name
        mailbox = try Mailbox()
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .last("epoll_create1") }
        self.epoll = epoll
        events = .allocate(capacity: Self.eventsMax)
        events.initialize(repeating: epoll_event(), count: Self.eventsMax)
        monotonicNanos = Clock.monotonicNanos()
        epochMicros = Clock.wallMicros()

        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLET.rawValue
        event.data.u64 = UInt64.max
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox.descriptor, &event) == 0 else {
            throw .last("epoll_ctl eventfd")
        }
    }

    deinit {
        close(epoll)
        events.deallocate()
    }

    // MARK: From any thread

    /// Queues `work` for the loop's thread; first posted, first run.
    ///
    /// Work posted before `stop()` is still run; what is posted after it may be dropped unrun.
    public func post(_ work: @escaping @Sendable () -> Void) { mailbox.post(work) }

    /// Lets `run()` return after the turn it is in.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        mailbox.wake()
    }

    /// True on the thread that runs the loop, or ran it last.
    public var isOnLoop: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    // MARK: Running

    /// Runs turns on the calling thread until `stop()`.
    public func run() {
        clickrelay_name_thread(name)
        // Of this thread, at the end of the last turn, if that one took long.
        var processorNanos: UInt64?
        while !stopping.load(ordering: .acquiring) {
            turn(timeout: isTurnWanted ? 0 : millisecondsToNextTimer())
            turnEnded(&processorNanos)
        }
        // What was posted before `stop()` may have come in after the last turn emptied the mailbox.
        turn(timeout: 0)
    }

    /// After turns that took much of the core's time, as those of a crowd of hostile clients do, the
    /// threads that they have woken get it, where they share one: many kernels let them wait for the
    /// next tick otherwise, and each redirect waits for two of theirs. Not where a turn was long
    /// because others had the core.
    private func turnEnded(_ processorNanos: inout UInt64?) {
        guard Clock.monotonicNanos() > nowNanos + Self.longTurnNanos else {
            processorNanos = nil
            return
        }
        let spent = Clock.threadNanos()
        if let before = processorNanos, spent > before + Self.longTurnNanos { sched_yield() }
        processorNanos = spent
    }

    /// One turn, waiting at most `timeout` milliseconds for an event; -1 is without end. For whoever
    /// drives the loop himself instead of calling `run`.
    public func turn(timeout: Int32) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        isTurnWanted = false
        // A signal ends the wait with EINTR and -1: an empty turn, after which we wait again.
        let count = epoll_wait(epoll, events, Int32(Self.eventsMax), timeout)
        monotonicNanos = Clock.monotonicNanos()
        epochMicros = Clock.wallMicros()
        var index = 0
        while index < Int(count) {
            dispatch(events[index])
            index += 1
        }
        runTimers()
        runMailbox()
        for hook in hooks { hook() }
    }

    private func dispatch(_ event: epoll_event) {
        let key = event.data.u64
        let descriptor = Int(key & 0xffff_ffff)
        // Out of range is the mailbox's own key; the mailbox is looked at every turn anyway.
        guard descriptor < registrations.count,
            registrations[descriptor].generation == UInt32(key >> 32),
            let handler = registrations[descriptor].handler
        else { return }
        var ready: Interest = []
        if event.events & EPOLLIN.rawValue != 0 { ready.insert(.read) }
        if event.events & EPOLLOUT.rawValue != 0 { ready.insert(.write) }
        if event.events & EPOLLRDHUP.rawValue != 0 { ready.insert(.end) }
        if event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { ready.insert(.hangup) }
        handler.ready(ready)
    }

    private func runTimers() {
        // A timer that schedules itself again for "now" waits a turn, or this would never end.
        let mark = timers.orderMark
        while let body = timers.popDue(at: nowNanos, before: mark) { body() }
    }

    private func runMailbox() {
        mailbox.take(into: &batch)
        for work in batch { work() }
        batch.removeAll(keepingCapacity: batch.count <= 4096)
    }

    /// When the next timer is due, by CLOCK_MONOTONIC; nil without any. Loop thread only.
    public var nextTimerNanos: UInt64? { timers.nextDeadline }

    private func millisecondsToNextTimer() -> Int32 {
        guard let deadline = timers.nextDeadline else { return -1 }
        let now = Clock.monotonicNanos()
        guard deadline > now else { return 0 }
        // Rounded up: waking a fraction early would spin until the deadline is reached.
        let milliseconds = (deadline - now - 1) / 1_000_000 + 1
        return Int32(clamping: min(milliseconds, 60_000))
    }

    /// Makes the next turn follow at once, for a hook that left work over. Loop thread only.
    public func wantTurn() { isTurnWanted = true }

    /// Calls `hook` every turn after events, timers and mailbox. Register at start, once.
    public func atTurnEnd(_ hook: @escaping () -> Void) { hooks.append(hook) }

    // MARK: Timers

    /// Runs `body` once, not before `afterNanos` have passed since this turn's clock.
    public func schedule(afterNanos: UInt64, _ body: @escaping () -> Void) -> TimerID {
        let (deadline, overflow) = nowNanos.addingReportingOverflow(afterNanos)
        return timers.schedule(at: overflow ? .max : deadline, body)
    }

    public func cancel(_ timer: TimerID) { timers.cancel(timer) }

    // MARK: Descriptors

    /// Watches `descriptor`. The loop keeps `handler` alive until `remove`.
    public func add(_ descriptor: Int32, _ interest: Interest, _ handler: any EventHandler)
        throws(NetError)
    {
        precondition(descriptor >= 0, "descriptor \(descriptor)")
        let index = Int(descriptor)
        while registrations.count <= index { registrations.append(Registration()) }
        registrations[index].generation &+= 1
        var event = epollEvent(descriptor, interest)
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw .last("epoll_ctl add")
        }
        registrations[index].handler = handler
        registrations[index].interest = interest
    }

    /// Changes what is watched; free when nothing changes.
    public func modify(_ descriptor: Int32, _ interest: Interest) throws(NetError) {
        let index = Int(descriptor)
        guard registrations.indices.contains(index), registrations[index].handler != nil else {
            throw NetError("epoll_ctl modify", code: EBADF)
        }
        guard registrations[index].interest != interest else { return }
        var event = epollEvent(descriptor, interest)
        guard epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 else {
            throw .last("epoll_ctl modify")
        }
        registrations[index].interest = interest
    }

    /// Stops watching; call it before closing. An event already fetched this turn is dropped.
    public func remove(_ descriptor: Int32) {
        let index = Int(descriptor)
        guard registrations.indices.contains(index), registrations[index].handler != nil else {
            return
        }
        registrations[index].generation &+= 1
        registrations[index].interest = []
        registrations[index].handler = nil
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Like `remove` for a descriptor that is closed right after: closing its only copy takes it
    /// out of epoll, which saves the system call.
    public func forget(_ descriptor: Int32) {
        let index = Int(descriptor)
        guard registrations.indices.contains(index) else { return }
        registrations[index].generation &+= 1
        registrations[index].interest = []
        registrations[index].handler = nil
    }

    private func epollEvent(_ descriptor: Int32, _ interest: Interest) -> epoll_event {
        var event = epoll_event()
        if interest.contains(.read) { event.events |= EPOLLIN.rawValue }
        if interest.contains(.write) { event.events |= EPOLLOUT.rawValue }
        if interest.contains(.end) { event.events |= EPOLLRDHUP.rawValue }
        if interest.contains(.changes) { event.events |= EPOLLET.rawValue }
        event.data.u64 =
            UInt64(registrations[Int(descriptor)].generation) << 32 | UInt64(UInt32(descriptor))
        return event
    }
}

internal import Domain
internal import HTTP
internal import Store

/// Decides which delivery is called next and which rows are read next; it calls and reads nothing
/// itself, and is told the time.
///
/// Fairness: origins with due work take turns, one call each. One origin has at most `perHost`
/// calls in flight, and no more than are still free in all, so that hosts which answer slowly
/// leave room for the others for as long as possible.
///
/// Memory is bounded whatever waits on disk, and however large it is: at most `originsMax` origins
/// with a window each, of one delivery while the host fails.
final class DeliveryPlan {
    struct Limits {
        /// Calls in flight.
        var concurrency = 256
        var perHost = 16
        /// Deliveries in memory for one origin, while few origins have any.
        var windowMax = 1024
        /// Deliveries in memory for all origins; each may have four even beyond it.
        var windowTotalMax = 16_384
        /// Bytes of the deliveries in memory for one origin, while few origins have any.
        var windowBytesMax = 4 << 20
        /// Bytes of the deliveries in memory for all origins; each may have one even beyond it.
        var windowBytesTotalMax = 32 << 20
        /// Origins in memory. Beyond it an origin waits for another's deliveries to end.
        var originsMax = 4096
        /// Reads under way at once.
        var readsMax = 2
        /// Calls in flight and results that are not on disk yet. At it no call is started.
        var unrecordedMax = 4096
        /// Bytes of a failed delivery that is kept in memory until its result is on disk; a larger
        /// one is read again.
        var unrecordedBytesMax = 4096
    }

    /// What the plan knows of one origin.
    final class Origin {
        let name: String
        /// For whoever calls it, as soon as that is known.
        var server: ClientServer?
        fileprivate(set) var queue = OriginQueue()
        fileprivate(set) var breaker = Breaker()
        fileprivate(set) var inFlight = 0
        fileprivate var isPaused = false
        fileprivate var isInTurn = false
        fileprivate var isInReadTurn = false
        fileprivate var countedEntries = 0
        fileprivate var listedBreaker: Breaker.Open?
        /// When to look at it again if nothing happens before.
        fileprivate var sleepsUntilNanos = UInt64.max
        fileprivate var readsNotBeforeNanos: UInt64 = 0

        init(name: String) { self.name = name }
    }

    /// A call to be made. The plan must be told its end by `finish`, then `record`; or `abandon`.
    struct Start {
        let delivery: Delivery
        let origin: Origin
        fileprivate let isProbe: Bool
    }

    /// A call that has ended, until its result is on disk.
    struct Finished {
        let origin: Origin
        fileprivate let id: DeliveryID
        /// The delivery as it waits from then on.
        fileprivate let next: Delivery?
        /// It waits from then on, and is not in memory.
        fileprivate let isLeftOnDisk: Bool
    }

    /// Rows to be read.
    struct ReadOrder {
        let origin: Origin
        let window: DeliveryWindow.Order
    }

    /// A change of the clock beyond this is a jump.
    static let jumpMicrosMin: Int64 = 2_000_000
    /// Clocks are looked at this often.
    static let sleepSecondsMax: UInt64 = 2

    let limits: Limits
    /// While set, no call is started.
    var isHeld = false

    private var pauses = Pauses()
    private var origins: [String: Origin] = [:]
    private var turns = Ring<Origin>()
    private var readTurns = Ring<Origin>()
    private var readsUnderWay = 0
    private var clockOffset: Int64?

    private(set) var inFlight = 0
    private(set) var unrecorded = 0
    private(set) var waitingInMemory = 0
    /// There are origins on disk for which there was no room.
    private(set) var hasLeftOrigins = false
    /// When `tick` wants to be called; `.max`: not at all.
    private(set) var nextTickNanos = UInt64.max

    init(limits: Limits) { self.limits = limits }

    var originCount: Int { origins.count }

    /// The origins whose breaker is open.
    private(set) var openBreakers: [String: Breaker.Open] = [:]
    /// Grows with every change of `openBreakers`.
    private(set) var openBreakersVersion = 0

    // MARK: What is told

    /// There may be new waiting deliveries for these origins.
    func wake(_ names: some Sequence<String>, at now: Moment) {
        noteClock(now)
        for name in names {
            if let origin = origins[name] {
                origin.queue.markStale()
                settle(origin, at: now)
            } else if pauses.holds(origin: name) {
                continue
            } else if hasRoom() {
                let origin = Origin(name: name)
                origin.queue.passOver(pauses.destinations)
                origins[name] = origin
                settle(origin, at: now)
            } else {
                hasLeftOrigins = true
            }
        }
    }

    /// All origins that have waiting deliveries: those that are known are read again.
    func scanned(_ names: [String], at now: Moment) {
        hasLeftOrigins = false
        wake(names, at: now)
    }

    /// These deliveries were cancelled: they are not to be called.
    func forget(_ ids: Set<DeliveryID>, at now: Moment) {
        for origin in origins.values {
            origin.queue.forget(ids)
            settle(origin, at: now)
        }
    }

    /// Somebody wants these origins called now: those that fail are probed without waiting for the
    /// end of their breaker's pause.
    func probe(_ names: some Sequence<String>, at now: Moment) {
        for name in names {
            guard let origin = origins[name] else { continue }
            origin.breaker.endPause(at: now)
            settle(origin, at: now)
        }
    }

    /// These are the pauses from now on. Calls in flight go on. Origins that nothing is left of in
    /// memory are not woken when their pause ends: scan for them.
    func setPauses(_ pauses: Pauses, at now: Moment) {
        self.pauses = pauses
        for origin in origins.values {
            origin.isPaused = pauses.holds(origin: origin.name)
            origin.queue.passOver(pauses.destinations)
            if origin.isPaused { origin.queue.leave() }
            settle(origin, at: now)
        }
    }

    /// Time has passed: looks at the origins that wait for it.
    func tick(at now: Moment) {
        noteClock(now)
        nextTickNanos = .max
        for origin in origins.values where origin.sleepsUntilNanos != .max {
            if origin.sleepsUntilNanos <= now.nanos {
                settle(origin, at: now)
            } else {
                nextTickNanos = min(nextTickNanos, origin.sleepsUntilNanos)
            }
        }
    }

    // MARK: Reading

    /// The next read to be made, if any; its end must be told.
    func nextRead(at now: Moment) -> ReadOrder? {
        while readsUnderWay < limits.readsMax, let origin = readTurns.popFirst() {
            origin.isInReadTurn = false
            guard wantsRead(origin, at: now) else {
                if origin.isPaused { settle(origin, at: now) }
                continue
            }
            readsUnderWay += 1
            return ReadOrder(
                origin: origin,
                window: origin.queue.beginRead(of: origin.name, size: windowSize(of: origin)))
        }
        return nil
    }

    func finish(_ read: ReadOrder, _ window: DeliveryWindow, at now: Moment) {
        readsUnderWay -= 1
        read.origin.queue.endRead(window, size: windowSize(of: read.origin), at: now.wall)
        if read.origin.isPaused { read.origin.queue.leave() }
        settle(read.origin, at: now)
    }

    func fail(_ read: ReadOrder, at now: Moment) {
        readsUnderWay -= 1
        read.origin.queue.failRead()
        read.origin.readsNotBeforeNanos = now.nanos(afterSeconds: 1)
        settle(read.origin, at: now)
    }

    // MARK: Calling

    /// The next call to be made, if any.
    func next(at now: Moment) -> Start? {
        guard !isHeld, inFlight < limits.concurrency, inFlight + unrecorded < limits.unrecordedMax
        else { return nil }
        var looks = turns.count
        while looks > 0, let origin = turns.popFirst() {
            looks -= 1
            guard isReady(origin, at: now) else {
                origin.isInTurn = false
                settle(origin, at: now)
                continue
            }
            guard origin.inFlight < max(1, limits.concurrency - inFlight),
                let delivery = origin.queue.takeFirst()
            else {
                turns.append(origin)
                continue
            }
            inFlight += 1
            origin.inFlight += 1
            let start = Start(
                delivery: delivery, origin: origin, isProbe: origin.breaker.begin())
            origin.isInTurn = false
            settle(origin, at: now)
            return start
        }
        return nil
    }

    /// A call has ended, and its result waits to be recorded.
    func finish(_ start: Start, _ verdict: AttemptJudge.Verdict, at now: Moment) -> Finished {
        end(start, verdict.health, at: now)
        unrecorded += 1
        let next = verdict.result.next(start.delivery)
        let isLarge = next.map { $0.approximateBytes > limits.unrecordedBytesMax } ?? false
        return Finished(
            origin: start.origin, id: start.delivery.id, next: isLarge ? nil : next,
            isLeftOnDisk: isLarge)
    }

    /// A result is on disk.
    func record(_ finished: Finished, at now: Moment) {
        unrecorded -= 1
        let origin = finished.origin
        if finished.isLeftOnDisk { origin.queue.markStale() }
        origin.queue.release(
            finished.id, next: finished.next, size: windowSize(of: origin), at: now.wall)
        settle(origin, at: now)
    }

    /// A call was not made, or ended without telling anything: the delivery is due as before.
    func abandon(_ start: Start, at now: Moment) {
        start.origin.queue.putBack(
            start.delivery, size: windowSize(of: start.origin), at: now.wall)
        end(start, .unknown, at: now)
    }

    private func end(_ start: Start, _ health: HostHealth, at now: Moment) {
        inFlight -= 1
        let origin = start.origin
        origin.inFlight -= 1
        origin.breaker.end(health, isProbe: start.isProbe, at: now)
        // What nobody is going to call soon needs no memory.
        if origin.breaker.open != nil { origin.queue.trim(to: windowSize(of: origin)) }
        settle(origin, at: now)
    }

    // MARK: Deciding

    private func windowSize(of origin: Origin) -> OriginQueue.Size {
        // It's probed with one at a time.
        let isFailing = origin.breaker.open != nil
        let share = limits.windowTotalMax / max(1, origins.count)
        let bytesShare = limits.windowBytesTotalMax / max(1, origins.count)
        return OriginQueue.Size(
            count: isFailing ? 1 : max(4, min(limits.windowMax, share)),
            bytes: min(limits.windowBytesMax, bytesShare))
    }

    private func isReady(_ origin: Origin, at now: Moment) -> Bool {
        guard !origin.isPaused, origin.inFlight < limits.perHost, let first = origin.queue.first,
            first.due <= now.wall
        else { return false }
        return origin.breaker.permission(at: now) == .granted
    }

    private func wantsRead(_ origin: Origin, at now: Moment) -> Bool {
        guard !origin.isPaused, origin.queue.wantsRead(size: windowSize(of: origin), at: now.wall)
        else {
            return false
        }
        switch origin.breaker.permission(at: now) {
        case .granted: return true
        // Nobody is called meanwhile. An empty window is looked into once the pause is over.
        case .notBefore, .afterProbe: return false
        }
    }

    /// Gives an origin its place after anything about it has changed.
    private func settle(_ origin: Origin, at now: Moment) {
        waitingInMemory += origin.queue.count - origin.countedEntries
        origin.countedEntries = origin.queue.count
        list(origin.breaker.open, of: origin)

        var until = UInt64.max
        if wantsRead(origin, at: now) {
            if origin.readsNotBeforeNanos > now.nanos {
                until = origin.readsNotBeforeNanos
            } else if !origin.isInReadTurn {
                origin.isInReadTurn = true
                readTurns.append(origin)
            }
        }
        if !origin.isInTurn {
            if isReady(origin, at: now) {
                origin.isInTurn = true
                turns.append(origin)
            } else if !origin.isPaused, origin.inFlight < limits.perHost {
                until = min(until, nextLook(at: origin, now))
            }
        }
        origin.sleepsUntilNanos = until
        nextTickNanos = min(nextTickNanos, until)

        // A host that fails is remembered until its pause is over, even with nothing to be told; one
        // that somebody has paused is not.
        let isSpent = origin.queue.isSpent && origin.breaker.permission(at: now) == .granted
        if isSpent || origin.isPaused && origin.queue.isAtRest,
            origin.inFlight == 0, !origin.isInTurn, !origin.isInReadTurn
        {
            list(nil, of: origin)
            origins[origin.name] = nil
        }
    }

    private func list(_ open: Breaker.Open?, of origin: Origin) {
        guard open != origin.listedBreaker else { return }
        origin.listedBreaker = open
        openBreakers[origin.name] = open
        openBreakersVersion += 1
    }

    /// When an origin that is not ready becomes so by itself.
    private func nextLook(at origin: Origin, _ now: Moment) -> UInt64 {
        switch origin.breaker.permission(at: now) {
        case .afterProbe: return .max
        case .notBefore(let nanos): return nanos
        case .granted:
            guard let first = origin.queue.first else { return .max }
            return now.nanos(at: first.due, secondsMax: Self.sleepSecondsMax)
        }
    }

    /// Whether one more origin fits, after those that only remember an open breaker have gone.
    private func hasRoom() -> Bool {
        if origins.count < limits.originsMax { return true }
        for origin in origins.values where origin.queue.isSpent && origin.inFlight == 0 {
            list(nil, of: origin)
            origins[origin.name] = nil
        }
        return origins.count < limits.originsMax
    }

    /// After a jump of the clock due times are judged anew, as rows are read.
    private func noteClock(_ now: Moment) {
        let offset = now.clockOffset
        defer { clockOffset = offset }
        guard let before = clockOffset else { return }
        let (jump, overflow) = offset.subtractingReportingOverflow(before)
        guard overflow || jump.magnitude > Self.jumpMicrosMin.magnitude else { return }
        for origin in origins.values {
            origin.queue.markStale()
            settle(origin, at: now)
        }
    }
}

internal import Domain
internal import HTTP
internal import Store

/// Decides which delivery is called next and which rows are read next; it calls and reads nothing
/// itself, and is told the time.
///
/// Fairness: origins with due work take turns within their `Lane`, one call each, and so do lanes.
/// One origin has at most `perHost` calls in flight, and no more than are still free in all, so that
/// hosts which answer slowly leave room for the others for as long as possible.
///
/// Memory is bounded whatever waits on disk, and however large it is: at most `originsMax` origins
/// with a window each, of one delivery while the host fails. Beyond it, those that can do nothing
/// now, or are less known to answer, make room for the others and are remembered by little.
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
        /// Origins in memory.
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
        var lane: Lane
        var queue = OriginQueue()
        var breaker: Breaker
        var inFlight = 0
        var isPaused = false
        /// Its places in the turns.
        var turn: Int?
        var readTurn: Int?
        var countedEntries = 0
        var listedBreaker: Breaker.Open?
        /// When to look at it again if nothing happens before.
        var sleepsUntilNanos = UInt64.max
        var readsNotBeforeNanos: UInt64 = 0

        fileprivate init(name: String, _ past: HostHistory.Entry) {
            self.name = name
            lane = past.lane
            breaker = past.breaker
        }
    }

    /// A call to be made. The plan must be told its end by `finish`, then `record`; or `abandon`.
    struct Start {
        let delivery: Delivery
        let origin: Origin
        fileprivate let isProbe: Bool
        fileprivate let lane: Lane
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
    /// What has been due for so long before its host is called for the first time puts the host in
    /// doubt.
    private static let overdueMin: Duration = .seconds(60)

    let limits: Limits
    /// While set, no call is started.
    var isHeld = false

    var pauses = Pauses()
    var origins: [String: Origin] = [:]
    var history = HostHistory()
    var turns = LaneTurns()
    var readTurns = LaneTurns()
    var readsUnderWay = 0
    var inFlightByLane = Lane.allCases.map { _ in 0 }
    var clockOffset: Int64?
    /// When room may be looked for again, by lane.
    var nextRoomNanos = Lane.allCases.map { _ in UInt64.zero }

    var inFlight = 0
    var unrecorded = 0
    var waitingInMemory = 0
    /// There are origins on disk for which there was no room.
    var hasLeftOrigins = false
    /// When `tick` wants to be called; `.max`: not at all.
    var nextTickNanos = UInt64.max

    init(limits: Limits) { self.limits = limits }

    var originCount: Int { origins.count }

    /// The origins whose breaker is open.
    var openBreakers: [String: Breaker.Open] = [:]
    /// Grows with every change of `openBreakers`.
    var openBreakersVersion = 0

    // MARK: What is told

    /// There may be new waiting deliveries for these origins.
    func wake(_ names: some Sequence<String>, at now: Moment) {
        noteClock(now)
        for name in names {
            if let origin = origins[name] {
                origin.queue.markStale()
                settle(origin, at: now)
            } else {
                history.wake(name)
                admit(name, at: now)
            }
        }
    }

    /// All origins that have waiting deliveries: those that are in memory are read again.
    func scanned(_ names: [String], at now: Moment) {
        noteClock(now)
        for name in names {
            guard let origin = origins[name] else { continue }
            origin.queue.markStale()
            settle(origin, at: now)
        }
        admit(names, at: now)
    }

    /// All origins that have waiting deliveries: those that are not in memory get room, if any.
    func admit(_ names: [String], at now: Moment) {
        hasLeftOrigins = false
        for name in names where origins[name] == nil { admit(name, at: now) }
    }

    private func admit(_ name: String, at now: Moment) {
        if pauses.holds(origin: name) { return }
        let past = history[name] ?? HostHistory.Entry(lane: .unknown)
        let isAsleep =
            past.breaker.permission(at: now) != .granted
            || past.dueAt.map { $0 > now.wall } ?? false
        guard !isAsleep, makeRoom(for: past.lane, at: now) else {
            hasLeftOrigins = true
            return
        }
        let origin = Origin(name: name, past)
        _ = history.take(name)
        origin.queue.passOver(pauses.destinations)
        origins[name] = origin
        settle(origin, at: now)
    }

    /// These deliveries were cancelled: they are not to be called.
    func forget(_ ids: Set<DeliveryID>, at now: Moment) {
        for origin in origins.values {
            origin.queue.forget(ids)
            settle(origin, at: now)
        }
    }

    /// Whether a delivery is being called or given up, or was, and the result is not on disk.
    func isBusy(_ id: DeliveryID, at name: String) -> Bool {
        origins[name]?.queue.busy.contains(id) ?? false
    }

    /// These deliveries, none of them busy, are being given up: no call of them begins before
    /// `release`, and their origin stays in memory.
    ///
    /// - Returns: whether it is there. Else they must not be released.
    func hold(_ ids: Set<DeliveryID>, at name: String, _ now: Moment) -> Bool {
        guard let origin = origins[name] else { return false }
        origin.queue.hold(ids)
        settle(origin, at: now)
        return true
    }

    /// They are given up, or wait as before: the table knows.
    func release(_ ids: Set<DeliveryID>, at name: String, _ now: Moment) {
        guard let origin = origins[name] else { return }
        let size = windowSize(of: origin)
        for id in ids { origin.queue.release(id, next: nil, size: size, at: now.wall) }
        origin.queue.markStale()
        settle(origin, at: now)
    }

    /// Somebody wants these origins called now: those that fail are probed without waiting for the
    /// end of their breaker's pause.
    func probe(_ names: some Sequence<String>, at now: Moment) {
        for name in names {
            if let origin = origins[name] {
                origin.breaker.endPause(at: now)
                settle(origin, at: now)
            } else if history[name] != nil {
                history.endPause(of: name, at: now)
                admit(name, at: now)
            }
        }
    }

    /// These are the pauses from now on. Calls in flight go on. Origins that nothing is left of in
    /// memory are not woken when their pause ends: scan for them.
    func setPauses(_ pauses: Pauses, at now: Moment) {
        self.pauses = pauses
        for origin in origins.values {
            origin.isPaused = pauses.holds(origin: origin.name)
            origin.queue.passOver(pauses.destinations)
            if origin.isPaused {
                origin.queue.leave()
                origin.turn = nil
                origin.readTurn = nil
            }
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
        guard readsUnderWay < limits.readsMax else { return nil }
        for lane in readTurns.order {
            while let (origin, ticket) = readTurns.popFirst(lane) {
                guard origin.readTurn == ticket else { continue }
                origin.readTurn = nil
                guard wantsRead(origin, at: now) else {
                    settle(origin, at: now)
                    continue
                }
                readTurns.served(lane)
                readsUnderWay += 1
                return ReadOrder(
                    origin: origin,
                    window: origin.queue.beginRead(of: origin.name, size: windowSize(of: origin)))
            }
        }
        return nil
    }

    func finish(_ read: ReadOrder, _ window: DeliveryWindow, at now: Moment) {
        readsUnderWay -= 1
        read.origin.queue.endRead(window, size: windowSize(of: read.origin), at: now.wall)
        if read.origin.isPaused { read.origin.queue.leave() }
        if read.origin.lane == .unknown, let first = read.origin.queue.first,
            first.due < now.wall.advanced(by: .zero - Self.overdueMin)
        {
            move(read.origin, to: .doubtful)
        }
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
        for lane in turns.order where hasRoom(for: lane) {
            guard let start = next(in: lane, at: now) else { continue }
            turns.served(lane)
            return start
        }
        return nil
    }

    private func hasRoom(for lane: Lane) -> Bool {
        inFlightByLane[lane.rawValue...].reduce(0, +) < lane.callsMax(of: limits.concurrency)
    }

    private func next(in lane: Lane, at now: Moment) -> Start? {
        var looks = turns.count(lane)
        while looks > 0, let (origin, ticket) = turns.popFirst(lane) {
            looks -= 1
            guard origin.turn == ticket else { continue }
            origin.turn = nil
            guard isReady(origin, at: now) else {
                settle(origin, at: now)
                continue
            }
            guard origin.inFlight < max(1, limits.concurrency - inFlight),
                let delivery = origin.queue.takeFirst()
            else {
                origin.turn = turns.append(origin)
                continue
            }
            inFlight += 1
            inFlightByLane[lane.rawValue] += 1
            origin.inFlight += 1
            let start = Start(
                delivery: delivery, origin: origin, isProbe: origin.breaker.begin(), lane: lane)
            settle(origin, at: now)
            return start
        }
        return nil
    }

    /// Whether what has been said since a call was started speaks against it.
    func mayCall(_ start: Start) -> Bool {
        pauses.holding(destination: start.delivery.destination, origin: start.origin.name) == nil
            && !start.origin.queue.isForgotten(start.delivery.id)
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

    /// Its place in the turns is another from now on.
    private func move(_ origin: Origin, to lane: Lane) {
        guard origin.lane != lane else { return }
        origin.lane = lane
        origin.turn = nil
        origin.readTurn = nil
    }

    private func end(_ start: Start, _ health: HostHealth, at now: Moment) {
        inFlight -= 1
        inFlightByLane[start.lane.rawValue] -= 1
        let origin = start.origin
        origin.inFlight -= 1
        origin.breaker.end(health, isProbe: start.isProbe, at: now)
        switch health {
        case .healthy: move(origin, to: .proven)
        // One that answers fails now and then.
        case .failing where origin.lane == .proven && origin.breaker.failures < 2: break
        case .failing: move(origin, to: .doubtful)
        case .unknown: break
        }
        // What nobody is going to call soon needs no memory.
        if origin.breaker.open != nil { origin.queue.trim(to: windowSize(of: origin)) }
        settle(origin, at: now)
    }
}

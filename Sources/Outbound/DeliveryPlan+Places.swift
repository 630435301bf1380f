internal import Domain

/// When an origin has a place in the turns, and when in memory.
extension DeliveryPlan {
    /// Beyond so many origins they are looked at together, this often.
    private static let originsOfFewMax = 256
    private static let tickNanos: UInt64 = 10_000_000
    /// What is due no sooner leaves its place to others.
    private static let leaveDueMin: Duration = .seconds(2)
    /// Origins that make room at once.
    private static let leaveMax = 64
    /// After a look for room found none, the next one.
    private static let roomNanos: UInt64 = 100_000_000

    func windowSize(of origin: Origin) -> OriginQueue.Size {
        // It's probed with one at a time.
        let isFailing = origin.breaker.open != nil
        let share = limits.windowTotalMax / max(1, origins.count)
        let bytesShare = limits.windowBytesTotalMax / max(1, origins.count)
        return OriginQueue.Size(
            count: isFailing ? 1 : max(4, min(limits.windowMax, share)),
            bytes: min(limits.windowBytesMax, bytesShare))
    }

    func isReady(_ origin: Origin, at now: Moment) -> Bool {
        guard !origin.isPaused, mayHaveMore(origin), let first = origin.queue.first,
            first.due <= now.wall
        else { return false }
        return origin.breaker.permission(at: now) == .granted
    }

    func mayHaveMore(_ origin: Origin) -> Bool {
        origin.inFlight < origin.lane.callsMax(perHost: limits.perHost)
    }

    func wantsRead(_ origin: Origin, at now: Moment) -> Bool {
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
    func settle(_ origin: Origin, at now: Moment) {
        waitingInMemory += origin.queue.count - origin.countedEntries
        origin.countedEntries = origin.queue.count
        list(origin.breaker.open, of: origin)

        var until = UInt64.max
        if wantsRead(origin, at: now) {
            if origin.readsNotBeforeNanos > now.nanos {
                until = origin.readsNotBeforeNanos
            } else if origin.readTurn == nil {
                origin.readTurn = readTurns.append(origin)
            }
        }
        if origin.turn == nil {
            if isReady(origin, at: now) {
                origin.turn = turns.append(origin)
            } else if !origin.isPaused, mayHaveMore(origin) {
                until = min(until, nextLook(at: origin, now))
            }
        }
        if until != .max, origins.count > Self.originsOfFewMax {
            until = (until / Self.tickNanos + 1) * Self.tickNanos
        }
        origin.sleepsUntilNanos = until
        nextTickNanos = min(nextTickNanos, until)

        // A host that fails is remembered until its pause is over, even with nothing to be told; one
        // that somebody has paused is not.
        let isSpent = origin.queue.isSpent && origin.breaker.permission(at: now) == .granted
        if isSpent || origin.isPaused && origin.queue.isAtRest,
            origin.inFlight == 0, origin.turn == nil, origin.readTurn == nil
        {
            list(nil, of: origin)
            origins[origin.name] = nil
            remember(HostHistory.Entry(lane: origin.lane), of: origin)
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

    // MARK: Room

    /// Whether one more origin of `lane` fits, after some that need their place less have left it.
    func makeRoom(for lane: Lane, at now: Moment) -> Bool {
        if origins.count < limits.originsMax { return true }
        guard now.nanos >= nextRoomNanos[lane.rawValue] else { return false }
        let before = origins.count
        for origin in origins.values where mayLeave(origin, for: lane, at: now) {
            leave(origin)
            if before - origins.count >= Self.leaveMax { break }
        }
        let hasRoom = origins.count < limits.originsMax
        if !hasRoom { nextRoomNanos[lane.rawValue] = now.nanos &+ Self.roomNanos }
        return hasRoom
    }

    /// What it waits for is on disk, and found by the next scan.
    private func mayLeave(_ origin: Origin, for lane: Lane, at now: Moment) -> Bool {
        guard origin.inFlight == 0, origin.queue.isAtRest else { return false }
        if origin.queue.isSpent || origin.breaker.permission(at: now) != .granted { return true }
        if origin.lane.rawValue > lane.rawValue { return true }
        return origin.readTurn == nil
            && (origin.queue.first.map { $0.due > now.wall.advanced(by: Self.leaveDueMin) } ?? false)
    }

    private func leave(_ origin: Origin) {
        // What is not read yet may be due at any time.
        let dueAt = origin.readTurn == nil ? origin.queue.first?.due : nil
        origin.turn = nil
        origin.readTurn = nil
        waitingInMemory -= origin.countedEntries
        origins[origin.name] = nil
        if origin.queue.isSpent {
            list(nil, of: origin)
        } else {
            hasLeftOrigins = true
        }
        remember(
            HostHistory.Entry(lane: origin.lane, breaker: origin.breaker, dueAt: dueAt),
            of: origin)
    }

    private func remember(_ entry: HostHistory.Entry, of origin: Origin) {
        for name in history.keep(entry, of: origin.name) where origins[name] == nil {
            openBreakers[name] = nil
            openBreakersVersion += 1
        }
    }

    /// After a jump of the clock due times are judged anew, as rows are read.
    func noteClock(_ now: Moment) {
        let offset = now.clockOffset
        defer { clockOffset = offset }
        guard let before = clockOffset else { return }
        let (jump, overflow) = offset.subtractingReportingOverflow(before)
        guard overflow || jump.magnitude > Self.jumpMicrosMin.magnitude else { return }
        history.forgetTimes()
        for origin in origins.values {
            origin.queue.markStale()
            settle(origin, at: now)
        }
    }
}

/// Which names are looked up now, which come next, and who waits for them. It looks nothing up
/// itself, and is told the time (CLOCK_MONOTONIC).
///
/// A name server that doesn't answer holds a thread for half a minute, and must cost nobody's names
/// but its own. So how its last look-up went gives a name its lane, and the lanes share the threads
/// unequally: names that were answered find a quarter of the threads free of all others, and names
/// that hung together never hold more than an eighth. Names nobody knows have the rest; each of
/// them can surprise us once.
struct LookUpQueue<Waiter> {
    struct Limits {
        /// Look-ups under way, each of which holds a thread.
        var threadsMax = 64
        var waitersMax = 1024
        /// A look-up that took longer hung.
        var hangNanos: UInt64 = 2_000_000_000
        /// Nobody waits longer than this for a look-up, once another is asked for.
        var patienceNanos: UInt64 = 5_000_000_000
        /// Names whose last look-up is remembered.
        var historyMax = 4096

        var threadsForHungMax: Int { max(1, threadsMax / 8) }
        var threadsForAnswered: Int { threadsMax / 4 }
        /// What hangs leaves the others a place to wait, too.
        var waitersForHungMax: Int { max(1, waitersMax / 2) }
    }

    private enum Lane: Int, CaseIterable {
        case answered, unknown, hung
    }

    private struct LookUp {
        let lane: Lane
        var waiters: [Waiter]
        var askedNanos: UInt64
        var startedNanos: UInt64?
    }

    /// Who waited too long, and what they are told.
    struct GivenUp {
        let waiters: [Waiter]
        let reason: String
    }

    private let limits: Limits
    private var lookUps: [String: LookUp] = [:]
    /// By lane, first come first served; some may have been given up meanwhile.
    private var queues: [[String]] = Lane.allCases.map { _ in [] }
    private var underWay = Lane.allCases.map { _ in 0 }
    private var waiterCounts = Lane.allCases.map { _ in 0 }
    /// Whether the last look-up of a name was answered in time.
    private var history: [String: Bool] = [:]
    private var givenUp: [GivenUp] = []

    init(limits: Limits) { self.limits = limits }

    private var waiterCount: Int { waiterCounts.reduce(0, +) }
    private var underWayCount: Int { underWay.reduce(0, +) }

    /// Asks for `host`, or shares the answer of a look-up that was asked for before.
    ///
    /// - Returns: why it can't wait for one; nil: it does.
    mutating func ask(_ host: String, _ waiter: Waiter, at now: UInt64) -> String? {
        if waiterCount >= limits.waitersMax { giveUpWaiting(at: now) }
        guard waiterCount < limits.waitersMax else { return "too many look-ups are waiting" }
        if let known = lookUps[host] {
            if let started = known.startedNanos, isOver(started, at: now) {
                giveUp(host)
                return unansweredReason(since: started, at: now)
            }
            lookUps[host]?.waiters.append(waiter)
            lookUps[host]?.askedNanos = now
            waiterCounts[known.lane.rawValue] += 1
            return nil
        }
        let lane = history[host].map { $0 ? Lane.answered : .hung } ?? .unknown
        if lane == .hung, waiterCounts[lane.rawValue] >= limits.waitersForHungMax {
            return "too many look-ups of names that were not answered are waiting"
        }
        lookUps[host] = LookUp(lane: lane, waiters: [waiter], askedNanos: now, startedNanos: nil)
        waiterCounts[lane.rawValue] += 1
        queues[lane.rawValue].append(host)
        return nil
    }

    /// The next name to be looked up, on a thread that does nothing else; its end must be told.
    mutating func next(at now: UInt64) -> String? {
        for lane in Lane.allCases {
            while hasThread(for: lane), !queues[lane.rawValue].isEmpty {
                let host = queues[lane.rawValue].removeFirst()
                guard let lookUp = lookUps[host], lookUp.startedNanos == nil else { continue }
                guard !isOver(lookUp.askedNanos, at: now) else {
                    giveUp(host)
                    continue
                }
                lookUps[host]?.startedNanos = now
                underWay[lane.rawValue] += 1
                return host
            }
        }
        return nil
    }

    /// A look-up that `next` has begun is over.
    ///
    /// - Returns: who is to be told its result.
    mutating func finish(_ host: String, at now: UInt64) -> [Waiter] {
        guard let lookUp = lookUps.removeValue(forKey: host), let started = lookUp.startedNanos
        else { preconditionFailure("\(host) is not being looked up") }
        underWay[lookUp.lane.rawValue] -= 1
        waiterCounts[lookUp.lane.rawValue] -= lookUp.waiters.count
        if history[host] == nil, history.count >= limits.historyMax {
            history.remove(at: history.startIndex)
        }
        history[host] = now < started &+ limits.hangNanos
        return lookUp.waiters
    }

    /// Those who were given up since the last call.
    mutating func takeGivenUp() -> [GivenUp] {
        guard !givenUp.isEmpty else { return [] }
        defer { givenUp = [] }
        return givenUp
    }

    // MARK: Deciding

    private func hasThread(for lane: Lane) -> Bool {
        switch lane {
        case .answered:
            underWayCount < limits.threadsMax
        case .unknown:
            underWayCount - underWay[Lane.answered.rawValue]
                < limits.threadsMax - limits.threadsForAnswered
                && underWayCount < limits.threadsMax
        case .hung:
            underWay[lane.rawValue] < limits.threadsForHungMax && hasThread(for: .unknown)
        }
    }

    private func isOver(_ since: UInt64, at now: UInt64) -> Bool {
        since &+ limits.patienceNanos < now
    }

    private func unansweredReason(since started: UInt64, at now: UInt64) -> String {
        "the name server has not answered for \((now - started) / 1_000_000_000) s"
    }

    /// Nobody waits for it any more. One that is under way goes on, since nothing can stop it.
    private mutating func giveUp(_ host: String) {
        guard let lookUp = lookUps[host] else { return }
        waiterCounts[lookUp.lane.rawValue] -= lookUp.waiters.count
        if lookUp.startedNanos == nil {
            lookUps[host] = nil
            givenUp.append(
                GivenUp(
                    waiters: lookUp.waiters,
                    reason: "\(underWayCount) look-ups, which take long, were before it"))
        } else {
            lookUps[host]?.waiters = []
            givenUp.append(
                GivenUp(
                    waiters: lookUp.waiters,
                    reason: "the name server has not answered for some seconds"))
        }
    }

    private mutating func giveUpWaiting(at now: UInt64) {
        for (host, lookUp) in lookUps
        where isOver(lookUp.startedNanos ?? lookUp.askedNanos, at: now) {
            giveUp(host)
        }
        for lane in Lane.allCases { queues[lane.rawValue].removeAll { lookUps[$0] == nil } }
    }
}

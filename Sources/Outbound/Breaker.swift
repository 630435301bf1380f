internal import Domain

/// What an attempt says about the host, whatever it says about the delivery.
enum HostHealth: Equatable {
    /// It answered, if only to refuse.
    case healthy
    /// No answer, an answer that says it can't cope, or no HTTP; from the host, or from the endpoint
    /// that gives the access tokens for it.
    case failing(String)
    /// The host was not reached for reasons of our own.
    case unknown
}

/// Spares a host that fails, and us: after five failures in a row it gets one call at a time, a
/// probe, with growing pauses between them, until one succeeds.
struct Breaker {
    static let failuresMax = 5
    static let pauseSecondsMin: UInt64 = 5
    static let pauseSecondsMax: UInt64 = 300

    struct Open: Equatable {
        let since: Instant
        var lastError: String
        var pauseSeconds: UInt64
        var probeAtNanos: UInt64
        var isProbing: Bool
    }

    private enum State {
        case closed(failures: Int)
        case open(Open)
    }

    enum Permission: Equatable {
        case granted
        /// The pause ends then.
        case notBefore(nanos: UInt64)
        /// When the probe under way has ended.
        case afterProbe
    }

    private var state = State.closed(failures: 0)

    /// Nil while the host is called as usual.
    var open: Open? {
        switch state {
        case .closed: nil
        case .open(let open): open
        }
    }

    /// Calls that failed since the last one that didn't; `failuresMax` where it's open.
    var failures: Int {
        switch state {
        case .closed(let failures): failures
        case .open: Self.failuresMax
        }
    }

    func permission(at now: Moment) -> Permission {
        switch state {
        case .closed: .granted
        case .open(let open) where open.isProbing: .afterProbe
        case .open(let open):
            open.probeAtNanos <= now.nanos ? .granted : .notBefore(nanos: open.probeAtNanos)
        }
    }

    /// The pause ends now: somebody wants to know whether the host is back.
    mutating func endPause(at now: Moment) {
        guard case .open(var open) = state else { return }
        open.probeAtNanos = min(open.probeAtNanos, now.nanos)
        state = .open(open)
    }

    /// A call begins that was permitted.
    ///
    /// - Returns: whether it's a probe; to be handed to `end`.
    mutating func begin() -> Bool {
        guard case .open(var open) = state else { return false }
        open.isProbing = true
        state = .open(open)
        return true
    }

    mutating func end(_ health: HostHealth, isProbe: Bool, at now: Moment) {
        switch (state, health) {
        case (_, .healthy):
            state = .closed(failures: 0)
        case (.closed(let failures), .failing(let error)):
            if failures + 1 < Self.failuresMax {
                state = .closed(failures: failures + 1)
            } else {
                state = .open(
                    Open(
                        since: now.wall, lastError: error, pauseSeconds: Self.pauseSecondsMin,
                        probeAtNanos: now.nanos(afterSeconds: Self.pauseSecondsMin),
                        isProbing: false))
            }
        case (.open(var open), .failing(let error)):
            // Others than the probe began before it opened: they tell nothing new.
            guard isProbe else { return }
            open.lastError = error
            open.isProbing = false
            open.pauseSeconds = min(open.pauseSeconds * 2, Self.pauseSecondsMax)
            open.probeAtNanos = now.nanos(afterSeconds: open.pauseSeconds)
            state = .open(open)
        case (.open(var open), .unknown):
            guard isProbe else { return }
            // It proved nothing; the next one may probe at once.
            open.isProbing = false
            state = .open(open)
        case (.closed, .unknown):
            break
        }
    }
}

internal import Synchronization

/// Notices a clock that was set ahead: for a while nothing is deleted for being old by it. It may be
/// right again in a minute, and what was deleted stays so.
public final class ClockLeaps: Sendable {
    /// A change of the clock up to here is none to speak of: days are kept, not hours.
    static let leapMin: Duration = .seconds(3600)
    /// How long after a leap a clock is not believed, by the other clock.
    static let restNanos: UInt64 = 3_600_000_000_000
    /// At the start: after so many days without anything the clock may have been set meanwhile.
    static let silentDaysMax = 2

    private struct State {
        /// Wall time less monotonic time, in microseconds.
        var offset: Int64
        var restsUntilNanos: UInt64
        var isTold: Bool
    }
    private let state: Mutex<State>

    /// - Parameters:
    ///   - nanos: CLOCK_MONOTONIC.
    ///   - newest: the newest day that anything is known of; nil: none is.
    public init(now: Instant, nanos: UInt64, newest: Day?) {
        let wasSilent = newest.map { $0.advanced(by: Self.silentDaysMax) < now.day } ?? false
        state = Mutex(
            State(
                offset: Self.offset(now, nanos),
                restsUntilNanos: wasSilent ? nanos &+ Self.restNanos : 0, isTold: false))
    }

    /// Whether what is old by the clock may be deleted.
    ///
    /// - Parameter leapt: called the first time that it's not after each leap.
    public func isSteady(now: Instant, nanos: UInt64, leapt: () -> Void = {}) -> Bool {
        let offset = Self.offset(now, nanos)
        let (isSteady, tells) = state.withLock { state in
            let (leap, overflow) = offset.subtractingReportingOverflow(state.offset)
            state.offset = offset
            if overflow || Duration.microseconds(leap) > Self.leapMin {
                state.restsUntilNanos = nanos &+ Self.restNanos
                state.isTold = false
            }
            if nanos >= state.restsUntilNanos { return (true, false) }
            defer { state.isTold = true }
            return (false, !state.isTold)
        }
        if tells { leapt() }
        return isSteady
    }

    private static func offset(_ now: Instant, _ nanos: UInt64) -> Int64 {
        now.micros &- Int64(truncatingIfNeeded: nanos / 1000)
    }
}

internal import Domain

/// One point in time on both clocks: due times lie in wall time and survive a restart, pauses and
/// time-outs are monotonic and survive a change of the clock.
struct Moment: Equatable {
    var wall: Instant
    /// CLOCK_MONOTONIC.
    var nanos: UInt64

    func nanos(afterSeconds seconds: UInt64) -> UInt64 { nanos + seconds * 1_000_000_000 }

    /// The monotonic time at which it will be `instant` if nobody sets the clock; at most
    /// `secondsMax` ahead, so that whoever waits for it looks at the clock again.
    func nanos(at instant: Instant, secondsMax: UInt64) -> UInt64 {
        let limit = nanos(afterSeconds: secondsMax)
        guard instant > wall else { return nanos }
        let (micros, overflow) = instant.micros.subtractingReportingOverflow(wall.micros)
        guard !overflow, UInt64(micros) < secondsMax * 1_000_000 else { return limit }
        return nanos + UInt64(micros) * 1000
    }

    /// Wall time less monotonic time, in microseconds: it changes when somebody sets the clock.
    var clockOffset: Int64 { wall.micros &- Int64(truncatingIfNeeded: nanos / 1000) }
}

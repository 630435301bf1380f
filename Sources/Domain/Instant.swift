/// Microseconds since 1970-01-01T00:00:00Z; the span between two instants is a `Duration`.
///
/// Leap seconds don't exist here, as in POSIX. Arithmetic stops at the earliest and latest instant
/// instead of trapping: some of its operands come from other people's headers.
public struct Instant: Hashable, Comparable, Sendable {
    public let micros: Int64

    public init(micros: Int64) { self.micros = micros }

    public func advanced(by duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        let sum =
            Int128(micros) + Int128(seconds) * 1_000_000 + Int128(attoseconds / 1_000_000_000_000)
        return Instant(micros: Int64(clamping: sum))
    }

    public static func - (left: Instant, right: Instant) -> Duration {
        let micros = Int128(left.micros) - Int128(right.micros)
        let (seconds, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
        return Duration(
            secondsComponent: Int64(seconds), attosecondsComponent: Int64(rest) * 1_000_000_000_000)
    }

    public static func < (left: Instant, right: Instant) -> Bool { left.micros < right.micros }

    /// The UTC day this instant is in.
    public var day: Day { Day(number: Int32(clamping: Instant.floorDivide(micros, Day.micros))) }

    /// Whole seconds since 1970, rounded towards the past.
    public var seconds: Int64 { Instant.floorDivide(micros, 1_000_000) }

    /// Whole milliseconds since 1970, rounded towards the past.
    public var milliseconds: Int64 { Instant.floorDivide(micros, 1_000) }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// Hour, minute, second and microsecond of the day.
    var timeOfDay: (hour: Int, minute: Int, second: Int, micro: Int) {
        let total = Int(micros - Instant.floorDivide(micros, Day.micros) &* Day.micros)
        let second = total / 1_000_000
        return (second / 3_600, second / 60 % 60, second % 60, total % 1_000_000)
    }
}

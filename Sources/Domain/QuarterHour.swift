/// A quarter of an hour of UTC, by which clicks and costs are summed: every time zone in use begins
/// its days on one.
public struct QuarterHour: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    public let number: Int64

    public static let micros: Int64 = 15 * 60 * 1_000_000

    public init(number: Int64) { self.number = number }

    /// The one that an instant lies in.
    public init(containing instant: Instant) {
        let (quotient, rest) = instant.micros.quotientAndRemainder(dividingBy: Self.micros)
        number = rest < 0 ? quotient - 1 : quotient
    }

    /// Nil for an instant at which none begins.
    public init?(startingAt instant: Instant) {
        guard instant.micros % Self.micros == 0 else { return nil }
        number = instant.micros / Self.micros
    }

    /// The earliest or latest instant there is where it lies beyond it.
    public var start: Instant {
        let (micros, overflow) = number.multipliedReportingOverflow(by: Self.micros)
        return Instant(micros: overflow ? (number < 0 ? .min : .max) : micros)
    }

    public var day: Day { start.day }

    public static func < (left: QuarterHour, right: QuarterHour) -> Bool {
        left.number < right.number
    }
}

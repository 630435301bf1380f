public import Domain

/// A fixed distance from UTC, in which a report's days begin and end.
///
/// Names such as `Europe/Berlin` need the time zone database and are not read here.
public struct UTCOffset: Hashable, Sendable {
    /// East of UTC.
    public let minutes: Int

    public static let utc = UTCOffset(minutes: 0)
    /// Clicks are summed by quarter hours; every zone in use lies on one.
    static let minutesStep = 15

    private init(minutes: Int) { self.minutes = minutes }

    /// `UTC`, `Z` or an offset such as `+02:00`; nil for anything else, for more than 14 hours, and
    /// for an offset off the quarter hours.
    ///
    /// A space stands for `+`, which is what an unencoded one in a query becomes.
    public init?(_ text: String) {
        if ["UTC", "Z"].contains(text.uppercased()) {
            self = .utc
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"),
            let hours = Self.number(bytes[1], bytes[2]),
            let minutes = Self.number(bytes[4], bytes[5]), minutes < 60
        else { return nil }
        let sign: Int
        switch bytes[0] {
        case UInt8(ascii: "+"), UInt8(ascii: " "): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        let total = hours * 60 + minutes
        guard total <= 14 * 60, total % Self.minutesStep == 0 else { return nil }
        self.init(minutes: sign * total)
    }

    private static func number(_ tens: UInt8, _ ones: UInt8) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.contains(tens), digits.contains(ones) else { return nil }
        return Int(tens - 48) * 10 + Int(ones - 48)
    }

    /// `UTC` or `+02:00`.
    public var text: String {
        if minutes == 0 { return "UTC" }
        let (hours, rest) = minutes.magnitude.quotientAndRemainder(dividingBy: 60)
        return (minutes < 0 ? "-" : "+") + (hours < 10 ? "0" : "") + "\(hours):"
            + (rest < 10 ? "0" : "") + "\(rest)"
    }

    /// When that day begins here.
    public func start(of day: Day) -> Instant {
        day.start.advanced(by: .seconds(-60 * minutes))
    }

    /// The day of the calendar here.
    public func day(of instant: Instant) -> Day {
        instant.advanced(by: .seconds(60 * minutes)).day
    }
}

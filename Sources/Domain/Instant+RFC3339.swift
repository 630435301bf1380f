extension Instant {
    /// RFC 3339 in UTC: `2026-11-20T22:45:36.123456Z`, without the fraction when it's zero.
    ///
    /// The format has years 0 to 9999; an instant outside is written as the nearest one inside.
    public var rfc3339: String {
        var text = ""
        text.reserveCapacity(27)
        append(separator: "T", to: &text)
        text.append("Z")
        return text
    }

    /// `2026-01-31 12:00:00+00:00`: what several networks' and sources' interfaces call ISO 8601.
    public var spacedISO8601: String {
        var text = ""
        text.reserveCapacity(32)
        append(separator: " ", to: &text)
        text.append("+00:00")
        return text
    }

    private func append(separator: Character, to text: inout String) {
        let writable = clampedToFourDigitYears
        let (hour, minute, second, micro) = writable.timeOfDay
        writable.day.append(to: &text)
        text.append(separator)
        ASCII.append(hour, width: 2, to: &text)
        text.append(":")
        ASCII.append(minute, width: 2, to: &text)
        text.append(":")
        ASCII.append(second, width: 2, to: &text)
        if micro != 0 {
            text.append(".")
            ASCII.append(micro, width: 6, to: &text)
        }
    }

    var clampedToFourDigitYears: Instant {
        let day = self.day
        let clamped = day.clampedToFourDigitYears
        if clamped == day { return self }
        return clamped < day
            ? Instant(micros: clamped.start.micros + Day.micros - 1) : clamped.start
    }

    /// Reads RFC 3339 section 5.6 with any offset; a space may stand for the `T`, letters may be
    /// in either case.
    ///
    /// A fraction has one to nine digits, of which those beyond microseconds are cut off. The leap
    /// second `:60` is read as the last microsecond before the next minute, for POSIX time has no
    /// place for it. Nil for anything else, a time without an offset included: guessing a zone
    /// would move conversions between days.
    public init?(rfc3339 text: String) {
        guard var cursor = ByteCursor(text, bytesMax: 40), let day = Day(reading: &cursor),
            let separator = cursor.next(), separator == 0x20 || ASCII.lowercased(separator) == 0x74,
            let hour = cursor.digits(2), hour < 24, cursor.take(UInt8(ascii: ":")),
            let minute = cursor.digits(2), minute < 60, cursor.take(UInt8(ascii: ":")),
            let second = cursor.digits(2), second <= 60,
            let fraction = Instant.fraction(&cursor), let offset = Instant.offset(&cursor),
            cursor.isAtEnd
        else { return nil }
        let isLeap = second == 60
        let seconds = hour * 3_600 + minute * 60 + (isLeap ? 59 : second) - offset * 60
        micros =
            day.start.micros + Int64(seconds) * 1_000_000 + Int64(isLeap ? 999_999 : fraction)
    }

    /// Microseconds; zero where there's no fraction.
    private static func fraction(_ cursor: inout ByteCursor) -> Int? {
        guard cursor.take(UInt8(ascii: ".")) else { return 0 }
        var micros = 0
        var count = 0
        while let byte = cursor.peek, let digit = ASCII.digit(byte) {
            _ = cursor.next()
            if count < 6 { micros = micros * 10 + digit }
            count += 1
        }
        guard (1...9).contains(count) else { return nil }
        for _ in count..<max(count, 6) { micros *= 10 }
        return micros
    }

    /// Minutes east of UTC.
    private static func offset(_ cursor: inout ByteCursor) -> Int? {
        guard let sign = cursor.next() else { return nil }
        if ASCII.lowercased(sign) == 0x7A { return 0 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = cursor.digits(2), hours < 24, cursor.take(UInt8(ascii: ":")),
            let minutes = cursor.digits(2), minutes < 60
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }
}

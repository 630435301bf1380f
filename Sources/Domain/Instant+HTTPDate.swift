extension Instant {
    /// RFC 9110 section 5.6.7, IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public var httpDate: String {
        let writable = clampedToFourDigitYears
        let (year, month, day) = writable.day.civil
        let (hour, minute, second, _) = writable.timeOfDay
        var text = Instant.name(writable.day.weekday, in: Instant.weekdayNames) + ", "
        ASCII.append(day, width: 2, to: &text)
        text += " " + Instant.name(month - 1, in: Instant.monthNames) + " "
        ASCII.append(year, width: 4, to: &text)
        for (separator, value) in [(" ", hour), (":", minute), (":", second)] {
            text += separator
            ASCII.append(value, width: 2, to: &text)
        }
        return text + " GMT"
    }

    /// Reads the three forms RFC 9110 section 5.6.7 wants a recipient to read: IMF-fixdate, the
    /// obsolete RFC 850 form (two-digit years below 70 are 20xx) and C's `asctime`.
    ///
    /// The name of the weekday must be one, and isn't compared with the date: it adds nothing.
    public init?(httpDate text: String) {
        guard var cursor = ByteCursor(text, bytesMax: 40),
            let weekday = Instant.takeName(&cursor, from: Instant.weekdayNames)
        else { return nil }
        let parsed: (day: Day, second: Int)?
        if cursor.take(", ") {
            parsed = Instant.readFixdate(&cursor)
        } else if cursor.take(" ") {
            parsed = Instant.readAsctime(&cursor)
        } else {
            parsed = Instant.readRFC850(&cursor, weekday: weekday)
        }
        guard let (day, second) = parsed, cursor.isAtEnd else { return nil }
        micros = day.start.micros + Int64(second) * 1_000_000
    }

    private static func readFixdate(_ cursor: inout ByteCursor) -> (day: Day, second: Int)? {
        guard let day = cursor.digits(2), cursor.take(" "),
            let month = takeName(&cursor, from: monthNames), cursor.take(" "),
            let year = cursor.digits(4), cursor.take(" "),
            let second = readTime(&cursor), cursor.take(" GMT"),
            let date = Day(year: year, month: month + 1, day: day)
        else { return nil }
        return (date, second)
    }

    private static func readAsctime(_ cursor: inout ByteCursor) -> (day: Day, second: Int)? {
        guard let month = takeName(&cursor, from: monthNames), cursor.take(" ") else { return nil }
        let width = cursor.take(" ") ? 1 : 2
        guard let day = cursor.digits(width), cursor.take(" "),
            let second = readTime(&cursor), cursor.take(" "),
            let year = cursor.digits(4),
            let date = Day(year: year, month: month + 1, day: day)
        else { return nil }
        return (date, second)
    }

    private static func readRFC850(_ cursor: inout ByteCursor, weekday: Int) -> (
        day: Day, second: Int
    )? {
        let endings: [StaticString] = ["day", "day", "sday", "nesday", "rsday", "day", "urday"]
        guard cursor.take(endings[weekday]), cursor.take(", "),
            let day = cursor.digits(2), cursor.take("-"),
            let month = takeName(&cursor, from: monthNames), cursor.take("-"),
            let year = cursor.digits(2), cursor.take(" "),
            let second = readTime(&cursor), cursor.take(" GMT"),
            let date = Day(
                year: year < 70 ? 2_000 + year : 1_900 + year, month: month + 1, day: day)
        else { return nil }
        return (date, second)
    }

    /// Second of the day. A leap second is read as the one before it.
    private static func readTime(_ cursor: inout ByteCursor) -> Int? {
        guard let hour = cursor.digits(2), hour < 24, cursor.take(":"),
            let minute = cursor.digits(2), minute < 60, cursor.take(":"),
            let second = cursor.digits(2), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + min(second, 59)
    }

    private static let weekdayNames: StaticString = "SunMonTueWedThuFriSat"
    private static let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    private static func name(_ index: Int, in names: StaticString) -> String {
        String(
            decoding: UnsafeBufferPointer(start: names.utf8Start + 3 * index, count: 3),
            as: UTF8.self)
    }

    private static func takeName(_ cursor: inout ByteCursor, from names: StaticString) -> Int? {
        guard let first = cursor.next(), let second = cursor.next(), let third = cursor.next()
        else { return nil }
        let letters = names.utf8Start
        for index in 0..<names.utf8CodeUnitCount / 3
        where letters[3 * index] == first && letters[3 * index + 1] == second
            && letters[3 * index + 2] == third
        {
            return index
        }
        return nil
    }
}

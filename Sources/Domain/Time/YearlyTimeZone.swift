/// A time zone that is the same every year: the last line of a time zone file, which tells of all
/// times after its table (POSIX.1-2017 section 8.3, `TZ`, with RFC 8536 section 3.3.1: the time of
/// a change may be negative or of another day).
struct YearlyTimeZone: Hashable, Sendable {
    /// Seconds east of UTC.
    private let standard: Int
    private let summer: Summer?

    private struct Summer: Hashable {
        let offset: Int
        let start: Change
        let end: Change
    }

    private struct Change: Hashable {
        var date: Date
        /// Seconds after midnight, by the clock that is about to be changed.
        var time: Int

        enum Date: Hashable {
            /// 1...365, not counting 29 February.
            case julian(Int)
            /// 0...365.
            case dayOfYear(Int)
            /// The week's day of that week of the month; week 5 is the last one.
            case monthWeekDay(month: Int, week: Int, day: Int)
        }

        /// By its own clock, in seconds since 1970.
        func localSecond(year: Int) -> Int64 {
            let newYear = Day.daysFromCivil(year: year, month: 1, day: 1)
            let day: Int
            switch date {
            case .julian(let number):
                let march = Day.daysFromCivil(year: year, month: 3, day: 1)
                day = number < 60 ? newYear + number - 1 : march + number - 60
            case .dayOfYear(let number): day = newYear + number
            case .monthWeekDay(let month, let week, let weekday):
                let first = Day.daysFromCivil(year: year, month: month, day: 1)
                let next =
                    month == 12
                    ? Day.daysFromCivil(year: year + 1, month: 1, day: 1)
                    : Day.daysFromCivil(year: year, month: month + 1, day: 1)
                let firstWeekday = Day(number: Int32(clamping: first)).weekday
                var found = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                if found >= next { found -= 7 }
                day = found
            }
            return Int64(day) * 86_400 + Int64(time)
        }
    }

    func offset(at second: Int64) -> Int {
        guard let summer else { return standard }
        var latest = Int64.min
        var offset = standard
        visitChanges(summer, near: second) { change, after in
            // Where summer ends as the next one begins, it is summer all year; starts come later.
            if change <= second, change >= latest { (latest, offset) = (change, after) }
        }
        return offset
    }

    /// The next time when clocks are changed; nil: never.
    func change(after second: Int64) -> Int64? {
        guard let summer else { return nil }
        var next: Int64?
        visitChanges(summer, near: second) { change, _ in
            if change > second, change < next ?? .max { next = change }
        }
        return next
    }

    /// From the year before to the year after, each year's end of summer before its start.
    private func visitChanges(
        _ summer: Summer, near second: Int64, _ body: (_ change: Int64, _ offset: Int) -> Void
    ) {
        let day = Day(number: Int32(clamping: Int64(floorDividing: second, by: 86_400)))
        let year = day.civil.year
        for year in year - 1...year + 1 {
            body(summer.end.localSecond(year: year) - Int64(summer.offset), standard)
        }
        for year in year - 1...year + 1 {
            body(summer.start.localSecond(year: year) - Int64(standard), summer.offset)
        }
    }

    // MARK: Reading

    /// Nil for an empty line: nothing is known of the future.
    init?(footer: ArraySlice<UInt8>) throws(TimeZoneError) {
        guard !footer.isEmpty else { return nil }
        var cursor = ByteCursor([UInt8](footer))
        guard Self.skipName(&cursor), let west = Self.time(&cursor, hoursMax: 24) else {
            throw .damaged("its last line is no rule")
        }
        standard = -west
        if cursor.isAtEnd {
            summer = nil
            return
        }
        guard Self.skipName(&cursor) else { throw .damaged("its last line is no rule") }
        var offset = standard + 3_600
        if cursor.peek != UInt8(ascii: ",") {
            guard let west = Self.time(&cursor, hoursMax: 24) else {
                throw .damaged("its last line is no rule")
            }
            offset = -west
        }
        guard let start = Self.change(&cursor), let end = Self.change(&cursor), cursor.isAtEnd
        else { throw .damaged("its last line is no rule") }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// `CET` or `<+03>`.
    private static func skipName(_ cursor: inout ByteCursor) -> Bool {
        var count = 0
        if cursor.take(UInt8(ascii: "<")) {
            while let byte = cursor.next() {
                if byte == UInt8(ascii: ">") { return count > 0 }
                count += 1
            }
            return false
        }
        while let byte = cursor.peek, (0x41...0x5A).contains(byte & 0xDF) {
            _ = cursor.next()
            count += 1
        }
        return count > 0
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ cursor: inout ByteCursor, hoursMax: Int) -> Int? {
        let isNegative = cursor.take(UInt8(ascii: "-"))
        if !isNegative { _ = cursor.take(UInt8(ascii: "+")) }
        guard let hours = number(&cursor), hours <= hoursMax else { return nil }
        var seconds = hours * 3_600
        for unit in [60, 1] {
            guard cursor.take(UInt8(ascii: ":")) else { break }
            guard let value = number(&cursor), value < 60 else { return nil }
            seconds += value * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// Of up to three digits.
    private static func number(_ cursor: inout ByteCursor) -> Int? {
        var value: Int?
        while let digit = cursor.peek.flatMap(ASCII.digit) {
            _ = cursor.next()
            value = (value ?? 0) * 10 + digit
            guard value ?? 0 < 1_000 else { return nil }
        }
        return value
    }

    /// `,M3.5.0/2`
    private static func change(_ cursor: inout ByteCursor) -> Change? {
        guard cursor.take(UInt8(ascii: ",")), let date = date(&cursor) else { return nil }
        guard cursor.take(UInt8(ascii: "/")) else { return Change(date: date, time: 2 * 3_600) }
        return time(&cursor, hoursMax: 167).map { Change(date: date, time: $0) }
    }

    private static func date(_ cursor: inout ByteCursor) -> Change.Date? {
        if cursor.take(UInt8(ascii: "J")) {
            return number(&cursor).flatMap { (1...365).contains($0) ? .julian($0) : nil }
        }
        guard cursor.take(UInt8(ascii: "M")) else {
            return number(&cursor).flatMap { (0...365).contains($0) ? .dayOfYear($0) : nil }
        }
        guard let month = number(&cursor), (1...12).contains(month),
            cursor.take(UInt8(ascii: ".")), let week = number(&cursor), (1...5).contains(week),
            cursor.take(UInt8(ascii: ".")), let day = number(&cursor), (0...6).contains(day)
        else { return nil }
        return .monthWeekDay(month: month, week: week, day: day)
    }
}

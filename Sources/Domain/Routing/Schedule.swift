/// When a rule is in force: dates, weekdays and hours of one time zone. What is left out is not
/// asked for.
public struct Schedule: Hashable, Sendable {
    /// The first minute in force, and the first that isn't any more.
    let from: LocalMinute?
    let to: LocalMinute?
    /// 0 is Sunday; empty: every day.
    let days: Set<Int>
    /// Minutes of the day; one that ends before it starts goes over midnight. Empty: all day.
    let hours: [Hours]
    let zone: TimeZoneRules

    /// `2026-11-01T09:30`, in whatever zone.
    struct LocalMinute: Hashable, Comparable, Sendable {
        let day: Day
        let minute: Int

        var text: String { "\(day.text)T\(MinuteText.text(minute))" }

        static func < (left: LocalMinute, right: LocalMinute) -> Bool {
            (left.day, left.minute) < (right.day, right.minute)
        }
    }

    struct Hours: Hashable, Sendable {
        /// Minutes from midnight; `end` may be 1440.
        let start: Int
        let end: Int

        var text: String { "\(MinuteText.text(start))-\(MinuteText.text(end))" }

        func contains(_ minute: Int) -> Bool {
            start < end ? minute >= start && minute < end : minute >= start || minute < end
        }
    }

    private static let hoursMax = 50

    init(_ reader: inout DocumentReader) {
        from = Self.minute(&reader, "from")
        to = Self.minute(&reader, "to")
        if let from, let to, to <= from { reader.fail("to", "must be later than from") }
        var days: Set<Int> = []
        for (index, item) in reader.array("days", max: 7).enumerated() {
            let field = reader.field("days[\(index)]")
            if let day = reader.problems.weekday(item, field: field) { days.insert(day) }
        }
        self.days = days
        var hours: [Hours] = []
        for (index, text) in reader.strings("hours", max: Self.hoursMax).enumerated() {
            if let range = Self.hours(text) {
                hours.append(range)
            } else {
                reader.fail("hours[\(index)]", "must look like \"09:00-18:00\"")
            }
        }
        self.hours = hours
        let zone = reader.value("time_zone")
        self.zone =
            zone.map { reader.problems.timeZone($0, field: reader.field("time_zone")) } ?? .utc
        reader.finish()
    }

    func contains(_ instant: Instant) -> Bool {
        let local = zone.localTime(at: instant)
        let now = LocalMinute(day: local.day, minute: local.minuteOfDay)
        if let from, now < from { return false }
        if let to, now >= to { return false }
        if hours.isEmpty { return days.isEmpty || days.contains(local.weekday) }
        return hours.contains { range in
            guard range.contains(now.minute) else { return false }
            // After midnight it still is the day on which the range began.
            let isPastMidnight = range.start >= range.end && now.minute < range.end
            let weekday = isPastMidnight ? (local.weekday + 6) % 7 : local.weekday
            return days.isEmpty || days.contains(weekday)
        }
    }

    /// What the clocks it goes by show: `sat 2026-11-21T20:00 Europe/Berlin`.
    func clockText(at instant: Instant) -> String {
        let local = zone.localTime(at: instant)
        let now = LocalMinute(day: local.day, minute: local.minuteOfDay)
        return "\(Weekday.names[local.weekday]) \(now.text) \(zone.name)"
    }

    var document: JSONValue {
        [
            "from": .string(orNull: from?.text), "to": .string(orNull: to?.text),
            "days": .array(days.sorted().map { .string(Weekday.names[$0]) }),
            "hours": .array(hours.map { .string($0.text) }),
            "time_zone": .string(zone.name),
        ]
    }

    private static func minute(_ reader: inout DocumentReader, _ name: String) -> LocalMinute? {
        guard let text = reader.string(name) else { return nil }
        if let minute = minute(text) { return minute }
        reader.fail(name, "must look like \"2026-11-01T09:00\"; the time zone stands in time_zone")
        return nil
    }

    private static func minute(_ text: String) -> LocalMinute? {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let day = Day(String(parts[0])) else { return nil }
        if parts.count == 1 { return LocalMinute(day: day, minute: 0) }
        guard let minute = MinuteText.minute(parts[1]), minute < 1440 else { return nil }
        return LocalMinute(day: day, minute: minute)
    }

    private static func hours(_ text: String) -> Hours? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = MinuteText.minute(parts[0]), start < 1440,
            let end = MinuteText.minute(parts[1]), start != end
        else { return nil }
        return Hours(start: start, end: end)
    }
}

/// A minute of the day as `09:30`.
enum MinuteText {
    /// 0 to 1440; nil for another form.
    static func minute(_ text: Substring) -> Int? {
        guard var cursor = ByteCursor(text, bytesMax: 5), let hour = cursor.digits(2),
            cursor.take(UInt8(ascii: ":")), let minute = cursor.digits(2), cursor.isAtEnd,
            minute < 60, hour < 24 || hour == 24 && minute == 0
        else { return nil }
        return hour * 60 + minute
    }

    static func text(_ minute: Int) -> String {
        var text = ""
        ASCII.append(minute / 60, width: 2, to: &text)
        text.append(":")
        ASCII.append(minute % 60, width: 2, to: &text)
        return text
    }
}

extension String {
    /// 0 for "sun" or "sunday".
    fileprivate var dayOfWeek: Int? {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        return days.firstIndex { $0 == self || $0.prefix(3) == self }
    }
}

/// Days of the week as documents name them.
enum Weekday {
    /// By number; 0 is Sunday.
    static let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
}

extension DocumentProblems {
    /// 0 is Sunday; nil, and a problem, for what is no weekday.
    func weekday(_ value: JSONValue, field: String) -> Int? {
        let day = value.stringValue?.lowercased().dayOfWeek
        if day == nil { add(field, "must be one of \(Weekday.names.joined(separator: ", "))") }
        return day
    }

    /// UTC, and a problem, for what names no time zone.
    func timeZone(_ value: JSONValue, field: String) -> TimeZoneRules {
        guard let name = value.stringValue else {
            add(field, "must be a string such as \"Europe/Berlin\"")
            return .utc
        }
        do throws(TimeZoneError) {
            return try TimeZoneRules(name: name)
        } catch {
            add(field, error.message)
            return .utc
        }
    }
}

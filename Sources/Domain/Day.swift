/// A calendar day in UTC, as days since 1970-01-01 (proleptic Gregorian calendar).
public struct Day: Hashable, Comparable, Sendable {
    public let number: Int32

    public init(number: Int32) { self.number = number }

    /// Exactly `2026-11-20`; nil for another form and for a day the calendar doesn't have.
    public init?(_ text: String) {
        guard var cursor = ByteCursor(text, bytesMax: 10), let day = Day(reading: &cursor),
            cursor.isAtEnd
        else { return nil }
        self = day
    }

    /// Nil for a date the calendar doesn't have, 31 April say, and for years outside 0...9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Day.length(ofMonth: month, year: year)
        else { return nil }
        number = Int32(Day.daysFromCivil(year: year, month: month, day: day))
    }

    init?(reading cursor: inout ByteCursor) {
        guard let year = cursor.digits(4), cursor.take(UInt8(ascii: "-")),
            let month = cursor.digits(2), cursor.take(UInt8(ascii: "-")),
            let day = cursor.digits(2)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// `2026-11-20`. Days outside the years 0 to 9999 are written as the nearest day inside, so
    /// that the text always is ten characters that parse.
    public var text: String {
        var text = ""
        text.reserveCapacity(10)
        append(to: &text)
        return text
    }

    func append(to text: inout String) {
        let (year, month, day) = clampedToFourDigitYears.civil
        ASCII.append(year, width: 4, to: &text)
        text.append("-")
        ASCII.append(month, width: 2, to: &text)
        text.append("-")
        ASCII.append(day, width: 2, to: &text)
    }

    /// Midnight UTC; the earliest or latest instant there is where the day lies beyond it.
    public var start: Instant {
        let (micros, overflow) = Int64(number).multipliedReportingOverflow(by: Day.micros)
        if overflow { return Instant(micros: number < 0 ? .min : .max) }
        return Instant(micros: micros)
    }

    /// The day `days` later; the first or last day there is where that lies beyond it.
    public func advanced(by days: Int) -> Day {
        let (sum, overflow) = Int(number).addingReportingOverflow(days)
        if overflow { return Day(number: days < 0 ? .min : .max) }
        return Day(number: Int32(clamping: sum))
    }

    /// 0 is Sunday.
    public var weekday: Int {
        let remainder = (Int(number) + 4) % 7  // 1970-01-01 was a Thursday
        return remainder < 0 ? remainder + 7 : remainder
    }

    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    static let micros: Int64 = 86_400_000_000
    /// 0000-01-01 and 9999-12-31: what four digits of a year can say.
    private static let firstWritable = Day(number: -719_528)
    private static let lastWritable = Day(number: 2_932_896)

    var clampedToFourDigitYears: Day { min(max(self, Day.firstWritable), Day.lastWritable) }

    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil and
    // civil_from_days. Years start in March, so that the leap day is the last of its year; 400
    // years (an era) always have 146,097 days.

    static func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    public var civil: (year: Int, month: Int, day: Int) {
        let shifted = Int(number) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

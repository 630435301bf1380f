import Domain
import Foundation
import TestSupport
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_214_736_123_456, "2026-11-20T22:45:36.123456Z"),
        (1_795_214_736_000_001, "2026-11-20T22:45:36.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
    ]) func `an instant is written in RFC 3339 and read back`(micros: Int64, text: String) {
        #expect(Instant(micros: micros).rfc3339 == text)
        #expect(Instant(rfc3339: text) == Instant(micros: micros))
    }

    @Test func `an instant beyond four-digit years is written as the nearest one inside`() {
        #expect(Instant(micros: .max).rfc3339 == "9999-12-31T23:59:59.999999Z")
        #expect(Instant(micros: .min).rfc3339 == "0000-01-01T00:00:00Z")
        #expect(Instant(micros: 253_402_300_800_000_000).rfc3339 == "9999-12-31T23:59:59.999999Z")
        #expect(Instant(micros: .max).httpDate == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(Instant(micros: .min).spacedISO8601 == "0000-01-01 00:00:00+00:00")
    }

    @Test(arguments: [
        ("2026-11-20T22:45:36+02:00", "2026-11-20T20:45:36Z"),
        ("2026-11-20T22:45:36-05:30", "2026-11-21T04:15:36Z"),
        ("2026-11-20t22:45:36z", "2026-11-20T22:45:36Z"),
        ("2026-11-20 22:45:36+00:00", "2026-11-20T22:45:36Z"),
        ("2026-11-20T22:45:36.1Z", "2026-11-20T22:45:36.100000Z"),
        ("2026-11-20T22:45:36.123456789Z", "2026-11-20T22:45:36.123456Z"),
        ("2026-11-20T22:45:36.000000999Z", "2026-11-20T22:45:36Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2017-01-01T01:59:60.5+02:00", "2016-12-31T23:59:59.999999Z"),
        ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z"),
    ]) func `offsets, fractions and the leap second are read`(text: String, utc: String) {
        #expect(Instant(rfc3339: text)?.rfc3339 == utc)
    }

    @Test(arguments: [
        "", "2026-11-20", "2026-11-20T22:45:36", "2026-11-20T22:45Z", "2026-11-20T24:00:00Z",
        "2026-11-20T22:60:00Z", "2026-11-20T22:45:61Z", "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-20T22:45:36.Z",
        "2026-11-20T22:45:36.1234567890Z", "2026-11-20T22:45:36,5Z", "2026-11-20T22:45:36Z ",
        " 2026-11-20T22:45:36Z", "2026-11-20T22:45:36+0200", "2026-11-20T22:45:36+24:00",
        "2026-11-20T22:45:36+02:60", "+026-11-20T22:45:36Z", "20261120T224536Z",
        "２０２６-11-20T22:45:36Z",
    ]) func `what isn't RFC 3339 is refused`(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test func `the form with a space and an offset is written and read`() {
        let instant = Instant(rfc3339: "2026-01-31T12:00:00Z")
        #expect(instant?.spacedISO8601 == "2026-01-31 12:00:00+00:00")
        #expect(Instant(rfc3339: "2026-01-31 12:00:00+00:00") == instant)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ]) func `the three forms of an HTTP date are read`(text: String) {
        #expect(Instant(httpDate: text)?.rfc3339 == "1994-11-06T08:49:37Z")
        #expect(Instant(httpDate: text)?.httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test(arguments: [
        "", "Sun", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "sun, 06 nov 1994",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT+1", "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT", "Monday, 06-Nov-1994 08:49:37 GMT",
        "Tueday, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
    ]) func `what isn't an HTTP date is refused`(text: String) {
        #expect(Instant(httpDate: text) == nil)
    }

    @Test(arguments: 1...50) func `times survive being written and read`(seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<200 {
            let micros = Int64.random(
                in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random)
            let instant = Instant(micros: micros)
            #expect(Instant(rfc3339: instant.rfc3339) == instant)
            #expect(Instant(rfc3339: instant.spacedISO8601) == instant)
            let whole = Instant(httpDate: instant.httpDate)
            #expect(whole == Instant(micros: instant.seconds * 1_000_000))
            #expect(Day(instant.day.text) == instant.day)
            #expect(instant.day.start <= instant)
            #expect(instant < instant.day.advanced(by: 1).start)
        }
    }

    @Test func `every day from 1970 to 2400 agrees with Foundation's calendar`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        // A stride that meets every day of every month and every weekday.
        for number in stride(from: 0, through: 157_000, by: 11) {
            let date = Date(timeIntervalSince1970: Double(number) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: date)
            let day = Day(number: Int32(number))
            #expect(day.civil.year == parts.year)
            #expect(day.civil.month == parts.month)
            #expect(day.civil.day == parts.day)
            #expect(day.weekday + 1 == parts.weekday)
        }
    }

    @Test func `days have bounds and don't trap beyond them`() {
        #expect(Day("1970-01-01")?.number == 0)
        #expect(Day("9999-12-31")?.number == 2_932_896)
        #expect(Day("0000-01-01")?.number == -719_528)
        #expect(Day("2024-02-29")?.text == "2024-02-29")
        for text in ["", "2023-02-29", "2023-2-09", "2023-02-9", "10000-01-01", "2023/02/09"] {
            #expect(Day(text) == nil)
        }
        #expect(Day(number: .max).text == "9999-12-31")
        #expect(Day(number: .min).text == "0000-01-01")
        #expect(Day(number: .max).start == Instant(micros: .max))
        #expect(Day(number: .min).start == Instant(micros: .min))
        #expect(Day(number: 1).advanced(by: .max).number == .max)
        #expect(Day(number: -1).advanced(by: .min).number == .min)
        #expect((0...6).contains(Day(number: .min).weekday))
        #expect(Instant(micros: .min).day.text == "0000-01-01")
    }

    @Test func `arithmetic of instants stops at the ends`() {
        let start = Instant(micros: 1_000_000)
        #expect(start.advanced(by: .milliseconds(-1_500)) == Instant(micros: -500_000))
        #expect(start.advanced(by: .nanoseconds(999)) == start)
        #expect(start.advanced(by: .seconds(Int64.max)) == Instant(micros: .max))
        #expect(start.advanced(by: .seconds(Int64.min)) == Instant(micros: .min))
        #expect(Instant(micros: 1_500_000) - start == .milliseconds(500))
        #expect(start - Instant(micros: 1_500_000) == .milliseconds(-500))
        let span = Instant(micros: .max) - Instant(micros: .min)
        #expect(span == .seconds(18_446_744_073_709) + .microseconds(551_615))
        #expect(Instant(micros: -1).seconds == -1)
        #expect(Instant(micros: -1).milliseconds == -1)
        #expect(Instant(micros: 1_999_999).seconds == 1)
    }
}

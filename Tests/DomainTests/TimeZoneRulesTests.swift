import Foundation
import TestSupport
import Testing

@testable import Domain

@Suite struct TimeZoneRulesTests {
    private static let zones = [
        "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata",
        "Asia/Kathmandu", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland",
        "America/Santiago", "Africa/Casablanca", "Pacific/Apia", "Europe/Dublin",
        "America/St_Johns", "Pacific/Kiritimati", "Etc/GMT+12",
    ]

    private func read(_ name: String) throws -> TimeZoneRules {
        let file = try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)"))
        return try TimeZoneRules(name: name, file: [UInt8](file))
    }

    private func instant(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    // MARK: Against another implementation

    @Test(arguments: zones) func `clocks show what Foundation says`(name: String) throws {
        let rules = try read(name)
        let judge = try #require(TimeZone(identifier: name))
        var random = SeededRandom(7)
        // From 1972 on, before which some zones' histories are told otherwise, to 2199.
        for _ in 0..<4_000 {
            let second = Int64.random(in: 63_072_000...7_258_118_400, using: &random)
            let expected = judge.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
            let found = rules.offset(at: Instant(micros: second * 1_000_000))
            #expect(found == expected, "\(second)")
        }
    }

    @Test(arguments: zones) func `every change is at its very second`(name: String) throws {
        let rules = try read(name)
        let judge = try #require(TimeZone(identifier: name))
        var date = Date(timeIntervalSince1970: 1_577_836_800)  // 2020
        for _ in 0..<60 {
            guard let next = judge.nextDaylightSavingTimeTransition(after: date) else { return }
            for second in [-1.0, 0, 1] {
                let moment = next.addingTimeInterval(second)
                let found = rules.offset(
                    at: Instant(micros: Int64(moment.timeIntervalSince1970) * 1_000_000))
                #expect(found == judge.secondsFromGMT(for: moment), "\(moment)")
            }
            date = next
        }
    }

    @Test(arguments: zones) func `days follow one another`(name: String) throws {
        let rules = try read(name)
        var previous = rules.start(of: try #require(Day("2008-12-31")))
        for number in 0..<12_000 {
            let day = try #require(Day("2009-01-01")).advanced(by: number)
            let start = rules.start(of: day)
            if name == "Pacific/Apia", day.text == "2011-12-30" {
                // Left out: it begins with the day after it.
                #expect(start == rules.start(of: day.advanced(by: 1)))
                continue
            }
            #expect(start > previous, "\(day.text)")
            #expect(rules.day(of: start) == day, "\(day.text)")
            #expect(rules.day(of: start.advanced(by: .microseconds(-1))) < day, "\(day.text)")
            previous = start
        }
    }

    // MARK: By hand

    @Test func `a local time has its parts`() throws {
        let berlin = try read("Europe/Berlin")
        let summer = berlin.localTime(at: try instant("2026-07-04T22:30:15.999999Z"))
        #expect(summer.day.text == "2026-07-05" && summer.weekday == 0)
        #expect(summer.hour == 0 && summer.minute == 30 && summer.second == 15)
        #expect(summer.minuteOfDay == 30)
        let winter = berlin.localTime(at: try instant("2026-12-04T22:30:15Z"))
        #expect(winter.day.text == "2026-12-04" && winter.weekday == 5 && winter.hour == 23)
        let before = berlin.localTime(at: try instant("1969-12-31T23:59:59.5Z"))
        #expect(before.day.text == "1970-01-01" && before.hour == 0 && before.second == 59)
    }

    @Test func `a day of changing clocks has its own length`() throws {
        let berlin = try read("Europe/Berlin")
        func hours(_ day: String) throws -> Duration {
            let day = try #require(Day(day))
            return berlin.start(of: day.advanced(by: 1)) - berlin.start(of: day)
        }
        #expect(try hours("2026-03-29") == .seconds(23 * 3_600))
        #expect(try hours("2026-10-25") == .seconds(25 * 3_600))
        #expect(try hours("2026-10-26") == .seconds(24 * 3_600))
        #expect(try hours("2060-03-28") == .seconds(23 * 3_600))
        // In Santiago the clocks go from 24:00 to 01:00: that day begins at one o'clock.
        let santiago = try read("America/Santiago")
        let start = santiago.start(of: try #require(Day("2026-09-06")))
        #expect(start.rfc3339 == "2026-09-06T04:00:00Z")
        #expect(santiago.localTime(at: start).hour == 1)
    }

    @Test(arguments: [
        ("UTC", 0, "UTC"), ("utc", 0, "UTC"), ("Z", 0, "UTC"), ("+00:00", 0, "UTC"),
        ("+02:00", 120, "+02:00"), (" 02:00", 120, "+02:00"), ("-03:30", -210, "-03:30"),
        ("+05:45", 345, "+05:45"), ("+14:00", 840, "+14:00"), ("-00:15", -15, "-00:15"),
    ])
    func `an offset is read and written`(text: String, minutes: Int, written: String) throws {
        let zone = try #require(TimeZoneRules(fixed: text))
        #expect(zone.offset(at: try instant("2026-11-20T00:00:00Z")) == minutes * 60)
        #expect(zone.name == written)
        #expect(TimeZoneRules(fixed: zone.name) == zone)
    }

    @Test(arguments: [
        "", "2", "+2:00", "02:00", "+02:60", "+02:07", "+14:15", "+99:00", "+0200", "Europe/Berlin",
        "+02:00 ", "*02:00", "+0a:00",
    ])
    func `another text is no offset`(text: String) { #expect(TimeZoneRules(fixed: text) == nil) }

    @Test func `the ends of time make nothing trap`() throws {
        let berlin = try read("Europe/Berlin")
        for zone in [berlin, .utc, try #require(TimeZoneRules(fixed: "-14:00"))] {
            for instant in [Instant(micros: .min), Instant(micros: .max), Instant(micros: 0)] {
                _ = zone.localTime(at: instant)
                _ = zone.start(of: zone.day(of: instant))
            }
            for day in [Day(number: .min), Day(number: .max)] { _ = zone.start(of: day) }
        }
    }

    // MARK: Names

    @Test(arguments: [
        "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "America/Port-au-Prince",
        "UTC", "EST5EDT", "GMT-0", "GMT0",
    ])
    func `a zone's name may be looked for`(text: String) { #expect(TimeZoneRules.isName(text)) }

    @Test(arguments: [
        "", "/", "Europe/", "/Europe", "..", "../Berlin", "Europe/../../etc/passwd",
        "Europe//Berlin",
        "a/b/c/d", "right/Europe/Berlin", "posix/UTC", "localtime", "posixrules", "Factory",
        "Europe/Berlin\0", "zone.tab", "+02", "Europe/Bérlin", "Europe Berlin", "-x",
        String(repeating: "a", count: 65),
    ])
    func `another text may not`(text: String) { #expect(!TimeZoneRules.isName(text)) }

    // MARK: Files that are none

    @Test func `every part of a file cut off is noticed`() throws {
        let whole = [UInt8](
            try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin")))
        for count in 0..<whole.count {
            #expect(throws: TimeZoneError.self, "\(count)") {
                try TimeZoneRules(name: "X", file: Array(whole[..<count]))
            }
        }
    }

    @Test(arguments: 1...20) func `a damaged file makes nothing trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let whole = [UInt8](
            try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/America/New_York")))
        for _ in 0..<100 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                // Half of them where the structure is.
                let end = Bool.random(using: &random) ? 44 : bytes.count
                let place = Bool.random(using: &random) ? bytes.count - 1 : end - 1
                bytes[Int.random(in: 0...place, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            // Nil: it is refused.
            guard let rules = try? TimeZoneRules(name: "X", file: bytes) else { continue }
            for _ in 0..<5 {
                let instant = Instant(micros: Int64.random(in: .min ... .max, using: &random))
                _ = rules.localTime(at: instant)
                _ = rules.start(of: instant.day)
            }
        }
    }

    /// A file without a table.
    private func file(footer: String, leaps: UInt8 = 0, version: Character = "2") -> [UInt8] {
        func header(_ types: UInt8) -> [UInt8] {
            Array("TZif\(version)".utf8) + [UInt8](repeating: 0, count: 15)
                + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, types == 0 ? 0 : leaps]
                + [0, 0, 0, 0, 0, 0, 0, types, 0, 0, 0, types]
        }
        return header(0) + header(1) + [0, 0, 0x0E, 0x10, 0, 0, 0]
            + [UInt8](repeating: 0, count: Int(leaps) * 12) + Array("\n\(footer)\n".utf8)
    }

    @Test(arguments: [
        ("UTC0", "2026-01-01T00:00:00Z", 0), ("<+0530>-5:30", "2026-01-01T00:00:00Z", 19_800),
        ("", "2026-01-01T00:00:00Z", 3_600), ("<-03>3:00:01", "2026-01-01T00:00:00Z", -10_801),
        // Summer time all year (RFC 8536 section 3.3.1), also around the change of years.
        ("XXX3EDT4,0/0,J365/23", "2026-01-01T02:59:59Z", -14_400),
        ("XXX3EDT4,0/0,J365/23", "2026-01-01T03:00:00Z", -14_400),
        ("XXX3EDT4,0/0,J365/23", "2028-12-31T23:59:59Z", -14_400),
        // Negative summer time, as in Dublin.
        ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00Z", 0),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z", 3_600),
        // A time before the day: Nuuk's Saturday at 22:00 is Sunday at -2.
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7_200),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3_600),
        // J60 is 1 March in every year, 59 only in those without a leap day.
        ("A0B,J60/0,J61/0", "2028-03-01T00:00:00Z", 3_600),
        ("A0B,J60/0,J61/0", "2028-02-29T12:00:00Z", 0),
        ("A0B,59/0,60/0", "2028-02-29T00:00:00Z", 3_600),
        ("A0B,59/0,60/0", "2027-03-01T00:00:00Z", 3_600),
        ("A0B,M12.5.4,M1.1.5", "2026-12-31T02:00:00Z", 3_600),
    ])
    func `a rule of the last line holds`(footer: String, time: String, offset: Int) throws {
        let rules = try TimeZoneRules(name: "X", file: file(footer: footer, version: "3"))
        #expect(rules.offset(at: try instant(time)) == offset)
    }

    @Test(arguments: [
        "X", "0", "X25", "X1Y", "X1Y,M13.1.0,M1.1.0", "X1Y,M1.6.0,M1.1.0", "X1Y,M1.1.7,M1.1.0",
        "X1Y,J0,J1", "X1Y,366,1", "X1Y,M1.1.0", "X1Y,M1.1.0,M2.1.0,", "X1Y,M1.1.0/168,M2.1.0",
        "<X1", "<>1", "X1:60", "X99999999999999999999",
    ])
    func `another last line is refused`(footer: String) {
        #expect(
            throws: TimeZoneError("is a time zone whose file is damaged: its last line is no rule")
        ) {
            try TimeZoneRules(name: "X", file: file(footer: footer))
        }
    }

    @Test func `files of another kind are refused and said why`() {
        #expect(throws: TimeZoneError("is a time zone whose file counts leap seconds")) {
            try TimeZoneRules(name: "X", file: file(footer: "UTC0", leaps: 1))
        }
        #expect(throws: TimeZoneError("is a time zone whose file has an old format: update tzdata"))
        {
            try TimeZoneRules(name: "X", file: file(footer: "UTC0", version: "\0"))
        }
        #expect(
            throws: TimeZoneError(
                "is a time zone whose file is damaged: it does not begin with TZif")
        ) {
            try TimeZoneRules(name: "X", file: Array("# tz zone descriptions".utf8))
        }
    }
}

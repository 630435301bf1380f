import Domain
import Reports
import Testing

@Suite struct ReportValueTests {
    @Test(
        arguments: [
            (1, 3, "0.333333"), (2, 3, "0.666667"), (-2, 3, "-0.666667"), (2, -3, "-0.666667"),
            (0, 5, "0.000000"), (7, 1, "7.000000"), (1, 2_000_000, "0.000000"),
            (3, 2_000_000, "0.000002"), (5, 2_000_000, "0.000002"), (-1, 2_000_000, "0.000000"),
            (-3, 2_000_000, "-0.000002"), (1_000_001, 2_000_000, "0.500000"),
            (1_000_003, 2_000_000, "0.500002"), (999_999_999_999, 1_000_000_000_000, "1.000000"),
        ] as [(Int128, Int128, String)])
    func `a quotient is rounded half to even`(top: Int128, bottom: Int128, text: String) {
        #expect(DecimalRatio.text(top, over: bottom) == text)
    }

    @Test func `a quotient that can't be told is none`() {
        #expect(DecimalRatio.text(1, over: 0) == nil)
        #expect(DecimalRatio.text(.max, over: 1) == nil)
        #expect(DecimalRatio.text(.min, over: -1) == nil)
        #expect(DecimalRatio.text(1 << 100, over: 1 << 100) == "1.000000")
        #expect(DecimalRatio.text(1, over: .max) == "0.000000")
        #expect(DecimalRatio.text(-1, over: .min) == "0.000000")
    }

    @Test func `a day has its hours where it is asked for`() throws {
        let zone = try #require(TimeZoneRules(fixed: "+02:00"))
        #expect(TimeText.start("2026-11-20", zone)?.rfc3339 == "2026-11-19T22:00:00Z")
        #expect(TimeText.end("2026-11-20", zone)?.rfc3339 == "2026-11-20T22:00:00Z")
        for text in [
            "2026-11-20T10:00:00+02:00", "2026-11-20T10:00:00 02:00", "2026-11-20 10:00:00 02:00",
        ] {
            #expect(TimeText.start(text, zone)?.rfc3339 == "2026-11-20T08:00:00Z", "\(text)")
            #expect(TimeText.end(text, zone)?.rfc3339 == "2026-11-20T08:00:00Z", "\(text)")
        }
        for text in ["", "2026-11-31", "2026-11-20T10:00:00", "2026-11-20T10:00:00 2:00", "now"] {
            #expect(TimeText.start(text) == nil, "\(text)")
        }
    }

    @Test func `a period is widened to quarter hours, at the ends of time too`() throws {
        let quarter: Int64 = 900_000_000
        let period = try #require(
            ReportPeriod(from: Instant(micros: quarter - 1), to: Instant(micros: quarter + 1)))
        #expect(period.from.micros == 0 && period.to.micros == 2 * quarter)
        let exact = try #require(
            ReportPeriod(from: Instant(micros: -quarter), to: Instant(micros: quarter)))
        #expect(exact.from.micros == -quarter && exact.to.micros == quarter)
        let before = try #require(
            ReportPeriod(from: Instant(micros: -1), to: Instant(micros: 0)))
        #expect(before.from.micros == -quarter && before.to.micros == 0)
        #expect(ReportPeriod(from: Instant(micros: .min), to: Instant(micros: .max)) != nil)
        #expect(ReportPeriod(from: Instant(micros: 5), to: Instant(micros: 5)) == nil)
    }
}

import Domain
import Testing

@Suite struct ClockLeapsTests {
    private static let noon = Instant(rfc3339: "2026-11-20T12:00:00Z") ?? Instant(micros: 0)

    /// Both clocks after some seconds, the wall clock ahead by others.
    private static func isSteady(
        _ leaps: ClockLeaps, after seconds: Int64, ahead: Int64 = 0, leapt: () -> Void = {}
    ) -> Bool {
        leaps.isSteady(
            now: noon.advanced(by: .seconds(seconds + ahead)),
            nanos: 7_000_000_000 + UInt64(seconds) * 1_000_000_000, leapt: leapt)
    }

    private static func leaps(newest: Day? = nil) -> ClockLeaps {
        ClockLeaps(now: noon, nanos: 7_000_000_000, newest: newest)
    }

    @Test func `a clock that runs on is believed, however seldom it's looked at`() {
        let leaps = Self.leaps()
        for seconds in [0, 1, 100_000, 50_000_000] as [Int64] {
            #expect(Self.isSteady(leaps, after: seconds))
        }
        #expect(Self.isSteady(leaps, after: 50_000_001, ahead: 3600))
    }

    @Test(arguments: [3601, 400 * 86_400] as [Int64])
    func `one that was set ahead is not for an hour, even where it's set back`(ahead: Int64) {
        let leaps = Self.leaps()
        var told = 0
        #expect(Self.isSteady(leaps, after: 5) { told += 1 })
        #expect(!Self.isSteady(leaps, after: 10, ahead: ahead) { told += 1 })
        #expect(!Self.isSteady(leaps, after: 11, ahead: ahead) { told += 1 })
        #expect(!Self.isSteady(leaps, after: 60) { told += 1 })
        #expect(!Self.isSteady(leaps, after: 3609) { told += 1 })
        #expect(told == 1)
        #expect(Self.isSteady(leaps, after: 3610) { told += 1 })
        #expect(!Self.isSteady(leaps, after: 4000, ahead: ahead) { told += 1 })
        #expect(told == 2)
        #expect(Self.isSteady(leaps, after: 7600, ahead: ahead))
    }

    @Test func `one that was set back deletes nothing by itself, and is believed`() {
        let leaps = Self.leaps()
        #expect(Self.isSteady(leaps, after: 5, ahead: -86_400 * 30))
        // Right again: that may be a leap ahead as well.
        #expect(!Self.isSteady(leaps, after: 10))
    }

    @Test func `a start long after the newest day waits, any other does not`() {
        let today = Self.noon.day
        for (age, isSteady) in [(0, true), (1, true), (2, true), (3, false), (400, false)] {
            let leaps = Self.leaps(newest: today.advanced(by: -age))
            #expect(Self.isSteady(leaps, after: 1) == isSteady, "\(age) days")
            #expect(Self.isSteady(leaps, after: 3600))
        }
        #expect(Self.isSteady(Self.leaps(newest: today.advanced(by: 300)), after: 1))
    }
}

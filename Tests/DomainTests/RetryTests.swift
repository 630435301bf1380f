import Domain
import TestSupport
import Testing

@Suite struct RetryScheduleTests {
    private let converted = Instant(micros: 1_800_000_000_000_000)

    private func next(
        after attempt: Int, at seconds: Int64 = 0, jitter: Double = 0, retryAfter: Duration? = nil,
        giveUpAfter: Duration = .seconds(72 * 3_600)
    ) -> Duration? {
        let now = converted.advanced(by: .seconds(seconds))
        return RetrySchedule.nextAttempt(
            afterAttempt: attempt, at: now, convertedAt: converted, giveUpAfter: giveUpAfter,
            jitter: jitter, retryAfter: retryAfter
        ).map { $0 - now }
    }

    @Test func `pauses grow to eight hours and stay there`() {
        let pauses = (1...10).map { next(after: $0) }
        let expected = [10, 60, 300, 900, 3_600, 7_200, 14_400, 28_800, 28_800, 28_800]
        #expect(pauses == expected.map { .seconds($0) })
        #expect(next(after: .max) == .seconds(28_800))
        #expect(next(after: 0) == .seconds(10))
        #expect(next(after: .min) == .seconds(10))
    }

    @Test func `jitter adds up to a fifth`() {
        #expect(next(after: 1, jitter: 1) == .seconds(12))
        #expect(next(after: 1, jitter: 0.5) == .seconds(11))
        #expect(next(after: 8, jitter: 1) == .seconds(34_560))
        for (jitter, pause) in [
            (-1.0, 10), (.nan, 10), (-.infinity, 10), (2, 12), (.infinity, 12),
            (.leastNonzeroMagnitude, 10),
        ] as [(Double, Int)] {
            #expect(next(after: 1, jitter: jitter) == .seconds(pause))
        }
    }

    @Test func `a longer Retry-After replaces the pause, up to a day`() {
        #expect(next(after: 1, retryAfter: .seconds(9)) == .seconds(10))
        #expect(next(after: 1, retryAfter: .seconds(11)) == .seconds(11))
        #expect(next(after: 1, retryAfter: .seconds(86_400)) == .seconds(86_400))
        #expect(next(after: 1, retryAfter: .seconds(86_401)) == .seconds(86_400))
        #expect(next(after: 1, retryAfter: .seconds(Int64.max)) == .seconds(86_400))
        #expect(next(after: 1, retryAfter: .seconds(-5)) == .seconds(10))
        #expect(next(after: 1, retryAfter: .seconds(Int64.min)) == .seconds(10))
    }

    @Test func `the last attempt is at the give-up time and none comes after it`() {
        let end: Int64 = 72 * 3_600
        #expect(next(after: 20, at: end - 28_800) == .seconds(28_800))
        #expect(next(after: 20, at: end - 28_799) == .seconds(28_799))
        #expect(next(after: 20, at: end - 1) == .seconds(1))
        #expect(next(after: 20, at: end) == nil)
        #expect(next(after: 20, at: end + 1) == nil)
        #expect(next(after: 1, at: end - 100, retryAfter: .seconds(3_600)) == .seconds(100))
        #expect(next(after: 1, giveUpAfter: .zero) == nil)
        #expect(next(after: 1, giveUpAfter: .seconds(-1)) == nil)
        #expect(next(after: 1, giveUpAfter: .seconds(5)) == .seconds(5))
    }

    @Test
    func `a delivery that always fails is tried for three days and a bounded number of times`() {
        for jitter in [0, 0.5, 1] {
            var now = converted
            var attempts = 1
            while let due = RetrySchedule.nextAttempt(
                afterAttempt: attempts, at: now, convertedAt: converted,
                giveUpAfter: .seconds(72 * 3_600), jitter: jitter, retryAfter: nil), attempts < 100
            {
                #expect(due > now)
                now = due
                attempts += 1
            }
            #expect(now - converted == .seconds(72 * 3_600))
            #expect((15...18).contains(attempts))
        }
    }

    @Test(arguments: 1...100) func `no clock makes the schedule trap`(seed: UInt64) {
        var random = SeededRandom(seed)
        let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        func any() -> Int64 {
            Bool.random(using: &random)
                ? Int64(truncatingIfNeeded: random.next())
                : edges.randomElement(using: &random) ?? 0
        }
        for _ in 0..<100 {
            let now = Instant(micros: any())
            let due = RetrySchedule.nextAttempt(
                afterAttempt: Int(any()), at: now, convertedAt: Instant(micros: any()),
                giveUpAfter: .seconds(any()), jitter: Double(bitPattern: random.next()),
                retryAfter: Bool.random(using: &random) ? .seconds(any()) : nil)
            if let due { #expect(due >= now) }
        }
    }
}

@Suite struct RetryAfterTests {
    private let now = Instant(rfc3339: "1994-11-06T08:49:37.5Z")

    @Test(arguments: [
        ("0", Duration.zero), ("120", .seconds(120)), (" 120\t", .seconds(120)),
        ("007", .seconds(7)),
        ("99999999999999999999999999", .seconds(3_155_760_000)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", .milliseconds(59_500)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", .milliseconds(59_500)),
        ("Sun Nov  6 08:50:37 1994", .milliseconds(59_500)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .zero), ("Thu, 01 Jan 1970 00:00:00 GMT", .zero),
        ("Fri, 31 Dec 9999 23:59:59 GMT", .seconds(3_155_760_000)),
    ]) func `seconds and dates are read`(text: String, pause: Duration) throws {
        #expect(try RetryAfter.parse(text, now: #require(now)) == pause)
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1.5", "1 2", "soon", "0x10", "1s", "2026-11-20T22:45:36Z", "١",
        String(repeating: "1", count: 129),
    ]) func `anything else is no pause`(text: String) throws {
        let now = try #require(now)
        #expect(RetryAfter.parse(text, now: now) == nil)
        Array(text.utf8).withUnsafeBytes { #expect(RetryAfter.parse($0, now: now) == nil) }
    }

    @Test(arguments: 1...50) func `no bytes make it trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let now = Instant(micros: Int64(truncatingIfNeeded: random.next()))
        for _ in 0..<200 {
            var bytes = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let part = Array(bytes[Int.random(in: 0...3, using: &random)...])
            let pause = part.withUnsafeBytes { RetryAfter.parse($0, now: now) }
            #expect(pause ?? .zero >= .zero)
            #expect(pause ?? .zero <= .seconds(3_155_760_000))
            let text = String(decoding: part, as: UTF8.self)
            _ = Instant(rfc3339: text)
            _ = Day(text)
            _ = Currency(text)
            _ = IPNetwork(text)
        }
    }
}

@Suite struct NearestNameTests {
    private let names = ["click_id", "external_id", "campaign", "payout", "country", "city", "os"]

    @Test(arguments: [
        ("clik_id", "click_id"), ("clickid", "click_id"), ("CLICK_ID", "click_id"),
        ("lcick_id", "click_id"), ("payuot", "payout"), ("contry", "country"), ("citty", "city"),
        ("so", "os"), ("exernal_di", "external_id"), ("click_id", "click_id"),
    ]) func `a near name is suggested`(name: String, meant: String) {
        #expect(NearestName.suggestion(for: name, among: names) == meant)
    }

    @Test(arguments: [
        "", "x", "zebra", "payxyz", "abcdefgh", String(repeating: "a", count: 64),
        String(repeating: "a", count: 65), String(repeating: "a", count: 100_000),
    ]) func `a far name is not`(name: String) {
        #expect(NearestName.suggestion(for: name, among: names) == nil)
    }

    @Test func `the nearest wins, and the first of equals`() {
        #expect(NearestName.suggestion(for: "var1", among: ["var2", "var1"]) == "var1")
        #expect(NearestName.suggestion(for: "var3", among: ["var2", "var1"]) == "var2")
        #expect(NearestName.suggestion(for: "a", among: []) == nil)
        #expect(NearestName.suggestion(for: "a", among: ["", "b", "ab"]) == nil)
    }

    @Test(arguments: 1...30) func `one edit of a long name is always found`(seed: UInt64) {
        var random = SeededRandom(seed)
        var letters = Array("external_id")
        let index = Int.random(in: letters.indices, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: letters.remove(at: index)
        case 1: letters.insert("q", at: index)
        case 2: letters[index] = "q"
        default: letters.swapAt(index, (index + 1) % letters.count)
        }
        #expect(NearestName.suggestion(for: String(letters), among: names) == "external_id")
    }
}

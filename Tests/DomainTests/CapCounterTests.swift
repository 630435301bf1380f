import Domain
import Foundation
import TestSupport
import Testing

@Suite struct CapCounterTests {
    private static let noon = instant("2026-11-20T12:00:00Z")

    private static func instant(_ text: String) -> Instant {
        Instant(rfc3339: text) ?? Instant(micros: 0)
    }

    private static func caps(_ caps: JSONValue) throws -> TrafficCaps {
        try #require(
            Offer(document: [
                "key": "o", "network": "n", "url": "https://o.example/", "traffic_caps": caps,
            ]).trafficCaps)
    }

    /// How many of so many get through.
    private static func taken(
        _ counter: CapCounter, _ caps: TrafficCaps, _ count: Int, at instant: Instant = noon
    ) -> Int {
        (0..<count).filter { _ in counter.take(caps, at: instant) }.count
    }

    @Test func `a cap lets exactly as many through as it says`() throws {
        for limit in [0, 1, 7] {
            let total = CapCounter(timeZone: .utc)
            #expect(Self.taken(total, try Self.caps(["clicks_total": .integer(limit)]), 9) == limit)
            #expect(total.clicksTotal == Int64(limit))
            let caps = try Self.caps(["clicks_per_day": .integer(limit)])
            let daily = CapCounter(timeZone: .utc)
            #expect(Self.taken(daily, caps, 9) == limit)
            #expect(!daily.isOpen(caps, at: Self.noon))
            #expect(daily.clicksTotal == Int64(limit), "who is refused takes nothing of the total")
        }
    }

    @Test func `a day ends at midnight of the cap's time zone`() throws {
        let caps = try Self.caps(["clicks_per_day": 2, "time_zone": "+02:00"])
        let counter = CapCounter(timeZone: caps.timeZone)
        let late = Self.instant("2026-11-20T21:59:59.999Z")
        let next = Self.instant("2026-11-20T22:00:00Z")
        #expect(Self.taken(counter, caps, 5, at: late) == 2)
        #expect(counter.isOpen(caps, at: next))
        #expect(Self.taken(counter, caps, 5, at: next) == 2)
        #expect(Self.taken(counter, caps, 5, at: Self.instant("2026-11-22T22:00:00Z")) == 2)
        #expect(counter.clicksTotal == 6)
    }

    @Test func `clicks around midnight count for their own day in any order`() throws {
        let caps = try Self.caps(["clicks_per_day": 3])
        let counter = CapCounter(timeZone: .utc)
        let before = Self.instant("2026-11-20T23:59:59Z")
        let after = Self.instant("2026-11-21T00:00:00Z")
        #expect(counter.take(caps, at: after) && counter.take(caps, at: before))
        #expect(counter.take(caps, at: after) && counter.take(caps, at: before))
        #expect(counter.clicks(on: before.day) == 2 && counter.clicks(on: after.day) == 2)
        #expect(Self.taken(counter, caps, 5, at: before) == 1)
        #expect(Self.taken(counter, caps, 5, at: after) == 1)
    }

    @Test func `what is given back is room again`() throws {
        let caps = try Self.caps(["clicks_per_day": 2, "clicks_total": 3])
        let counter = CapCounter(timeZone: .utc)
        #expect(Self.taken(counter, caps, 5) == 2)
        counter.giveBack(takenAt: Self.noon)
        #expect(counter.clicksTotal == 1 && counter.clicks(on: Self.noon.day) == 1)
        #expect(Self.taken(counter, caps, 5) == 1)
        // Of a day that is over, only the total is room.
        let next = Self.noon.advanced(by: .seconds(2 * 86_400))
        #expect(counter.take(caps, at: next))
        counter.giveBack(takenAt: Self.noon)
        #expect(counter.clicks(on: next.day) == 1 && counter.clicksTotal == 2)
    }

    @Test func `counting begins with what is known, and another limit holds at once`() throws {
        let counter = CapCounter(
            timeZone: .utc, total: 50,
            days: [Self.noon.day: 5, Self.noon.day.advanced(by: -1): 9])
        #expect(Self.taken(counter, try Self.caps(["clicks_per_day": 7]), 9) == 2)
        #expect(Self.taken(counter, try Self.caps(["clicks_per_day": 9]), 9) == 2)
        #expect(Self.taken(counter, try Self.caps(["clicks_per_day": 3]), 9) == 0)
        #expect(Self.taken(counter, try Self.caps(["clicks_total": 60]), 9) == 6)
        let yesterday = Self.noon.advanced(by: .seconds(-86_400))
        #expect(counter.clicks(on: yesterday.day) == 9)
    }

    @Test func `conversions close at their caps, on their own day, and reopen when taken out`()
        throws
    {
        let usd = { (units: Int64) in Money(nanos: units * 1_000_000_000, currency: .usDollar) }
        let euro = Money(nanos: 90_000_000_000, currency: try #require(Currency("EUR")))
        let caps = try Self.caps([
            "conversions_per_day": 3, "conversions_total": 5, "payout_per_day": "10",
            "payout_total": "15", "currency": "USD",
        ])
        let counter = CapCounter(timeZone: .utc)
        let next = Self.noon.advanced(by: .seconds(86_400))
        counter.add(1, usd(9), at: Self.noon)
        counter.add(1, euro, at: Self.noon)
        #expect(counter.isOpen(caps, at: Self.noon))
        counter.add(1, usd(0), at: Self.noon)
        #expect(!counter.isOpen(caps, at: Self.noon) && counter.isOpen(caps, at: next))
        counter.add(-1, usd(0), at: Self.noon)
        counter.add(1, usd(1), at: next)
        #expect(counter.isOpen(caps, at: Self.noon))
        // The day's payout, of a conversion that was changed.
        counter.add(-1, usd(9), at: Self.noon)
        counter.add(1, usd(10), at: Self.noon)
        #expect(!counter.isOpen(caps, at: Self.noon) && counter.isOpen(caps, at: next))
        counter.add(1, usd(4), at: next)
        #expect(!counter.isOpen(caps, at: next), "15 in all")
        counter.add(-1, usd(4), at: next)
        counter.add(2, usd(0), at: next)
        #expect(!counter.isOpen(caps, at: next), "5 in all")
        let later = next.advanced(by: .seconds(86_400 * 9))
        counter.add(1, usd(1), at: later)
        #expect(counter.conversions(on: Self.noon.day).day == LimitUsage())
        #expect(counter.conversions(on: later.day).all.conversions == 6)
    }

    @Test func `threads that race for the last ones get exactly those`() throws {
        let caps = try Self.caps(["clicks_per_day": 1_000, "clicks_total": 900])
        let counter = CapCounter(timeZone: .utc, total: 100, days: [Self.noon.day: 100])
        let passed = Locked(0)
        let ended = Locked(0)
        for thread in 0..<8 {
            Thread.detachNewThread {
                var random = SeededRandom(UInt64(thread))
                var own = 0
                for _ in 0..<2_000 where counter.take(caps, at: Self.noon) {
                    // Some could not be stored.
                    if random.next() % 4 == 0 {
                        counter.giveBack(takenAt: Self.noon)
                    } else {
                        own += 1
                    }
                }
                let count = own
                passed.with { $0 += count }
                ended.with { $0 += 1 }
            }
        }
        try eventually("all threads ended") { ended.current == 8 }
        #expect(passed.current == 800)
        #expect(counter.clicksTotal == 900 && counter.clicks(on: Self.noon.day) == 900)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `a counter tells the same as a list of all that was taken`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let caps = try Self.caps([
            "clicks_per_day": 20, "clicks_total": 200, "time_zone": "+05:45",
        ])
        let counter = CapCounter(timeZone: caps.timeZone)
        var taken: [Instant] = []
        var now = Self.instant("2026-10-20T12:00:00Z")
        for _ in 0..<2_000 {
            now = now.advanced(by: .seconds(Int64.random(in: 0...3_000, using: &random)))
            let day = caps.timeZone.day(of: now)
            if random.next() % 5 == 0, let last = taken.last,
                caps.timeZone.day(of: last) >= day.advanced(by: -1)
            {
                counter.giveBack(takenAt: last)
                taken.removeLast()
            } else {
                let ofDay = taken.filter { caps.timeZone.day(of: $0) == day }.count
                let isRoom = ofDay < 20 && taken.count < 200
                #expect(counter.isOpen(caps, at: now) == isRoom)
                #expect(counter.take(caps, at: now) == isRoom, "seed \(seed)")
                if isRoom { taken.append(now) }
            }
            #expect(counter.clicksTotal == Int64(taken.count))
        }
    }

    private static func offer(_ members: [JSONMember]) throws(ValidationError) -> Offer {
        try Offer(
            document: .object(
                [
                    JSONMember(name: "key", value: "o"), JSONMember(name: "network", value: "n"),
                    JSONMember(name: "url", value: "https://o.example/"),
                ] + members))
    }

    @Test func `documents read back the same, and what can't be is refused by its field`() throws {
        let caps: JSONValue = ["clicks_per_day": 5, "time_zone": "+02:00"]
        let offer = try Self.offer([
            JSONMember(name: "traffic_caps", value: caps),
            JSONMember(name: "overflow_offer", value: "p"),
        ])
        #expect(offer.document["traffic_caps"]?["clicks_total"] == .null)
        #expect(try Offer(document: offer.document) == offer)
        #expect(
            try Self.offer([JSONMember(name: "traffic_caps", value: ["clicks_total": .null])])
                .trafficCaps == nil)
        func fields(_ name: String, _ value: JSONValue) -> [String] {
            do throws(ValidationError) {
                _ = try Self.offer([JSONMember(name: name, value: value)])
                return []
            } catch {
                return error.errors.map(\.field)
            }
        }
        #expect(fields("traffic_caps", ["clicks_per_day": -1]) == ["traffic_caps.clicks_per_day"])
        #expect(fields("traffic_caps", ["clicks": 1]) == ["traffic_caps.clicks"])
        #expect(fields("traffic_caps", ["time_zone": "Mars"]) == ["traffic_caps.time_zone"])
        #expect(fields("overflow_offer", "o") == ["overflow_offer"])
        #expect(fields("overflow_offer", "p") == [])
    }

    @Test func `a path with caps needs a name of its own`() {
        func fields(_ paths: JSONValue) -> [String] {
            do throws(ValidationError) {
                _ = try SharedFlow(document: ["key": "f", "paths": paths])
                return []
            } catch {
                return error.errors.map(\.field)
            }
        }
        let plain: JSONValue = ["name": "a", "offers": [["offer": "o"]]]
        func capped(_ name: JSONValue) -> JSONValue {
            ["name": name, "offers": [["offer": "o"]], "traffic_caps": ["clicks_total": 1]]
        }
        #expect(fields([capped(.null)]) == ["paths[0].name"])
        #expect(fields([plain, capped("a")]) == ["paths[1].name"])
        #expect(fields([plain, plain]) == [])
        #expect(fields([plain, capped("b")]) == [])
    }
}

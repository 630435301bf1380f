import Domain
import HTTP
import Store
import TestSupport
import Testing

@testable import Outbound

/// Seventy-two hours, on a real ledger.
@Suite struct ScheduleTests {
    private typealias Simulation = LedgerSimulation
    private static let hour = Simulation.hour

    /// Due at once, then after these pauses, then every eight hours.
    private static let pauses: [Double] = [10, 60, 300, 900, 3600, 7200, 14_400]

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `the schedule is kept, attempt by attempt, to the very end`(seed: UInt64) throws {
        // Refused by a host that is well: nothing but the schedule decides.
        let simulation = try Simulation(seed: seed) { _ in .status(400) }
        let id = try simulation.queue(["http://a"])[0]
        try simulation.run(untilSecond: 90 * Self.hour)
        let attempts = try simulation.attempts(id)
        #expect(simulation.calls.count == attempts.count)
        #expect(attempts.map(\.number) == Array(1...attempts.count))
        #expect(simulation.calls[0].second < 0.01, "due at once")

        let last = simulation.calls.count - 1
        for index in 1...last {
            let pause =
                simulation.calls[index].second - simulation.calls[index - 1].second
                - simulation.callSeconds
            let planned = index <= Self.pauses.count ? Self.pauses[index - 1] : 8 * Self.hour
            // As early as a millisecond of the simulation's grid allows.
            if index < last {
                #expect((planned...planned * 1.2 + 0.01).contains(pause), "\(index): \(pause)")
            } else {
                #expect(pause <= planned * 1.2 + 0.01, "\(index): \(pause)")
            }
        }
        #expect((72 * Self.hour...72 * Self.hour + 0.01).contains(simulation.calls[last].second))
        #expect((15...18).contains(attempts.count))
        let delivery = try simulation.delivery(id)
        #expect(delivery.state == .dead)
        #expect(
            delivery.reason
                == "given up 72 h after the conversion, at attempt \(attempts.count): answered 400 No"
        )
        #expect(attempts.allSatisfy { $0.status == 400 && $0.error == "answered 400 No" })
    }

    @Test func `a receiver that comes back after fifty hours gets everything exactly once`() throws
    {
        var limits = DeliveryPlan.Limits()
        limits.windowMax = 128
        let simulation = try Simulation(seed: 1, limits: limits) { call in
            call.second >= 50 * Self.hour ? .accepts : .refusesConnection
        }
        let ids = try simulation.queue("http://a", count: 300)
        try simulation.run(untilSecond: 20 * Self.hour)
        // Its memory of the failing host goes with it; what is on disk stays.
        try simulation.crash(downSeconds: 600)
        try simulation.run(untilSecond: 72 * Self.hour)
        for id in ids {
            #expect(try simulation.delivery(id).state == .delivered)
            let calls = simulation.calls.filter { $0.delivery == id }
            #expect(calls.filter(\.isAccepted).count == 1)
            #expect(Set(calls.map(\.key)).count == 1)
            let attempts = try simulation.attempts(id)
            #expect(attempts.map(\.number) == Array(1...attempts.count))
            #expect(attempts.last?.status == 200)
            #expect(attempts.count == calls.filter { !$0.isLost }.count)
        }
        let accepted = simulation.calls.filter(\.isAccepted)
        #expect(accepted.count == 300)
        // The first within the breaker's longest pause, whatever is due; the last by its schedule.
        #expect(accepted[0].second < 50 * Self.hour + 301)
        #expect(accepted.allSatisfy { $0.second < (50 + 8 * 1.2) * Self.hour + 301 })
        // A dead receiver costs a call every five minutes, and a few until that is known.
        #expect(simulation.calls.count - accepted.count < 50 * 12 + 60)
        #expect(simulation.mostInMemory <= 128)
    }

    @Test func `one that never comes back is given up after seventy-two hours, with the reason`()
        throws
    {
        let simulation = try Simulation(seed: 2) { _ in .refusesConnection }
        let ids = try simulation.queue("http://a", count: 40)
        try simulation.run(untilSecond: 100 * Self.hour)
        for id in ids {
            let delivery = try simulation.delivery(id)
            let attempts = try simulation.attempts(id)
            #expect(delivery.state == .dead)
            #expect(
                delivery.reason
                    == "given up 72 h after the conversion, at attempt \(attempts.count): "
                    + "Connection refused")
            let lived = try #require(attempts.last).at - delivery.convertedAt
            // All are due at the same time then, and a failing host is called every five minutes.
            #expect(.seconds(72 * 3600) <= lived && lived < .seconds(72 * 3600 + 40 * 300))
        }
    }

    @Test func `Retry-After is kept to, for a day at most`() throws {
        let texts = ["3600", "86400", "864000"]
        let simulation = try Simulation(seed: 3) { call in
            call.attempt <= 3 ? .status(429, retryAfter: texts[call.attempt - 1]) : .accepts
        }
        let id = try simulation.queue(["http://a"])[0]
        try simulation.run(untilSecond: 72 * Self.hour)
        #expect(try simulation.delivery(id).state == .delivered)
        let times = simulation.calls.map(\.second)
        let pauses = zip(times.dropFirst(), times).map { $0 - $1 - simulation.callSeconds }
        #expect(pauses.count == 3)
        for (pause, expected) in zip(pauses, [3600.0, 86_400, 86_400]) {
            #expect((expected...expected + 0.01).contains(pause), "\(pause)")
        }
    }

    @Test func `a restart between attempts changes nothing`() throws {
        let simulation = try Simulation(seed: 4) { _ in .status(400) }
        let id = try simulation.queue(["http://a"])[0]
        for hours in [0.001, 0.01, 0.2, 1.5, 9, 30, 71.5] {
            try simulation.run(untilSecond: hours * Self.hour)
            let due = try simulation.delivery(id).dueAt
            try simulation.crash(downSeconds: 1)
            #expect(try simulation.delivery(id).dueAt == due)
        }
        try simulation.run(untilSecond: 90 * Self.hour)
        #expect(try simulation.delivery(id).state == .dead)
        #expect((15...18).contains(simulation.calls.count))
        #expect(try simulation.attempts(id).count == simulation.calls.count)
    }

    @Test(arguments: [-365 * 86_400, -86_400, -3600, 3600, 40 * 3600] as [Double])
    func `a clock that is set makes no storm, and what waits is sent in the end`(jump: Double)
        throws
    {
        let simulation = try Simulation(seed: 5) { call in
            call.second >= 6 * Self.hour ? .accepts : .status(400)
        }
        let ids = try simulation.queue("http://a", count: 50)
        try simulation.run(untilSecond: 3 * Self.hour)
        let before = simulation.calls.count
        simulation.setClock(bySeconds: jump)
        try simulation.run(untilSecond: 3 * Self.hour + 9)
        #expect(simulation.calls.count - before <= 50, "each at most once")
        // At most a day later than it would have been.
        try simulation.run(untilSecond: (6 + 9 + 25) * Self.hour)
        for id in ids {
            #expect(try simulation.delivery(id).state == .delivered)
            #expect(simulation.calls.filter { $0.delivery == id && $0.isAccepted }.count == 1)
        }
    }

    /// Five hosts with a character each, conversions all day, crashes and clocks set at random.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `whatever happens, everything arrives, and twice only if a crash came between`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let characters = (0..<5).map { _ in Int.random(in: 0..<6, using: &random) }
        // Each is well again by then.
        let recoveries = (0..<5).map { _ in Double.random(in: 0...50, using: &random) * Self.hour }
        var moods = random
        let simulation = try Simulation(seed: seed) { call in
            let host = Int(call.origin.suffix(1)) ?? 0
            guard call.second < recoveries[host] else { return .accepts }
            switch characters[host] {
            case 0: return .accepts
            case 1: return .status(500)
            case 2: return .refusesConnection
            case 3: return .times(out: .answer)
            case 4: return .status(429, retryAfter: "\(Int.random(in: 0...7200, using: &moods))")
            default: return Bool.random(using: &moods) ? .accepts : .status(503)
            }
        }
        var ids: [DeliveryID] = []
        var crashes = 0
        for _ in 0..<30 {
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let hosts = (0..<5).filter { _ in Bool.random(using: &random) }
                ids += try simulation.queue(hosts.map { "http://host\($0)" })
            }
            // Now and then in the middle of calls.
            let pauses: [Double] = [0.1, 0.3, 60, 3600, 5400]
            let pause = pauses.randomElement(using: &random) ?? 1
            try simulation.run(untilSecond: simulation.second + pause)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2:
                crashes += 1
                try simulation.crash(downSeconds: Double.random(in: 0...60, using: &random))
            case 3: simulation.setClock(bySeconds: Double.random(in: -5...5, using: &random))
            case 4:
                simulation.setClock(bySeconds: Double.random(in: -7200...7200, using: &random))
            default: break
            }
        }
        try simulation.run(untilSecond: 130 * Self.hour)

        let calls = Dictionary(grouping: simulation.calls, by: \.delivery)
        for id in ids {
            let of = calls[id] ?? []
            #expect(try simulation.delivery(id).state == .delivered, "\(id), seed \(seed)")
            #expect(Set(of.map(\.key)).count == 1, "\(id), seed \(seed)")
            // Accepted once with the result kept; any other acceptance was lost in a crash.
            #expect(of.filter { $0.isAccepted && !$0.isLost }.count == 1, "\(id), seed \(seed)")
            #expect(of.last?.isAccepted == true && of.last?.isLost == false, "\(id), seed \(seed)")
            let attempts = try simulation.attempts(id)
            #expect(
                attempts.map(\.number) == of.filter { !$0.isLost }.map(\.attempt),
                "\(id), seed \(seed)")
        }
        #expect(simulation.calls.filter(\.isLost).count <= crashes * 80)
    }
}

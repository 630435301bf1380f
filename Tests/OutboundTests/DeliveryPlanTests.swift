import Domain
import Store
import Testing

@testable import Outbound

/// Days of schedule, computed.
@Suite struct DeliveryPlanTests {
    private static let hour = 3600.0

    @Test func `a receiver that comes back after fifty hours gets everything once`() {
        var isBack = false
        let simulation = PlanSimulation { _, second in
            isBack = second >= 50 * Self.hour
            return isBack ? true : nil
        }
        simulation.queue("http://a", count: 300)
        simulation.run(untilSecond: 100 * Self.hour)
        #expect(simulation.count(.delivered) == 300)
        let late = simulation.calls.filter { $0.second >= 50 * Self.hour }
        #expect(late.count == 300 && Set(late.map(\.id)).count == 300)
        // The breaker's pauses end within five minutes of its return; what was tried shortly
        // before waits for its own time.
        #expect(late.filter { $0.second < 50 * Self.hour + 301 }.count > 100)
        // A dead receiver costs a probe every five minutes.
        #expect(simulation.calls.count - late.count < 50 * 12 + 40)
    }

    @Test func `somebody's retry does not wait for the end of a breaker's pause`() {
        let simulation = PlanSimulation { _, _ in nil }
        simulation.queue("http://a", count: 50)
        simulation.run(untilSecond: 3000)
        let before = simulation.calls.count
        simulation.run(untilSecond: 3001)
        #expect(simulation.calls.count == before, "its probes are five minutes apart")
        // Due rows: those tried before the breaker opened wait for their own time.
        simulation.queue("http://a")
        simulation.run(untilSecond: 3002)
        #expect(simulation.calls.count == before)
        simulation.plan.probe(["http://a", "http://unknown"], at: simulation.now)
        simulation.run(untilSecond: 3003)
        #expect(simulation.calls.count == before + 1)
        // It failed, and the next pause is as long as before.
        simulation.run(untilSecond: 3200)
        #expect(simulation.calls.count == before + 1)
    }

    @Test func `one that refuses for ever is given up after seventy-two hours`() {
        let simulation = PlanSimulation { _, _ in false }
        simulation.queue("http://a")
        simulation.run(untilSecond: 80 * Self.hour)
        #expect(simulation.count(.dead) == 1)
        #expect((15...18).contains(simulation.calls.count))
        let last = simulation.calls.last?.second ?? 0
        #expect((72 * Self.hour...72 * Self.hour + 3).contains(last))
    }

    @Test func `one that is dead for ever is given up at last`() {
        let simulation = PlanSimulation { _, _ in nil }
        simulation.queue("http://a", count: 3)
        simulation.run(untilSecond: 74 * Self.hour)
        #expect(simulation.count(.dead) == 3)
    }

    @Test func `those that are being given up are not called, and are if they wait on`() {
        let simulation = PlanSimulation { _, _ in nil }
        simulation.queue("http://a", count: 3)
        simulation.queue("http://b")
        simulation.run(untilSecond: Self.hour)
        let ids = Set(simulation.calls.map(\.id))
        #expect(ids.count == 4)
        #expect(!simulation.plan.hold(ids, at: "http://unknown", simulation.now))
        #expect(simulation.plan.hold(ids, at: "http://a", simulation.now))
        let before = simulation.calls.count
        simulation.run(untilSecond: 3 * Self.hour)
        let others = simulation.calls[before...]
        #expect(!others.isEmpty && others.allSatisfy { $0.id == others.first?.id })
        simulation.plan.release(ids, at: "http://a", simulation.now)
        simulation.run(untilSecond: 7 * Self.hour)
        #expect(Set(simulation.calls[(before + others.count)...].map(\.id)) == ids)
    }

    @Test func `memory and reads stay small whatever waits`() {
        var limits = DeliveryPlan.Limits()
        limits.windowMax = 64
        let simulation = PlanSimulation(limits: limits) { _, _ in true }
        simulation.callSeconds = 0.01
        simulation.queue("http://a", count: 2000)
        simulation.run(untilSecond: 100)
        #expect(simulation.count(.delivered) == 2000)
        #expect(simulation.calls.count == 2000)
        #expect(simulation.mostInMemory <= 64)
        // A read brings at least half a window, and nothing that is there already.
        #expect(simulation.reads <= 2000 / 32 + 2)
        #expect(simulation.rowsRead == 2000)
        #expect(simulation.plan.originCount == 0)
    }

    @Test func `of a host that fails one delivery is kept in memory, until it is back`() {
        var isBack = false
        let simulation = PlanSimulation { _, _ in isBack ? true : nil }
        simulation.queue("http://a", count: 500)
        simulation.run(untilSecond: 60)
        #expect(simulation.plan.waitingInMemory <= 1)
        isBack = true
        simulation.run(untilSecond: 300)
        #expect(simulation.count(.delivered) == 500)
        #expect(simulation.mostInMemory > 400)
    }

    @Test func `large deliveries are few in memory`() {
        var limits = DeliveryPlan.Limits()
        limits.windowBytesMax = 100_000
        limits.unrecordedBytesMax = 50_000
        var fails = true
        let simulation = PlanSimulation(limits: limits) { _, _ in !fails }
        simulation.queue("http://a", count: 100, bodyBytes: 20_000)
        simulation.run(untilSecond: 1)
        #expect((4...6).contains(simulation.mostInMemory))
        #expect(simulation.calls.count == 100)
        // One that failed is read again when it's too large to be kept for that.
        simulation.queue("http://b", count: 3, bodyBytes: 60_000)
        simulation.run(untilSecond: 2)
        fails = false
        simulation.run(untilSecond: 60)
        #expect(simulation.count(.delivered) == 103)
    }

    @Test func `a host with a large backlog and no answers doesn't delay another`() {
        let simulation = PlanSimulation { origin, _ in origin == "http://dead" ? nil : true }
        simulation.callSeconds = 15
        simulation.queue("http://dead", count: 2000)
        simulation.run(untilSecond: 2)
        simulation.callSeconds = 0.1
        simulation.queue("http://live", count: 100)
        simulation.run(untilSecond: 4)
        #expect(simulation.count(.delivered) == 100)
        #expect(simulation.calls.allSatisfy { $0.origin == "http://dead" || $0.second < 3 })
    }

    @Test func `hosts that don't answer never take the last calls that are free`() {
        var limits = DeliveryPlan.Limits()
        limits.concurrency = 64
        let simulation = PlanSimulation(limits: limits) { origin, _ in
            origin.hasPrefix("http://dead") ? nil : true
        }
        simulation.callSeconds = 15
        for number in 0..<5 { simulation.queue("http://dead\(number)", count: 100) }
        simulation.run(untilSecond: 1)
        #expect(simulation.plan.inFlight < 64)
        simulation.callSeconds = 0
        simulation.queue("http://live", count: 20)
        simulation.run(untilSecond: 2)
        #expect(simulation.count(.delivered) == 20)
    }

    @Test func `origins take turns`() {
        var limits = DeliveryPlan.Limits()
        limits.concurrency = 2
        let simulation = PlanSimulation(limits: limits) { _, _ in true }
        simulation.callSeconds = 1
        simulation.queue("http://a", count: 1000)
        simulation.queue("http://b", count: 10)
        simulation.run(untilSecond: 12)
        #expect(simulation.calls.filter { $0.origin == "http://b" }.count == 10)
    }

    @Test func `one origin has no more calls in flight than allowed`() {
        var limits = DeliveryPlan.Limits()
        limits.perHost = 3
        let simulation = PlanSimulation(limits: limits) { _, _ in true }
        simulation.callSeconds = 1
        simulation.queue("http://a", count: 10)
        simulation.run(untilSecond: 20)
        #expect(simulation.mostInFlight == 3)
        #expect(simulation.count(.delivered) == 10)
    }

    @Test func `a clock set back by a year stalls nothing`() {
        let simulation = PlanSimulation { _, second in second > 100 ? true : false }
        simulation.queue("http://a", count: 5)
        simulation.run(untilSecond: 1)
        #expect(simulation.calls.count == 5)
        simulation.setClock(bySeconds: -365 * 86_400)
        simulation.queue("http://a", count: 1)
        simulation.run(untilSecond: 600)
        #expect(simulation.count(.delivered) == 6)
    }

    @Test func `a clock set ahead by a day makes each delivery due once`() {
        let simulation = PlanSimulation { _, _ in false }
        simulation.queue("http://a", count: 50)
        simulation.run(untilSecond: 1000)
        let before = simulation.calls.count
        simulation.setClock(bySeconds: 86_400)
        simulation.run(untilSecond: 1004)
        #expect(simulation.calls.count - before == 50)
    }

    @Test func `more origins than fit in memory are served as others end`() {
        var limits = DeliveryPlan.Limits()
        limits.originsMax = 10
        let simulation = PlanSimulation(limits: limits) { _, _ in true }
        simulation.callSeconds = 0.5
        for number in 0..<25 { simulation.queue("http://host\(number)", count: 2) }
        #expect(simulation.plan.originCount == 10 && simulation.plan.hasLeftOrigins)
        for _ in 0..<5 {
            simulation.run(untilSecond: simulation.second + 5)
            simulation.plan.scanned(simulation.waitingOrigins, at: simulation.now)
        }
        simulation.run(untilSecond: simulation.second + 5)
        #expect(simulation.count(.delivered) == 50 && simulation.calls.count == 50)
    }

    @Test func `nothing is called while held, or while too many results are not on disk`() {
        var limits = DeliveryPlan.Limits()
        limits.unrecordedMax = 4
        let simulation = PlanSimulation(limits: limits) { _, _ in true }
        // A host that has answered is called more than once at a time.
        simulation.queue("http://a")
        simulation.run(untilSecond: 1)
        let (plan, now) = (simulation.plan, simulation.now)
        simulation.queue("http://a", count: 10)
        let rows = simulation.rows.values.sorted { $0.id.rawValue < $1.id.rawValue }
        if let order = plan.nextRead(at: now) {
            plan.finish(order, DeliveryWindow(order.window, of: rows), at: now)
        }
        plan.isHeld = true
        #expect(plan.next(at: now) == nil)
        plan.isHeld = false
        var starts: [DeliveryPlan.Start] = []
        while let start = plan.next(at: now) { starts.append(start) }
        #expect(starts.count == 4)
        let finished = starts.map { start in
            let attempt = Attempt(
                number: 1, at: now.wall, status: 200, milliseconds: 1, error: nil, excerpt: [])
            let result = DeliveryResult(of: start.delivery, attempt, outcome: .delivered)
            return plan.finish(
                start, AttemptJudge.Verdict(result: result, health: .healthy), at: now)
        }
        #expect(plan.next(at: now) == nil && plan.unrecorded == 4)
        plan.record(finished[0], at: now)
        #expect(plan.next(at: now) != nil)
        #expect(plan.next(at: now) == nil)
    }

    // MARK: Lanes

    /// More hosts than fit in memory, each with two deliveries, that hold every call to its end.
    private func hang(_ simulation: PlanSimulation, _ count: Int) {
        for number in 0..<count {
            let name = "http://hangs\(number)"
            simulation.callSecondsByOrigin[name] = 15
            simulation.queue(name, count: 2)
        }
    }

    /// Goes on until then, as the dispatcher does: it looks every five seconds for what was left.
    private func run(_ simulation: PlanSimulation, untilSecond end: Double) {
        while simulation.second < end {
            let look = (simulation.second / 5 + 0.001).rounded(.up) * 5
            simulation.run(untilSecond: min(end, look))
            if simulation.second >= look, simulation.plan.hasLeftOrigins {
                simulation.plan.admit(simulation.waitingOrigins, at: simulation.now)
            }
        }
    }

    private func delay(_ simulation: PlanSimulation, _ origin: String) -> Double {
        let begun = simulation.second
        simulation.queue(origin)
        let count = simulation.calls.count { $0.origin == origin }
        while simulation.calls.count(where: { $0.origin == origin }) == count,
            simulation.second < begun + 60
        {
            run(simulation, untilSecond: simulation.second + 0.1)
        }
        return simulation.second - begun
    }

    @Test func `thousands of hosts that hang don't delay one that answers`() {
        let simulation = PlanSimulation { origin, _ in origin == "http://good" ? true : nil }
        simulation.queue("http://good")
        simulation.run(untilSecond: 1)
        #expect(simulation.count(.delivered) == 1)
        hang(simulation, 5000)
        for _ in 0..<20 {
            #expect(delay(simulation, "http://good") <= 1, "at \(simulation.second) s")
            run(simulation, untilSecond: simulation.second + 3)
            #expect(simulation.plan.originCount <= simulation.plan.limits.originsMax)
        }
        #expect(simulation.mostInFlight <= simulation.plan.limits.concurrency)
    }

    @Test func `hosts that are known to hang don't delay one that nobody knows`() {
        var limits = DeliveryPlan.Limits()
        limits.originsMax = 512
        limits.concurrency = 64
        let simulation = PlanSimulation(limits: limits) { origin, _ in
            origin.hasPrefix("http://new") ? true : nil
        }
        hang(simulation, 600)
        // By then each was called once: 32 of them at a time.
        run(simulation, untilSecond: 350)
        for number in 0..<10 {
            #expect(delay(simulation, "http://new\(number)") <= 1, "at \(simulation.second) s")
            run(simulation, untilSecond: simulation.second + 2)
        }
    }

    @Test func `hosts whose time has not come make room, and are remembered`() {
        var limits = DeliveryPlan.Limits()
        limits.originsMax = 10
        let simulation = PlanSimulation(limits: limits) { origin, second in
            origin == "http://back" && second > 100
                ? true : origin.hasPrefix("http://dead") ? nil : false
        }
        // Refused once, and tried again in ten seconds or more.
        for number in 0..<10 { simulation.queue("http://host\(number)") }
        for number in 0..<5 { simulation.queue("http://dead\(number)", count: 20) }
        run(simulation, untilSecond: 8)
        #expect(Set(simulation.calls.map(\.origin)).count == 15, "all of them were called")
        #expect(simulation.plan.originCount <= 10)
        run(simulation, untilSecond: 600)
        for number in 0..<5 {
            let calls = simulation.calls.filter { $0.origin == "http://dead\(number)" }
            // Five, and then probes with growing pauses, though others took their places meanwhile.
            #expect((6...12).contains(calls.count), "\(calls.count)")
        }
        #expect(Set(simulation.plan.openBreakers.keys) == Set((0..<5).map { "http://dead\($0)" }))
        // A retry by hand ends a pause though its host has no place.
        let before = simulation.calls.count
        simulation.plan.probe(["http://dead0"], at: simulation.now)
        run(simulation, untilSecond: simulation.second + 1)
        #expect(simulation.calls.dropFirst(before).contains { $0.origin == "http://dead0" })
    }

    @Test func `a host is called once before it is called more`() {
        let simulation = PlanSimulation { _, _ in true }
        simulation.callSeconds = 1
        simulation.queue("http://a", count: 100)
        simulation.run(untilSecond: 0.5)
        #expect(simulation.plan.inFlight == 1)
        simulation.run(untilSecond: 1.5)
        #expect(simulation.plan.inFlight == simulation.plan.limits.perHost)
    }

    @Test func `what waits for long before the first call puts its host in doubt`() {
        let simulation = PlanSimulation { origin, _ in origin == "http://new" ? true : nil }
        simulation.plan.isHeld = true
        hang(simulation, 600)
        simulation.run(untilSecond: 61)
        // As after a restart: nothing is known of them but how long they have waited.
        let restarted = PlanSimulation(rows: simulation, receiver: simulation.receiver)
        restarted.plan.scanned(restarted.waitingOrigins, at: restarted.now)
        run(restarted, untilSecond: restarted.second + 1)
        #expect(restarted.plan.inFlight == restarted.plan.limits.concurrency / 4)
        #expect(delay(restarted, "http://new") <= 1)
    }
}

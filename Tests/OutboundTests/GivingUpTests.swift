import Domain
import Net
import Store
import TestSupport
import Testing

@testable import Outbound

/// Deliveries whose time is up while they wait for a host that fails.
@Suite struct GivingUpTests {
    private typealias Harness = DispatcherHarness
    private static let hour: Int64 = 3600

    /// One whose clock can be set, and whose host fails until it's back.
    private struct World {
        let isBack = Locked(false)
        let source: FakeTrafficSource
        let aheadMicros = Locked<Int64>(0)
        let harness: Harness

        init() throws {
            let (isBack, aheadMicros) = (isBack, aheadMicros)
            source = try FakeTrafficSource { _, _ in isBack.current ? .ok : .status(503) }
            var hooks = Dispatcher.Hooks()
            hooks.wallMicros = { Clock.wallMicros() + aheadMicros.current }
            harness = try Harness(settings: { $0.perHost = 1 }, hooks: hooks)
        }

        func pass(hours: Int64) { aheadMicros.with { $0 += hours * 3_600_000_000 } }

        /// Deliveries of a destination, by their number.
        func queue(_ count: Int, to destination: String = "test/a") throws {
            let at = Harness.now().advanced(by: .microseconds(aheadMicros.current))
            try harness.queue(
                (0..<count).map { Harness.request(source.url + "/\(destination)/\($0)") },
                to: destination, at: at)
        }

        func all() throws -> [Delivery] {
            try harness.read { reader throws(StoreError) in
                try reader.deliveries(DeliveryFilter(), limit: 10_000, cursor: nil).items
            }
        }
    }

    @Test func `what waited behind a failing host for three days ends with the reason`() throws {
        let world = try World()
        try world.queue(500)
        world.pass(hours: 72)
        // Three days are not over for these.
        try world.queue(20, to: "test/b")
        world.harness.dispatcher.start()
        try eventually("all but the newer ones are dead") {
            try world.harness.count(.dead) == 500
        }
        // Five calls opened the breaker, and no more were made for it.
        #expect(world.source.count <= Breaker.failuresMax + 1, "\(world.source.count)")
        let (dead, waiting) = (
            try world.all().filter { $0.state == .dead },
            try world.all().filter { $0.state == .waiting }
        )
        #expect(dead.allSatisfy { $0.destination == "test/a" })
        #expect(waiting.count == 20 && waiting.allSatisfy { $0.destination == "test/b" })
        let untried = dead.filter { $0.attemptCount == 0 }
        #expect(untried.count >= 494)
        #expect(
            untried.allSatisfy {
                $0.reason == "given up 72 h after the conversion, without an attempt: "
                    + "its host fails: answered 503 Scripted"
            }, "\(untried.first?.reason ?? "")")

        // By hand each of them is called again, though it never was.
        world.isBack.with { $0 = true }
        let ids = untried.map(\.id)
        try world.harness.perform { transaction throws(StoreError) in
            for id in ids {
                _ = try transaction.retry(id, at: Harness.now().advanced(by: .seconds(72 * 3600)))
            }
        }
        try eventually("they are delivered") {
            try world.harness.count(.delivered) == ids.count + 20
        }
    }

    @Test func `nothing ends while it is paused, nor for the time of a pause`() throws {
        let world = try World()
        try world.queue(30)
        try world.queue(30, to: "test/b")
        let pause = try world.harness.pause(.destination("test/b"))
        world.pass(hours: 80)
        world.harness.dispatcher.start()
        try eventually("what is not paused is dead") { try world.harness.count(.dead) == 30 }
        #expect(try world.harness.count(.waiting) == 30)

        // Its pause counts as no time: it has 72 hours from now on.
        world.isBack.with { $0 = true }
        try world.harness.perform { transaction throws(StoreError) in
            _ = try transaction.resume(
                pause.id, at: Harness.now().advanced(by: .seconds(80 * 3600)))
        }
        try eventually("it is delivered") { try world.harness.count(.delivered) == 30 }
    }

    @Test func `a host that is back is told of everything, however late`() throws {
        let world = try World()
        try world.queue(40)
        world.pass(hours: 100)
        world.isBack.with { $0 = true }
        world.harness.dispatcher.start()
        try eventually("all are delivered") { try world.harness.count(.delivered) == 40 }
    }

    @Test func `origins that are well again are passed over, however many they are`() throws {
        let world = try World()
        let dispatcher = world.harness.dispatcher
        dispatcher.start()
        let isDone = Locked(false)
        world.harness.loop.post {
            for number in 0..<GiveUpQueue.rememberedMax {
                dispatcher.giveUps.append("http://h\(number)", atNanos: 0)
            }
            dispatcher.noteFailing("http://last")
            let isUnderWay = dispatcher.giveUps.isUnderWay
            isDone.with { $0 = !isUnderWay }
        }
        try eventually("none is looked at") { isDone.current }
    }
}

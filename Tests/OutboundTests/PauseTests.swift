import Domain
import HTTP
import Store
import TestSupport
import Testing

@testable import Outbound

/// Destinations and hosts that are not called for a while.
@Suite struct PauseTests {
    private typealias Harness = DispatcherHarness

    private static func requests(_ source: FakeTrafficSource, _ name: String, _ count: Int)
        -> [OutboundRequest]
    {
        (0..<count).map { Harness.request("\(source.url)/\(name)-\($0)") }
    }

    @Test func `a paused destination holds up no other of its host, and its memory is free`() throws
    {
        let source = try FakeTrafficSource()
        let harness = try Harness(settings: { $0.windowMax = 16 })
        let pause = try harness.pause(.destination("test/held"))
        // The paused one's are due first.
        try harness.queue(Self.requests(source, "held", 500), to: "test/held")
        try harness.queue(Self.requests(source, "free", 100), to: "test/free")
        harness.dispatcher.start()
        try eventually("the others are delivered") { try harness.count(.delivered) == 100 }
        #expect(source.targets.allSatisfy { $0.hasPrefix("/free-") })
        try eventually("nothing is left in memory") { harness.dispatcher.status.origins == 0 }
        #expect(harness.dispatcher.status.waitingInMemory == 0)
        // New ones wake nobody for the paused destination.
        try harness.queue(Self.requests(source, "later", 1), to: "test/held")
        try harness.queue(Self.requests(source, "fence", 1), to: "test/free")
        try eventually("the fence is delivered") { try harness.count(.delivered) == 101 }
        #expect(source.count == 101)

        try harness.resume(pause)
        try eventually("all are delivered") { try harness.count(.delivered) == 602 }
        #expect(source.count == 602 && Set(source.targets).count == 602)
    }

    @Test(arguments: [true, false])
    func `once a pause is answered no further call begins`(isHost: Bool) throws {
        let hold = Hold()
        // However long the pause takes to come, not all calls are made before it.
        let source = try FakeTrafficSource { _, before in
            .init(200, delay: 0.005, hold: before < 40 ? nil : hold)
        }
        let other = try FakeTrafficSource()
        let harness = try Harness(settings: { $0.perHost = 4 })
        harness.dispatcher.start()
        try harness.queue(Self.requests(source, "a", 400), to: "test/a")
        try source.await(20)
        let scope: Pause.Scope = isHost ? .host(source.url) : .destination("test/a")
        let pause = try harness.pause(scope)
        let begun = source.count
        hold.end()
        try eventually("calls in flight end") { harness.dispatcher.status.inFlight == 0 }
        // Another host goes on.
        try harness.queue(Self.requests(other, "b", 50), to: "test/b")
        try other.await(50)
        try eventually("their results are kept") {
            harness.dispatcher.status.unrecorded == 0
        }
        #expect(source.count <= begun + 4, "\(source.count) after \(begun)")
        let held = try harness.count(.waiting)
        #expect(held > 0 && held == 400 - source.count)
        #expect(harness.dispatcher.status.waitingInMemory == 0)

        try harness.resume(pause)
        try eventually("all are delivered") { try harness.count(.delivered) == 450 }
        #expect(source.count == 400 && Set(source.targets).count == 400)
    }

    @Test func `one that fails while its pause begins is tried again after the pause`() throws {
        let hold = Hold()
        let source = try FakeTrafficSource { _, before in
            before == 0 ? .init(500, hold: hold) : .ok
        }
        let harness = try Harness(settings: {
            $0.schedule = { $0.at.advanced(by: .milliseconds(1)) }
        })
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/a"))
        try source.await(1)
        let pause = try harness.pause(.destination("test/0"))
        hold.end()
        let (delivery, _) = try harness.await(id, attempts: 1)
        #expect(delivery.state == .waiting)
        let fence = try harness.queue([
            Harness.request(source.url + "/b"), Harness.request(source.url + "/c"),
        ])
        try harness.await(fence[1], .delivered)
        #expect(source.targets.filter { $0 == "/a" }.count == 1)
        try harness.resume(pause)
        try harness.await(id, .delivered)
        try harness.await(fence[0], .delivered)
    }

    @Test func `a pause outlives the program`() throws {
        let source = try FakeTrafficSource()
        let directory = try TemporaryDirectory()
        do {
            let first = try Harness(directory: directory)
            _ = try first.pause(.host("127.0.0.1"))
            try first.queue(Self.requests(source, "a", 3), to: "test/a")
            first.close()
        }
        let second = try Harness(directory: directory)
        second.dispatcher.start()
        let other = try FakeTrafficSource()
        try second.queue(
            [Harness.request("http://localhost:\(other.port)/b")], to: "test/b")
        try eventually("another host is called") { other.count == 1 }
        #expect(source.count == 0)
        let lasting = second.ledger.catalog.pauses.lasting
        #expect(lasting.map(\.scope) == [.host("127.0.0.1")])
        try second.resume(lasting[0])
        try source.await(3)
    }

    @Test func `the time of a pause is not counted for giving up`() {
        let judge = AttemptJudge(settings: Dispatcher.Settings())
        let start = Instant(micros: 1_800_000_000_000_000)
        let delivery = Delivery(
            id: DeliveryID(1), conversionID: ConversionID(1), revision: 1, destination: "a/b",
            state: .waiting, reason: nil, dueAt: start, convertedAt: start,
            request: Harness.request("https://a.example/"), attemptCount: 3)
        func outcome(afterHours hours: Int64, heldHours: Int64) -> AttemptOutcome {
            let now = start.advanced(by: .seconds(hours * 3600))
            let times = AttemptJudge.Times(
                startedAt: now, endedAt: now, milliseconds: 1,
                held: .seconds(heldHours * 3600))
            return judge.judge(
                .failed(.connect("refused", code: 111)), of: delivery, times, jitter: 0
            ).result.outcome
        }
        guard case .dead = outcome(afterHours: 73, heldHours: 0) else {
            Issue.record("it is given up after 72 hours")
            return
        }
        guard case .retry(let at) = outcome(afterHours: 73, heldHours: 2) else {
            Issue.record("72 hours have not passed but for the pause")
            return
        }
        #expect(at > start.advanced(by: .seconds(73 * 3600)))
        guard case .dead(let reason) = outcome(afterHours: 75, heldHours: 2) else {
            Issue.record("it is given up two hours later")
            return
        }
        #expect(reason.contains("pauses not counted"))
    }
}

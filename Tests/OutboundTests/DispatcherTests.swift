import Domain
import Store
import TestSupport
import Testing

@testable import Outbound

/// The dispatcher on real sockets and a real ledger.
@Suite struct DispatcherTests {
    private typealias Harness = DispatcherHarness

    /// Failed deliveries are due again after so many milliseconds.
    private static func schedule(milliseconds: Int) -> (inout Dispatcher.Settings) -> Void {
        { $0.schedule = { $0.at.advanced(by: .milliseconds(milliseconds)) } }
    }

    @Test func `a delivery is sent once, as it was rendered`() throws {
        let source = try FakeTrafficSource()
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(
            Harness.request(
                source.url + "/conv?id=W8d%2F&v=1.5", method: .post,
                headers: [.init(name: "Content-Type", value: "application/json")],
                body: Array("{\"a\":1}".utf8)))
        try harness.await(id, .delivered)
        let call = source.received[0]
        #expect(call.method == "POST" && call.target == "/conv?id=W8d%2F&v=1.5")
        #expect(call.fields["content-type"] == "application/json" && call.text == "{\"a\":1}")
        #expect(call.fields["user-agent"] == "Clickrelay")
        #expect(call.idempotencyKey?.hasPrefix("clickrelay-\(id)-") == true)
        let attempts = try harness.attempts(id)
        #expect(attempts.count == 1 && attempts[0].status == 200 && attempts[0].error == nil)
        #expect(attempts[0].excerpt == Array("OK".utf8))
        #expect(source.count == 1)
    }

    @Test func `a failed delivery is sent again with the same key until it's taken`() throws {
        let source = try FakeTrafficSource { _, before in before < 3 ? .status(500) : .ok }
        let harness = try Harness(settings: Self.schedule(milliseconds: 5))
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/conv"))
        try harness.await(id, .delivered)
        #expect(try harness.attempts(id).map(\.status) == [500, 500, 500, 200])
        #expect(try harness.attempts(id)[0].error == "answered 500 Scripted")
        #expect(try harness.attempts(id).map(\.number) == [1, 2, 3, 4])
        let keys = Set(source.received.map(\.idempotencyKey))
        #expect(keys.count == 1)
        #expect(keys.first??.hasPrefix("clickrelay-\(id)-") == true)
    }

    @Test func `without a schedule of its own a failed delivery waits about ten seconds`() throws {
        let source = try FakeTrafficSource { _, _ in .status(500) }
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/conv"))
        let (delivery, attempts) = try harness.await(id, attempts: 1)
        #expect(delivery.state == .waiting)
        let pause = delivery.dueAt - attempts[0].at
        #expect(.seconds(10) <= pause && pause < .seconds(25), "with the time that the call took")
    }

    @Test func `Retry-After moves the next attempt`() throws {
        let source = try FakeTrafficSource { _, _ in
            .init(429, fields: ["Retry-After": "1800"])
        }
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/conv"))
        let (delivery, attempts) = try harness.await(id, attempts: 1)
        let pause = delivery.dueAt - attempts[0].at
        #expect(.seconds(1800) <= pause && pause < .seconds(1810))
    }

    @Test func `410 ends a delivery`() throws {
        let source = try FakeTrafficSource { _, _ in .status(410) }
        let harness = try Harness(settings: Self.schedule(milliseconds: 1))
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/conv"))
        try harness.await(id, .dead)
        #expect(try harness.delivery(id).reason == "the receiver answered 410 Gone")
        #expect(source.count == 1)
    }

    @Test func `a redirect is not followed and says where it led`() throws {
        let elsewhere = try FakeTrafficSource()
        let location = elsewhere.url + "/x"
        let source = try FakeTrafficSource { _, _ in .init(302, fields: ["Location": location]) }
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/conv"))
        let (_, attempts) = try harness.await(id, attempts: 1)
        #expect(attempts[0].status == 302)
        #expect(attempts[0].error == "answered 302 to \(location); redirects are not followed")
        #expect(elsewhere.count == 0)
    }

    @Test func `a text that the destination asks for decides`() throws {
        let source = try FakeTrafficSource { _, before in
            .init(200, body: before == 0 ? "ERROR" : String(repeating: ".", count: 9000) + "OK")
        }
        let harness = try Harness(settings: Self.schedule(milliseconds: 1))
        harness.dispatcher.start()
        let id = try harness.queue(
            Harness.request(source.url + "/conv", success: SuccessRule(bodyContains: "OK")))
        try harness.await(id, .delivered)
        let attempts = try harness.attempts(id)
        #expect(attempts[0].error == "answered 200 without the text \"OK\"")
        #expect(attempts[1].excerpt.count == Attempt.excerptMax)
    }

    @Test func `a loopback address is not called unless the destination allows it`() throws {
        let source = try FakeTrafficSource()
        let harness = try Harness()
        harness.dispatcher.start()
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let id = try harness.queue(
                Harness.request("http://\(host):\(source.port)/conv", allowsPrivate: false))
            let (delivery, attempts) = try harness.await(id, attempts: 1)
            #expect(delivery.state == .waiting)
            #expect(attempts[0].error?.contains("is a loopback address") == true)
            #expect(attempts[0].error?.contains("allow_private") == true)
        }
        #expect(source.count == 0)
    }

    @Test func `our own address is refused unless the destination allows it`() throws {
        let own = SocketAddressBits.loopback
        let gate = AddressGate { bits, port in bits == own && port == 8080 }
        let publicOwn = AddressGate { _, port in port == 8080 }
        let strict = Harness.request("http://8.8.8.8/", allowsPrivate: false)
        let open = Harness.request("http://8.8.8.8/", allowsPrivate: true)
        #expect(gate.check(for: strict)(own, 8080)?.contains("loopback") == true)
        #expect(gate.check(for: open)(own, 8080) == nil)
        let eights: UInt128 = 0xffff_0808_0808
        #expect(publicOwn.check(for: strict)(eights, 8080)?.contains("this tracker") == true)
        #expect(publicOwn.check(for: strict)(eights, 80) == nil)
        #expect(publicOwn.check(for: open)(eights, 8080) == nil)
    }

    @Test(arguments: [
        "ftp://example.com/", "http://user@127.0.0.1/", "http://127.0.0.1:99999/", "http:///",
        "http://127.0.0.1/a b",
    ])
    func `a URL that can't be called makes a dead delivery`(url: String) throws {
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(url))
        try harness.await(id, .dead)
        #expect(try harness.delivery(id).reason?.hasPrefix("it can't be sent: the URL") == true)
        #expect(try harness.attempts(id).count == 1)
    }

    @Test func `a header with a line break makes a dead delivery`() throws {
        let source = try FakeTrafficSource()
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(
            Harness.request(
                source.url + "/", headers: [.init(name: "X-A", value: "1\r\nX-B: 2")]))
        try harness.await(id, .dead)
        #expect(try harness.delivery(id).reason?.contains("X-A") == true)
        #expect(source.count == 0)
    }

    @Test func `by the clock a delivery is tried again, and given up after three days`() throws {
        let source = try FakeTrafficSource { _, _ in .status(400) }
        let ahead = Locked<Int64>(0)
        var hooks = Dispatcher.Hooks()
        hooks.wallMicros = { Harness.now().micros + ahead.current * 3_600_000_000 }
        hooks.random = { 0 }
        let harness = try Harness(hooks: hooks)
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/"))
        _ = try harness.await(id, attempts: 1)
        ahead.with { $0 = 71 }
        let (delivery, attempts) = try harness.await(id, attempts: 2)
        #expect(delivery.state == .waiting)
        #expect(.seconds(71 * 3600) <= attempts[1].at - attempts[0].at)
        ahead.with { $0 = 72 }
        try harness.await(id, .dead)
        #expect(try harness.delivery(id).reason?.hasPrefix("given up 72 h after") == true)
        #expect(source.count == 3)
    }

    // MARK: The queue

    @Test func `what waits on disk at the start is sent`() throws {
        let source = try FakeTrafficSource()
        let first = try Harness()
        let ids = try first.queue((0..<50).map { Harness.request(source.url + "/\($0)") })
        first.close()
        #expect(source.count == 0)

        let second = try Harness(directory: first.directory)
        second.dispatcher.start()
        try source.await(50)
        try second.await(ids[49], .delivered)
        try eventually("all are delivered") { try second.count(.delivered) == 50 }
        #expect(source.count == 50)
    }

    @Test func `a failed delivery is due after a restart as before`() throws {
        let source = try FakeTrafficSource { _, before in before == 0 ? .status(500) : .ok }
        let first = try Harness(settings: Self.schedule(milliseconds: 400))
        first.dispatcher.start()
        let id = try first.queue(Harness.request(source.url + "/"))
        let due = try first.await(id, attempts: 1).0.dueAt
        first.close()

        let second = try Harness(directory: first.directory)
        second.dispatcher.start()
        try second.await(id, .delivered)
        #expect(try second.attempts(id)[1].at >= due)
        #expect(source.count == 2)
    }

    @Test func `memory holds a window of ten thousand waiting deliveries`() throws {
        let hold = Hold()
        let source = try FakeTrafficSource { _, before in
            .init(200, hold: before == 0 ? hold : nil)
        }
        let harness = try Harness(settings: {
            $0.perHost = 1
            $0.windowMax = 20
        })
        try harness.queue((0..<10_000).map { Harness.request(source.url + "/\($0)") })
        harness.dispatcher.start()
        var most = 0
        func look() {
            let status = harness.dispatcher.status
            most = max(most, status.waitingInMemory)
            #expect(status.inFlight <= 1)
        }
        try eventually("some wait in memory") {
            look()
            return most >= 10
        }
        hold.end()
        try eventually("some are delivered") {
            look()
            return source.count >= 300
        }
        #expect(most <= 20)
        // The longest due first.
        #expect(source.targets.prefix(300) == (0..<300).map { "/\($0)" }[...])
    }

    @Test func `a backlog is delivered completely and without repetition`() throws {
        let source = try FakeTrafficSource()
        let harness = try Harness(settings: { $0.windowMax = 16 })
        harness.dispatcher.start()
        for round in 0..<5 {
            try harness.queue((0..<200).map { Harness.request(source.url + "/\(round)-\($0)") })
        }
        try eventually("all are delivered") { try harness.count(.delivered) == 1000 }
        #expect(source.count == 1000)
        #expect(Set(source.targets).count == 1000)
        try eventually("nothing is left in memory") {
            harness.dispatcher.status.origins == 0
        }
    }

    @Test func `a cancelled delivery is not sent`() throws {
        let hold = Hold()
        let source = try FakeTrafficSource { request, _ in
            .init(200, hold: request.target == "/0" ? hold : nil)
        }
        let harness = try Harness(settings: { $0.perHost = 1 })
        harness.dispatcher.start()
        let ids = try harness.queue((0..<3).map { Harness.request(source.url + "/\($0)") })
        try source.await(1)
        let cancelled = ids[1]
        _ = try harness.perform { transaction throws(StoreError) in
            try transaction.cancel(cancelled)
        }
        hold.end()
        try harness.await(ids[2], .delivered)
        #expect(source.targets == ["/0", "/2"])
        #expect(try harness.delivery(cancelled).state == .cancelled)

        // And by hand it can be sent after all.
        _ = try harness.perform { transaction throws(StoreError) in
            try transaction.retry(cancelled, at: Harness.now())
        }
        try harness.await(cancelled, .delivered)
        #expect(source.targets == ["/0", "/2", "/1"])
    }

    @Test func `one cancelled during its call is not sent again`() throws {
        let hold = Hold()
        let source = try FakeTrafficSource { _, _ in .init(500, hold: hold) }
        let harness = try Harness(settings: Self.schedule(milliseconds: 1))
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/a"))
        try source.await(1)
        _ = try harness.perform { transaction throws(StoreError) in try transaction.cancel(id) }
        hold.end()
        let (delivery, _) = try harness.await(id, attempts: 1)
        #expect(delivery.state == .cancelled)
        // Whatever it would do wrong, it would do before this one.
        let other = try harness.queue(Harness.request(source.url + "/b"))
        _ = try harness.await(other, attempts: 2)
        #expect(source.targets.filter { $0 == "/a" }.count == 1)
    }

    @Test func `a retry by hand sends a waiting delivery at once`() throws {
        let source = try FakeTrafficSource { _, before in before == 0 ? .status(500) : .ok }
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/"))
        _ = try harness.await(id, attempts: 1)
        _ = try harness.perform { transaction throws(StoreError) in
            try transaction.retry(id, at: Harness.now())
        }
        try harness.await(id, .delivered)
    }
}

private enum SocketAddressBits { static let loopback: UInt128 = 0xffff_7f00_0001 }

import Domain
import Store
import TestSupport
import Testing

@testable import Outbound

/// Receivers that do what they should not.
@Suite struct HostileReceiverTests {
    private typealias Harness = DispatcherHarness

    /// - Parameter timeout: in milliseconds; nil: as usual.
    private func firstAttempt(_ url: String, timeout: Int? = nil) throws -> (Delivery, Attempt) {
        let harness = try Harness(settings: {
            if let timeout { $0.timeoutMilliseconds = timeout }
        })
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(url + "/conv"))
        let (delivery, attempts) = try harness.await(id, attempts: 1)
        let attempt = try #require(attempts.first)
        return (delivery, attempt)
    }

    @Test func `nobody listens`() throws {
        let closed = try FakeTrafficSource()
        let url = closed.url
        closed.stop()
        // The thread that accepts closes the port a moment later.
        let (delivery, attempt) = try eventually("the port is closed") {
            let result = try firstAttempt(url)
            return result.1.error?.contains("refused") == true ? result : nil
        }
        #expect(delivery.state == .waiting && attempt.status == nil)
        #expect(delivery.reason == attempt.error)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let mode: FaultyPeer.Mode
        /// One of these is part of the attempt's error.
        let reasons: [String]
        /// Of those that end by it: long enough for a connection on a busy machine.
        let timeout: Int?

        init(
            _ description: String, _ mode: FaultyPeer.Mode, timeout: Int? = nil,
            _ reasons: String...
        ) {
            testDescription = description
            self.mode = mode
            self.reasons = reasons
            self.timeout = timeout
        }
    }

    static let cases = [
        Case("stalls", .stalls, timeout: 2000, "no answer within 2 s"),
        Case(
            "drips", .drips("HTTP/1.1 200 OK\r\n\r\n", pauseSeconds: 0.2), timeout: 2000,
            "no answer within 2 s"),
        Case(
            "stalls in the body",
            .saysAndStalls("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), timeout: 2000,
            "no answer within 2 s"),
        Case("closes at once", .closesAtOnce, "the server closed the connection before an answer"),
        // Which of them depends on how far our request has got.
        Case("resets at once", .resetsAtOnce, "reset", "Broken pipe", "before an answer"),
        Case("garbage", .says("\u{1}\u{2} no HTTP\r\n\r\n"), "not a valid HTTP answer"),
        Case(
            "closes in the body", .says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
            "in the middle of the answer"),
        Case(
            "interim answers without end", .floods("HTTP/1.1 100 Continue\r\n\r\n"),
            "not a valid HTTP answer"),
        Case(
            "a header without end",
            .floods("HTTP/1.1 200 OK\r\nX-A: " + String(repeating: "a", count: 9000)),
            "not a valid HTTP answer"),
    ]

    @Test(arguments: cases)
    func `an attempt fails with a readable reason`(hostile: Case) throws {
        let peer = try FaultyPeer(hostile.mode)
        let (delivery, attempt) = try firstAttempt(peer.url, timeout: hostile.timeout)
        #expect(delivery.state == .waiting)
        #expect(attempt.status == nil)
        let error = attempt.error ?? ""
        #expect(hostile.reasons.contains { error.contains($0) }, "\(error)")
        #expect(attempt.milliseconds < 15_000)
    }

    @Test func `an endless body is cut off and its status counts`() throws {
        let peer = try FaultyPeer(
            .floods("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 60_000)))
        let (delivery, attempt) = try firstAttempt(peer.url)
        #expect(delivery.state == .delivered && attempt.status == 200)
        #expect(attempt.excerpt.count == Attempt.excerptMax)
    }

    @Test func `HTTP 1.0 is understood`() throws {
        let peer = try FaultyPeer(.says("HTTP/1.0 200 OK\r\n\r\nfine"))
        let (delivery, attempt) = try firstAttempt(peer.url)
        #expect(delivery.state == .delivered && attempt.excerpt == Array("fine".utf8))
    }

    @Test func `a name that doesn't exist`() throws {
        let (delivery, attempt) = try firstAttempt("http://no-such-host.invalid")
        #expect(delivery.state == .waiting)
        #expect(attempt.error?.hasPrefix("the name can't be resolved") == true)
    }

    @Test func `a dead host with a hundred waiting doesn't delay another`() throws {
        let dead = try FaultyPeer(.stalls)
        let source = try FakeTrafficSource()
        let harness = try Harness(settings: {
            $0.concurrency = 32
            $0.perHost = 32
            $0.timeoutMilliseconds = 60_000
        })
        harness.dispatcher.start()
        try harness.queue((0..<100).map { Harness.request(dead.url + "/\($0)") })
        try eventually("the dead host has a call") { harness.dispatcher.status.inFlight >= 1 }
        let ids = try harness.queue((0..<20).map { Harness.request(source.url + "/\($0)") })
        for id in ids { try harness.await(id, .delivered) }
        #expect(harness.dispatcher.status.inFlight >= 1, "the dead host's call has not ended")
    }

    @Test func `a host that fails is probed and gets everything once it's back`() throws {
        let isBack = Locked(false)
        let source = try FakeTrafficSource { _, _ in isBack.current ? .ok : .status(503) }
        let events = Locked<[String]>([])
        var hooks = Dispatcher.Hooks()
        hooks.log = { event, _ in events.with { $0.append(event) } }
        let harness = try Harness(
            settings: {
                $0.perHost = 1
                $0.schedule = { $0.at.advanced(by: .milliseconds(1)) }
            }, hooks: hooks)
        harness.dispatcher.start()
        let ids = try harness.queue((0..<40).map { Harness.request(source.url + "/\($0)") })
        try eventually("the breaker opens") { !harness.dispatcher.status.openBreakers.isEmpty }
        #expect(source.count == Breaker.failuresMax)
        let breaker = harness.dispatcher.status.openBreakers[0]
        #expect(breaker.origin == source.url && breaker.lastError == "answered 503 Scripted")

        isBack.with { $0 = true }
        // The first probe comes after five seconds.
        for id in ids { try harness.await(id, .delivered) }
        #expect(harness.dispatcher.status.openBreakers.isEmpty)
        #expect(source.count == Breaker.failuresMax + 40)
        #expect(events.current == ["outbound_host_failing", "outbound_host_recovered"])
    }
}

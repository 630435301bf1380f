import Domain
import Store
import TestSupport
import Testing

@testable import Outbound

@Suite struct SendingAuthTests {
    private static func value(_ name: String, _ fields: [(name: String, value: String)]) -> String?
    {
        fields.first { $0.name == name }?.value
    }

    /// The example of the scheme's own libraries.
    @Test func `a webhook is signed as the standard's example is`() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let fields = SendingAuth.webhook([secret]).headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: Instant(micros: 1_614_265_330_999_999),
            body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(Self.value("webhook-id", fields) == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(Self.value("webhook-timestamp", fields) == "1614265330")
        #expect(
            Self.value("webhook-signature", fields)
                == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `each secret signs, the first one first`() throws {
        let first = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let second = try #require(
            WebhookSecret(WebhookSecret.text(of: [UInt8](repeating: 7, count: 32))))
        func signature(_ secrets: [WebhookSecret]) -> String? {
            Self.value(
                "webhook-signature",
                SendingAuth.webhook(secrets).headers(
                    id: "a", at: Instant(micros: 0), body: [1, 2]))
        }
        let alone = try (#require(signature([first])), #require(signature([second])))
        #expect(alone.0 != alone.1)
        #expect(signature([first, second]) == "\(alone.0) \(alone.1)")
    }

    @Test func `nothing is added to a call without credentials`() {
        #expect(SendingAuth.none.headers(id: "a", at: Instant(micros: 0), body: []).isEmpty)
    }

    @Test func `a call is signed by the secrets of then, or not made at all`() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let isThere = Locked(true)
        var hooks = Dispatcher.Hooks()
        hooks.auth = { (delivery) throws(Unsendable) in
            guard delivery.request.auth == .webhook else { return .none }
            guard isThere.current else { throw Unsendable("the destination is gone") }
            return .webhook([secret])
        }
        let source = try FakeTrafficSource { _, _ in .status(500) }
        let harness = try DispatcherHarness(hooks: hooks)
        harness.dispatcher.start()
        let id = try harness.queue(
            DispatcherHarness.request(source.url + "/hook", method: .post, auth: .webhook))
        _ = try harness.await(id, attempts: 1)
        #expect(source.received[0].fields["webhook-signature"]?.hasPrefix("v1,") == true)

        isThere.with { $0 = false }
        _ = try harness.perform { transaction throws(StoreError) in
            try transaction.retry(id, at: DispatcherHarness.now())
        }
        try harness.await(id, .dead)
        #expect(try harness.delivery(id).reason == "it can't be sent: the destination is gone")
        #expect(try harness.attempts(id).map(\.status) == [500, nil])
        let plain = try harness.queue(DispatcherHarness.request(source.url + "/plain"))
        _ = try harness.await(plain, attempts: 1)
        #expect(source.count == 2 && source.received[1].fields["webhook-signature"] == nil)
    }
}

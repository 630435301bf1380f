import Domain
import HTTP
import Store
import TestSupport
import Testing

@testable import Outbound

/// Deliveries that go with an access token, and the endpoint that gives it.
@Suite struct AccessTokenTests {
    /// Gives out `t1`, `t2`…
    private static func endpoint(seconds: Int = 3600, delay: Double = 0, hold: Hold? = nil) throws
        -> FakeTrafficSource
    {
        try FakeTrafficSource { _, before in
            .init(
                200,
                body: """
                    {"access_token":"t\(before + 1)","expires_in":\(seconds),"token_type":"Bearer"}
                    """, delay: delay, hold: hold)
        }
    }

    private static func credential(_ url: String, allowsPrivate: Bool = true) -> OAuthCredential {
        OAuthCredential(
            tokenURL: url + "/token", clientID: "client&1", clientSecret: "client-s3cret",
            refreshToken: "refresh-s3cret", scopes: ["a", "b"], allowsPrivate: allowsPrivate)
    }

    private static func harness(
        _ credential: OAuthCredential, directory: TemporaryDirectory? = nil,
        timeoutMilliseconds: Int = 15_000
    ) throws -> DispatcherHarness {
        var hooks = Dispatcher.Hooks()
        hooks.auth = { (delivery) throws(Unsendable) in
            delivery.request.auth == .oauth ? .oauth(credential) : .none
        }
        let harness = try DispatcherHarness(
            directory: directory,
            settings: { settings in
                settings.perHost = 64
                settings.timeoutMilliseconds = timeoutMilliseconds
            }, hooks: hooks)
        harness.dispatcher.start()
        return harness
    }

    private static func request(_ source: FakeTrafficSource) -> OutboundRequest {
        DispatcherHarness.request(source.url + "/conv", method: .post, auth: .oauth)
    }

    private static func delivery(_ source: FakeTrafficSource) -> Delivery {
        let now = DispatcherHarness.now()
        return Delivery(
            id: DeliveryID(0), conversionID: ConversionID(0), revision: 1, destination: "a/b",
            state: .waiting, reason: nil, dueAt: now, convertedAt: now, request: request(source),
            attemptCount: 0)
    }

    private static func tokens(_ source: FakeTrafficSource) -> [String] {
        source.received.compactMap { $0.fields["authorization"] }
    }

    @Test func `sixty-four deliveries at once ask for one token`() throws {
        let (endpoint, source) = (try Self.endpoint(delay: 0.3), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url))
        try harness.queue((0..<64).map { _ in Self.request(source) })
        try eventually("all are delivered") { try harness.count(.delivered) == 64 }
        #expect(endpoint.count == 1)
        #expect(Self.tokens(source) == [String](repeating: "Bearer t1", count: 64))
        let asked = endpoint.received[0]
        #expect(asked.method == "POST" && asked.target == "/token")
        #expect(asked.fields["content-type"] == "application/x-www-form-urlencoded")
        #expect(
            asked.text == "grant_type=refresh_token&refresh_token=refresh-s3cret"
                + "&client_id=client%261&client_secret=client-s3cret&scope=a%20b")
    }

    @Test func `a token is used until it ends, and then another one`() throws {
        let (endpoint, source) = (try Self.endpoint(seconds: 1), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url))
        try eventually("another token is asked for") {
            let id = try harness.queue(Self.request(source))
            try harness.await(id, .delivered)
            return endpoint.count > 1
        }
        // More than one may have ended on a slow machine.
        let numbers = Self.tokens(source).compactMap { Int($0.dropFirst("Bearer t".count)) }
        #expect(numbers.count == source.count && numbers == numbers.sorted())
        #expect(numbers.first == 1 && numbers.last == endpoint.count)
    }

    @Test func `a token that is refused is replaced within the attempt`() throws {
        let endpoint = try Self.endpoint()
        let source = try FakeTrafficSource { call, _ in
            call.fields["authorization"] == "Bearer t2" ? .ok : .status(401)
        }
        let harness = try Self.harness(Self.credential(endpoint.url))
        let id = try harness.queue(Self.request(source))
        try harness.await(id, .delivered)
        #expect(try harness.attempts(id).map(\.status) == [200])
        #expect(Self.tokens(source) == ["Bearer t1", "Bearer t2"] && endpoint.count == 2)
    }

    @Test func `a receiver that takes no token is no reason to ask for one after the other`()
        throws
    {
        let endpoint = try Self.endpoint()
        let source = try FakeTrafficSource { _, _ in .status(401) }
        let harness = try Self.harness(Self.credential(endpoint.url))
        let ids = try harness.queue((0..<20).map { _ in Self.request(source) })
        for id in ids {
            let (delivery, attempts) = try harness.await(id, attempts: 1)
            #expect(delivery.state == .waiting && attempts[0].error == "answered 401 Scripted")
        }
        #expect(endpoint.count == 2)
    }

    @Test func `a refresh token that is no longer good says what to do, and no secret`() throws {
        let endpoint = try FakeTrafficSource { call, _ in
            .init(
                400,
                body: #"{"error":"invalid_grant","error_description":"no refresh-s3cret\n here"}"#)
        }
        let source = try FakeTrafficSource()
        let harness = try Self.harness(Self.credential(endpoint.url))
        let ids = try harness.queue((0..<8).map { _ in Self.request(source) })
        for id in ids {
            let (delivery, attempts) = try harness.await(id, attempts: 1)
            #expect(delivery.state == .waiting && delivery.dueAt > DispatcherHarness.now())
            #expect(attempts.count == 1 && attempts[0].status == nil)
            let error = try #require(attempts[0].error)
            #expect(
                error.hasPrefix(
                    "no access token: 127.0.0.1:\(endpoint.port): answered 400 invalid_grant "
                        + "(no ???? here): the refresh token is expired"), "\(error)")
            #expect(error.contains("make a new one") && !error.contains("s3cret"))
        }
        #expect(endpoint.count == 1 && source.count == 0)
    }

    @Test(arguments: [FakeTrafficSource.Answer.Manner.stall, .reset, .garbage])
    func `an endpoint that fails makes an attempt that is made again`(
        manner: FakeTrafficSource.Answer.Manner
    ) throws {
        let endpoint = try FakeTrafficSource { _, _ in .manner(manner) }
        let source = try FakeTrafficSource()
        let harness = try Self.harness(
            Self.credential(endpoint.url),
            timeoutMilliseconds: manner == .stall ? 1000 : 15_000)
        let id = try harness.queue(Self.request(source))
        let (delivery, attempts) = try harness.await(id, attempts: 1)
        #expect(delivery.state == .waiting)
        #expect(
            attempts[0].error?.hasPrefix("no access token: 127.0.0.1:\(endpoint.port): ") == true)
        #expect(source.count == 0)
    }

    @Test func `what waits for an endpoint that fails is not called in vain, one after the other`()
        throws
    {
        let isBack = Locked(false)
        let endpoint = try FakeTrafficSource { _, _ in
            isBack.current
                ? .init(200, body: #"{"access_token":"t1","expires_in":3600}"#) : .status(503)
        }
        let source = try FakeTrafficSource()
        let harness = try Self.harness(Self.credential(endpoint.url))
        let ids = try harness.queue((0..<100).map { _ in Self.request(source) })
        let open = try eventually("the breaker opens") {
            harness.dispatcher.status.openBreakers.first
        }
        #expect(open.origin == source.url)
        #expect(
            open.lastError
                == "no access token: 127.0.0.1:\(endpoint.port): answered 503 Scripted")
        // One to begin with, and as many at once as a host in doubt gets.
        let attempted = try ids.filter { try !harness.attempts($0).isEmpty }.count
        #expect((1...17).contains(attempted) && source.count == 0)
        isBack.with { $0 = true }
        try eventually("all are delivered") { try harness.count(.delivered) == 100 }
        #expect(source.count == 100 && harness.dispatcher.status.openBreakers.isEmpty)
    }

    @Test func `one account's refresh token is no reason to spare the receiver`() throws {
        let endpoint = try FakeTrafficSource { _, _ in
            .init(400, body: #"{"error":"invalid_grant"}"#)
        }
        let source = try FakeTrafficSource()
        let harness = try Self.harness(Self.credential(endpoint.url))
        for id in try harness.queue((0..<8).map { _ in Self.request(source) }) {
            _ = try harness.await(id, attempts: 1)
        }
        let plain = try harness.queue(DispatcherHarness.request(source.url + "/plain"))
        try harness.await(plain, .delivered)
        #expect(harness.dispatcher.status.openBreakers.isEmpty)
    }

    @Test func `a pause holds what waits for a token`() throws {
        let hold = Hold()
        let (endpoint, source) = (try Self.endpoint(hold: hold), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url))
        let id = try harness.queue(Self.request(source))
        try endpoint.await(1)
        let pause = try harness.pause(.destination("test/0"))
        hold.end()
        try eventually("the token has come") { harness.dispatcher.status.inFlight == 0 }
        #expect(try source.count == 0 && harness.attempts(id).isEmpty)
        try harness.resume(pause)
        try harness.await(id, .delivered)
        #expect(try harness.attempts(id).count == 1 && source.count == 1 && endpoint.count == 1)
    }

    @Test func `what is cancelled while it waits for a token is not called`() throws {
        let hold = Hold()
        let (endpoint, source) = (try Self.endpoint(hold: hold), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url))
        let id = try harness.queue(Self.request(source))
        try endpoint.await(1)
        _ = try harness.perform { transaction throws(StoreError) in try transaction.cancel(id) }
        hold.end()
        try eventually("the token has come") { harness.dispatcher.status.inFlight == 0 }
        #expect(try source.count == 0 && harness.attempts(id).isEmpty)
        #expect(try harness.delivery(id).state == .cancelled)
    }

    @Test func `the endpoint's address is checked like any other`() throws {
        let (endpoint, source) = (try Self.endpoint(), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url, allowsPrivate: false))
        let id = try harness.queue(Self.request(source))
        let (_, attempts) = try harness.await(id, attempts: 1)
        #expect(attempts[0].error?.contains("loopback") == true, "\(attempts)")
        #expect(endpoint.count == 0 && source.count == 0)
    }

    @Test func `a stop while a token is waited for leaves the delivery as it was`() throws {
        let endpoint = try FakeTrafficSource { _, _ in .manner(.stall) }
        let source = try FakeTrafficSource()
        let first = try Self.harness(Self.credential(endpoint.url))
        let id = try first.queue(Self.request(source))
        try endpoint.await(1)
        first.close()
        let good = try Self.endpoint()
        let second = try Self.harness(
            Self.credential(good.url), directory: first.directory)
        try second.await(id, .delivered)
        #expect(try second.attempts(id).count == 1 && source.count == 1)
    }

    @Test func `a test call goes with a token, which is not shown`() throws {
        let (endpoint, source) = (try Self.endpoint(), try FakeTrafficSource())
        let harness = try Self.harness(Self.credential(endpoint.url))
        let answer = Locked<JSONValue?>(nil)
        harness.dispatcher.tester.test(Self.delivery(source)) { seen in answer.with { $0 = seen } }
        let seen = try eventually("the call ends") { answer.current }
        #expect(seen["accepted"] == true && Self.tokens(source) == ["Bearer t1"])
        #expect(seen["request"]?["headers"]?["Authorization"] == "Bearer …")
        #expect(!seen.encoded().contains("t1\""))
    }

    @Test func `a test call's time is up for its token and its call together`() throws {
        let endpoint = try Self.endpoint(delay: 0.7)
        let source = try FakeTrafficSource { _, _ in .init(200, delay: 0.7) }
        let harness = try Self.harness(Self.credential(endpoint.url))
        let answer = Locked<JSONValue?>(nil)
        let tester = CallTester(
            harness.dispatcher.caller, Dispatcher.Hooks(), millisecondsMax: 1000)
        tester.test(Self.delivery(source)) { seen in answer.with { $0 = seen } }
        let seen = try eventually("the call ends") { answer.current }
        #expect(seen["accepted"] == false)
        #expect(seen["reason"]?.stringValue?.hasSuffix("no answer within 1 s") == true)
    }

    // MARK: Answers

    private static func read(_ status: Int, _ body: String) -> Result<
        AccessTokenAnswer, AccessTokenAnswer.Refusal
    > {
        Result { () throws(AccessTokenAnswer.Refusal) in
            try AccessTokenAnswer(status: status, reason: "Bad", body: Array(body.utf8))
        }
    }

    @Test(
        arguments: [
            (#"{"access_token":"a.b-c","expires_in":3599,"token_type":"Bearer"}"#, 3599),
            (#"{"access_token":"a.b-c","expires_in":"60","token_type":"bearer","scope":"x"}"#, 60),
            (#"{"access_token":"a.b-c"}"#, 300), (#"{"access_token":"a.b-c","expires_in":-1}"#, 0),
            (#"{"access_token":"a.b-c","expires_in":1e300}"#, 86_400),
            (#"{"access_token":"a.b-c","expires_in":"nan"}"#, 300),
        ])
    func `a token comes with its life`(body: String, seconds: Int) throws {
        let answer = try Self.read(200, body).get()
        #expect(answer.token == "a.b-c" && answer.lifeSeconds == seconds)
    }

    @Test(
        arguments: [
            (200, "", "answered 200 without an access_token"),
            (200, #"{"access_token":""}"#, "answered 200 without an access_token"),
            (200, #"{"access_token":7}"#, "answered 200 without an access_token"),
            (
                200, #"{"access_token":"a\r\nX: y"}"#,
                "answered with an access_token that can't stand in a header"
            ),
            (
                200, #"{"access_token":"a","token_type":"mac"}"#,
                "answered with a token of type mac, not Bearer"
            ),
            (302, "", "answered 302 Bad"),
            (
                401, #"{"error":"invalid_client"}"#,
                "answered 401 invalid_client: check the destination's oauth.client_id and "
                    + "oauth.client_secret"
            ),
            (500, #"{"error":{"code":500}}"#, "answered 500 Bad"),
            (400, #"{"error":"\u001b[31m"}"#, "answered 400 ?[31m"),
        ])
    func `an answer without a token says why`(status: Int, body: String, reason: String) {
        #expect(Self.read(status, body) == .failure(.init(reason)))
    }
}

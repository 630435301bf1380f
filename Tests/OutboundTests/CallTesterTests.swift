import Domain
import HTTP
import TestSupport
import Testing

@testable import Outbound

/// Test calls: made as deliveries are, and kept nowhere.
@Suite struct CallTesterTests {
    private static func delivery(_ request: OutboundRequest) -> Delivery {
        let now = DispatcherHarness.now()
        return Delivery(
            id: DeliveryID(0), conversionID: ConversionID(0), revision: 1, destination: "a/b",
            state: .waiting, reason: nil, dueAt: now, convertedAt: now, request: request,
            attemptCount: 0)
    }

    private static func test(_ request: OutboundRequest, _ harness: DispatcherHarness) throws
        -> JSONValue
    {
        let answer = Locked<JSONValue??>(nil)
        harness.dispatcher.tester.test(delivery(request)) { seen in
            answer.with { $0 = .some(seen) }
        }
        return try #require(try eventually("the call ends") { answer.current })
    }

    @Test func `a call is judged by its rule, told whole, and recorded nowhere`() throws {
        let source = try FakeTrafficSource { _, before in
            .init(200, fields: ["X-A": "1"], body: before == 0 ? "{\"code\":7}" : "{\"code\":0}")
        }
        let harness = try DispatcherHarness()
        harness.dispatcher.start()
        let rule = SuccessRule(bodyField: SuccessRule.BodyField(path: "code", .equals, 0))
        let request = DispatcherHarness.request(
            source.url + "/conv", method: .post,
            headers: [
                .init(name: "Authorization", value: "Bearer s3cret"),
                .init(name: "Content-Type", value: "application/json"),
            ], body: Array("{}".utf8), success: rule)
        let refused = try Self.test(request, harness)
        #expect(refused["accepted"] == false)
        #expect(refused["reason"]?.stringValue?.contains("7 at \"code\", not 0") == true)
        #expect(refused["response"]?["status"] == 200)
        #expect(refused["response"]?["headers"]?["X-A"] == "1")
        #expect(refused["response"]?["body"] == "{\"code\":7}")
        #expect(refused["request"]?["headers"]?["Authorization"] == "Bearer …")
        #expect(refused["request"]?["headers"]?["Content-Length"] == "2")
        #expect(refused["request"]?["body"] == "{}" && refused["tls"] == .null)
        #expect(refused["connected_to"] == .string("127.0.0.1:\(source.port)"))
        #expect(source.received[0].fields["authorization"] == "Bearer s3cret")
        let taken = try Self.test(request, harness)
        #expect(taken["accepted"] == true && taken["reason"] == .null)
        #expect(taken["ms"]?["total"]?.numberText != nil)
        #expect(try harness.count(.delivered) == 0 && harness.count(.waiting) == 0)
    }

    @Test func `redirects are walked along, each address checked, without what proves the call`()
        throws
    {
        let elsewhere = try FakeTrafficSource()
        let source = try FakeTrafficSource { call, _ in
            switch call.target {
            case "/a": .init(307, fields: ["Location": "b?x"])
            case "/b?x": .init(301, fields: ["Location": "/c"])
            case "/c": .init(302, fields: ["Location": "http://localhost:\(elsewhere.port)/d"])
            case "/odd": .init(302, fields: ["Location": "ftp://x/"])
            case "/loop": .init(308, fields: ["Location": "/loop"])
            default: .init(200)
            }
        }
        let harness = try DispatcherHarness()
        let far = try Self.test(
            DispatcherHarness.request(
                source.url + "/a", method: .post,
                headers: [.init(name: "Authorization", value: "Bearer s3cret")], body: [0x31]),
            harness)
        let hops = try #require(far["redirects"]?.arrayValue)
        #expect(hops.map { $0["status"] } == [307, 301, 302])
        #expect(hops.map { $0["answered"] } == [301, 302, .null])
        #expect(hops.first?["url"] == .string(source.url + "/b?x"))
        // The destination may call loopback; what it leads to may not, under another name.
        #expect(hops.last?["error"]?.stringValue?.contains("loopback") == true)
        #expect(hops.last?["addresses"]?.arrayValue?.isEmpty == false)
        #expect(far["accepted"] == false && elsewhere.count == 0)
        #expect(source.received.map(\.method) == ["POST", "GET", "GET"])
        #expect(source.received[1].fields["authorization"] == nil)
        #expect(source.received[1].body.isEmpty)

        let odd = try Self.test(DispatcherHarness.request(source.url + "/odd"), harness)
        let oddHop = odd["redirects"]?.arrayValue?.first
        #expect(oddHop?["error"]?.stringValue?.contains("must begin with http") == true)
        #expect(oddHop?["url"] == .null)

        let endless = try Self.test(DispatcherHarness.request(source.url + "/loop"), harness)
        let circles = endless["redirects"]?.arrayValue ?? []
        #expect(circles.count == CallTester.redirectsMax + 1)
        #expect(circles.last?["error"] == "no more than 5 redirects are followed")
    }

    @Test func `an address that may not be called is named`() throws {
        let source = try FakeTrafficSource()
        let harness = try DispatcherHarness()
        let seen = try Self.test(
            DispatcherHarness.request(source.url + "/", allowsPrivate: false), harness)
        let address = seen["addresses"]?.arrayValue?.first
        #expect(address?["address"] == "127.0.0.1")
        #expect(address?["refused"]?.stringValue?.contains("loopback") == true)
        #expect(seen["accepted"] == false && seen["response"] == .null && source.count == 0)
    }

    @Test func `no more than a few are made at once`() throws {
        let source = try FakeTrafficSource { _, _ in .manner(.stall) }
        let harness = try DispatcherHarness()
        let request = DispatcherHarness.request(source.url + "/")
        for _ in 0..<CallTester.callsMax {
            harness.dispatcher.tester.test(Self.delivery(request)) { _ in }
        }
        let refused = Locked(false)
        harness.dispatcher.tester.test(Self.delivery(request)) { seen in
            if seen == nil { refused.with { $0 = true } }
        }
        try eventually("the last one is refused") { refused.current }
    }

    @Test(
        arguments: [
            ("https://b.example/x", "https://b.example/x"), ("//b.example/x", "http://b.example/x"),
            ("/x?y", "http://a.example:8/x?y"), ("?y", "http://a.example:8/p/q?y"),
            ("r/s?t=a:b", "http://a.example:8/p/r/s?t=a:b"), ("", "http://a.example:8/p/"),
        ])
    func `a Location is read as the base's server means it`(location: String, url: String) throws {
        let base = try URL("http://a.example:8/p/q?z")
        #expect(try URL(base, followedBy: location).text == url)
    }
}

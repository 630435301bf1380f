import Foundation
import TestSupport
import Testing

/// Webhooks as a receiver sees them; the signatures are checked by openssl.
@Suite struct WebhookTests {
    private static let secrets = [UInt8(11), 12].map { [UInt8](repeating: $0, count: 32) }

    private static func text(_ secret: [UInt8]) -> String {
        "whsec_\(Data(secret).base64EncodedString())"
    }

    private static func hook(_ setup: Chain.Setup, _ members: [String: JSON] = [:]) -> JSON {
        var all: [String: JSON] = [
            "key": "hook", "kind": "webhook", "url": .string(setup.sourceURL + "/hook"),
            "allow_private": true, "secrets": [.string(text(secrets[0]))],
        ]
        for (name, value) in members { all[name] = value }
        return .object(all)
    }

    /// What the receiver computes of a call by the scheme.
    private static func signature(_ call: RecordedRequest, _ secret: [UInt8]) throws -> String {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/signed"
        let id = try #require(call.fields["webhook-id"])
        let timestamp = try #require(call.fields["webhook-timestamp"])
        try Data(Array("\(id).\(timestamp).".utf8) + call.body).write(
            to: URL(fileURLWithPath: path))
        let hex = secret.map { String(format: "%02x", $0) }.joined()
        let result = try runTool(
            "/usr/bin/openssl",
            ["dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:\(hex)", "-r", path])
        try #require(result.exitCode == 0, "\(result.error)")
        let digits = Array(result.output.prefix { $0 != " " })
        let code = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16)
        }
        try #require(code.count == 32, "\(result.output)")
        return "v1,\(Data(code).base64EncodedString())"
    }

    @Test func `every revision is posted as signed JSON`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [Self.hook(setup)]
            setup.network["status_map"] = ["1": "approved", "9": "rejected"]
        }
        let visit = try chain.visit("subid=A&zone=z%20%22%C3%A9")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=10.01&txid=t1&status=1")
        try chain.source.await(1)
        _ = try chain.network.call("cid=\(visit.clickID)&payout=10.01&txid=t1&status=9")
        let calls = try chain.source.await(2)
        for call in calls {
            #expect(call.method == "POST" && call.fields["content-type"] == "application/json")
            #expect(call.fields["webhook-id"] == call.fields["idempotency-key"])
            #expect(
                try call.fields["webhook-signature"] == Self.signature(call, Self.secrets[0]))
        }
        let bodies = try calls.map { try JSON(parsing: String(decoding: $0.body, as: UTF8.self)) }
        #expect(
            bodies.map { $0["type"].string } == ["conversion.created", "conversion.updated"])
        #expect(bodies.map { $0["data"]["status"].string } == ["approved", "rejected"])
        let data = bodies[0]["data"]
        #expect(data["click_id"].string == visit.clickID && data["external_id"].string == "A")
        #expect(data["campaign"].string == "summer" && data["source"].string == "push")
        #expect(data["network"].string == "net" && data["offer"].string == "fit")
        #expect(data["payout"]["amount"].string == "10.01")
        #expect(data["vars"]["zone"].string == "z \"\u{e9}")
    }

    @Test func `a retry is signed anew by the secrets of then, and none of it is shown`() throws {
        let chain = try Chain.start(answer: { _, number in .status(number == 0 ? 500 : 200) }) {
            setup in setup.destinations = [Self.hook(setup)]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let failed = try chain.delivery(of: visit.clickID, "has failed once") {
            Chain.attempts(of: $0) == 1
        }
        let id = try #require(failed["id"].int)
        var source = try chain.tracker.call("GET", "/sources/push")
        var destination = source["destinations"].array[0]
        #expect(destination["secrets"].isNull && destination["secrets_set"].int == 1)
        destination["secrets"] = .array([1, 0].map { .string(Self.text(Self.secrets[$0])) })
        source["destinations"] = .array([destination])
        let changed = try chain.tracker.call("PUT", "/sources/push", source)
        #expect(!changed.text.contains("whsec_"))
        try chain.tracker.call("POST", "/deliveries/\(id)/retry")
        let calls = try chain.source.await(2)
        #expect(calls[0].fields["webhook-id"] == calls[1].fields["webhook-id"])
        #expect(calls[0].body == calls[1].body)
        let both = try [1, 0].map { try Self.signature(calls[1], Self.secrets[$0]) }
        #expect(calls[1].fields["webhook-signature"] == both.joined(separator: " "))
        let journey = try chain.journey(visit.clickID).text
        #expect(!journey.lowercased().contains("webhook-signature"))
        #expect(!journey.contains("whsec_"))
    }

    @Test func `what waits for a webhook that was deleted is dead, never sent unsigned`() throws {
        let chain = try Chain.start(answer: { _, _ in .status(500) }) { setup in
            setup.destinations = [Self.hook(setup)]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let failed = try chain.delivery(of: visit.clickID, "has failed once") {
            Chain.attempts(of: $0) == 1
        }
        try chain.tracker.call("PATCH", "/sources/push", ["destinations": []])
        try chain.tracker.call("POST", "/deliveries/\(try #require(failed["id"].int))/retry")
        let dead = try chain.delivery(of: visit.clickID, "is dead") { $0["state"] == "dead" }
        #expect(dead["reason"].string?.contains("destination push/hook is gone") == true)
        #expect(chain.source.count == 1)
    }
}

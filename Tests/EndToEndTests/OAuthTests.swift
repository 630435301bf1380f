import Foundation
import TestSupport
import Testing

/// Destinations whose calls go with an access token, with the built binary.
@Suite struct OAuthTests {
    private static let secrets = ["client-s3cret", "r3fresh-token"]

    private static func oauth(_ url: String) -> JSON {
        [
            "token_url": .string(url + "/token"), "client_id": "c1",
            "client_secret": .string(secrets[0]), "refresh_token": .string(secrets[1]),
        ]
    }

    private static func chain(_ endpoint: FakeTrafficSource) throws -> Chain {
        try Chain.start { setup in
            var destination = setup.destination("ads", "/upload?id={external_id}")
            destination["method"] = "POST"
            destination["oauth"] = oauth(endpoint.url)
            setup.destinations = [destination]
        }
    }

    /// Gives out `acc3ss-1`, `acc3ss-2`…
    private static func endpoint() throws -> FakeTrafficSource {
        try FakeTrafficSource { _, before in
            .init(200, body: #"{"access_token":"acc3ss-\#(before + 1)","expires_in":3600}"#)
        }
    }

    private func convert(_ chain: Chain, _ id: String) throws -> String {
        let visit = try chain.visit("subid=\(id)")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        return visit.clickID
    }

    @Test func `calls go with a token, also after a kill, and it's shown nowhere`() throws {
        let endpoint = try Self.endpoint()
        let chain = try Self.chain(endpoint)
        let first = try convert(chain, "A")
        try chain.source.await(1)
        let second = try convert(chain, "B")
        // What is not on disk would be repeated.
        for click in [first, second] {
            _ = try chain.delivery(of: click, "is delivered") { $0["state"] == "delivered" }
        }
        #expect(endpoint.count == 1)
        try chain.tracker.kill()
        try chain.tracker.restart()
        _ = try convert(chain, "C")
        try chain.source.await(3)
        // A token is kept in memory only.
        #expect(endpoint.count == 2)
        let calls = chain.source.received
        #expect(
            calls.map { $0.fields["authorization"] ?? "" }
                == ["Bearer acc3ss-1", "Bearer acc3ss-1", "Bearer acc3ss-2"])
        #expect(calls.map(\.target) == ["A", "B", "C"].map { "/upload?id=\($0)" })

        let shown = [
            try chain.tracker.call("GET", "/sources/push").text,
            try chain.tracker.call("GET", "/sources").text,
            try chain.journey(first).text,
            try chain.tracker.call("GET", "/deliveries").text,
            try chain.tracker.command("source", "show", "push").output,
            try chain.tracker.command("source", "show", "push", "--json").output,
            try chain.tracker.command("trace", first).output,
            try chain.tracker.command("postback", "test", "--destination", "push/ads").output,
            try chain.tracker.command("config", "print").output,
            chain.tracker.errorText,
        ]
        for text in shown {
            #expect(!text.isEmpty)
            for secret in Self.secrets + ["acc3ss"] { #expect(!text.contains(secret), "\(text)") }
        }
    }

    @Test func `what is shown can be applied again, and a new credential counts at once`() throws {
        let endpoint = try FakeTrafficSource { call, _ in
            call.text.contains("n3w")
                ? .init(200, body: #"{"access_token":"good","expires_in":3600}"#)
                : .init(400, body: #"{"error":"invalid_grant"}"#)
        }
        let chain = try Self.chain(endpoint)
        let click = try convert(chain, "A")
        let waiting = try chain.delivery(of: click, "was tried") { Chain.attempts(of: $0) == 1 }
        #expect(waiting["state"] == "waiting")
        let reason = waiting["attempts"][0]["error"].string ?? ""
        #expect(reason.contains("invalid_grant") && reason.contains("make a new one"))

        var source = try chain.tracker.call("GET", "/sources/push")
        #expect(try chain.tracker.call("PUT", "/sources/push", source) == source)
        var destination = source["destinations"][0]
        var oauth = destination["oauth"]
        oauth["refresh_token"] = "n3w"
        destination["oauth"] = oauth
        source["destinations"] = [destination]
        try chain.tracker.call("PUT", "/sources/push", source)
        let id = waiting["id"].int ?? 0
        try chain.tracker.call("POST", "/deliveries/\(id)/retry")
        try chain.source.await(1)
        #expect(chain.source.received[0].fields["authorization"] == "Bearer good")
    }

    @Test func `Google Ads' template asks for its credential and calls with it`() throws {
        let tracker = try TrackerProcess.start()
        let some = try tracker.command(
            "source", "apply", "--template", "google_ads", "--set", "CUSTOMER_ID=12",
            "--set", "OAUTH_CLIENT_SECRET=s3cret")
        #expect(some.exitCode == 0, "\(some.error)")
        for name in ["OAUTH_CLIENT_ID", "OAUTH_REFRESH_TOKEN", "DEVELOPER_TOKEN"] {
            #expect(some.error.contains("needs: \(name)"), "\(some.error)")
        }
        #expect(!some.error.contains("needs: OAUTH_CLIENT_SECRET"))
        let rest = try tracker.command(
            "source", "apply", "--template", "google_ads", "--set", "CONVERSION_ACTION_ID=3",
            "--set", "OAUTH_CLIENT_ID=c", "--set", "OAUTH_REFRESH_TOKEN=r3fresh",
            "--set", "DEVELOPER_TOKEN=d3v", "--set", "MANAGER_ID=12")
        #expect(rest.exitCode == 0 && !rest.error.contains("needs: "), "\(rest.error)")
        for (secret, result) in [("d3v", "unchanged"), ("0ther", "updated")] {
            let again = try tracker.command(
                "source", "apply", "--template", "google_ads", "--set", "DEVELOPER_TOKEN=\(secret)")
            #expect(again.output.hasPrefix("\(result) google_ads"), "\(again.output)")
        }
        let destination = try tracker.call("GET", "/sources/google_ads")["destinations"][0]
        #expect(destination["enabled"] == true)
        #expect(destination["oauth"]["token_url"] == "https://oauth2.googleapis.com/token")
        #expect(destination["oauth"]["client_id"] == "c")
        #expect(destination["oauth"]["refresh_token"] == "<OAUTH_REFRESH_TOKEN>")
        #expect(destination["headers"]["Authorization"].isNull)
    }
}

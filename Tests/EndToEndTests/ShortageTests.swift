import Foundation
import TestSupport
import Testing

/// A tracker that has run out of descriptors.
@Suite struct ShortageTests {
    private static let conversions = 25

    @Test func `for want of descriptors nothing is called, and nothing is counted as an attempt`()
        throws
    {
        // Each call needs a connection of its own, and keeps it for a while.
        let slow = FakeTrafficSource.Answer(fields: ["Connection": "close"], delay: 0.3)
        let others = try (0..<2).map { _ in try FakeTrafficSource { _, _ in slow } }
        // So do those that ask for access tokens, which are good for one call here.
        let tokens = try FakeTrafficSource { _, _ in
            .init(200, body: #"{"access_token":"t","expires_in":0}"#)
        }
        let chain = try Chain.start(answer: { _, _ in slow }) { setup in
            setup.destinations = (others.map(\.url) + [setup.sourceURL]).enumerated().map {
                [
                    "key": .string("r\($0)"), "method": "GET", "allow_private": true,
                    "url": .string($1 + "/conv?id={external_id}"),
                ]
            }
            setup.destinations[0]["oauth"] = [
                "token_url": .string(tokens.url + "/token"), "client_id": "c",
                "client_secret": "s", "refresh_token": "r",
            ]
        }
        let tracker = chain.tracker
        let pause = try tracker.call("POST", "/pauses", ["host": "127.0.0.1"])
        for number in 0..<Self.conversions {
            let visit = try chain.visit("subid=A\(number)")
            #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        }
        let descriptors = "/proc/\(tracker.pid)/fd"
        let used = try FileManager.default.contentsOfDirectory(atPath: descriptors).count
        func limit(_ count: Int) throws {
            let limited = try runTool(
                "/usr/bin/prlimit", ["--pid", "\(tracker.pid)", "--nofile=\(count):"])
            #expect(limited.exitCode == 0, "\(limited.error)")
        }
        try limit(used + 8)

        // Over the connection that is open already.
        _ = try tracker.call("DELETE", "/pauses/\(pause["id"].id ?? "?")")
        try eventually("it's said why") {
            try tracker.call("GET", "/status")["outbound"]["failure"].string?
                .contains("Too many open files") == true
        }
        for source in others + [chain.source] {
            try source.await(Self.conversions, within: 120)
        }
        try eventually("the log says so; \(tracker.errorText)") {
            tracker.errorText.contains("outbound_shortage")
        }
        // The last calls still hold theirs, and whoever reads a list needs some.
        try limit(used + 50)
        let all = try eventually("all results are kept") {
            let all = try tracker.list("/deliveries?state=delivered")
            return all.count == 3 * Self.conversions ? all : nil
        }
        for delivery in all {
            let attempts = delivery["attempts"].array
            #expect(attempts.count == 1 && attempts[0]["status"] == 200, "\(delivery.text)")
        }
        for source in others + [chain.source] { #expect(source.count == Self.conversions) }
    }

    @Test(arguments: [1, 8])
    func `idle clients leave descriptors to files and calls`(loops: Int) throws {
        let chain = try Chain.start {
            $0.options.starter = ["/usr/bin/prlimit", "--nofile=64:300"]
            $0.options.environment["CLICKRELAY_LOOPS"] = "\(loops)"
        }
        #expect(
            chain.tracker.errorText.contains(
                #""max_connections_lowered","from":10000,"to":150,"detail":"300 files"#),
            "\(chain.tracker.errorText)")
        let idle = try (0..<400).map { _ in
            let connection = try chain.tracker.connect()
            #expect(try connection.request("GET", "/healthz").status == 200)
            return connection
        }
        for number in 0..<20 {
            let visit = try chain.visit("subid=A\(number)")
            #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        }
        try chain.source.await(20)
        let ready = try chain.tracker.get("/readyz").text
        #expect(!ready.contains("Too many open files"), "\(ready)")
        withExtendedLifetime(idle) {}
    }
}

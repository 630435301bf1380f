import Foundation
import TestSupport
import Testing

/// `postback test`: one call, shown whole, recorded nowhere.
@Suite struct PostbackTestTests {
    @Test func `a destination is called once, and the exit code says what came of it`() throws {
        let chain = try Chain.start(answer: { _, number in .status(number == 0 ? 200 : 503) })
        let taken = try chain.tracker.command(
            "postback", "test", "--destination", "push/main", "--payout", "2.5")
        #expect(taken.exitCode == 0, "\(taken.error)")
        #expect(taken.output.contains("/conv?id=clickrelay-test&value=2.5"))
        #expect(taken.output.contains("127.0.0.1:\(chain.source.port)"))
        #expect(taken.output.contains("200 Scripted\n") && taken.output.hasSuffix("accepted\n"))
        #expect(chain.source.received.map(\.target) == ["/conv?id=clickrelay-test&value=2.5"])

        let visit = try chain.visit("subid=A")
        let refused = try chain.tracker.command(
            "postback", "test", "--destination", "push/main", "--click", visit.clickID, "--json")
        #expect(refused.exitCode == 1)
        let seen = try JSON(parsing: refused.output)
        #expect(seen["accepted"].bool == false && seen["response"]["status"].int == 503)
        #expect(chain.source.received.last?.target == "/conv?id=A&value=1")
        #expect(try chain.tracker.list("/deliveries").isEmpty)
        #expect(try chain.tracker.list("/conversions").isEmpty)
        #expect(
            try chain.tracker.command("postback", "test", "--destination", "push/no").exitCode == 3)
        #expect(try chain.tracker.command("postback", "test").exitCode == 2)
    }

    @Test func `a webhook's test is signed`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                [
                    "key": "hook", "kind": "webhook", "url": .string(setup.sourceURL + "/hook"),
                    "allow_private": true,
                ]
            ]
        }
        let taken = try chain.tracker.command("postback", "test", "--destination", "push/hook")
        #expect(taken.exitCode == 0, "\(taken.error)")
        let call = try #require(chain.source.received.first)
        #expect(call.fields["webhook-signature"]?.hasPrefix("v1,") == true)
        #expect(!taken.output.contains("whsec_"))
        #expect(taken.output.contains(#""type":"conversion.created""#))
    }

    @Test func `without a server the command calls by itself`() throws {
        let source = try FakeTrafficSource()
        let directory = try TemporaryDirectory()
        let file = directory.file("source.json")
        try JSON.object([
            "key": "push",
            "destinations": [
                ["key": "main", "url": .string(source.url + "/x"), "allow_private": true]
            ],
        ]).text.write(toFile: file, atomically: true, encoding: .utf8)
        let data = ["--data-dir", directory.file("data")]
        let applied = try TrackerProcess.run(["source", "apply", file] + data)
        #expect(applied.exitCode == 0, "\(applied.error)")
        let taken = try TrackerProcess.run(
            ["postback", "test", "--destination", "push/main"] + data)
        #expect(taken.exitCode == 0, "\(taken.error)")
        #expect(source.received.map(\.target) == ["/x"])
    }

    @Test func `a certificate for another name is shown with the reason it was refused`() throws {
        let receiver = try TLSReceiver(name: "DNS:other.example")
        let chain = try Chain.start { setup in
            setup.options.environment["SSL_CERT_FILE"] = receiver.certificateFile
            var secure = setup.destination("tls", "/")
            secure["url"] = .string(receiver.url + "/conv")
            setup.destinations = [secure]
        }
        let refused = try chain.tracker.command("postback", "test", "--destination", "push/tls")
        #expect(refused.exitCode == 1)
        #expect(refused.output.contains("refused: IP address mismatch"))
        #expect(refused.output.contains("for DNS:other.example"))
        #expect(refused.output.contains("issued by CN=receiver"))
        #expect(refused.output.contains("not accepted: TLS: IP address mismatch"))
    }
}

import TestSupport
import Testing

/// Each kind of bad input has its own verdict and a sentence that says what to fix, and is found in
/// the ledger afterwards; what names a click is part of the click's journey.
@Suite struct BadInputTests {
    /// A call that nothing is counted for.
    struct Fault: Sendable {
        var network = "net"
        var method = "GET"
        /// `CID` stands for a click.
        let query: String
        var type: String?
        var body: String?
        let status: Int
        let verdict: String
        /// A part of the sentence.
        let says: String

        init(
            _ query: String, _ status: Int, _ verdict: String, _ says: String,
            _ change: (inout Fault) -> Void = { _ in }
        ) {
            self.query = query
            self.status = status
            self.verdict = verdict
            self.says = says
            change(&self)
        }

        /// Whether it names the click in a way that can be read.
        var namesClick: Bool { query.contains("=CID&") || query.hasSuffix("=CID") }
    }

    static let faults: [Fault] = [
        Fault("", 400, "click_id_missing", "put the network's token for the sub ID into"),
        Fault("payout=1", 400, "click_id_missing", "cid"),
        Fault("cid=&payout=1", 400, "click_id_missing", "cid"),
        Fault("cid=12345", 400, "click_id_malformed", "check which sub ID the offer URL carries"),
        Fault("cid=%FF%00", 400, "click_id_malformed", "26 letters and digits"),
        Fault(
            "cid=000007\(String(repeating: "0", count: 20))", 404, "click_foreign", "which tracker"),
        Fault("cid=%23s2%23&payout=1", 400, "macro_not_replaced", "#s2#"),
        Fault(
            "cid=CID&payout={payout}", 400, "macro_not_replaced", "payout is the unreplaced macro"),
        Fault("cid=CID&currency=[currency]", 400, "macro_not_replaced", "currency is the"),
        Fault("cid=CID&status=!!!status!!!", 400, "macro_not_replaced", "status is the"),
        Fault("cid=CID&payout=twelve", 400, "payout_not_number", "\"twelve\" is not a number"),
        Fault("cid=CID&payout_minor=1.2.3", 400, "payout_not_number", "1.2.3"),
        Fault("cid=CID&payout=1,234", 400, "payout_ambiguous", "number_format to point or comma"),
        Fault("cid=CID&payout=10000000000", 400, "payout_out_of_range", "too large"),
        Fault("cid=CID&payout=1&currency=EURO", 400, "currency_unknown", "ISO 4217"),
        Fault("cid=CID&payout=1&status=7", 422, "status_unmapped", "status_map") {
            $0.network = "strict"
        },
        Fault("cid=CID&payout=1&event=sael", 422, "event_unknown", "did you mean \"sale\"") {
            $0.network = "strict"
        },
        Fault("cid=CID&payout=1", 400, "transaction_id_required", "into the parameter txid") {
            $0.network = "orders"
        },
        Fault(
            "cid=CID&payout=1&txid={order}", 400, "transaction_id_required", "no transaction ID"
        ) {
            $0.network = "orders"
        },
        Fault("cid=CID&payout=1", 403, "ip_not_allowed", "127.0.0.1 is not among") {
            $0.network = "closed"
        },
        Fault("cid=CID&payout=1", 403, "signature_wrong", "no signature in the parameter sig") {
            $0.network = "signed"
        },
        Fault("cid=CID&payout=1&sig=00", 403, "signature_wrong", "compare the secrets") {
            $0.network = "signed"
        },
        Fault("cid=CID&payout=1", 404, "key_unknown", "copy the URL") { $0.network = "nosuch" },
        Fault("cid=CID&payout=1", 405, "method_not_allowed", "use GET or POST") {
            $0.method = "DELETE"
        },
        Fault("cid=CID&payout=1&status=noise", 200, "ignored", "ignore list"),
        Fault("", 400, "click_id_missing", "the body is not JSON") {
            $0.method = "POST"
            $0.type = "application/json"
            $0.body = "{\"cid\": \"x\","
        },
        Fault("", 400, "click_id_missing", "an array where a JSON object was expected") {
            $0.method = "POST"
            $0.type = "application/json"
            $0.body = "[{\"cid\": 1}]"
        },
        Fault("", 400, "click_id_missing", "send a form or a JSON object") {
            $0.method = "POST"
            $0.type = "image/png"
            $0.body = "\u{1}PNG"
        },
        Fault(
            "", 400, "click_id_missing", "nested more than"
        ) {
            $0.method = "POST"
            $0.body = String(repeating: "{\"a\":", count: 5000)
        },
        Fault("", 400, "click_id_missing", "parameters beyond the first 1000 were not read") {
            $0.method = "POST"
            $0.body = String(repeating: "a=1&", count: 1001) + "cid=x"
        },
    ]

    private func chain() throws -> (chain: Chain, keys: [String: String]) {
        let chain = try Chain.start { $0.network["ignore_statuses"] = ["noise"] }
        var keys = ["net": chain.network.key, "nosuch": "nosuch"]
        let others: [JSON] = [
            [
                "key": "strict", "strict_statuses": true, "strict_events": true,
                "events": ["sale"],
            ], ["key": "closed", "allowed_ips": ["203.0.113.0/28", "2001:db8::/32"]],
            ["key": "orders", "require_transaction_id": true],
            ["key": "signed", "signature": ["secret": "s3cret"]],
        ]
        for network in others {
            let made = try chain.tracker.call("POST", "/networks", network)
            keys[network["key"].string ?? ""] = made["postback_key"].string
        }
        return (chain, keys)
    }

    private func send(_ fault: Fault, _ click: String, _ chain: Chain, _ keys: [String: String])
        throws -> PostbackAnswer
    {
        let query = fault.query.replacing("CID", with: click)
        let fields: HTTPFields = fault.type.map { ["Content-Type": $0] } ?? [:]
        return try PostbackAnswer(
            HTTPPool(port: chain.tracker.port).request(
                fault.method,
                "/postback/\(keys[fault.network] ?? "")" + (query.isEmpty ? "" : "?\(query)"),
                fields: fields, body: fault.body.map { Array($0.utf8) }))
    }

    @Test func `each kind has its verdict and sentence and is found in the ledger`() throws {
        let (chain, keys) = try chain()
        let click = try chain.visit().clickID
        for fault in Self.faults {
            let what = "\(fault.network) \(fault.method) \(fault.query)"
            let answer = try send(fault, click, chain, keys)
            #expect(answer.status == fault.status, "\(what): \(answer.json.text)")
            #expect(answer.verdict == fault.verdict, "\(what): \(answer.json.text)")
            #expect(answer.message.contains(fault.says), "\(what): \(answer.json.text)")
            let id = try #require(answer.postback, "\(what)")

            let newest = try chain.tracker.call(
                "GET", "/postbacks?verdict=\(fault.verdict)&limit=1")["items"][0]
            #expect(newest["id"].id == id, "\(what)")
            #expect(newest["message"].string == answer.message, "\(what)")
            let kept = try chain.tracker.call("GET", "/postbacks/\(id)")
            #expect(kept["verdict"].string == fault.verdict, "\(what)")
            #expect(kept["request"]["method"].string == fault.method, "\(what)")
            #expect(kept["request"]["body"].string == fault.body ?? "", "\(what)")
            #expect(
                kept["request"]["target"].string?.hasSuffix(
                    fault.query.replacing("CID", with: click)) == true, "\(what)")
        }
        #expect(try chain.tracker.list("/conversions").isEmpty)
        #expect(try chain.tracker.list("/postbacks").count == Self.faults.count)
        #expect(chain.source.count == 0)
    }

    @Test func `the journey of a click shows every call that names it, refused or not`() throws {
        let (chain, keys) = try chain()
        let click = try chain.visit("subid=W8d").clickID
        let other = try chain.visit("subid=other").clickID
        var verdicts: [String] = []
        for (query, verdict) in [
            ("payout=5&txid=1", "accepted"), ("payout=5&txid=1", "duplicate"),
            ("payout=6&txid=1", "updated"), ("payout=5&test=1", "test"),
        ] {
            #expect(try chain.network.call("cid=\(click)&\(query)").verdict == verdict)
            #expect(try chain.network.call("cid=\(other)&\(query)").verdict == verdict)
            verdicts.append(verdict)
        }
        for fault in Self.faults where fault.namesClick {
            _ = try send(fault, click, chain, keys)
            verdicts.append(fault.verdict)
        }
        #expect(Set(verdicts).count >= 15)

        let calls = try chain.journey(click)["postbacks"].array
        #expect(calls.map { $0["verdict"].string ?? "" } == verdicts)
        #expect(calls.allSatisfy { $0["message"].string?.isEmpty == false })
        #expect(
            try chain.journey(other)["postbacks"].array.map { $0["verdict"] }
                == ["accepted", "duplicate", "updated", "test"])
        #expect(
            try chain.tracker.list("/postbacks?click_id=\(click)").reversed()
                .map { $0["verdict"].string ?? "" } == verdicts)

        let json = try chain.tracker.command("trace", click, "--json").json
        #expect(json["postbacks"].array.map { $0["verdict"].string ?? "" } == verdicts)
        for id in [click, "W8d"] {
            let text = try chain.tracker.command("trace", id)
            #expect(text.exitCode == 0, "\(text.error)")
            var rest = text.output[...]
            for (verdict, call) in zip(verdicts, calls) {
                let found = rest.firstRange(of: verdict)
                #expect(found != nil, "\(verdict) in \(text.output)")
                if let found { rest = rest[found.upperBound...] }
                let sentence = call["message"].string ?? "?"
                #expect(text.output.contains(sentence.prefix(40)), "\(sentence)")
            }
        }
    }
}

import Domain
import Store
import Testing

/// Conversions that are entered by hand.
@Suite struct EntryTests {
    private func verdicts(_ answer: Bench.Answer) -> [String] {
        answer.items.map { $0["verdict"]?.stringValue ?? "?" }
    }

    @Test func `each row has its verdict, and entering it again changes nothing`() throws {
        let bench = try EntityTests.bench()
        let cid = bench.text(try bench.click())
        let rows: JSONValue = [
            ["cid": .string(cid), "payout": "12.50", "txid": "77", "status": "approved"],
            ["click_id": .string(cid), "payout": .number("3.25"), "tid": "78", "currency": "eur"],
            ["cid": .string(cid), "txid": "77", "payout": "1,234"],
            ["cid": "nope"], ["payout": "1"],
            [
                "subid": .string(cid), "payout": ["amount": "-2", "currency": "USD"],
                "event": "fix",
            ],
            ["cid": .string(cid), "at": "soon"], ["cid": .string(cid), "network": "other"],
        ]
        let expected = [
            "accepted", "accepted", "payout_ambiguous", "click_id_malformed", "click_id_missing",
            "accepted", "time_malformed", "network_unknown",
        ]
        let dry = try bench.call("POST", "/conversions?dry_run=1", rows)
        #expect(dry.status == 200 && dry["dry_run"] == true && verdicts(dry) == expected)
        #expect(dry.items[0]["conversion"] == .null)
        #expect(try bench.call("GET", "/conversions").items.isEmpty)
        #expect(try bench.call("GET", "/postbacks").items.isEmpty)

        let done = try bench.call("POST", "/conversions", rows)
        #expect(done.status == 200 && verdicts(done) == expected)
        #expect(done.items.compactMap { $0["index"] } == (0..<8).map { .integer($0) })
        #expect(done.items[0]["conversion"] == "cv1" && done.items[0]["revision"] == 1)
        let listed = try bench.call("GET", "/conversions").items
        #expect(listed.map { $0["transaction_id"] } == [.null, "78", "77"])
        #expect(listed[1]["payout"] == ["amount": "3.25", "currency": "EUR"])

        let again = try bench.call("POST", "/conversions", rows)
        #expect(verdicts(again).filter { $0 == "duplicate" }.count == 3)
        #expect(try bench.call("GET", "/conversions").items == listed)
        // What was refused for its own sake is in the ledger, as a call of the click's network.
        let refused = try bench.call("GET", "/postbacks?verdict=payout_ambiguous").items
        #expect(refused.count == 2 && refused[0]["network"] == "net")
        #expect(refused[0]["request"]?["target"] == "/api/v1/conversions")
    }

    @Test func `a row says when it happened and a mistyped name is told`() throws {
        let bench = try EntityTests.bench()
        let cid = bench.text(try bench.click())
        let answer = try bench.call(
            "POST", "/conversions",
            ["cid": .string(cid), "at": "2026-01-05T06:07:08Z", "payuot": "1"])
        #expect(verdicts(answer) == ["accepted"])
        #expect(answer.items[0]["message"]?.stringValue?.contains("payout") == true)
        let conversion = try bench.call("GET", "/conversions/cv1")
        #expect(conversion["converted_at"] == "2026-01-05T06:07:08Z")
        #expect(conversion["payout"]?["amount"] == "9.99", "the offer's")
    }

    @Test func `amounts are decimal and the sender is nobody's, whatever the network's calls are`()
        throws
    {
        let bench = try EntityTests.bench()
        try bench.call(
            "PATCH", "/networks/net",
            [
                "payout_unit": "minor", "allowed_ips": ["203.0.113.1"], "repeat": "add",
                "parameters": ["txid": ["cid"], "cid": ["transaction_id"]],
            ])
        let cid = bench.text(try bench.click())
        let row: JSONValue = ["cid": .string(cid), "payout": "12.50"]
        #expect(verdicts(try bench.call("POST", "/conversions", row)) == ["accepted"])
        #expect(verdicts(try bench.call("POST", "/conversions", row)) == ["duplicate"])
        #expect(try bench.call("GET", "/conversions/cv1")["payout"]?["amount"] == "12.5")
        // Judged again it is still a row and no network's call.
        let replay = try bench.call("POST", "/postbacks/1/replay")
        #expect(replay["new"]?["verdict"] == "duplicate")
    }

    @Test func `a click that is not stored needs its network named, and is parked`() throws {
        let bench = try EntityTests.bench()
        let lost = bench.clickIDs.seal(
            ClickIdentity(
                rowID: ClickRowID(milliseconds: 5, node: 0, sequence: 0),
                campaignID: CampaignID(1)))
        let row: JSONValue = ["cid": .string(lost.text), "payout": "1"]
        #expect(verdicts(try bench.call("POST", "/conversions", row)) == ["network_unknown"])
        let named = try bench.call("POST", "/conversions?network=net", row)
        #expect(verdicts(named) == ["parked"] && named.items[0]["postback"] == 1)
        let foreign: JSONValue = ["cid": .string(ClickID(block: 7).text)]
        #expect(verdicts(try bench.call("POST", "/conversions", foreign)) == ["click_foreign"])
    }

    @Test func `outbound postbacks are sent unless they are suppressed`() throws {
        let bench = try EntityTests.bench()
        try bench.call(
            "PATCH", "/sources/push",
            ["destinations": [["key": "main", "url": "https://s.example/?v={payout}"]]])
        let cid = bench.text(try bench.click())
        func row(_ txid: String) -> JSONValue {
            ["cid": .string(cid), "txid": .string(txid), "payout": "1"]
        }
        try bench.call("POST", "/conversions", row("1"))
        #expect(try bench.call("GET", "/deliveries").items.count == 1)
        try bench.call("POST", "/conversions?suppress_outbound=1", row("2"))
        #expect(try bench.call("GET", "/conversions").items.count == 2)
        #expect(try bench.call("GET", "/deliveries").items.count == 1)
    }

    @Test func `a body that holds no rows is refused whole`() throws {
        let bench = try EntityTests.bench()
        let many = JSONValue.array(Array(repeating: ["cid": "x"], count: 1001))
        for body: JSONValue in [[], 1, "x", many, ["cid": ["a"]], [["cid": "x"], 7]] {
            #expect(try bench.call("POST", "/conversions", body).status == 422)
        }
        let most = JSONValue.array(Array(repeating: ["cid": "x"], count: 1000))
        #expect(try bench.call("POST", "/conversions", most).items.count == 1000)
        #expect(
            try bench.call("POST", "/conversions", [["cid": "x"], ["txid": [1]]]).fields
                == ["[1].txid"])
        #expect(
            try bench.call("POST", "/conversions?network=x", ["cid": "x"]).fields == ["network"])
    }
}

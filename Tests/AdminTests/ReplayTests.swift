import Domain
import Store
import TestSupport
import Testing

@Suite struct ReplayTests {
    /// A call that was refused for its network's number format.
    private func ambiguous(_ bench: Bench, _ click: ClickIdentity, txid: String) throws {
        let now = bench.clock.now
        let cid = bench.text(click)
        try bench.write { transaction throws(StoreError) in
            _ = try transaction.insert(
                Postback(
                    receivedAt: now, sender: nil, method: "GET",
                    target: Array("/postback/key-1?cid=\(cid)&payout=1,234&txid=\(txid)".utf8),
                    headers: [], body: []),
                networkID: NetworkID(1), clickRowID: click.rowID, conversionID: nil,
                verdict: .payoutAmbiguous, message: "refused")
        }
    }

    @Test func `one call is replayed, first without effect`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        try ambiguous(bench, click, txid: "7")
        try bench.call("PATCH", "/networks/net", ["number_format": "comma"])
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))

        let dry = try bench.call("POST", "/postbacks/1/replay?dry_run=1")
        #expect(dry.status == 200 && dry["postback"] == 1 && dry["dry_run"] == true)
        #expect(dry["old"]?["verdict"] == "payout_ambiguous")
        #expect(dry["new"]?["verdict"] == "accepted")
        #expect(dry["new"]?["conversion"] == .null && dry["new"]?["postback"] == .null)
        let change: JSONValue = [
            "before": .null,
            "after": [
                "status": "approved", "payout": ["amount": "1.234", "currency": "USD"],
            ],
            "deliveries": [],
        ]
        #expect(dry["change"] == change)
        #expect(try bench.call("GET", "/conversions").items.isEmpty)

        let done = try bench.call("POST", "/postbacks/1/replay")
        #expect(done["new"]?["conversion"] == "cv1" && done["new"]?["postback"] == 2)
        #expect(try bench.call("GET", "/postbacks/2")["replay_of"] == 1)
        #expect(try bench.call("GET", "/postbacks/1")["replay_of"] == .null)
        let again = try bench.call("POST", "/postbacks/1/replay")
        #expect(again["new"]?["verdict"] == "duplicate" && again["change"] == .null)
        for id in ["0", "9", "x"] {
            #expect(try bench.call("POST", "/postbacks/\(id)/replay").status == 404)
        }
    }

    @Test(arguments: [1, 60, 1000])
    func `a selection is replayed in pages, oldest first`(limit: Int) throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        for number in 1...120 { try ambiguous(bench, click, txid: "\(number)") }
        try bench.refuse(.clickIDMissing)
        try bench.call("PATCH", "/networks/net", ["number_format": "comma"])
        let filter = "verdict=payout_ambiguous&network=net&limit=\(limit)"
        let dry = try bench.call("POST", "/postbacks/replay?dry_run=1&\(filter)")
        #expect(dry.items.count == min(limit, 120))
        #expect(try bench.call("GET", "/conversions?limit=1").items.isEmpty)

        var replayed: [JSONValue] = []
        var cursor = ""
        repeat {
            let page = try bench.call("POST", "/postbacks/replay?\(filter)\(cursor)")
            replayed += page.items
            #expect(page.items.allSatisfy { $0["new"]?["verdict"] == "accepted" })
            cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        #expect(replayed.compactMap { $0["postback"] } == (1...120).map { .integer($0) })
        // What was counted is not among them any more.
        #expect(try bench.call("POST", "/postbacks/replay?\(filter)").items.isEmpty)
        #expect(try bench.call("GET", "/conversions?limit=1000").items.count == 120)
    }

    @Test func `a selection needs a filter that is understood`() throws {
        let bench = try EntityTests.bench()
        #expect(try bench.call("POST", "/postbacks/replay").fields == ["verdict"])
        #expect(try bench.call("POST", "/postbacks/replay?verdict=x").fields == ["verdict"])
        #expect(try bench.call("POST", "/postbacks/replay?dryrun=1&network=net").status == 422)
        #expect(try bench.call("POST", "/postbacks/replay?network=net").items.isEmpty)
    }

    @Test func `a parked call is listed while it waits, and rejected by hand`() throws {
        let bench = try EntityTests.bench()
        let lost = bench.clickIDs.seal(
            ClickIdentity(
                rowID: ClickRowID(milliseconds: 5, node: 0, sequence: 0),
                campaignID: CampaignID(1)))
        for txid in ["1", "2"] {
            try bench.call(
                "POST", "/conversions?network=net",
                ["cid": .string(lost.text), "txid": .string(txid), "payout": "3"])
        }
        #expect(try bench.call("GET", "/postbacks?waiting=1").items.count == 2)
        let rejected = try bench.call("POST", "/postbacks/1/reject")
        #expect(rejected.status == 200 && rejected["waiting"] == false)
        #expect(rejected["verdict"] == "parked")
        #expect(rejected["message"]?.stringValue?.contains("rejected by hand") == true)
        let waiting = try bench.call("GET", "/postbacks?waiting=1&verdict=parked").items
        #expect(waiting.compactMap { $0["id"] } == [2])
        #expect(try bench.call("POST", "/postbacks/1/reject").status == 409)
        #expect(try bench.call("POST", "/postbacks/9/reject").status == 404)
    }
}

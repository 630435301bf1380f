import Domain
import Store
import TestSupport
import Testing

@Suite struct AssignTests {
    /// A call that names a click which is not stored, or one past a cap.
    private func park(_ bench: Bench, _ click: ClickIdentity, isHeld: Bool = false) throws {
        let now = bench.clock.now
        let cid = bench.text(click)
        try bench.write { transaction throws(StoreError) in
            let id = try transaction.insert(
                Postback(
                    receivedAt: now, sender: nil, method: "GET",
                    target: Array("/postback/key-1?cid=\(cid)&payout=3&txid=7".utf8),
                    headers: [], body: []),
                networkID: NetworkID(1), clickRowID: click.rowID, conversionID: nil,
                verdict: .parked, message: "kept")
            try transaction.park(id, click: click.rowID, isHeld: isHeld)
        }
    }

    @Test func `a call past a cap is counted by hand, first without effect`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        try park(bench, click, isHeld: true)
        let capped = try bench.call("PATCH", "/offers/fit", ["caps": ["conversions_total": 0]])
        #expect(capped.status == 200 && capped["caps"]?["conversions_total"] == 0)
        let kept = try bench.call("POST", "/postbacks/1/assign?dry_run=1", ["force": false])
        #expect(kept["new"]?["verdict"] == "parked")
        let dry = try bench.call("POST", "/postbacks/1/assign?dry_run=1")
        #expect(dry["new"]?["verdict"] == "accepted" && dry["new"]?["conversion"] == .null)
        #expect(try bench.call("GET", "/conversions").items.isEmpty)
        let done = try bench.call("POST", "/postbacks/1/assign")
        #expect(done.status == 200 && done["postback"] == 1 && done["new"]?["conversion"] == "cv1")
        #expect(done["old"]?["verdict"] == "parked")
        #expect(try bench.call("GET", "/postbacks/2")["replay_of"] == 1)
        #expect(try bench.call("GET", "/postbacks?waiting=1").items.isEmpty)
        let again = try bench.call("POST", "/postbacks/1/assign", .object([JSONMember]()))
        #expect(again["new"]?["verdict"] == "duplicate" && again["change"] == .null)
        #expect(try bench.call("POST", "/postbacks/2/assign").status == 409)
    }

    @Test func `a call is assigned to a click that is stored here and to no other`() throws {
        let bench = try EntityTests.bench()
        let stored = try bench.click()
        let lost = ClickIdentity(
            rowID: ClickRowID(milliseconds: 5, node: 0, sequence: 9), campaignID: CampaignID(1))
        try park(bench, lost)
        #expect(try bench.call("POST", "/postbacks/1/assign").status == 409)
        for body: JSONValue in [
            ["click_id": "x"], ["click_id": 5], ["click_id": .string(bench.text(lost))],
        ] {
            let answer = try bench.call("POST", "/postbacks/1/assign", body)
            #expect(answer.status == 422 && answer.fields == ["click_id"])
        }
        for (body, field) in [
            (["force": 1], "force"), (["clickid": "x"], "clickid"), ([1], ""),
        ] as [(JSONValue, String)] {
            let answer = try bench.call("POST", "/postbacks/1/assign", body)
            #expect(answer.status == 422 && answer.fields == [field])
        }
        #expect(try bench.call("GET", "/postbacks").items.count == 1)
        let done = try bench.call(
            "POST", "/postbacks/1/assign", ["click_id": .string(bench.text(stored))])
        #expect(done["new"]?["verdict"] == "accepted")
        #expect(
            try bench.call("GET", "/conversions/cv1")["click_id"] == .string(bench.text(stored)))
        for id in ["0", "9", "x"] {
            #expect(try bench.call("POST", "/postbacks/\(id)/assign").status == 404)
        }
    }

    @Test func `tokens are known as soon as they are made, until they are revoked`() throws {
        let bench = try Bench()
        let made = try bench.call("POST", "/tokens", ["name": "me"])
        let digest = Bench.sha256(Array((made["token"]?.stringValue ?? "").utf8))
        #expect(bench.ledger.hasToken(sha256: digest))
        #expect(!bench.ledger.hasToken(sha256: Bench.sha256([1])))
        #expect(try bench.call("DELETE", "/tokens/me").status == 200)
        #expect(!bench.ledger.hasToken(sha256: digest))
    }
}

import Foundation
import TestSupport
import Testing

/// Calls judged again, and conversions entered by hand and from files, through the real binary.
@Suite struct LedgerTests {
    @Test func `a call that was refused is replayed once its network is set right`() throws {
        let chain = try Chain.start()
        let click = try chain.visit("subid=W8d")
        let refused = try chain.network.call("cid=\(click.clickID)&payout=1,234&txid=9")
        #expect(refused.verdict == "payout_ambiguous")
        try chain.tracker.call("PATCH", "/networks/net", ["number_format": "point"])

        let rehearsal = try chain.tracker.command(
            "postbacks", "replay", "--verdict", "payout_ambiguous", "--network", "net",
            "--dry-run")
        #expect(rehearsal.exitCode == 0 && rehearsal.output.contains("approved 1234 USD"))
        #expect(try chain.tracker.list("/conversions").isEmpty)

        let done = try chain.tracker.command(
            "postbacks", "replay", "--verdict", "payout_ambiguous", "--json")
        #expect(done.exitCode == 0)
        #expect(try done.json["items"].array.map { $0["new"]["verdict"].string } == ["accepted"])
        let delivery = try chain.delivery(of: click.clickID, "delivered") {
            $0["state"].string == "delivered"
        }
        #expect(delivery["revision"].int == 1)
        let again = try chain.tracker.command("postbacks", "replay", "1", "2")
        #expect(again.exitCode == 0 && again.output.contains("duplicate"))
        #expect(try chain.tracker.list("/conversions").count == 1)
        #expect(try chain.deliveries(click.clickID).count == 1)
        #expect(try chain.tracker.command("postbacks", "replay", "99").exitCode == 3)
        #expect(try chain.tracker.command("postbacks", "replay").exitCode == 2)
    }

    @Test func `a file of conversions is imported, and importing it again changes nothing`() throws
    {
        let chain = try Chain.start()
        let clicks = try (1...3).map { try chain.visit("subid=W\($0)") }
        var csv = "subid,payout,tid,status\r\n"
        for (index, click) in clicks.enumerated() {
            csv += "\(click.clickID),\"12.5\",T\(index),approved\r\n"
        }
        csv += "nonsense,1,T9,approved\r\n\(clicks[0].clickID),1\r\n"
        let path = try chain.tracker.directory.write(csv, to: "conversions.csv")

        let dry = try chain.tracker.command("import", "conversions", path, "--dry-run")
        #expect(dry.exitCode == 5 && dry.output.contains("accepted"))
        #expect(try chain.tracker.list("/conversions").isEmpty)

        let first = try chain.tracker.command("import", "conversions", path)
        #expect(first.exitCode == 5, "\(first.error)")
        let rows = first.output.split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(rows.map { $0[0] } == ["2", "3", "4", "5", "6"])
        #expect(
            rows.map { $0[1] } == [
                "accepted", "accepted", "accepted", "click_id_malformed", "row_malformed",
            ])
        for click in clicks {
            _ = try chain.delivery(of: click.clickID, "delivered") {
                $0["state"].string == "delivered"
            }
        }
        let again = try chain.tracker.command(
            "import", "conversions", path, "--from-line", "3", "--suppress-outbound")
        #expect(again.exitCode == 5)
        #expect(again.output.split(separator: "\n").count == 4)
        #expect(again.output.contains("3\tduplicate"))
        #expect(try chain.tracker.list("/conversions").count == 3)
    }

    @Test func `a file without names of columns is cid, payout, txid`() throws {
        let chain = try Chain.start()
        let click = try chain.visit()
        let path = try chain.tracker.directory.write("\(click.clickID),3.5,A1\n", to: "v.csv")
        let result = try chain.tracker.command(
            "import", "conversions", path, "--suppress-outbound", "--json")
        #expect(result.exitCode == 0, "\(result.error)")
        let conversions = try chain.tracker.list("/conversions")
        #expect(conversions.map { $0["transaction_id"].string } == ["A1"])
        #expect(conversions.map { $0["payout"]["amount"].string } == ["3.5"])
        #expect(try chain.deliveries(click.clickID).isEmpty)
        let wrong = try chain.tracker.directory.write("a,b\n1,2\n", to: "w.csv")
        #expect(try chain.tracker.command("import", "conversions", wrong).exitCode == 4)
    }

    @Test func `a postback key is rotated without losing a call`() throws {
        let chain = try Chain.start()
        let click = try chain.visit("subid=W8d")
        let rotated = try chain.tracker.command("network", "rotate-key", "net")
        #expect(rotated.exitCode == 0)
        let key = try #require(rotated.line.split(separator: "/").last.map(String.init))
        let renewed = FakeNetwork(tracker: chain.tracker, key: key)
        #expect(try chain.network.call("cid=\(click.clickID)&txid=1").verdict == "accepted")
        #expect(try renewed.call("cid=\(click.clickID)&txid=2").verdict == "accepted")
        #expect(try chain.tracker.command("network", "rotate-key", "net").exitCode == 4)
        let revoked = try chain.tracker.command(
            "network", "revoke-key", "net", chain.network.key)
        #expect(revoked.exitCode == 0)
        #expect(try chain.network.call("cid=\(click.clickID)&txid=3").verdict == "key_unknown")
        #expect(try renewed.call("cid=\(click.clickID)&txid=4").verdict == "accepted")
    }

    @Test func `a strict network says which word to map, and maps in the call are heeded`() throws {
        let chain = try Chain.start {
            $0.network["strict_statuses"] = true
            $0.network["strict_events"] = true
            $0.network["events"] = ["sale"]
        }
        let click = try chain.visit("subid=W8d")
        let unmapped = try chain.network.call("cid=\(click.clickID)&status=5")
        #expect(unmapped.status == 422 && unmapped.verdict == "status_unmapped")
        let unknown = try chain.network.call("cid=\(click.clickID)&status=1&event=install")
        #expect(unknown.status == 422 && unknown.verdict == "event_unknown")
        let mapped = try chain.network.call(
            "cid=\(click.clickID)&status=5&event=sale&chargeback_status=4;5")
        #expect(mapped.verdict == "accepted")
        let conversion = try #require(mapped.conversion)
        #expect(
            try chain.tracker.call("GET", "/conversions/\(conversion)")["status"].string
                == "chargeback")
    }

    @Test func `a parked call is counted by itself once its click is back`() throws {
        let chain = try Chain.start()
        let click = try chain.visit("subid=W8d")
        #expect(try chain.tracker.terminate() == 0)
        let clicks = URL(fileURLWithPath: chain.tracker.dataDirectory + "/clicks")
        let away = URL(fileURLWithPath: chain.tracker.dataDirectory + "/away")
        try FileManager.default.moveItem(at: clicks, to: away)
        try chain.tracker.restart()
        let parked = try chain.network.call("cid=\(click.clickID)&payout=5")
        #expect(parked.status == 200 && parked.verdict == "parked")
        let listed = try chain.tracker.command("postbacks", "list", "--waiting", "1", "--json")
        #expect(try listed.json["items"].array.count == 1)

        #expect(try chain.tracker.terminate() == 0)
        try FileManager.default.removeItem(at: clicks)
        try FileManager.default.moveItem(at: away, to: clicks)
        try chain.tracker.restart()
        let delivery = try chain.delivery(of: click.clickID, "delivered") {
            $0["state"].string == "delivered"
        }
        #expect(delivery["revision"].int == 1)
        #expect(try chain.tracker.list("/postbacks?waiting=1").isEmpty)
        let repeated = try chain.network.call("cid=\(click.clickID)&payout=5")
        #expect(repeated.verdict == "duplicate")
    }
}

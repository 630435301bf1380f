import Foundation
import TestSupport
import Testing

/// The reporting currency through the real binary: command line, API, postbacks and report.
@Suite struct RateTests {
    @Test func `payouts and costs are reported in one currency by the operator's rates`() throws {
        let chain = try Chain.start()
        let tracker = chain.tracker
        let click = try chain.visit("subid=W8d")
        let early = try chain.network.call("cid=\(click.clickID)&payout=10&txid=1")
        #expect(early.verdict == "accepted")
        #expect(try tracker.command("rates", "set", "USD", "0.5").exitCode == 4, "no currency yet")

        #expect(try tracker.command("rates", "currency").line == "none")
        #expect(try tracker.command("rates", "currency", "eur").line == "EUR")
        let unknown = try chain.network.call("cid=\(click.clickID)&payout=10&txid=2")
        #expect(unknown.verdict == "accepted")
        let set = try tracker.command("rates", "set", "USD", "0.5")
        #expect(set.exitCode == 0, "\(set.error)")
        let third = try chain.network.call("cid=\(click.clickID)&payout=10.000000001&txid=3")
        #expect(third.verdict == "accepted")
        func reporting() throws -> [String?] {
            try tracker.list("/conversions").reversed().map { $0["reporting"]["amount"].string }
        }
        #expect(try reporting() == [nil, nil, "5"], "half a nano goes to the even one")

        let file = try tracker.directory.write(
            "date,currency,rate\n2020-01-01,usd,0.25\n2020-01-01,GBP,1.125\n", to: "rates.csv")
        let imported = try tracker.command("rates", "import", file)
        #expect(imported.exitCode == 0, "\(imported.error)")
        let list = try tracker.command("rates", "list", "--json")
        #expect(
            try list.json["items"].array.map { $0["rate"].string } == ["1.125", "0.25", "0.5"])
        let wrong = try tracker.directory.write(
            "currency,date,rate\nUSD,2020-01-01,0.1\nUSD,2020-02-30,1\n", to: "wrong.csv")
        let refused = try tracker.command("rates", "import", wrong)
        #expect(refused.exitCode == 4 && refused.error.contains("line 3"))
        #expect(try tracker.command("rates", "set", "USD", "0.0000000001").exitCode == 4)
        #expect(try reporting() == [nil, nil, "5"], "a rate alone rewrites nothing")

        let report = try tracker.call("GET", "/report")["totals"]["reporting"]
        #expect(report["revenue"]["amount"].string == "5" && report["unconverted"].int == 2)
        #expect(report["cost"]["amount"].string == "0.006" && report["currency"].string == "EUR")
        let rehearsal = try tracker.command("rates", "recompute", "--dry-run")
        #expect(rehearsal.exitCode == 0 && rehearsal.output.contains("5 EUR"))
        #expect(try reporting() == [nil, nil, "5"])
        #expect(try tracker.command("rates", "recompute").exitCode == 0)
        #expect(try reporting() == ["5", "5", "5"])
        let table = try tracker.command("report")
        #expect(table.output.contains("PROFIT EUR") && table.output.contains("14.994"))

        #expect(try tracker.command("rates", "delete", "GBP", "2020-01-01").exitCode == 0)
        #expect(try tracker.command("rates", "delete", "GBP", "2020-01-01").exitCode == 3)
        // Its source is still told the payout itself.
        let told = try chain.deliveries(click.clickID).map { $0["request"]["url"].string ?? "" }
        #expect(told.count == 3 && told.allSatisfy { $0.contains("value=10") })
    }
}

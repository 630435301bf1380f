import Foundation
import TestSupport
import Testing

/// Corrections of costs through the real binary: command line, API and report.
@Suite struct CostLayerTests {
    @Test func `a bill is laid over the clicks of its days, and taken off again`() throws {
        let chain = try Chain.start()
        let tracker = chain.tracker
        for zone in ["1", "1", "2"] { _ = try chain.visit("subid=a&zone=\(zone)") }
        func cost() throws -> String {
            let cost = try tracker.call("GET", "/report")["totals"]["cost"]
            return "\(cost["amount"].string ?? "-") \(cost["currency"].string ?? "-")"
        }
        #expect(try cost() == "0.036 USD")
        // The test may run over midnight: its days are yesterday's, today's and tomorrow's.
        let days = ["--from", day(-1), "--to", day(1)]
        func set(_ words: String...) throws -> CommandResult {
            try TrackerProcess.run(
                ["cost", "set", "summer"] + words + days + ["--data-dir", tracker.dataDirectory])
        }
        #expect(
            try set("1", "--dry-run").error.contains("total 1 USD would be the cost of 3 clicks"))
        #expect(try cost() == "0.036 USD")
        let all = try set("1", "--note", "invoice 12")
        #expect(all.exitCode == 0 && all.line == "1", "\(all.error)")
        #expect(try cost() == "1 USD")
        let zone = try set("0.05", "--as", "cpc", "--where", "var1=2", "--where", "var1=3")
        #expect(zone.line == "2" && zone.error.contains("the cost of 1 click"), "\(zone.error)")
        #expect(try cost() == "0.716666667 USD")
        let list = try tracker.command("cost", "list", "--campaign", "summer")
        #expect(list.output.contains("param:zone=2,3") && list.output.contains("invoice 12"))
        #expect(try tracker.terminate() == 0)
        try tracker.restart()
        #expect(try cost() == "0.716666667 USD", "also after a restart")
        #expect(try tracker.command("cost", "remove", "2").exitCode == 0)
        #expect(try cost() == "1 USD")
        #expect(try tracker.command("cost", "restore", "2").exitCode == 0)
        #expect(try cost() == "0.716666667 USD")
        for id in ["1", "2"] { #expect(try tracker.command("cost", "remove", id).exitCode == 0) }
        #expect(try cost() == "0.036 USD")
        #expect(try tracker.command("cost", "list", "--removed").output.contains("1 (removed)"))
        #expect(try tracker.command("cost", "remove", "1").exitCode == 4)
        #expect(try tracker.command("cost", "remove", "3").exitCode == 3)
        let wrong = try set("1", "--where", "country=US")
        #expect(wrong.exitCode == 4 && wrong.error.contains("where.country"))
        #expect(try tracker.command("cost", "set", "summer", "1").exitCode == 2)
        let file = try tracker.directory.write(
            #"[{"campaign":"summer","from":"\#(day(-1))","to":"\#(day(1))","cpm":"2000"}]"#,
            to: "layers.json")
        let added = try tracker.command("cost", "add", file)
        #expect(added.line == "3", "\(added.error)")
        #expect(try cost() == "6 USD")
    }

    @Test func `a source's report is imported row by row, or not at all`() throws {
        let chain = try Chain.start()
        let tracker = chain.tracker
        for zone in ["1", "1", "2"] { _ = try chain.visit("subid=a&zone=\(zone)") }
        func write(_ rows: String) throws -> String {
            try tracker.directory.write("Date,to,var1,Cost,note\n" + rows, to: "report.csv")
        }
        func cost() throws -> String? {
            let report = try tracker.call("GET", "/report?from=\(day(-1))&to=\(day(1))")
            return report["totals"]["cost"]["amount"].string
        }
        let days = "\(day(-1)),\(day(1))"
        let wrong = try tracker.command(
            "cost", "import", try write("\(days),1,5,a\n\(days),2,x,b\n"), "--campaign", "summer")
        #expect(wrong.exitCode == 4 && wrong.error.contains("line 3: total"), "\(wrong.error)")
        #expect(try cost() == "0.036")
        let file = try write("\(days),1,5,\"a, b\"\n\(days),2,0.5,\n\(days),,7,\n")
        #expect(try tracker.command("cost", "import", file).exitCode == 4, "no campaign is named")
        let dry = try tracker.command(
            "cost", "import", file, "--campaign", "summer", "--dry-run")
        #expect(dry.error.contains("3 corrections would be added, about 3 clicks"), "\(dry.error)")
        #expect(try cost() == "0.036")
        for _ in 1...2 {
            let done = try tracker.command("cost", "import", file, "--campaign", "summer")
            #expect(done.exitCode == 0, "\(done.error)")
            // The third row is about clicks without a zone: nobody's, so it stands by itself.
        }
        #expect(try tracker.list("/costs").count == 6)
        #expect(try tracker.list("/costs").last?["note"].string == "a, b")
        #expect(try cost() == "12.5", "the same file lies over itself")
    }

    /// Today's date in UTC and some days on.
    private func day(_ offset: Int) -> String {
        let date = Date(timeIntervalSinceNow: Double(offset) * 86_400)
        return String(ISO8601DateFormatter().string(from: date).prefix(10))
    }
}

import TestSupport
import Testing

/// Importing a file before somebody's eyes, and past the end of a server.
@Suite struct ImportTests {
    /// A file of conversions of one click, and how many rows it has.
    private static func file(_ chain: Chain, rows: Int) throws -> String {
        let click = try chain.visit("subid=W8d")
        var csv = "cid,payout,txid\n"
        for row in 1...rows { csv += "\(click.clickID),1,T\(row)\n" }
        return try chain.tracker.directory.write(csv, to: "conversions.csv")
    }

    @Test func `whoever watches sees how far the import is, and data stays data`() throws {
        let chain = try Chain.start()
        let path = try Self.file(chain, rows: 450)
        let arguments = [
            "import", "conversions", path, "--suppress-outbound", "--data-dir",
            chain.tracker.dataDirectory,
        ]
        let watched = try TrackerProcess.run(arguments, watched: true)
        #expect(watched.exitCode == 0, "\(watched.error)")
        // Batches of 200 rows, each drawn over the one before it.
        let lines = watched.error.split(separator: "\r\u{1b}[K").map(String.init)
        let percents = lines.filter { $0.contains(" %, ") }
        #expect(percents.count == 3, "\(lines)")
        #expect(
            percents.map { $0.split(separator: ",")[1] } == [" 200 rows", " 400 rows", " 450 rows"])
        let numbers = percents.compactMap { Int($0.split(separator: " ")[0]) }
        #expect(numbers.count == 3 && numbers == numbers.sorted() && numbers.last == 100)
        #expect(percents.allSatisfy { $0.hasSuffix(" 0 failed") })
        #expect(lines.last?.hasPrefix("450 rows: 450 accepted; last line 451") == true)
        #expect(!watched.output.contains("\u{1b}") && !watched.output.contains("%"))
        #expect(watched.output.split(separator: "\n").count == 450)

        // In a log there is nothing to draw over.
        let logged = try TrackerProcess.run(arguments)
        #expect(logged.exitCode == 0 && !logged.error.contains("\u{1b}"))
        #expect(logged.error.hasPrefix("450 rows: 450 duplicate"))
    }

    @Test func `an import whose server goes away says where to go on, and nothing counts twice`()
        throws
    {
        let chain = try Chain.start()
        let path = try Self.file(chain, rows: 900)
        let (tracker, token) = (chain.tracker, try chain.tracker.bearer())
        // Stands between the command and the server, and is gone after two batches: before it could
        // tell that the third was entered.
        let between = try FakeTrafficSource { request, count in
            guard count < 3,
                let answer = try? tracker.api(
                    "POST", String(request.target.dropFirst("/api/v1".count)),
                    text: String(decoding: request.body, as: UTF8.self)), count < 2
            else { return .manner(.close) }
            return FakeTrafficSource.Answer(answer.status, body: answer.text)
        }
        let cut = try TrackerProcess.run([
            "import", "conversions", path, "--suppress-outbound", "--server", between.url,
            "--token", token,
        ])
        #expect(cut.exitCode == 75, "\(cut.error)")
        #expect(cut.output.split(separator: "\n").count == 400)
        #expect(cut.error.contains("lines up to 401 are done; go on with --from-line 402"))
        #expect(try tracker.list("/conversions").count == 600)

        let rest = try tracker.command(
            "import", "conversions", path, "--suppress-outbound", "--from-line", "402")
        #expect(rest.exitCode == 0, "\(rest.error)")
        #expect(rest.error.contains("500 rows: 300 accepted, 200 duplicate; last line 901"))
        #expect(try tracker.list("/conversions").count == 900)

        // With nobody there from the start, no row was entered, and it says that.
        between.stop()
        let none = try TrackerProcess.run([
            "import", "conversions", path, "--server", between.url, "--token", token,
        ])
        #expect(none.exitCode == 75 && none.output.isEmpty)
        #expect(none.error.contains("no row was entered"))
    }

    @Test func `an import goes on after its server was killed and started again`() throws {
        let chain = try Chain.start()
        let path = try Self.file(chain, rows: 500)
        let tracker = chain.tracker
        let first = try TrackerProcess.run(
            ["import", "conversions", path, "--data-dir", tracker.dataDirectory])
        #expect(first.exitCode == 0)
        try tracker.kill()
        try tracker.restart()
        let again = try tracker.command("import", "conversions", path)
        #expect(again.exitCode == 0)
        #expect(again.error.contains("500 rows: 500 duplicate"))
        #expect(try tracker.list("/conversions").count == 500)
    }
}

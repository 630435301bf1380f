import TestSupport
import Testing

/// Flag over environment over file over default; every problem at once.
@Suite struct ConfigurationTests {
    private func printed(_ arguments: [String], _ environment: [String: String] = [:]) throws
        -> [String: String]
    {
        let result = try TrackerProcess.run(
            ["config", "print"] + arguments, environment: environment)
        #expect(result.exitCode == 0, "\(result.error)")
        var values: [String: String] = [:]
        for line in result.output.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            #expect(parts.count == 2, "\(line)")
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        return values
    }

    @Test func `defaults are as documented`() throws {
        let values = try printed([])
        #expect(values["CLICKRELAY_DATA_DIR"] == "./data")
        #expect(values["CLICKRELAY_LISTEN"] == "127.0.0.1:8080")
        #expect(values["CLICKRELAY_NODE_ID"] == "0")
        #expect(values["CLICKRELAY_DB_SYNC"] == "full")
        #expect(values["CLICKRELAY_ON_STORAGE_FAILURE"] == "redirect")
        #expect(values["CLICKRELAY_OUTBOUND_GIVE_UP_HOURS"] == "72")
    }

    @Test func `a flag beats the environment, which beats the file`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            # a comment

            CLICKRELAY_LOOPS=3
            CLICKRELAY_NODE_ID=5
            CLICKRELAY_MAX_CONNECTIONS=1234
            CLICKRELAY_PUBLIC_URL=https://t.example

            """, to: "clickrelay.env")
        let values = try printed(
            ["--config", file, "--loops", "1", "--data-dir", directory.file("d")],
            ["CLICKRELAY_LOOPS": "2", "CLICKRELAY_NODE_ID": "6"])
        #expect(values["CLICKRELAY_LOOPS"] == "1")
        #expect(values["CLICKRELAY_NODE_ID"] == "6")
        #expect(values["CLICKRELAY_MAX_CONNECTIONS"] == "1234")
        #expect(values["CLICKRELAY_PUBLIC_URL"] == "https://t.example")
        #expect(values["CLICKRELAY_DATA_DIR"] == directory.file("d"))
    }

    @Test func `all problems are reported at once, by key`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "CLICKRELAY_NODE_ID=256\nCLICKRELAY_NO_SUCH_KEY=1\n", to: "bad.env")
        let result = try TrackerProcess.run(
            [
                "serve", "--config", file, "--data-dir", directory.file("data"), "--listen",
                "nowhere",
            ],
            environment: [
                "CLICKRELAY_LOOPS": "many", "CLICKRELAY_DB_SYNC": "maybe",
                "CLICKRELAY_MAX_BODY_BYTES": "-1",
            ])
        #expect(result.exitCode == 2, "exit \(result.exitCode)")
        for key in ["NODE_ID", "NO_SUCH_KEY", "LOOPS", "DB_SYNC", "MAX_BODY_BYTES"] {
            #expect(result.error.contains(key), "\(key) is missing in: \(result.error)")
        }
        #expect(result.error.contains("LISTEN") || result.error.contains("--listen"))
        #expect(directory.entries() == ["bad.env"], "nothing was started")
    }

    @Test func `a missing configuration file is named`() throws {
        let directory = try TemporaryDirectory()
        let result = try TrackerProcess.run(["serve", "--config", directory.file("nosuch.env")])
        #expect(result.exitCode != 0 && result.error.contains("nosuch.env"))
    }

    @Test func `the data directory and its socket are private`() throws {
        let tracker = try TrackerProcess.start()
        #expect(tracker.directory.mode(of: "data/control.sock") == 0o600)
        #expect((tracker.directory.mode(of: "data") ?? 0o777) & 0o007 == 0)
        let entries = tracker.directory.entries(of: "data")
        #expect(entries.contains("clickrelay.db") && entries.contains("clicks"))
    }

    @Test(.enabled(if: hasIPv6Loopback, "this machine has no ::1"))
    func `several addresses are served`() throws {
        let tracker = try TrackerProcess.start(.init(arguments: ["--listen", "[::1]:0"]))
        #expect(try tracker.get("/healthz").status == 200)
        #expect(tracker.errorText.contains("[::1]:"), "the ready line names both")
    }

    @Test func `an address that is taken is a clear failure`() throws {
        let taken = try FakeTrafficSource()
        let directory = try TemporaryDirectory()
        let result = try TrackerProcess.run([
            "serve", "--data-dir", directory.file("data"), "--listen", "127.0.0.1:\(taken.port)",
        ])
        #expect(result.exitCode != 0 && result.error.contains(String(taken.port)))
    }
}

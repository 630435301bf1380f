import TestSupport
import Testing

/// What the commands promise beyond doing their job: files read as systemd reads them, exit codes
/// that tell a script what happened, and output that nobody else can write into.
@Suite struct CommandLineDetailTests {
    @Test func `a configuration file is read as systemd reads it`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            # comment
            ; comment too
            CLICKRELAY_DATA_DIR="/srv/a \\"b\\" c"
            LISTEN = 127.0.0.1:81, \\
                [::1]:82
              PUBLIC_URL='https://t.example/'\u{20}

            NODE_ID=
            IP_POLICY=trun\\cate
            """, to: "clickrelay.env")
        let printed = try TrackerProcess.run(["config", "print", "--json", "--config", file])
        #expect(printed.exitCode == 0, "\(printed.error)")
        let values = try printed.json
        #expect(values["DATA_DIR"]["value"] == "/srv/a \"b\" c")
        #expect(values["DATA_DIR"]["origin"].string == "\(file), line 3")
        #expect(values["LISTEN"]["value"].string?.contains("[::1]:82") == true)
        #expect(values["PUBLIC_URL"]["value"] == "https://t.example/")
        #expect(values["NODE_ID"]["value"] == "0", "an empty value is none")
        #expect(values["IP_POLICY"]["value"] == "truncate")
        // What it prints says the same when it is read again.
        let lines = try TrackerProcess.run(["config", "print", "--config", file]).output
        let again = try directory.write(lines, to: "again.env")
        let values2 = try TrackerProcess.run(["config", "print", "--json", "--config", again]).json
        for name in ["DATA_DIR", "LISTEN", "PUBLIC_URL", "NODE_ID", "IP_POLICY"] {
            #expect(values2[name]["value"] == values[name]["value"], "\(name)")
        }
    }

    @Test(arguments: [
        ("LOOPS", "line 2 is no assignment\n"), ("closed", "LOOPS=\"2\n"),
        ("export", "export LOOPS=2\n"), ("twice", "LOOPS=2\nCLICKRELAY_LOOPS=3\n"),
        ("did you mean LOOPS", "LOPS=2\n"), ("did you mean full", "DB_SYNC=ful\n"),
        ("TLS_CERT_FILE", "TLS_CERT_FILE=/x.pem\n"), ("0.0.0.0:80", "LISTEN=:80\n"),
        ("PUBLIC_URL", "PUBLIC_URL=t.example\n"), ("10.0.0.0/8", "TRUSTED_PROXIES=10.0.0.0/33\n"),
        ("LISTEN", "LISTEN=127.0.0.1:80,127.0.0.1:80\n"), ("ADDRESS:PORT", "LISTEN=unix:/x\n"),
    ])
    func `a mistake in the file is named`(mention: String, text: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("DATA_DIR=/x\n" + text, to: "bad.env")
        let result = try TrackerProcess.run(["config", "print", "--config", file])
        let isNamed = result.error.contains(mention) || result.error.contains("line 2")
        #expect(result.exitCode == 2 && isNamed, "\(result.error)")
        #expect(result.output.isEmpty)
    }

    @Test func `a secret is never printed`() throws {
        for arguments in [["config", "print"], ["config", "print", "--json"]] {
            let result = try TrackerProcess.run(
                arguments, environment: ["CLICKRELAY_TOKEN": "cr_verysecret"])
            #expect(result.exitCode == 0)
            #expect(!(result.output + result.error).contains("verysecret"))
        }
    }

    @Test func `a variable of ours that nobody knows is only a warning`() throws {
        let result = try TrackerProcess.run(
            ["config", "print"], environment: ["CLICKRELAY_LOPS": "2"])
        #expect(result.exitCode == 0 && result.error.contains("CLICKRELAY_LOOPS"))
    }

    @Test func `an empty word is a usage error`() throws {
        for command in [["trace", ""], ["source", "show", ""], ["network", "apply", ""]] {
            let result = try TrackerProcess.run(command)
            #expect(result.exitCode == 2 && result.error.contains("usage:"), "\(result.error)")
        }
    }

    @Test func `a key that can't be one is refused with the rule`() throws {
        let tracker = try TrackerProcess.start()
        for key in ["A b", String(repeating: "a", count: 65)] {
            let file = try tracker.directory.write("{\"key\":\"\(key)\"}", to: "network.json")
            let result = try tracker.command("network", "apply", file)
            #expect(result.exitCode == 4 && result.error.contains("a-z"), "\(result.error)")
        }
    }

    @Test func `a mistyped word is met with the nearest one`() throws {
        for (arguments, nearest) in [
            (["campain", "list"], "campaign"), (["campaign", "aply", "x"], "apply"),
            (["serve", "--loop", "1"], "--loops"), (["help", "servee"], "serve"),
        ] {
            let result = try TrackerProcess.run(arguments)
            #expect(result.exitCode == 2 && result.error.contains(nearest), "\(result.error)")
        }
    }

    @Test func `what can be applied is applied, and the rest named`() throws {
        let tracker = try TrackerProcess.start()
        let file = try tracker.directory.write(
            """
            [{"key": "good", "name": "Good", "click_id_param": "s2"},
             {"key": "bad", "name": "Bad", "currency": "NOPE"},
             {"name": "nameless"},
             {"key": "fine", "name": "Fine", "click_id_param": "s2"}]
            """, to: "networks.json")
        let applied = try tracker.command("network", "apply", file)
        #expect(applied.exitCode == 5)
        #expect(applied.output == "created good\ncreated fine\n")
        #expect(applied.error.contains("\"bad\"") && applied.error.contains("currency"))
        #expect(applied.error.contains("key"))
        // A list is a file to apply, and applying it again changes nothing.
        let list = try tracker.command("network", "list", "--json").output
        let again = try tracker.command(
            "network", "apply", tracker.directory.write(list, to: "again.json"))
        #expect(again.exitCode == 0 && again.output == "unchanged good\nunchanged fine\n")
        #expect(try tracker.command("network", "apply", "-").exitCode == 4, "stdin is empty")
        #expect(try tracker.command("network", "archive", "good").exitCode == 0)
        #expect(try !tracker.command("network", "list").output.contains("good"))
        #expect(try tracker.command("network", "list", "--archived").output.contains("good"))
        #expect(try tracker.command("network", "archive", "nosuch").exitCode == 3)
    }

    @Test func `dead deliveries are sent again by one command`() throws {
        let chain = try Chain.start(answer: { _, number in number <= 2 ? .status(410) : .ok })
        for index in 1...2 {
            let visit = try chain.visit("subid=\(index)")
            _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
            _ = try chain.delivery(of: visit.clickID, "is dead") { $0["state"] == "dead" }
        }
        let retried = try chain.tracker.command("deliveries", "retry", "--state", "dead")
        #expect(retried.exitCode == 0, "\(retried.error)")
        try chain.source.await(4)
        #expect(try chain.tracker.command("deliveries", "retry", "999").exitCode == 3)
        #expect(
            try chain.tracker.command("deliveries", "retry", "1", "--state", "dead").exitCode == 2)
        #expect(try chain.tracker.command("deliveries", "list", "--state", "ded").exitCode == 4)
    }

    @Test func `the health check tells ready from not there`() throws {
        let tracker = try TrackerProcess.start()
        #expect(try tracker.command("healthcheck").exitCode == 0)
        let byURL = try TrackerProcess.run(
            ["healthcheck", "--server", "http://127.0.0.1:\(tracker.port)"])
        #expect(byURL.exitCode == 0, "\(byURL.error)")
        #expect(try tracker.terminate() == 0)
        let gone = try tracker.command("healthcheck")
        #expect(gone.exitCode == 1 && !gone.error.isEmpty)
    }

    @Test func `an unreachable server is worth another try, a missing token is not`() throws {
        let unreachable = try TrackerProcess.run(
            ["campaign", "list", "--server", "http://127.0.0.1:1", "--token", "x"])
        #expect(unreachable.exitCode == 75)
        let tokenless = try TrackerProcess.run([
            "campaign", "list", "--server", "http://127.0.0.1:1",
        ])
        #expect(tokenless.exitCode == 2 && tokenless.error.contains("CLICKRELAY_TOKEN"))
    }

    @Test func `what a visitor sent can't command a terminal`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=a%1b%5b2J%0aforged&zone=%9b31m")
        let trace = try chain.tracker.command("trace", visit.clickID)
        #expect(trace.exitCode == 0)
        #expect(trace.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
        #expect(!trace.output.split(separator: "\n").contains { $0.hasPrefix("forged") })
    }

    @Test func `reading from a directory that is none makes none`() throws {
        let directory = try TemporaryDirectory()
        let result = try TrackerProcess.run(
            ["campaign", "list", "--data-dir", directory.file("nosuch")])
        #expect(result.exitCode == 1 && result.error.contains("nosuch"))
        #expect(directory.entries().isEmpty)
    }

    @Test func `the demo's walk is a test of an installation, and leaves nothing behind`() throws {
        let directory = try TemporaryDirectory()
        let result = try TrackerProcess.run(
            ["demo", "--once"], environment: ["TMPDIR": directory.path])
        #expect(result.exitCode == 0, "\(result.output)\(result.error)")
        #expect(result.output.contains("\"verdict\":\"accepted\""))
        #expect(directory.entries().isEmpty)
        let tracker = try TrackerProcess.start()
        let refused = try tracker.command("demo", "--once")
        #expect(refused.exitCode == 4 && refused.error.contains("fresh"))
    }
}

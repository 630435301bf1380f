import Foundation
import TestSupport
import Testing

/// The command line: stdout is data, stderr is talk, the exit code is the answer.
@Suite struct CommandLineTests {
    private static func items(_ result: CommandResult) throws -> [JSON] {
        let json = try result.json
        return json.array.isEmpty ? json["items"].array : json.array
    }

    @Test func `token create prints the token and nothing else`() throws {
        let tracker = try TrackerProcess.start()
        let result = try tracker.command("token", "create", "ci")
        #expect(result.exitCode == 0)
        let token = result.line
        #expect(result.output == token + "\n" && token.utf8.count >= 16)
        #expect(token.allSatisfy { $0.isASCII && !$0.isWhitespace })
        let list = try tracker.command("token", "list")
        #expect(list.exitCode == 0 && list.output.contains("ci"))
        #expect(!list.output.contains(token), "the token itself is shown once")
        #expect(try tracker.command("token", "revoke", "nosuch").exitCode == 3)
        #expect(try tracker.command("token", "create").exitCode == 2)
    }

    @Test(arguments: [true, false])
    func `entities are applied, listed and shown, with a server and without`(running: Bool) throws {
        let tracker = try TrackerProcess.start()
        if !running { #expect(try tracker.terminate() == 0) }
        let directory = tracker.directory
        let files: [(String, JSON)] = [
            (
                "source",
                [["key": "push", "name": "Push", "external_id_param": "subid", "currency": "USD"]]
            ),
            ("network", ["key": "net", "name": "Net", "click_id_param": "s2", "currency": "USD"]),
            (
                "offer",
                [
                    [
                        "key": "a", "name": "A", "network": "net",
                        "url": "https://a.example/?s2={click_id}",
                    ],
                    [
                        "key": "b", "name": "B", "network": "net",
                        "url": "https://b.example/?s2={click_id}",
                    ],
                ]
            ),
            (
                "campaign",
                [
                    "key": "summer", "name": "Summer", "source": "push",
                    "cost": ["model": "none"],
                    "flow": ["paths": [["weight": 1, "offers": [["offer": "a", "weight": 1]]]]],
                ]
            ),
        ]
        for (kind, body) in files {
            let file = try directory.write(body.text, to: "\(kind).json")
            for _ in 0..<2 {
                let applied = try tracker.command(kind, "apply", file)
                #expect(applied.exitCode == 0, "\(kind): \(applied.error)")
            }
            let expected = body.array.isEmpty ? 1 : body.array.count
            let list = try tracker.command(kind, "list", "--json")
            #expect(list.exitCode == 0)
            #expect(try Self.items(list).count == expected, "applied twice, there once")
            let key = try #require((body.array.first ?? body)["key"].string)
            let shown = try tracker.command(kind, "show", key, "--json")
            #expect(shown.exitCode == 0)
            #expect(try shown.json["key"].string == key)
            let plain = try tracker.command(kind, "list")
            #expect(plain.exitCode == 0 && plain.output.contains(key))
            #expect(try tracker.command(kind, "show", "nosuch").exitCode == 3)
        }
        if !running { try tracker.restart() }
        let visit = try Chain.visit(tracker.get("/c/summer"))
        #expect(visit.location.hasPrefix("https://a.example/"))
    }

    @Test func `an applied change holds from the next click`() throws {
        let chain = try Chain.start()
        for round in 0..<5 {
            let file = try chain.tracker.directory.write(
                JSON.object([
                    "key": "fit", "name": "F", "network": "net",
                    "url": "https://offer.example/v\(round)?s2={click_id}",
                ]).text, to: "offer.json")
            #expect(try chain.tracker.command("offer", "apply", file).exitCode == 0)
            #expect(try chain.visit().location.hasPrefix("https://offer.example/v\(round)?"))
        }
    }

    @Test func `apply refuses what is wrong and says where`() throws {
        let tracker = try TrackerProcess.start()
        let file = try tracker.directory.write(
            JSON.object(["key": "x", "name": "x", "currency": "NOPE"]).text, to: "bad.json")
        let result = try tracker.command("source", "apply", file)
        #expect([1, 4].contains(result.exitCode), "exit \(result.exitCode)")
        #expect(result.error.contains("currency") && result.output.isEmpty)
        let broken = try tracker.directory.write("{nonsense", to: "broken.json")
        #expect([1, 2, 4].contains(try tracker.command("source", "apply", broken).exitCode))
        let missing = try tracker.command("source", "apply", tracker.directory.file("nosuch"))
        #expect(missing.exitCode != 0 && missing.error.contains("nosuch"))
        #expect(try tracker.list("/sources").isEmpty)
    }

    @Test(arguments: [true, false])
    func `trace shows the whole journey of any ID`(running: Bool) throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=W8d")
        let answer = try chain.network.call("cid=\(visit.clickID)&payout=5&txid=ORDER-77")
        let refused = try chain.network.call("cid=\(visit.clickID)&payout=x")
        #expect(refused.verdict == "payout_not_number")
        let number = try #require(refused.json["postback"].int)
        _ = try chain.delivery(of: visit.clickID, "is delivered") { $0["state"] == "delivered" }
        if !running { #expect(try chain.tracker.terminate() == 0) }
        let json = try chain.tracker.command("trace", visit.clickID, "--json")
        #expect(json.exitCode == 0, "\(json.error)")
        let journey = try json.json
        #expect(journey["click_id"].string == visit.clickID)
        #expect(journey["conversions"].array.count == 1)
        #expect(journey["deliveries"][0]["attempts"].array.count == 1, "\(journey.text)")
        for id in [
            visit.clickID, visit.clickID.uppercased(), try #require(answer.conversion), "ORDER-77",
            "postback:\(number)", "delivery:1",
        ] {
            let text = try chain.tracker.command("trace", id)
            #expect(text.exitCode == 0, "trace \(id): \(text.error)")
            #expect(text.output.contains(visit.clickID) && text.output.contains("W8d"))
        }
        let unknown = try chain.tracker.command("trace", "nosuch")
        #expect(unknown.exitCode == 3 && unknown.output.isEmpty && !unknown.error.isEmpty)
    }

    @Test func `report and deliveries print data`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=W8d")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=5")
        _ = try chain.delivery(of: visit.clickID, "is delivered") { $0["state"] == "delivered" }
        let report = try chain.tracker.command("report", "--json")
        #expect(report.exitCode == 0)
        #expect(try report.json["rows"][0]["clicks"] == 1)
        let plain = try chain.tracker.command("report")
        #expect(plain.exitCode == 0 && plain.output.contains("summer"))
        let deliveries = try chain.tracker.command("deliveries", "list", "--json")
        #expect(try Self.items(deliveries).first?["state"] == "delivered")
        let text = try chain.tracker.command("deliveries", "list")
        #expect(text.exitCode == 0 && text.output.contains("push/main"))
    }

    @Test func `check passes on a sound directory and finds a damaged one`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=W8d")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=5")
        try chain.source.await(1)
        #expect(try chain.tracker.command("check").exitCode == 0, "while the server runs")
        #expect(try chain.tracker.terminate() == 0)
        let sound = try chain.tracker.command("check")
        #expect(sound.exitCode == 0, "\(sound.output)\(sound.error)")
        try chain.tracker.directory.write(
            String(repeating: "this is no database\n", count: 1000), to: "data/clickrelay.db")
        #expect(try chain.tracker.command("check").exitCode != 0)
        let missing = try TrackerProcess.run(
            ["check", "--data-dir", chain.tracker.directory.file("nosuch")])
        #expect(missing.exitCode != 0 && !missing.error.isEmpty)
    }

    @Test func `usage errors exit 2 and say what is wrong on stderr`() throws {
        let directory = try TemporaryDirectory()
        for arguments in [
            [], ["nosuch"], ["serve", "--nosuch"], ["serve", "--listen"], ["campaign"],
            ["campaign", "nosuch"], ["campaign", "show"], ["trace"], ["token"],
            ["source", "apply"],
            ["report", "--nosuch"], ["deliveries", "retry"], ["check", "extra", "arguments"],
        ] {
            let result = try TrackerProcess.run(
                arguments + (arguments.isEmpty ? [] : ["--data-dir", directory.file("data")]))
            #expect(result.exitCode == 2, "\(arguments): exit \(result.exitCode)")
            #expect(result.output.isEmpty && !result.error.isEmpty, "\(arguments)")
        }
        #expect(directory.entries().isEmpty, "a usage error makes no data directory")
    }

    @Test func `help and version are data`() throws {
        for arguments in [
            ["help"], ["--help"], ["help", "serve"], ["serve", "--help"], ["help", "campaign"],
        ] {
            let result = try TrackerProcess.run(arguments)
            #expect(result.exitCode == 0 && result.output.contains("clickrelay"), "\(arguments)")
            #expect(result.error.isEmpty, "\(arguments)")
        }
        let help = try TrackerProcess.run(["help"]).output
        for command in [
            "serve", "demo", "token", "source", "network", "offer", "campaign", "trace", "report",
            "deliveries", "check", "config", "version", "help",
        ] { #expect(help.contains(command), "help names \(command)") }
        for arguments in [["version"], ["--version"]] {
            let version = try TrackerProcess.run(arguments)
            #expect(version.exitCode == 0 && version.output.contains("clickrelay"))
        }
        #expect([2, 3].contains(try TrackerProcess.run(["help", "nosuch"]).exitCode))
    }

    @Test func `commands work from elsewhere with a server and a token`() throws {
        let chain = try Chain.start()
        let server = "http://127.0.0.1:\(chain.tracker.port)"
        let token = try chain.tracker.bearer()
        let list = try TrackerProcess.run(
            ["campaign", "list", "--json", "--server", server, "--token", token])
        #expect(try Self.items(list).count == 1, "\(list.error)")
        let byEnvironment = try TrackerProcess.run(
            ["campaign", "list", "--json"],
            environment: ["CLICKRELAY_SERVER": server, "CLICKRELAY_TOKEN": token])
        #expect(try Self.items(byEnvironment).count == 1)
        let refused = try TrackerProcess.run(
            ["campaign", "list", "--server", server, "--token", "wrong"])
        #expect(refused.exitCode == 4 || refused.exitCode == 1)
        #expect(refused.output.isEmpty && !refused.error.isEmpty)
    }

    @Test func `a second server on the same directory is kept out`() throws {
        let chain = try Chain.start()
        let second = try TrackerProcess.run([
            "serve", "--data-dir", chain.tracker.dataDirectory, "--listen", "127.0.0.1:0",
        ])
        #expect([1, 4, 75].contains(second.exitCode), "exit \(second.exitCode)")
        #expect(!second.error.isEmpty)
        // The first one is none the worse, and its directory free once it is gone.
        #expect(try chain.visit().clickID.utf8.count == 26)
        try chain.tracker.kill()
        try chain.tracker.restart()
        #expect(try chain.visit().clickID.utf8.count == 26)
    }

    /// A command's hold on a directory without a server, as long as a slow one's.
    private func hold(_ directory: TemporaryDirectory, seconds: Int) throws -> BackgroundCommand {
        let data = directory.file("data")
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        let holder = try BackgroundCommand(
            tool: "/usr/bin/flock", [data + "/lock", "-c", "echo held; sleep \(seconds)"])
        try eventually("the lock is held") { holder.outputText.contains("held") }
        return holder
    }

    @Test func `a server waits for a command that has the directory`() throws {
        let directory = try TemporaryDirectory()
        let holder = try hold(directory, seconds: 1)
        let tracker = try TrackerProcess.start(in: directory)
        #expect(try tracker.get("/readyz").status == 200)
        #expect(try holder.awaitExit() == 0)
    }

    @Test func `a server and commands started together all do their work`() throws {
        let directory = try TemporaryDirectory()
        let data = directory.file("data")
        let file = try directory.write(#"{"key":"net"}"#, to: "net.json")
        let server = try BackgroundCommand([
            "serve", "--data-dir", data, "--listen", "127.0.0.1:0",
        ])
        let commands = try (0..<3).map { _ in
            try BackgroundCommand(["network", "apply", file, "--data-dir", data])
        }
        for command in commands {
            #expect(try command.awaitExit() == 0, "\(command.errorText)")
        }
        try eventually("the server listens") { server.errorText.contains("listening on") }
        server.signal(SIGTERM)
        #expect(try server.awaitExit() == 0, "\(server.errorText)")
    }
}

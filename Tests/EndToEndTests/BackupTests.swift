import Foundation
import TestSupport
import Testing

/// `backup` beside a server under load, and what `restore` makes of the file.
@Suite struct BackupTests {
    private struct Acknowledged: Sendable {
        var clicks: [String] = []
        /// As the network sent them.
        var postbacks: [String] = []
        var changes = 0
    }

    /// Runs `clickrelay` on a directory that no server of ours has.
    private func run(_ arguments: String..., in directory: String) throws -> CommandResult {
        try TrackerProcess.run(arguments + ["--data-dir", directory])
    }

    /// Visitors, a network and somebody who changes campaigns, until they are told to stop.
    private func load(_ chain: Chain, _ all: Locked<Acknowledged>, _ isOver: Locked<Bool>) throws {
        try concurrently(4) { worker in
            let connection = try chain.tracker.connect()
            var random = SeededRandom(UInt64(worker))
            for number in 0... {
                if isOver.current { return }
                switch worker {
                case 0, 1:
                    let visit = try Chain.visit(
                        connection.request("GET", "/c/summer?subid=x\(worker)-\(number)"))
                    all.with { $0.clicks.append(visit.clickID) }
                case 2:
                    guard let click = all.with({ $0.clicks.randomElement(using: &random) }) else {
                        usleep(1000)
                        continue
                    }
                    let query = "cid=\(click)&txid=t\(number)&payout=1"
                    let answer = try PostbackAnswer(
                        connection.request("GET", "/postback/\(chain.network.key)?\(query)"))
                    #expect(answer.verdict == "accepted", "\(answer.json.text)")
                    all.with { $0.postbacks.append(query) }
                default:
                    // Clicks refer to the wordings that these leave behind.
                    try chain.tracker.call(
                        "PATCH", "/offers/fit",
                        ["url": .string("https://offer.example/\(number)?s2={click_id}")])
                    all.with { $0.changes += 1 }
                }
            }
        }
    }

    @Test func `what was acknowledged before a backup under load began is in it, and agrees`()
        throws
    {
        let chain = try Chain.start()
        let all = Locked(Acknowledged())
        let isOver = Locked(false)
        let files = try TemporaryDirectory()
        let before = Locked<[Acknowledged]>([])
        try concurrently(2) { worker in
            if worker == 0 { return try load(chain, all, isOver) }
            defer { isOver.with { $0 = true } }
            for number in 1...4 {
                let earlier = all.current
                try eventually(within: 120, "the load runs") {
                    all.with {
                        $0.clicks.count >= earlier.clicks.count + 40
                            && $0.postbacks.count > earlier.postbacks.count
                            && $0.changes >= earlier.changes + 3
                    }
                }
                before.with { $0.append(all.current) }
                let backup = try chain.tracker.command("backup", files.file("b\(number).tar"))
                #expect(backup.exitCode == 0, "\(backup.error)")
            }
        }
        _ = try chain.tracker.terminate()
        for number in 1...4 {
            let target = files.file("restored\(number)")
            let restored = try run("restore", files.file("b\(number).tar"), in: target)
            #expect(restored.exitCode == 0, "backup \(number): \(restored.output)\(restored.error)")
        }
        let last = before.current[3]
        #expect(last.clicks.count >= 160 && last.postbacks.count > 3)
        try verify(last, files, chain.network.key)
    }

    /// A server on the restored directory has every click and every conversion.
    private func verify(_ all: Acknowledged, _ files: TemporaryDirectory, _ key: String) throws {
        let place = try TemporaryDirectory()
        try FileManager.default.moveItem(
            atPath: files.file("restored4"), toPath: place.file("data"))
        let tracker = try TrackerProcess.start(in: place)
        let network = FakeNetwork(tracker: tracker, key: key)
        try concurrently(4) { worker in
            for (index, query) in all.postbacks.enumerated() where index % 4 == worker {
                let answer = try network.call(query)
                #expect(answer.verdict == "duplicate", "\(answer.json.text)")
            }
            for (index, click) in all.clicks.enumerated() where index % 4 == worker {
                let answer = try network.call("cid=\(click)&txid=v\(index)&payout=1")
                #expect(answer.verdict == "accepted", "\(answer.json.text)")
            }
        }
        #expect(try tracker.get("/c/summer?subid=new").status == 302)
        #expect(try tracker.terminate() == 0)
        let check = try tracker.command("check")
        #expect(check.exitCode == 0, "\(check.output)")
    }
}

/// `restore` and files that it must not take.
@Suite struct RestoreTests {
    private let chain: Chain
    private let files: TemporaryDirectory
    private var backup: String { files.file("b.tar") }
    private var target: String { files.file("restored") }

    /// A backup of a tracker with a click and a conversion, made without a server.
    init() throws {
        chain = try Chain.start()
        files = try TemporaryDirectory()
        let visit = try chain.visit("subid=A")
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        try chain.source.await(1)
        try chain.tracker.kill()
        let made = try chain.tracker.command("backup", backup)
        #expect(made.exitCode == 0, "\(made.error)")
    }

    private func restore(_ file: String) throws -> CommandResult {
        try TrackerProcess.run(["restore", file, "--data-dir", target])
    }

    private var bytes: Data {
        get throws { try Data(contentsOf: URL(fileURLWithPath: backup)) }
    }

    private func write(_ bytes: some DataProtocol, _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: files.file(name)))
        return files.file(name)
    }

    /// Nothing was made, nothing was left.
    private func expectRefusal(_ file: String, _ words: String) throws {
        let result = try restore(file)
        #expect(result.exitCode == 4, "\(words): \(result.output)\(result.error)")
        #expect(result.error.contains(words), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test func `a backup is a tar archive that is its owner's only, with its own checksums`()
        throws
    {
        #expect(files.mode(of: "b.tar") == 0o600)
        #expect(files.entries() == ["b.tar"])
        let unpacked = try runTool(
            "/bin/sh",
            [
                "-c",
                "mkdir \"$1/out\" && cd \"$1/out\" && tar xf ../b.tar && sha256sum -c SHA256SUMS",
                "sh", files.path,
            ])
        #expect(unpacked.exitCode == 0, "\(unpacked.output)\(unpacked.error)")
        #expect(files.entries(of: "out/clicks").count >= 1)
        #expect(files.mode(of: "out/clickrelay.db") == 0o600)
    }

    @Test func `a backup changed at any place is refused, and nothing is left of it`() throws {
        var random = SeededRandom(7)
        let whole = try bytes
        // Somewhere in each part: what it is, headers, databases, sums, the end.
        let places =
            [0, 200, 600, 1300, whole.count - 1, whole.count - 1500]
            + (0..<30).map { _ in Int.random(in: 0..<whole.count, using: &random) }
        for place in places {
            var changed = whole
            changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let result = try restore(write(changed, "changed.tar"))
            #expect(result.exitCode == 4, "byte \(place): \(result.output)\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: target), "byte \(place)")
        }
    }

    @Test func `a backup that was cut short is refused`() throws {
        let whole = try bytes
        for count in [1600, whole.count / 2, whole.count - 2048, whole.count - 1024] {
            try expectRefusal(write(whole.prefix(count), "cut.tar"), "ends too early")
        }
        try expectRefusal(write(whole.prefix(100), "cut.tar"), "no backup")
        try expectRefusal(write(whole + [0], "long.tar"), "something follows")
    }

    @Test func `what is no backup is refused`() throws {
        try expectRefusal(write([UInt8](), "empty"), "no backup")
        try expectRefusal(files.write("hello", to: "text"), "no backup")
        try expectRefusal(chain.tracker.dataDirectory + "/clickrelay.db", "no backup")
        let made = try runTool(
            "/bin/sh", ["-c", "cd \"$1\" && tar cf o.tar b.tar", "sh", files.path])
        #expect(made.exitCode == 0)
        try expectRefusal(files.file("o.tar"), "no backup")
        let missing = try restore(files.file("nosuch"))
        #expect(missing.exitCode == 1 && missing.error.contains("nosuch"), "\(missing.error)")
    }

    @Test func `a directory that holds anything is not restored into`() throws {
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try files.write("mine", to: "restored/notes")
        let refused = try restore(backup)
        #expect(refused.exitCode == 4 && refused.error.contains("notes"), "\(refused.error)")
        #expect(files.entries(of: "restored") == ["notes"])
        try files.remove("restored/notes")
        #expect(try restore(backup).exitCode == 0, "an empty one will do")
        #expect(try restore(backup).exitCode == 4, "a second time")
    }

    @Test func `no server starts where a restore did not finish`() throws {
        #expect(try restore(backup).exitCode == 0)
        try FileManager.default.createDirectory(
            atPath: target + "/.restoring", withIntermediateDirectories: false)
        let served = try TrackerProcess.run(
            ["serve", "--data-dir", target, "--listen", "127.0.0.1:0"])
        #expect(served.exitCode == 1 && served.error.contains("restore"), "\(served.error)")
        let again = try restore(backup)
        #expect(again.exitCode == 4 && again.error.contains("did not finish"), "\(again.error)")
    }

    @Test func `a backup replaces an older one and nothing else`() throws {
        #expect(try chain.tracker.command("backup", backup).exitCode == 0)
        let text = try files.write("mine", to: "text")
        let refused = try chain.tracker.command("backup", text)
        #expect(refused.exitCode == 4 && refused.error.contains("no backup"), "\(refused.error)")
        #expect(try String(contentsOfFile: text, encoding: .utf8) == "mine")
        #expect(files.entries() == ["b.tar", "text"])
        let nowhere = try chain.tracker.command("backup", files.file("no/such/folder"))
        #expect(nowhere.exitCode == 1, "\(nowhere.error)")
    }

    @Test func `faults that are in a backup are told, and keep nobody from what is sound`() throws {
        let day = try #require(
            chain.tracker.directory.entries(of: "data/clicks").first { $0.hasSuffix(".db") })
        try chain.tracker.directory.write("no database", to: "data/clicks/2026-01-01.db")
        let partly = try chain.tracker.command("backup", backup)
        #expect(partly.exitCode == 5 && partly.error.contains("2026-01-01"), "\(partly.error)")
        let restored = try restore(backup)
        #expect(restored.exitCode == 0, "\(restored.error)")
        #expect(files.entries(of: "restored/clicks").contains(day))
        #expect(!files.entries(of: "restored/clicks").contains("2026-01-01.db"))
    }
}

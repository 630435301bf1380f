import Foundation
import TestSupport
import Testing

/// A disk call that fails while a server runs, one at a time: never is something acknowledged that
/// is not stored, and the server goes on by itself or never starts.
///
/// `CLICKRELAY_CRASH_CALLS` (0: a sample) is up to which call of each kind fails; `Tests/crash` sets
/// it.
@Suite struct DiskFaultTests {
    private static let calls = ["fsync", "fdatasync", "pwrite", "open"]

    static var failures: [FaultShim.Failure] {
        let setting = ProcessInfo.processInfo.environment["CLICKRELAY_CRASH_CALLS"]
        let last = setting.flatMap { Int($0) } ?? 0
        // The sample: while it opens its files, and under load.
        let numbers = last > 0 ? Array(1...last) : [1, 7, 30]
        return calls.flatMap { call in
            [EIO, ENOSPC].flatMap { error in
                numbers.map { FaultShim.Failure(call: call, error: error, number: $0) }
            }
        }
    }

    private struct Acknowledged {
        var clicks: [String] = []
        var postbacks: [String] = []
    }

    /// A tracker that was set up and stopped, to be copied for each failure.
    private static func prepared() throws -> (TemporaryDirectory, key: String) {
        let chain = try Chain.start()
        _ = try chain.visit("subid=before")
        guard try chain.tracker.terminate() == 0 else { throw TestFailure("it did not stop") }
        return (chain.tracker.directory, chain.network.key)
    }

    @Test func `a failing call is never acknowledged, and needs no hand`() throws {
        let (origin, key) = try Self.prepared()
        let failures = Self.failures
        var neverStarted = 0
        // Up to which of them there was, in the order in which they are tried.
        var met: [String: Int] = [:]
        for failure in failures {
            let shim = try FaultShim()
            let directory = try TemporaryDirectory()
            try FileManager.default.copyItem(
                atPath: origin.file("data"), toPath: directory.file("data"))
            do {
                if try !run(failure, shim, directory, key) { neverStarted += 1 }
            } catch {
                throw TestFailure("\(failure.text): \(error)")
            }
            if try shim.failedCount() > 0 { met[failure.call] = failure.number }
        }
        // How often a call is made is SQLite's to choose, with `fsync` hardly ever.
        for call in Self.calls { #expect(met[call] != nil, "no \(call) has failed") }
        let lasts = met.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        print(
            "disk faults: \(failures.count), \(neverStarted) of them kept it from starting; there "
                + "were calls up to \(lasts.joined(separator: ", "))")
    }

    /// - Returns: whether it started with the failure; if not, it said so.
    private func run(
        _ failure: FaultShim.Failure, _ shim: FaultShim, _ directory: TemporaryDirectory,
        _ key: String
    ) throws -> Bool {
        var environment = shim.environment(directory, failing: failure)
        environment["CLICKRELAY_ON_STORAGE_FAILURE"] = "refuse"
        var all = Acknowledged()
        var started: TrackerProcess?
        do {
            let tracker = try TrackerProcess.start(
                .init(environment: environment), in: directory)
            started = tracker
            try load(tracker, key, &all, count: 25)
            try eventually(within: 15, "it is ready again") {
                try tracker.get("/readyz").status == 200
            }
            let before = (all.clicks.count, all.postbacks.count)
            try load(tracker, key, &all, count: 3)
            guard all.clicks.count == before.0 + 3, all.postbacks.count == before.1 + 3 else {
                throw TestFailure("it takes nothing though it is ready: \(tracker.errorText)")
            }
            try tracker.kill()
        } catch {
            if let started {
                throw TestFailure(
                    "\(error); the server has \(started.hasExited ? "ended" : "not ended"), and said "
                        + started.errorText)
            }
            guard "\(error)".contains("did not start:"), "\(error)".contains("clickrelay: ") else {
                throw error
            }
        }
        try verify(directory, key, all)
        return started != nil
    }

    /// What is refused is refused with `503`.
    private func load(
        _ tracker: TrackerProcess, _ key: String, _ all: inout Acknowledged, count: Int
    ) throws {
        for _ in 0..<count {
            let visit = try tracker.get("/c/summer?subid=x")
            if visit.status == 302 {
                all.clicks.append(try Chain.visit(visit).clickID)
            } else if visit.status != 503 {
                throw TestFailure("a click was answered \(visit.status)")
            }
            guard let click = all.clicks.last else { continue }
            let query = "cid=\(click)&txid=\(all.postbacks.count)&payout=1"
            let answer = try FakeNetwork(tracker: tracker, key: key).call(query)
            switch answer.verdict {
            // A commit that failed may have been kept all the same.
            case "accepted", "duplicate": all.postbacks.append(query)
            case "storage_unavailable" where answer.status == 503: break
            default: throw TestFailure("a postback was answered \(answer.json.text)")
            }
        }
    }

    private func verify(
        _ directory: TemporaryDirectory, _ key: String, _ all: Acknowledged
    ) throws {
        let tracker = try TrackerProcess.start(in: directory)
        let network = FakeNetwork(tracker: tracker, key: key)
        for query in all.postbacks {
            let answer = try network.call(query)
            guard answer.verdict == "duplicate" else { throw TestFailure(answer.json.text) }
        }
        for (number, click) in all.clicks.enumerated() {
            let answer = try network.call("cid=\(click)&txid=v\(number)&payout=1")
            guard answer.verdict == "accepted" else { throw TestFailure(answer.json.text) }
        }
        guard try tracker.terminate() == 0 else { throw TestFailure(tracker.errorText) }
        let check = try tracker.command("check")
        guard check.exitCode == 0 else { throw TestFailure(check.output) }
    }

    @Test func `a disk that syncs no more is said everywhere`() throws {
        let (directory, key) = try Self.prepared()
        let shim = try FaultShim()
        var environment = shim.environment(directory)
        environment["CLICKRELAY_ON_STORAGE_FAILURE"] = "refuse"
        let tracker = try TrackerProcess.start(.init(environment: environment), in: directory)
        var all = Acknowledged()
        try load(tracker, key, &all, count: 20)
        // SQLite may sync with one of both only.
        try shim.turn(["fsync", "fdatasync"], error: EIO)
        let before = all.clicks.count
        try load(tracker, key, &all, count: 20)
        #expect(all.clicks.count == before)
        #expect(try tracker.get("/readyz").status == 503)
        #expect(try tracker.get("/healthz").status == 200)
        try eventually("the log says so; \(tracker.errorText)") {
            tracker.errorText.contains("clicks_not_stored")
        }
        #expect(try tracker.command("healthcheck").exitCode != 0)
        try tracker.kill()
        try verify(directory, key, all)
    }

    @Test func `a slow disk makes everything late and loses nothing`() throws {
        let (directory, key) = try Self.prepared()
        let shim = try FaultShim()
        for call in ["fsync", "fdatasync"] {
            let tracker = try TrackerProcess.start(
                .init(environment: shim.environment(directory, delay: (call, 50_000))),
                in: directory)
            let all = Locked(Acknowledged())
            try concurrently(8) { worker in
                for number in 0..<4 {
                    let visit = try Chain.visit(tracker.get("/c/summer?subid=s"))
                    let query = "cid=\(visit.clickID)&txid=\(call)\(worker)-\(number)&payout=1"
                    let answer = try FakeNetwork(tracker: tracker, key: key).call(query)
                    #expect(answer.verdict == "accepted")
                    all.with {
                        $0.clicks.append(visit.clickID)
                        $0.postbacks.append(query)
                    }
                }
            }
            #expect(try tracker.get("/readyz").status == 200)
            try tracker.kill()
            try verify(directory, key, all.current)
        }
    }

    /// What a directory may be like when a server is started on it, and what it says.
    @Test func `a directory that can't be written is refused with the reason`() throws {
        let (directory, _) = try Self.prepared()
        let shim = try FaultShim()
        for error in [EROFS, EACCES] {
            let failure = FaultShim.Failure(call: "open", error: error, number: 1, count: 1_000_000)
            let started = try TrackerProcess.run(
                ["serve", "--data-dir", directory.file("data"), "--listen", "127.0.0.1:0"],
                environment: shim.environment(directory, failing: failure))
            #expect(started.exitCode != 0, "\(started.error)")
            #expect(started.error.contains(directory.file("data")), "\(started.error)")
        }
        let tracker = try TrackerProcess.start(in: directory)
        #expect(try tracker.get("/c/summer").status == 302, "nothing was broken by that")
    }

    @Test func `a log that ends in the middle is taken as far as it is whole`() throws {
        let chain = try Chain.start()
        var clicks: [String] = []
        for number in 0..<20 { clicks.append(try chain.visit("subid=\(number)").clickID) }
        try chain.tracker.kill()
        let folder = chain.tracker.directory
        let name = try #require(
            folder.entries(of: "data/clicks").first { $0.hasSuffix(".db-wal") })
        let path = folder.file("data/clicks/\(name)")
        let log = try #require(FileHandle(forUpdatingAtPath: path))
        // Into the last commit: that one is lost, as its writer had never been told that it was kept.
        try log.truncate(atOffset: try log.seekToEnd() - 100)
        try log.close()
        try chain.tracker.restart()
        #expect(try chain.tracker.get("/readyz").status == 200)
        for click in clicks.dropLast() {
            #expect(try chain.network.call("cid=\(click)&payout=1").verdict == "accepted")
        }
        let last = try chain.network.call("cid=\(clicks[19])&payout=1")
        #expect(last.verdict == "parked", "its click may still appear: \(last.json.text)")
        #expect(try chain.tracker.terminate() == 0)
        #expect(try chain.tracker.command("check").exitCode == 0)
    }

    @Test func `a damaged or missing day costs nothing but that day's clicks`() throws {
        let chain = try Chain.start()
        let old = try chain.visit("subid=old")
        #expect(try chain.network.call("cid=\(old.clickID)&payout=1").verdict == "accepted")
        #expect(try chain.tracker.terminate() == 0)
        let folder = chain.tracker.directory
        let name = try #require(folder.entries(of: "data/clicks").first { $0.hasSuffix(".db") })
        // The clock goes on by three days, so that the day is a finished one.
        let shim = try FaultShim()
        try shim.setClock(ahead: 4 * 86_400)
        // All that its log still holds of it.
        for suffix in ["-wal", "-shm"] where folder.mode(of: "data/clicks/\(name)\(suffix)") != nil
        {
            try folder.remove("data/clicks/\(name)\(suffix)")
        }
        for damage in ["damaged", "missing"] {
            if damage == "damaged" {
                try folder.write(String(repeating: "x", count: 9000), to: "data/clicks/\(name)")
            } else {
                try folder.remove("data/clicks/\(name)")
            }
            let tracker = try TrackerProcess.start(
                .init(environment: shim.environment(folder)), in: folder)
            #expect(try tracker.get("/readyz").status == 200)
            let network = FakeNetwork(tracker: tracker, key: chain.network.key)
            let new = try Chain.visit(tracker.get("/c/summer?subid=new"))
            #expect(try network.call("cid=\(new.clickID)&payout=1").verdict == "accepted")
            // Of a known conversion the click is needed no more for what was recorded.
            let known = try tracker.api("GET", "/conversions?click_id=\(old.clickID)")
            #expect(try known.json["items"].array.count == 1)
            let late = try network.call("cid=\(old.clickID)&txid=\(damage)&payout=1")
            #expect(
                late.verdict == (damage == "damaged" ? "storage_unavailable" : "parked"),
                "\(late.json.text)")
            #expect(try tracker.terminate() == 0)
        }
    }

    @Test func `a clock that leaps ahead for a while deletes nothing`() throws {
        let shim = try FaultShim()
        let directory = try TemporaryDirectory()
        let chain = try Chain.start {
            $0.directory = directory
            $0.options.environment = shim.environment(directory)
            $0.options.environment["CLICKRELAY_RETENTION_CLICK_DAYS"] = "30"
        }
        let visit = try chain.visit("subid=A")
        try shim.setClock(ahead: 400 * 86_400)
        // Told when the day's turn has come.
        try eventually(within: 30, "the leap is noticed; \(chain.tracker.errorText)") {
            chain.tracker.errorText.contains("clock_was_set_ahead")
        }
        try shim.setClock(ahead: 0)
        #expect(try chain.journey(visit.clickID)["external_id"].string == "A")
        #expect(!chain.tracker.errorText.contains("clicks_deleted"))
        // Its day was over for a moment, and is not.
        _ = try chain.journey(try chain.visit("subid=B").clickID)
    }

    @Test(.disabled(if: isSanitized, "memory is limited"))
    func `with little memory to be had it ends or goes on, and loses nothing`() throws {
        let (directory, key) = try Self.prepared()
        let tracker = try TrackerProcess.start(in: directory)
        var all = Acknowledged()
        try load(tracker, key, &all, count: 5)
        let status = try String(
            contentsOfFile: "/proc/\(tracker.pid)/statm", encoding: .utf8)
        let pages = try #require(status.split(separator: " ").first.flatMap { Int($0) })
        let limit = pages * 4096 + (1 << 20)
        let limited = try runTool(
            "/usr/bin/prlimit", ["--pid", "\(tracker.pid)", "--as=\(limit):\(limit)"])
        #expect(limited.exitCode == 0, "\(limited.error)")
        let kept = Locked(all)
        // Whatever becomes of it: an answer is a promise, and a closed connection is none.
        try concurrently(8) { worker in
            for number in 0..<40 {
                guard let response = try? tracker.get("/c/summer?subid=\(worker)-\(number)"),
                    response.status == 302
                else { return }
                let click = try Chain.visit(response).clickID
                kept.with { $0.clicks.append(click) }
            }
        }
        try tracker.kill()
        try verify(directory, key, kept.current)
    }
}

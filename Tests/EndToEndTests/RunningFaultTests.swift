import Foundation
import TestSupport
import Testing

/// What becomes wrong with the disk while a server runs: nothing that was acknowledged is lost,
/// `readyz` and the log say what it is and what to do, and when it is over all is well by itself.
@Suite struct RunningFaultTests {
    private static func start(
        _ policy: String = "redirect", _ environment: [String: String] = [:],
        _ change: (inout Chain.Setup) -> Void = { _ in }
    ) throws -> Chain {
        try Chain.start {
            $0.options.environment = environment
            $0.options.environment["CLICKRELAY_ON_STORAGE_FAILURE"] = policy
            change(&$0)
        }
    }

    private static func withShim(_ policy: String = "redirect") throws -> (Chain, FaultShim) {
        let shim = try FaultShim()
        let directory = try TemporaryDirectory()
        let chain = try start(policy, shim.environment(directory)) { $0.directory = directory }
        return (chain, shim)
    }

    /// Lines of the log with that event.
    private func lines(_ chain: Chain, _ event: String) -> [Substring] {
        chain.tracker.errorText.split(separator: "\n").filter { $0.contains("\"\(event)\"") }
    }

    private func readiness(_ chain: Chain, _ status: Int, within seconds: Double = 20) throws
        -> String
    {
        try eventually(within: seconds, "readyz is \(status); \(chain.tracker.errorText)") {
            let answer = try chain.tracker.get("/readyz")
            return answer.status == status ? answer.text : nil
        }
    }

    /// While nothing can be stored: clicks as the policy says, postbacks never.
    private func expectTrouble(_ chain: Chain, _ policy: String, _ mention: String) throws
        -> [Chain.Visit]
    {
        var held: [Chain.Visit] = []
        for number in 0..<10 {
            let answer = try chain.tracker.get("/c/summer?subid=during\(number)")
            if policy == "redirect" {
                held.append(try Chain.visit(answer))
            } else {
                #expect(answer.status == 503 && answer.location == nil)
            }
        }
        // The first reason may be a vague one; when it's tried again, it is the system's.
        try eventually("readyz says why; \(chain.tracker.errorText)") {
            let ready = try readiness(chain, 503)
            return ready.contains("can't record clicks: ") && ready.contains(mention)
        }
        #expect(try chain.tracker.get("/healthz").status == 200)
        // Written by a thread of its own, after the fact.
        try eventually("the log says it") { !lines(chain, "clicks_not_stored").isEmpty }
        #expect(lines(chain, "clicks_not_stored").count == 1, "\(chain.tracker.errorText)")
        return held
    }

    private func expectRefused(_ chain: Chain, _ query: String) throws {
        let answer = try chain.network.call(query)
        #expect(answer.status == 503 && answer.verdict == "storage_unavailable")
        #expect(answer.response.fields["retry-after"].flatMap { Int($0) } != nil)
    }

    /// All that was taken before is there, and more is taken.
    private func expectRecovery(
        _ chain: Chain, _ visits: [Chain.Visit], known: String? = nil, isSound: Bool = true
    ) throws {
        _ = try readiness(chain, 200)
        for visit in visits {
            try eventually("the click is on disk") {
                try chain.tracker.api("GET", "/clicks/\(visit.clickID)").status == 200
            }
        }
        let query = "cid=\(try chain.visit("subid=after").clickID)&payout=1&txid=after"
        try eventually("postbacks are taken again") {
            ["accepted", "duplicate"].contains(try chain.network.call(query).verdict)
        }
        if let known { #expect(try chain.network.call(known).verdict == "duplicate") }
        #expect(try chain.tracker.terminate() == 0)
        let check = try chain.tracker.command("check")
        #expect((check.exitCode == 0) == isSound, "\(check.output)\(check.error)")
    }

    @Test(
        .enabled(if: SmallDisk.unavailable == nil, "\(SmallDisk.unavailable ?? "")"),
        arguments: ["redirect", "refuse"])
    func `a full disk loses nothing`(policy: String) throws {
        let disk = try SmallDisk(megabytes: 8)
        let chain = try Self.start(policy) {
            $0.directory = disk.directory
            $0.options.starter = disk.starter
        }
        let before = try chain.visit("subid=before")
        let known = "cid=\(before.clickID)&payout=1&txid=before"
        #expect(try chain.network.call(known).verdict == "accepted")
        try disk.fill()
        // What is in the file already is written to again, so that some go in before it is full.
        var visits = [before]
        try eventually(within: 30, "the disk is full") {
            for _ in 0..<50 {
                let answer = try chain.tracker.get("/c/summer?subid=filling")
                if answer.status == 302 { visits.append(try Chain.visit(answer)) }
            }
            return try chain.tracker.get("/readyz").status == 503
        }
        visits += try expectTrouble(chain, policy, "free space where the data directory lies")
        try expectRefused(
            chain,
            "cid=\(before.clickID)&payout=1&txid=full&x=" + String(repeating: "x", count: 8000))
        try disk.free()
        try expectRecovery(chain, visits, known: known)
        #expect(lines(chain, "clicks_stored_again").count == 1)
    }

    @Test(
        .enabled(if: SmallDisk.unavailable == nil, "\(SmallDisk.unavailable ?? "")"))
    func `a start on a full disk says so, and the next one after it does`() throws {
        let disk = try SmallDisk(megabytes: 1)
        try disk.fill()
        var options = TrackerProcess.Options()
        options.starter = disk.starter
        #expect {
            try TrackerProcess.start(options, in: disk.directory)
        } throws: {
            "\($0)".contains("did not start: ")
                && "\($0)".contains("free space where the data directory lies")
        }
        try disk.free()
        try disk.run("mount -o remount,size=8m \"$0\"")
        let tracker = try TrackerProcess.start(options, in: disk.directory)
        #expect(try tracker.get("/readyz").status == 200)
        #expect(try tracker.terminate() == 0)
    }

    @Test(arguments: [["pwrite"], ["fsync", "fdatasync"]])
    func `one call that fails once makes nothing worse than late`(calls: [String]) throws {
        let (chain, shim) = try Self.withShim()
        var visits = [try chain.visit("subid=before")]
        try shim.turn(calls, error: EIO, count: 1)
        visits += try (0..<5).map { try chain.visit("subid=\($0)") }
        let failed = try eventually("the log says so") {
            let failed = lines(chain, "clicks_not_stored")
            return failed.isEmpty ? nil : failed
        }
        #expect(failed.count == 1 && failed[0].contains("disk I/O error"), "\(failed)")
        _ = try readiness(chain, 200)
        // Now the ledger's; the clicks' writer may come before it, which tidies up now and then.
        let query = "cid=\(visits[0].clickID)&payout=1&txid="
        var number = 0
        try eventually("a call of the ledger fails") {
            number += 1
            try shim.turn(calls, error: EIO, count: 1)
            return try chain.network.call("\(query)\(number)").status == 503
        }
        let again = try chain.network.call("\(query)\(number)").verdict
        #expect(["accepted", "duplicate"].contains(again), "\(again)")
        try eventually("the log says so") { lines(chain, "ledger_failed").count == 1 }
        let ready = try readiness(chain, 200)
        #expect(ready.contains("in the last minute:\n") && ready.contains("ledger_failed: "))
        try expectRecovery(chain, visits, known: "\(query)\(number)")
    }

    @Test func `a directory that becomes read-only is waited for`() throws {
        let (chain, shim) = try Self.withShim()
        let before = try chain.visit("subid=before")
        try shim.turn(["openw", "pwrite", "ftruncate", "unlink"], error: EROFS)
        let held = try expectTrouble(chain, "redirect", "and can be written to")
        try expectRefused(chain, "cid=\(before.clickID)&payout=1&txid=1")
        let ready = try readiness(chain, 503)
        #expect(ready.contains("can't record postbacks and changes (clickrelay.db): "), "\(ready)")
        try shim.turn([])
        try expectRecovery(chain, [before] + held)
    }

    @Test func `a disk that becomes slow makes answers wait, and stops nobody`() throws {
        let (chain, shim) = try Self.withShim()
        try shim.turn(["fsync", "fdatasync"], microseconds: 300_000)
        let begun = monotonicNanos()
        let visits = try (0..<3).map { try chain.visit("subid=\($0)") }
        #expect(monotonicNanos() - begun > 600_000_000, "a redirect came before its click's sync")
        // Not behind the disk, whichever loop they come to.
        try shim.turn(["fsync", "fdatasync"], microseconds: 4_000_000)
        let waiting = try chain.tracker.connect()
        try waiting.send("GET", "/c/summer?subid=late")
        for _ in 0..<8 {
            let other = try chain.tracker.connect()
            #expect(try other.request("GET", "/healthz").status == 200)
            #expect(try other.request("GET", "/readyz").status == 200)
        }
        #expect(!waiting.hasMore, "others were answered after the click's sync only")
        try shim.turn([])
        try expectRecovery(chain, visits + [try Chain.visit(waiting.receive())])
    }

    @Test func `a disk that is slow beyond measure is named, and what hangs on it`() throws {
        let (chain, shim) = try Self.withShim()
        try shim.turn(["fsync", "fdatasync"], microseconds: 1_200_000)
        let slow = try chain.visit("subid=slow")
        try eventually("the log says so") {
            lines(chain, "disk_slow").contains { $0.contains("file=clicks/") }
        }
        let ready = try readiness(chain, 200)
        #expect(ready.contains("in the last minute:\n") && ready.contains("disk_slow: file="))
        try shim.turn(["fsync", "fdatasync"], microseconds: 8_000_000)
        let waiting = try chain.tracker.connect()
        try waiting.send("GET /c/summer?subid=stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        let stuck = try readiness(chain, 503)
        #expect(
            stuck.contains("can't record clicks: the disk has been at clicks/"), "\(stuck)")
        try shim.turn([])
        let late = try Chain.visit(waiting.receive())
        try expectRecovery(chain, [slow, late])
    }

    /// A chain whose files hold all there is, with no logs beside them, and what was recorded.
    private func settled(_ environment: [String: String] = [:]) throws -> (
        Chain, visit: Chain.Visit, known: String, dayFile: String
    ) {
        let chain = try Self.start("redirect", environment)
        let visit = try chain.visit("subid=before")
        let known = "cid=\(visit.clickID)&payout=1&txid=before"
        #expect(try chain.network.call(known).verdict == "accepted")
        try chain.source.await(1)
        #expect(try chain.tracker.terminate() == 0)
        // Once more, with nobody who reads clicks: then no log stays beside their file.
        try chain.tracker.restart()
        #expect(try chain.tracker.terminate() == 0)
        // Tomorrow's may be there as well.
        let names = chain.tracker.directory.entries(of: "data/clicks")
        let day = try #require(names.first { $0.hasSuffix(".db") })
        try #require(!names.contains(day + "-wal"))
        return (chain, visit, known, "data/clicks/\(day)")
    }

    /// All of a file but its first page becomes nonsense.
    private func damage(_ path: String) throws -> Data {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 4096)
        try file.write(contentsOf: Data(repeating: 0x78, count: whole.count - 4096))
        try file.close()
        return whole
    }

    private func mend(_ path: String, _ whole: Data) throws {
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.write(contentsOf: whole)
        try file.close()
    }

    @Test func `a damaged file of today's clicks holds clicks until it is mended`() throws {
        let (chain, visit, known, dayFile) = try settled()
        try chain.tracker.restart()
        let path = chain.tracker.directory.file(dayFile)
        let whole = try damage(path)
        let held = try expectTrouble(chain, "redirect", "the file is damaged")
        let name = dayFile.split(separator: "/")[2]
        #expect(lines(chain, "clicks_not_stored")[0].contains(name))
        for number in 0..<20 { try expectRefused(chain, "cid=\(visit.clickID)&txid=d\(number)") }
        try eventually("the log says so") { !lines(chain, "postback_not_recorded").isEmpty }
        let said = lines(chain, "postback_not_recorded")
        #expect((1...5).contains(said.count) && said[0].contains(name), "\(said)")
        #expect(lines(chain, "ledger_failed").isEmpty, "it isn't the ledger's trouble")
        try mend(path, whole)
        try expectRecovery(chain, [visit] + held, known: known)
    }

    @Test func `a damaged ledger refuses calls until it is mended, and redirects go on`() throws {
        let (chain, visit, known, _) = try settled()
        try chain.tracker.restart()
        let path = chain.tracker.directory.file("data/clickrelay.db")
        let whole = try damage(path)
        try expectRefused(chain, "cid=\(visit.clickID)&txid=d&payout=1")
        let during = try (0..<5).map { try chain.visit("subid=\($0)") }
        let ready = try readiness(chain, 503)
        #expect(
            ready.contains("(clickrelay.db): ") && ready.contains("the file is damaged"), "\(ready)"
        )
        try eventually("the log says so; \(chain.tracker.errorText)") {
            lines(chain, "ledger_failed").count == 1
        }
        try mend(path, whole)
        try expectRecovery(chain, [visit] + during, known: known)
    }

    @Test func `a damaged file is named at the start with what to do about it`() throws {
        let (chain, visit, known, dayFile) = try settled()
        let folder = chain.tracker.directory
        for name in ["data/clickrelay.db", dayFile] {
            let whole = try damage(folder.file(name))
            #expect {
                try chain.tracker.restart()
            } throws: {
                "\($0)".contains("\(name.split(separator: "/").last ?? ""): ")
                    && "\($0)".contains("the file is damaged: put it back")
            }
            try mend(folder.file(name), whole)
        }
        try chain.tracker.restart()
        try expectRecovery(chain, [visit], known: known)
    }

    @Test func `today's file that is taken away is made anew, and taken back when it returns`()
        throws
    {
        let (chain, visit, known, dayFile) = try settled()
        let folder = chain.tracker.directory
        let (path, aside) = (folder.file(dayFile), folder.file("aside.db"))
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        try chain.tracker.restart()
        // Its click is ours, and not there: kept until it appears.
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1&txid=2").verdict == "parked")
        let new = try chain.visit("subid=new")
        try FileManager.default.removeItem(atPath: path)
        try eventually("the log says so") { lines(chain, "clicks_not_stored").count == 1 }
        #expect(lines(chain, "clicks_not_stored")[0].contains("was moved or removed"))
        _ = try readiness(chain, 200)
        let more = try chain.visit("subid=more")
        let taken = try chain.network.call("cid=\(more.clickID)&payout=1")
        #expect(taken.verdict == "accepted", "\(taken.json.text) \(chain.tracker.errorText)")
        #expect(try chain.network.call("cid=\(new.clickID)&payout=1").verdict == "parked")
        #expect(try chain.tracker.terminate() == 0)
        for suffix in ["", "-wal", "-shm"] where folder.mode(of: dayFile + suffix) != nil {
            try folder.remove(dayFile + suffix)
        }
        try FileManager.default.moveItem(atPath: aside, toPath: path)
        try chain.tracker.restart()
        try eventually("its conversion is attached; \(chain.tracker.errorText)") {
            try chain.tracker.list("/conversions?click_id=\(visit.clickID)").count == 2
        }
        // What was taken into the other file is missing here, and `check` says so.
        try expectRecovery(chain, [visit], known: known, isSound: false)
    }

    @Test func `a ledger that is gone is not made anew where there are clicks`() throws {
        let (chain, visit, known, _) = try settled()
        let folder = chain.tracker.directory
        let path = folder.file("data/clickrelay.db")
        try FileManager.default.moveItem(atPath: path, toPath: folder.file("aside.db"))
        let start = try TrackerProcess.run(["serve", "--data-dir", folder.file("data")])
        #expect(start.exitCode == 1, "\(start.output)\(start.error)")
        #expect(start.error.contains("clickrelay.db is missing"), "\(start.error)")
        #expect(!FileManager.default.fileExists(atPath: path))
        try FileManager.default.moveItem(atPath: folder.file("aside.db"), toPath: path)
        try chain.tracker.restart()
        try expectRecovery(chain, [visit], known: known)
    }

    @Test(arguments: [1, 100, 4196])
    func `a ledger's log that ends in the middle is taken as far as it is whole`(cut: Int) throws {
        let chain = try Self.start()
        let visit = try chain.visit("subid=A")
        let queries = (0..<10).map { "cid=\(visit.clickID)&payout=1&txid=\($0)" }
        for query in queries { #expect(try chain.network.call(query).verdict == "accepted") }
        try chain.source.await(10)
        try chain.tracker.kill()
        let path = chain.tracker.directory.file("data/clickrelay.db-wal")
        let log = try #require(FileHandle(forUpdatingAtPath: path))
        try log.truncate(atOffset: try log.seekToEnd() - UInt64(cut))
        try log.close()
        try chain.tracker.restart()
        // The last commits are at most some results of deliveries and one postback.
        for query in queries.dropLast() {
            #expect(try chain.network.call(query).verdict == "duplicate")
        }
        try expectRecovery(chain, [visit], known: queries[0])
    }

    /// Of eight loops some have no connection that could give its descriptor for a new one.
    @Test(arguments: [1, 8])
    func `for want of descriptors what is open goes on, and the rest when there are some`(
        loops: Int
    ) throws {
        let (chain, visit, known, _) = try settled(["CLICKRELAY_LOOPS": "\(loops)"])
        try chain.tracker.restart()
        func limit(_ count: String) throws {
            let limited = try runTool(
                "/usr/bin/prlimit", ["--pid", "\(chain.tracker.pid)", "--nofile=\(count):"])
            #expect(limited.exitCode == 0, "\(limited.error)")
        }
        let open = try chain.tracker.connect()
        #expect(try open.request("GET", "/healthz").status == 200)
        let used = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(chain.tracker.pid)/fd"
        ).compactMap { Int($0) }
        let before = try chain.visit("subid=open")
        try limit("\((used.max() ?? 0) + 1)")
        // Over a connection that is there: clicks go into the file that is open.
        var visits = [visit, before]
        for number in 0..<5 {
            visits.append(try Chain.visit(open.request("GET", "/c/summer?subid=n\(number)")))
        }
        // The first of them take what is left, and then each the place of one that waits for nothing.
        let reason = "Too many open files: raise LimitNOFILE or lower MAX_CONNECTIONS"
        var new: [HTTPConnection] = []
        let ready = try eventually("readyz says so; \(chain.tracker.errorText)") {
            new.append(try chain.tracker.connect())
            let ready = try new[new.count - 1].request("GET", "/readyz").text
            return ready.contains("connections_not_accepted: reason=\"accept: \(reason)")
                ? ready : nil
        }
        #expect(ready.hasPrefix("ready\n"))
        try eventually("the log says so") {
            lines(chain, "connections_not_accepted").contains { $0.contains(reason) }
        }
        try limit("4096")
        try expectRecovery(chain, visits, known: known)
    }

    @Test(.disabled(if: isSanitized, "a sanitizer needs all addresses"))
    func `with little memory few clicks are held, and others refused`() throws {
        let shim = try FaultShim()
        let directory = try TemporaryDirectory()
        let chain = try Self.start("redirect", shim.environment(directory)) {
            $0.directory = directory
            // An eighth of it is for clicks that wait. Addresses that malloc only reserves count too.
            $0.options.starter = ["/usr/bin/prlimit", "--as=\(300 << 20)"]
            $0.options.environment["MALLOC_ARENA_MAX"] = "1"
            // As many as there are cores would take much of it.
            $0.options.environment["CLICKRELAY_LOOPS"] = "2"
        }
        var visits = [try chain.visit("subid=before")]
        try shim.turn(["fsync", "fdatasync"], error: EIO)
        let connection = try chain.tracker.connect()
        let long = String(repeating: "x", count: 4000)
        var refused = 0
        for number in 0..<12_000 where refused < 3 {
            let answer = try connection.request(
                "GET", "/c/summer?subid=\(number)&x=\(long)",
                fields: ["Referer": String(long.prefix(1024))])
            if answer.status == 503 {
                refused += 1
            } else {
                visits.append(try Chain.visit(answer))
            }
        }
        #expect(refused == 3, "\(visits.count) clicks of 5 kB were taken")
        #expect(try readiness(chain, 503).contains("others are refused"))
        try eventually("the log says so") { lines(chain, "clicks_refused").count == 1 }
        try shim.turn([])
        try expectRecovery(chain, visits.prefix(2) + visits.suffix(5))
    }
}

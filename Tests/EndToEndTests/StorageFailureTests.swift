import Glibc
import TestSupport
import Testing

/// A disk that refuses writes, made with `RLIMIT_FSIZE` on the running server: no write past a
/// file's second byte succeeds until it is lifted.
@Suite struct StorageFailureTests {
    private func limitFileSize(_ tracker: TrackerProcess, _ limit: String) throws {
        let result = try runTool(
            "/usr/bin/prlimit", ["--pid", "\(tracker.pid)", "--fsize=\(limit):unlimited"])
        guard result.exitCode == 0 else { throw TestFailure("prlimit: \(result.error)") }
    }

    private func start(_ policy: String) throws -> Chain {
        try Chain.start {
            $0.options.survivesFileSizeLimit = true
            $0.options.environment = ["CLICKRELAY_ON_STORAGE_FAILURE": policy]
        }
    }

    @Test func `without storage a postback is sent away, and taken later`() throws {
        let chain = try start("redirect")
        let visit = try chain.visit("subid=A")
        try limitFileSize(chain.tracker, "1")
        let query = "cid=\(visit.clickID)&payout=1&txid=1"
        for _ in 0..<3 {
            let refused = try chain.network.call(query)
            #expect(refused.status == 503 && refused.verdict == "storage_unavailable")
            #expect(refused.response.fields["retry-after"].flatMap { Int($0) } != nil)
        }
        #expect(chain.source.count == 0)
        try limitFileSize(chain.tracker, "unlimited")
        try eventually("postbacks are taken again") {
            let answer = try chain.network.call(query)
            #expect(answer.verdict == "accepted" || answer.verdict == "storage_unavailable")
            return answer.verdict == "accepted"
        }
        #expect(try chain.network.call(query).verdict == "duplicate")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=A&value=1"])
        #expect(chain.source.count == 1)
    }

    @Test func `without storage visitors are still redirected and their clicks kept`() throws {
        let chain = try start("redirect")
        _ = try chain.visit("subid=before")
        try limitFileSize(chain.tracker, "1")
        let during = try (0..<20).map { try chain.visit("subid=d\($0)") }
        try eventually("readyz says so") { try chain.tracker.get("/readyz").status == 503 }
        #expect(try chain.tracker.get("/healthz").status == 200)
        #expect(try !chain.tracker.get("/readyz").text.isEmpty)
        try limitFileSize(chain.tracker, "unlimited")
        try eventually(within: 30, "it is ready again") {
            try chain.tracker.get("/readyz").status == 200
        }
        for visit in during {
            try eventually(within: 30, "the click is on disk") {
                try chain.tracker.api("GET", "/clicks/\(visit.clickID)").status == 200
            }
            #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        }
        try chain.source.await(20)
        #expect(try chain.tracker.terminate() == 0)
        #expect(try chain.tracker.command("check").exitCode == 0)
    }

    @Test func `a tracker told to refuse answers 503 instead of losing clicks`() throws {
        let chain = try start("refuse")
        _ = try chain.visit("subid=before")
        try limitFileSize(chain.tracker, "1")
        for _ in 0..<3 {
            let response = try chain.tracker.get("/c/summer?subid=x")
            #expect(response.status == 503 && response.location == nil)
        }
        try limitFileSize(chain.tracker, "unlimited")
        let visit = try eventually(within: 30, "clicks are taken again") {
            let response = try chain.tracker.get("/c/summer?subid=after")
            return response.status == 302 ? try Chain.visit(response) : nil
        }
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
    }

    @Test func `a stop waits for the disk as long as its grace lasts, and says what it lost`()
        throws
    {
        let chain = try Chain.start {
            $0.options.survivesFileSizeLimit = true
            $0.options.environment = ["CLICKRELAY_SHUTDOWN_GRACE_MS": "8000"]
        }
        _ = try chain.visit("subid=before")
        try limitFileSize(chain.tracker, "1")
        let held = try (0..<20).map { try chain.visit("subid=d\($0)") }
        chain.tracker.signal(SIGTERM)
        try eventually("it has begun to stop") { (try? chain.tracker.connect()) == nil }
        try limitFileSize(chain.tracker, "unlimited")
        #expect(try chain.tracker.awaitExit() == 0)
        try chain.tracker.restart()
        for visit in held { _ = try chain.journey(visit.clickID) }

        try limitFileSize(chain.tracker, "1")
        _ = try chain.visit("subid=lost")
        chain.tracker.signal(SIGTERM)
        #expect(try chain.tracker.awaitExit() == 1)
        #expect(chain.tracker.errorText.contains("clicks_lost"))
    }
}

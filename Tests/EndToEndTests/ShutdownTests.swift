import Foundation
import TestSupport
import Testing

/// `SIGTERM` finishes what is in flight, commits and exits 0 in time.
@Suite struct ShutdownTests {
    @Test func `an idle server ends at once`() throws {
        let chain = try Chain.start {
            $0.options.environment = ["CLICKRELAY_SHUTDOWN_GRACE_MS": "60000"]
        }
        let idle = try (0..<5).map { _ in try chain.tracker.connect() }
        for connection in idle { #expect(try connection.request("GET", "/healthz").status == 200) }
        let begun = monotonicNanos()
        #expect(try chain.tracker.terminate(within: 90) == 0)
        #expect(monotonicNanos() - begun < 30_000_000_000)
        for connection in idle { #expect(try connection.receiveToEnd().isEmpty) }
    }

    @Test func `a request in flight is finished`() throws {
        let chain = try Chain.start { $0.options.environment = ["CLICKRELAY_LOOPS": "1"] }
        let visit = try chain.visit("subid=A")
        let connection = try chain.tracker.connect()
        let body = "cid=\(visit.clickID)&payout=1"
        try connection.send(
            "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + String(body.prefix(10)))
        // The one loop has read that much: a request sent after it was answered.
        #expect(try chain.tracker.get("/healthz").status == 200)
        chain.tracker.signal(SIGTERM)
        try eventually("new connections are refused") {
            // A refusal shows as an error, at either step.
            guard let late = try? chain.tracker.connect() else { return true }
            return (try? late.request("GET", "/healthz", within: 1)) == nil
        }
        try connection.send(String(body.dropFirst(10)))
        let answer = try PostbackAnswer(connection.receive())
        #expect(answer.verdict == "accepted")
        #expect(try chain.tracker.awaitExit() == 0)
        try chain.tracker.restart()
        #expect(try chain.journey(visit.clickID)["conversions"].array.count == 1)
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=A&value=1"])
    }

    @Test func `requests that wait to be read when the end comes are answered`() throws {
        let chain = try Chain.start { $0.options.environment = ["CLICKRELAY_LOOPS": "2"] }
        // Accepted by its loop, idle, and then with a request that the loop has not read.
        let kept = try (0..<10).map { _ in try chain.tracker.connect() }
        for connection in kept { #expect(try connection.request("GET", "/healthz").status == 200) }
        chain.tracker.signal(SIGSTOP)
        // In the backlogs of both loops.
        let waiting = try (0..<40).map { _ in try chain.tracker.connect() }
        for connection in kept + waiting {
            try connection.send("GET /c/summer?subid=L HTTP/1.1\r\nHost: t\r\n\r\n")
        }
        chain.tracker.signal(SIGTERM)
        chain.tracker.signal(SIGCONT)
        var clickIDs: [String] = []
        for connection in kept + waiting {
            let response = try connection.receive()
            #expect(response.status == 302)
            // A loop may have read some before the signal's thread told it of the end: their answers
            // don't say so yet, but their connections end like the others.
            #expect(["close", nil].contains(response.fields["connection"]))
            #expect(try connection.receiveToEnd() == [])
            clickIDs.append(try #require(response.locationParameter("s2")))
        }
        #expect(try chain.tracker.awaitExit() == 0)
        try chain.tracker.restart()
        for clickID in clickIDs { _ = try chain.journey(clickID) }
        #expect(Set(clickIDs).count == 50)
    }

    @Test func `a request that never ends holds it up no longer than the grace time`() throws {
        let chain = try Chain.start {
            $0.options.environment = ["CLICKRELAY_SHUTDOWN_GRACE_MS": "700"]
        }
        let connection = try chain.tracker.connect()
        try connection.send("GET /c/summer HTTP/1.1\r\nHost:")
        #expect(try chain.tracker.get("/healthz").status == 200)
        let begun = monotonicNanos()
        #expect(try chain.tracker.terminate() == 0)
        // The head's own deadline comes after ten seconds.
        #expect(monotonicNanos() - begun < 9_000_000_000)
    }

    @Test func `a receiver that never answers does not hold it up beyond the grace time`() throws {
        let chain = try Chain.start(answer: { _, _ in .manner(.stall) }) {
            $0.options.environment = [
                "CLICKRELAY_SHUTDOWN_GRACE_MS": "5000", "CLICKRELAY_OUTBOUND_TIMEOUT_MS": "600000",
            ]
        }
        _ = try chain.network.call("cid=\(chain.visit("subid=A").clickID)&payout=1")
        // It commits in the grace's last second. A machine that stands still may need longer for
        // that, but not every time; what was cut off is called again after each start.
        for time in 1...3 {
            try chain.source.await(time)
            let begun = monotonicNanos()
            #expect(try chain.tracker.terminate() == 0)
            if monotonicNanos() - begun < 5_000_000_000 { return }
            try chain.tracker.restart()
        }
        Issue.record("it took longer than the grace time")
    }

    @Test func `a stderr that nobody reads stops nothing`() throws {
        let directory = try TemporaryDirectory()
        let old = directory.file("data/clicks/2020-01-01.db")
        try FileManager.default.createDirectory(
            atPath: directory.file("data/clicks"), withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: old))
        // The writer of clicks deletes the old day and says so on a pipe that is full. There is a new
        // one, too: after years of silence the clock would not be believed.
        let script = """
            : >"$1/data/clicks/$(date -u +%F).db"
            mkfifo "$1/log" && exec 3<>"$1/log" && head -c 65536 /dev/zero >&3
            export CLICKRELAY_RETENTION_CLICK_DAYS=30
            # In the foreground, so that timeout passes the signal on once and not twice.
            timeout --foreground -k 1 40 "$0" serve --data-dir "$1/data" --listen 127.0.0.1:0 2>&3 &
            while [ -e "$2" ] && kill -0 $!; do sleep 0.1; done
            kill -TERM $!
            wait $!
            """
        let result = try runTool(
            "/bin/sh", ["-c", script, TrackerProcess.binary, directory.path, old])
        #expect(result.exitCode == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `every redirect answered under load before the end converts after it`(signal: Int32) throws
    {
        let chain = try Chain.start()
        let answered = Locked<[String]>([])
        let begun = Locked(false)
        let load = Thread {
            // The end of the server ends each client with an error; that's the loop's way out.
            try? concurrently(3) { _ in
                let connection = try chain.tracker.connect()
                while true {
                    let visit = try Chain.visit(connection.request("GET", "/c/summer?subid=x"))
                    answered.with { $0.append(visit.clickID) }
                }
            }
            begun.with { $0 = true }
        }
        load.start()
        try eventually(within: 120, "load") { answered.with { $0.count > 30 } }
        chain.tracker.signal(signal)
        #expect(try chain.tracker.awaitExit() == 0)
        try eventually("the clients notice") { begun.current }
        try chain.tracker.restart()
        let clicks = answered.current
        #expect(Set(clicks).count == clicks.count)
        for clickID in clicks.suffix(300) {
            #expect(try chain.network.call("cid=\(clickID)&payout=1").verdict == "accepted")
        }
        let total =
            try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"].int ?? 0
        // Up to one click per client may have been recorded whose answer no longer got through.
        #expect((clicks.count...clicks.count + 3).contains(total))
    }

    @Test func `deliveries due at the end are made after the next start`() throws {
        let chain = try Chain.start(answer: { _, _ in .manner(.stall) })
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        try chain.source.await(1)
        #expect(try chain.tracker.terminate() == 0)
        chain.source.answer { _, _ in .ok }
        try chain.tracker.restart()
        let delivery = try chain.delivery(of: visit.clickID, within: 30, "is delivered") {
            $0["state"] == "delivered"
        }
        #expect(delivery["conversion"].id != nil)
        let keys = chain.source.received.map { $0.idempotencyKey }
        #expect(Set(keys).count == 1 && keys[0] != nil)
    }
}

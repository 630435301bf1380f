import Foundation
import TestSupport
import Testing

/// Many clients at once that want to be a burden; `Tests/attack` does it with thousands of each.
@Suite struct HostileLoadTests {
    private static let clients = 400

    private func residentBytes(_ tracker: TrackerProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(tracker.pid)/statm", encoding: .utf8)
        let pages = status.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return try #require(pages) * 4096
    }

    @Test(.disabled(if: isSanitized, "memory is measured"))
    func `who asks for much and reads nothing holds ten kilobytes`() throws {
        // Each loop needs some memory of its own.
        let chain = try Chain.start { $0.options.environment = ["CLICKRELAY_LOOPS": "2"] }
        _ = try chain.visit("subid=before")
        let before = try residentBytes(chain.tracker)
        // A click is answered later than the script behind it, whose answers have to wait.
        let script = "GET /t.js HTTP/1.1\r\nHost: t\r\n\r\n"
        let requests =
            "GET /c/summer HTTP/1.1\r\nHost: t\r\nUser-Agent: \(HTTPConnection.browser)\r\n\r\n"
            + String(repeating: script, count: 60)
        var connections: [HTTPConnection] = []
        for _ in 0..<Self.clients {
            let connection = try chain.tracker.connect()
            try connection.send(requests)
            connections.append(connection)
        }
        try eventually("all are heard") {
            try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"].int
                == Self.clients + 1
        }
        let grown = try residentBytes(chain.tracker) - before
        // What the tracker itself needs more of for its first clicks is beside it.
        #expect(grown <= Self.clients * 10_000 + (6 << 20), "\(grown) bytes")
        withExtendedLifetime(connections) {}
    }

    @Test func `without descriptors for all it answers as soon as the others have left`() throws {
        let chain = try Chain.start()
        let descriptors = "/proc/\(chain.tracker.pid)/fd"
        let used = try FileManager.default.contentsOfDirectory(atPath: descriptors).count
        let limited = try runTool(
            "/usr/bin/prlimit", ["--pid", "\(chain.tracker.pid)", "--nofile=\(used + 32):"])
        #expect(limited.exitCode == 0, "\(limited.error)")
        var connections = try (0..<Self.clients).map { _ in try chain.tracker.connect() }
        // Those that say nothing give way to one that does, and so does one that asks for something
        // no sooner than a while after it has connected.
        try eventually("a visitor among them") { (try? visit(chain, "among")) != nil }
        connections.removeAll()
        try visit(chain, "after")
    }

    /// Over a connection of its own: those that were open may have given way.
    private func visit(_ chain: Chain, _ name: String) throws {
        let response = try chain.tracker.connect().request("GET", "/c/summer?subid=\(name)")
        #expect(response.status == 302, "\(name)")
    }
}

import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct StatusTests {
    @Test func `the status tells version, time, queues, sizes and what waits`() throws {
        let bench = try EntityTests.bench()
        let dueAt = bench.clock.now
        for sequence in 0..<2 {
            try bench.convert(bench.click(sequence: sequence), delivery: Bench.delivery)
        }
        try bench.refuse(.keyUnknown, network: nil)
        bench.clock.now = bench.clock.now.advanced(by: .seconds(90))
        let status = try bench.call("GET", "/status")
        #expect(status.status == 200)
        #expect(status["version"] == "0.0-test" && status["uptime_seconds"] == 90)
        #expect(status["schema_version"]?.int64Value ?? 0 >= 1)
        #expect(status["clicks"] == ["queued": 7, "held": 8, "failure": "full"])
        #expect(status["ledger"] == ["queued": 0, "failure": nil])
        #expect(
            status["outbound"]
                == [
                    "waiting": 2, "dead": 0, "oldest_due_at": .string(dueAt.rfc3339),
                    "pauses": [], "in_flight": 3,
                ])
        #expect(status["stray_postbacks"] == 1)
        #expect(status["disk"]?["free_bytes"]?.int64Value ?? 0 > 0)
        for name in ["ledger_bytes", "clicks_bytes"] {
            #expect(status["databases"]?[name]?.int64Value ?? 0 > 0, "\(name)")
        }
        #expect(status["caches"]?["clicks"] == ["bytes": 3, "bytes_max": 4])
        #expect(status["caches"]?["ledger"]?["bytes_max"] == 33_554_432)
    }

    @Test func `the status is answered while other reads take their time`() throws {
        let bench = try EntityTests.bench()
        let (begun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        for _ in 0..<2 {
            bench.readers.read { _ in
                begun.signal()
                mayEnd.wait()
            } finished: { _ in
            }
        }
        for _ in 0..<2 { #expect(begun.wait(timeout: .now() + 20) == .success) }
        defer { for _ in 0..<2 { mayEnd.signal() } }
        #expect(try bench.call("GET", "/status").status == 200)
    }

    @Test func `the status is answered while the ledger can't be read`() throws {
        let bench = try EntityTests.bench()
        bench.ledger.stop()
        for name in bench.files.entries(of: "data") where name.hasPrefix("clickrelay.db") {
            try bench.files.remove("data/\(name)")
        }
        let list = try bench.call("GET", "/conversions")
        #expect(list.status == 503 && list.header("retry-after") == "1")
        #expect(list["type"] == "urn:clickrelay:problem:storage-unavailable")
        let status = try bench.call("GET", "/status")
        #expect(status.status == 200)
        #expect(status["ledger"]?["failure"]?.stringValue != nil)
        #expect(status["outbound"]?["waiting"] == .null)
        let write = try bench.call("POST", "/tokens", ["name": "x"])
        #expect(write.status == 503 && write.header("retry-after") == "1")
    }
}

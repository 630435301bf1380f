import Domain
import SQLite
import Store
import TestSupport
import Testing

@testable import Store

/// Numbers that are kept beside the deliveries, and the order in which these wait.
@Suite struct DestinationNumberTests {
    private typealias Bench = StoreBench

    private static func attempt(_ number: Int, milliseconds: Int = 0, after: Duration) -> Attempt {
        Attempt(
            number: number, at: Bench.noon.advanced(by: after), status: 200,
            milliseconds: milliseconds, error: nil, excerpt: [])
    }

    private func numbers(
        _ bench: StoreBench, days: ClosedRange<Day> = Bench.noon.day...Bench.noon.day
    ) throws -> [String: DestinationNumbers] {
        try bench.read { (reader) throws(StoreError) in try reader.destinationNumbers(days: days) }
    }

    @Test func `whatever moves a delivery moves its number with it`() throws {
        let bench = try Bench()
        try bench.install()
        try bench.perform { (tx) throws(StoreError) in
            _ = try Bench.record(
                Bench.conversion(click: 1),
                deliveries: ["a/1", "a/1x", "b/1"].map {
                    Bench.delivery($0, origin: "https://a.example")
                }, in: tx)
            _ = try tx.cancel(DeliveryID(1))
            try tx.record(
                Self.attempt(1, after: .seconds(1)), of: DeliveryID(3), outcome: .dead("gone"))
        }
        func states() throws -> [String] {
            try numbers(bench).values.sorted { $0.destination < $1.destination }.map {
                "\($0.destination) \($0.waiting) \($0.delivered) \($0.dead) \($0.cancelled)"
            }
        }
        #expect(try states() == ["a/1 0 0 0 1", "a/1x 1 0 0 0", "b/1 0 0 1 0"])
        try bench.perform { (tx) throws(StoreError) in
            // Undone with all the rest of it.
            _ = try tx.rehearse { (tx) throws(StoreError) in try tx.cancel(DeliveryID(2)) }
            _ = try tx.retry(DeliveryID(1), at: Bench.noon)
            try tx.record(
                Self.attempt(1, after: .seconds(1)), of: DeliveryID(2), outcome: .delivered)
            _ = try tx.retry(DeliveryID(3), at: Bench.noon)
        }
        #expect(try states() == ["a/1 1 0 0 0", "a/1x 0 1 0 0", "b/1 1 0 0 0"])
        let backlog = try bench.read { (reader) throws(StoreError) in try reader.backlog() }
        #expect(backlog.waiting == 2 && backlog.dead == 0)
        #expect(try numbers(bench)["a/1"]?.oldestDueAt == Bench.noon)
        #expect(try numbers(bench)["a/1x"]?.oldestDueAt == nil)
    }

    @Test func `a percentile is no less than the true one and at most a sixteenth more`() throws {
        let bench = try Bench()
        try bench.install()
        var random = SeededRandom(11)
        let latencies = (0..<300).map { _ in Int64.random(in: 0...40_000_000, using: &random) }
        try bench.perform { (tx) throws(StoreError) in
            for (index, micros) in latencies.enumerated() {
                _ = try Bench.record(
                    Bench.conversion(click: index + 1),
                    deliveries: [Bench.delivery("a/1", origin: "https://a.example")], in: tx)
                // The answer took a part of it.
                let milliseconds = Int(micros / 2000)
                try tx.record(
                    Self.attempt(
                        1, milliseconds: milliseconds,
                        after: .microseconds(micros - Int64(milliseconds) * 1000)),
                    of: DeliveryID(Int64(index + 1)), outcome: .delivered)
            }
        }
        let histogram = try #require(try numbers(bench)["a/1"]).latency
        #expect(histogram.count == 300)
        let sorted = latencies.sorted()
        for (hundredths, index) in [(1, 2), (50, 149), (99, 296), (100, 299)] {
            let told = try #require(histogram.percentile(Int64(hundredths)))
            let truth = Duration.microseconds(sorted[index])
            #expect(told >= truth, "p\(hundredths)")
            #expect(told <= max(truth * 17 / 16, .milliseconds(1)), "p\(hundredths)")
        }
        // Of another day there is nothing, and after 92 days it is forgotten.
        let tomorrow = Bench.noon.day.advanced(by: 1)
        #expect(try numbers(bench, days: tomorrow...tomorrow)["a/1"]?.latency.count == 0)
        try bench.perform { (tx) throws(StoreError) in
            _ = try Bench.record(
                Bench.conversion(click: 999),
                deliveries: [Bench.delivery("a/1", origin: "https://a.example")], in: tx)
            try tx.record(
                Self.attempt(1, after: .seconds(93 * 86_400)), of: DeliveryID(301),
                outcome: .delivered)
        }
        let all = Bench.noon.day...Bench.noon.day.advanced(by: 100)
        #expect(try numbers(bench, days: all)["a/1"]?.latency.count == 1)
        #expect(try numbers(bench)["a/1"]?.delivered == 301)
    }

    @Test func `the classes of the table are those that a percentile is read from`() throws {
        let bench = try Bench()
        let classes = try Connection(path: bench.data.ledgerPath, mode: .readOnly).rows(
            "SELECT lower_us FROM latency_class ORDER BY lower_us"
        ) { (row) throws(SQLiteError) in row.int64(0) }
        #expect(LatencyHistogram.lowers == classes)
        #expect(classes.first == 0 && (classes.last ?? 0) > 31 * 86_400_000_000)
        for (lower, next) in zip(classes, classes.dropFirst()) {
            #expect(LatencyHistogram.upper(lower) == next)
        }
    }

    @Test func `a time falls into the class that begins with it or before`() {
        let times: [Int64: Int64] = [
            0: 0, 999: 0, 1000: 1000, 1061: 1000, 1062: 1062,
            .max: LatencyHistogram.lowers.last ?? 0,
        ]
        for (time, lower) in times {
            #expect(LatencyHistogram.lower(ofClassWith: time) == lower, "\(time)")
        }
    }

    @Test func `a batch of results counts each delivery once, whichever were recorded before`()
        throws
    {
        let bench = try Bench()
        try bench.install()
        try bench.perform { (tx) throws(StoreError) in
            for click in 1...4 {
                _ = try Bench.record(
                    Bench.conversion(click: click), deliveries: [Bench.delivery("a/1")], in: tx)
            }
            let results = try (1...4 as ClosedRange<Int64>).map { id throws(StoreError) in
                DeliveryResult(
                    of: try tx.delivery(DeliveryID(id)), Self.attempt(1, after: .seconds(id)),
                    outcome: id == 4 ? .dead("gone") : .delivered)
            }
            try tx.record(Array(results.prefix(2)))
            try tx.record(results)
        }
        let found = try #require(numbers(bench)["a/1"])
        #expect(found.delivered == 3 && found.dead == 1 && found.waiting == 0)
        #expect(found.latency.count == 3)
    }
}

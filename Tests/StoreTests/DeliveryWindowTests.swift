import Domain
import SQLite
import TestSupport
import Testing

@testable import Store

/// What the dispatcher reads of what waits.
@Suite struct DeliveryWindowTests {
    private typealias Bench = StoreBench
    private static let origin = "https://a.example"

    /// Deliveries of `names`, spread by chance, each due within so many seconds after noon.
    private func bench(_ count: Int, to names: [String], within seconds: Int64) throws -> Bench {
        let bench = try Bench()
        try bench.install()
        try bench.perform { (tx) throws(StoreError) in
            var random = SeededRandom(3)
            for click in 1...count {
                // Some destinations have many, some few.
                let place = Int.random(in: 0..<names.count * 3, using: &random) / 2
                _ = try Bench.record(
                    Bench.conversion(click: click),
                    deliveries: [
                        Bench.delivery(names[min(names.count - 1, place)], origin: Self.origin)
                    ], in: tx)
                let later = Int64.random(in: 0...seconds, using: &random)
                try tx.record(
                    Attempt(
                        number: 1, at: Bench.noon, status: 500, milliseconds: 1, error: "x",
                        excerpt: []), of: DeliveryID(Int64(click)),
                    outcome: .retry(at: Bench.noon.advanced(by: .seconds(later))))
            }
        }
        return bench
    }

    private func read(
        _ bench: Bench, _ limit: Int, _ change: (inout DeliveryWindow.Order) -> Void = { _ in }
    ) throws -> DeliveryWindow {
        var order = DeliveryWindow.Order(origin: Self.origin, limit: limit)
        change(&order)
        let made = order
        return try bench.read { (reader) throws(StoreError) in try reader.window(made) }
    }

    private func ids(_ window: DeliveryWindow) -> [Int64] { window.rows.map(\.id.rawValue) }

    @Test(arguments: [0, 3, 40] as [Int64])
    func `of many destinations those due first come first, but for those passed over`(
        seconds: Int64
    ) throws {
        let names = (0..<12).map { "d/\($0)" }
        let bench = try bench(200, to: names, within: seconds)
        for passedOver in [[], ["d/11"], Set(names.dropFirst(2)), Set(names)] {
            let all = try read(bench, 1000) { $0.passedOver = passedOver }
            #expect(all.isComplete)
            let deliveries = all.rows.compactMap(\.delivery)
            #expect(deliveries.map(\.id) == all.rows.map(\.id))
            #expect(!deliveries.contains { passedOver.contains($0.destination) })
            if passedOver.isEmpty { #expect(all.rows.count == 200) }
            let sorted = deliveries.sorted {
                ($0.dueAt, $0.id.rawValue) < ($1.dueAt, $1.id.rawValue)
            }
            #expect(deliveries == sorted)
            for limit in [1, 2, 7, 50, 199] {
                let window = try read(bench, limit) { $0.passedOver = passedOver }
                #expect(ids(window) == Array(ids(all).prefix(limit)), "\(limit)")
                #expect(window.isComplete == (all.rows.count < limit))
            }
        }
    }

    @Test func `a destination with all that is due first is read to its end`() throws {
        let bench = try bench(300, to: ["d/0"], within: 0)
        // One of each of many others, due later: their queues come to nothing.
        try bench.perform { (tx) throws(StoreError) in
            for click in 301...340 {
                _ = try Bench.record(
                    Bench.conversion(click: click),
                    deliveries: [Bench.delivery("e/\(click)", origin: Self.origin)], in: tx)
                try tx.record(
                    Attempt(
                        number: 1, at: Bench.noon, status: 500, milliseconds: 1, error: "x",
                        excerpt: []), of: DeliveryID(Int64(click)),
                    outcome: .retry(at: Bench.noon.advanced(by: .seconds(9))))
            }
        }
        #expect(try ids(read(bench, 290)) == Array(1...290))
        #expect(try ids(read(bench, 330)) == Array(1...330))
    }

    @Test func `what is known or busy is told by its number only`() throws {
        let bench = try bench(5, to: ["d/0"], within: 0)
        let window = try read(bench, 5) { order in
            order.known = [
                DeliveryID(1): Bench.noon, DeliveryID(2): Bench.noon.advanced(by: .seconds(1)),
            ]
            order.ignored = [DeliveryID(4)]
        }
        #expect(ids(window) == [1, 2, 3, 4, 5])
        // The second is due at another time than was known.
        #expect(window.rows.map { $0.delivery == nil } == [true, false, false, true, false])
        #expect(window.rows.allSatisfy { $0.dueAt == Bench.noon })
    }

    @Test func `a read ends with the delivery that reaches its bytes`() throws {
        let bench = try bench(10, to: ["d/0"], within: 0)
        let each = try #require(try read(bench, 1).rows.first?.delivery).approximateBytes
        let exact = try read(bench, 10) { $0.bytesMax = 3 * each }
        #expect(ids(exact) == [1, 2, 3] && !exact.isComplete)
        let more = try read(bench, 10) { $0.bytesMax = 3 * each + 1 }
        #expect(ids(more) == [1, 2, 3, 4] && !more.isComplete)
        #expect(try ids(read(bench, 10) { $0.bytesMax = 1 }) == [1], "one whatever its bytes")
        let known = try read(bench, 10) { order in
            order.bytesMax = 1
            order.known = [DeliveryID(1): Bench.noon, DeliveryID(2): Bench.noon]
        }
        #expect(ids(known) == [1, 2, 3], "what is known takes no more of them")
        let whole = try read(bench, 11) { $0.bytesMax = 10 * each + 1 }
        #expect(whole.rows.count == 10 && whole.isComplete)
    }

    @Test(arguments: [
        QueueStatements.nextQueueSQL, QueueStatements.placesFromSQL,
        QueueStatements.placesAtTimeSQL, LedgerReader.nextOriginSQL,
    ])
    func `a queue is read by its index alone, and never sorted`(sql: String) throws {
        let bench = try Bench()
        let connection = try Connection(path: bench.data.ledgerPath, mode: .readOnly)
        defer { connection.close() }
        let explain = try connection.prepare("EXPLAIN QUERY PLAN " + sql)
        var plan: [String] = []
        while try explain.step() { plan.append(explain.text(3)) }
        #expect(plan.count == 1 && plan[0].contains("SEARCH"), "\(plan)")
        #expect(plan[0].contains("USING INDEX delivery_queue"), "\(plan)")
    }
}

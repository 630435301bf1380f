import Domain
import Store
import Testing

@testable import Outbound

/// When results are handed to the ledger.
@Suite struct ResultQueueTests {
    private static let millisecond: UInt64 = 1_000_000
    private let start: UInt64 = 50_000_000_000

    /// Calls of a plan that have ended, each with its result.
    private static func items(_ count: Int) -> [ResultQueue.Item] {
        let simulation = PlanSimulation { _, _ in true }
        var limits = DeliveryPlan.Limits()
        limits.concurrency = count
        limits.perHost = count
        limits.unrecordedMax = 2 * count
        let plan = DeliveryPlan(limits: limits)
        let now = simulation.now
        simulation.queue("http://a", count: count)
        plan.wake(["http://a"], at: now)
        if let order = plan.nextRead(at: now) {
            plan.finish(order, DeliveryWindow(order.window, of: simulation.rows.values), at: now)
        }
        var items: [ResultQueue.Item] = []
        while let start = plan.next(at: now) {
            let attempt = Attempt(
                number: 1, at: now.wall, status: 200, milliseconds: 1, error: nil, excerpt: [])
            let result = DeliveryResult(of: start.delivery, attempt, outcome: .delivered)
            let verdict = AttemptJudge.Verdict(result: result, health: .healthy)
            items.append((plan.finish(start, verdict, at: now), result))
        }
        return items
    }

    private func queue(_ items: some Sequence<ResultQueue.Item>) -> ResultQueue {
        var queue = ResultQueue()
        for item in items { queue.append(item.finished, item.result) }
        return queue
    }

    /// How many are in the next batch.
    private func next(_ queue: inout ResultQueue, at nanos: UInt64, mayGather: Bool = true) -> Int?
    {
        guard case .batch(let batch) = queue.nextBatch(at: nanos, mayGather: mayGather) else {
            return nil
        }
        return batch.count
    }

    @Test func `the first result is recorded at once, and what comes soon after gathers`() {
        let items = Self.items(3)
        var queue = queue(items.prefix(1))
        #expect(next(&queue, at: start) == 1)
        queue.append(items[1].finished, items[1].result)
        #expect(next(&queue, at: start) == nil, "one batch at a time")
        #expect(queue.recorded(at: start).count == 1)
        guard case .later(let milliseconds) = queue.nextBatch(at: start, mayGather: true) else {
            Issue.record("it doesn't gather")
            return
        }
        #expect(milliseconds == ResultQueue.gatherMilliseconds)
        queue.append(items[2].finished, items[2].result)
        let end = start + UInt64(milliseconds) * Self.millisecond
        #expect(next(&queue, at: end - 1) == nil)
        #expect(next(&queue, at: end) == 2)
    }

    @Test func `with no call in flight nothing is waited for`() {
        let items = Self.items(2)
        var queue = queue(items.prefix(1))
        #expect(next(&queue, at: start) == 1)
        _ = queue.recorded(at: start)
        queue.append(items[1].finished, items[1].result)
        #expect(next(&queue, at: start, mayGather: false) == 1)
    }

    @Test func `many results are recorded at once`() {
        let items = Self.items(ResultQueue.gatherMin + 1)
        var queue = queue(items.prefix(1))
        #expect(next(&queue, at: start) == 1)
        _ = queue.recorded(at: start)
        for item in items.dropFirst().dropLast() { queue.append(item.finished, item.result) }
        #expect(next(&queue, at: start) == nil)
        if let last = items.last { queue.append(last.finished, last.result) }
        #expect(next(&queue, at: start) == ResultQueue.gatherMin)
    }

    @Test func `after a failure all are recorded together, once the pause is over`() {
        let items = Self.items(2)
        var queue = queue(items.prefix(1))
        #expect(next(&queue, at: start) == 1)
        queue.append(items[1].finished, items[1].result)
        #expect(queue.failed() == 50)
        #expect(next(&queue, at: start, mayGather: false) == nil)
        queue.retry()
        #expect(next(&queue, at: start) == 2)
        #expect(queue.recorded(at: start).count == 2 && queue.isEmpty)
    }
}

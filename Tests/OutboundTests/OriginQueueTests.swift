import Domain
import Store
import Testing

@testable import Outbound

/// The window when rows, results and people's changes cross each other.
@Suite struct OriginQueueTests {
    private let now = Instant(micros: 1_800_000_000_000_000)
    private let size = OriginQueue.Size(count: 8)

    private func row(
        _ id: Int64, dueIn seconds: Int64 = 0, attempts: Int = 0, convertedIn: Int64 = -1
    ) -> Delivery {
        Delivery(
            id: DeliveryID(id), conversionID: ConversionID(1), revision: 1, destination: "a/b",
            state: .waiting, reason: nil, dueAt: now.advanced(by: .seconds(seconds)),
            convertedAt: now.advanced(by: .seconds(convertedIn)),
            request: DispatcherHarness.request("http://a/"), attemptCount: attempts)
    }

    /// A queue of which these are all the rows.
    private func queue(_ rows: [Delivery], size: Int = 8) -> OriginQueue {
        var queue = OriginQueue()
        let order = queue.beginRead(of: "http://a", size: .init(count: size))
        queue.endRead(DeliveryWindow(order, of: rows), size: .init(count: size), at: now)
        return queue
    }

    private func take(_ queue: inout OriginQueue) -> Int64? { queue.takeFirst()?.id.rawValue }

    @Test func `the longest due comes first, and of those the first made`() {
        var queue = queue([row(3, dueIn: -9), row(1), row(2), row(4, dueIn: 5)])
        #expect([take(&queue), take(&queue), take(&queue), take(&queue)] == [3, 1, 2, 4])
        #expect(take(&queue) == nil)
    }

    @Test func `a busy delivery is not taken from rows that still say waiting`() {
        var queue = queue([row(1), row(2)])
        _ = take(&queue)
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        #expect(order.limit == 9, "room for the busy one")
        queue.endRead(DeliveryWindow(order, of: [row(1), row(2)]), size: size, at: now)
        #expect(queue.count == 1 && take(&queue) == 2)
    }

    @Test func `one whose result was recorded during a read is not taken from its rows`() {
        var queue = queue([row(1)])
        _ = take(&queue)
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        queue.release(DeliveryID(1), next: nil, size: size, at: now)
        queue.endRead(DeliveryWindow(order, of: [row(1)]), size: size, at: now)
        #expect(queue.count == 0 && queue.isSpent)
    }

    @Test func `one that failed during a read is read again`() {
        var queue = queue([row(1)])
        _ = take(&queue)
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        let retry = row(1, dueIn: 10, attempts: 1)
        queue.release(DeliveryID(1), next: retry, size: size, at: now)
        queue.endRead(DeliveryWindow(order, of: [row(1)]), size: size, at: now)
        #expect(queue.count == 0 && !queue.isSpent)
        #expect(queue.wantsRead(size: size, at: now))
        let again = queue.beginRead(of: "http://a", size: size)
        queue.endRead(DeliveryWindow(again, of: [retry]), size: size, at: now)
        #expect(queue.first?.due == retry.dueAt)
    }

    @Test func `a cancelled delivery leaves the window and isn't put back by its result`() {
        var queue = queue([row(1), row(2)])
        _ = take(&queue)
        queue.forget([DeliveryID(1), DeliveryID(2)])
        #expect(queue.count == 0)
        queue.release(
            DeliveryID(1), next: row(1, dueIn: 10, attempts: 1), size: size, at: now)
        #expect(queue.count == 0 && queue.wantsRead(size: size, at: now))
    }

    @Test func `one cancelled during a read is not taken from its rows`() {
        var queue = queue([row(1)])
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        queue.forget([DeliveryID(1)])
        queue.endRead(DeliveryWindow(order, of: [row(1)]), size: size, at: now)
        #expect(queue.count == 0)
    }

    @Test func `a retry beyond the window stays on disk`() {
        // Eight of more rows: the window ends with number 8, due in 8 s.
        var queue = queue((1...9).map { row($0, dueIn: $0) })
        #expect(queue.count == 8)
        _ = take(&queue)
        queue.release(
            DeliveryID(1), next: row(1, dueIn: 60, attempts: 1), size: size, at: now)
        #expect(queue.count == 7)
        _ = take(&queue)
        queue.release(DeliveryID(2), next: row(2, dueIn: 5, attempts: 1), size: size, at: now)
        #expect(queue.count == 7)
    }

    @Test func `a retry that is one too many pushes the last out of the window`() {
        var queue = queue((1...4).map { row($0, dueIn: $0) }, size: 8)
        _ = take(&queue)
        queue.release(
            DeliveryID(1), next: row(1, dueIn: 2, attempts: 1), size: .init(count: 3), at: now)
        #expect(queue.count == 3)
        #expect([take(&queue), take(&queue), take(&queue)] == [1, 2, 3])
        #expect(queue.wantsRead(size: size, at: now), "number 4 is on disk")
    }

    @Test func `it reads when half of a window is left, and not before`() {
        var queue = queue((1...20).map { row($0) }, size: 8)
        for _ in 1...4 {
            #expect(!queue.wantsRead(size: size, at: now))
            _ = take(&queue)
        }
        #expect(!queue.wantsRead(size: size, at: now))
        _ = take(&queue)
        #expect(queue.wantsRead(size: size, at: now))
        _ = queue.beginRead(of: "http://a", size: size)
        #expect(!queue.wantsRead(size: size, at: now), "one read at a time")
    }

    @Test func `news are not read while half a window is due already`() {
        var queue = queue((1...4).map { row($0) }, size: 8)
        queue.markStale()
        #expect(!queue.wantsRead(size: size, at: now))
        _ = take(&queue)
        #expect(queue.wantsRead(size: size, at: now))
    }

    @Test func `news are read when what is in memory is due later`() {
        var queue = queue((1...8).map { row($0, dueIn: 60) }, size: 8)
        #expect(!queue.wantsRead(size: size, at: now))
        queue.markStale()
        #expect(queue.wantsRead(size: size, at: now))
    }

    @Test func `a window ends where its bytes do, but one delivery fits whatever its bytes`() {
        let each = row(1).approximateBytes
        var queue = OriginQueue()
        let small = OriginQueue.Size(count: 8, bytes: 3 * each)
        let order = queue.beginRead(of: "http://a", size: small)
        let rows = (1...6).map { row($0) }
        queue.endRead(DeliveryWindow(order, of: rows), size: small, at: now)
        #expect(queue.count == 3 && queue.bytes == 3 * each)
        #expect(!queue.wantsRead(size: small, at: now), "half of the bytes are there")
        _ = take(&queue)
        #expect(!queue.wantsRead(size: small, at: now))
        _ = take(&queue)
        #expect(queue.wantsRead(size: small, at: now) && queue.bytes == each)
        queue.trim(to: OriginQueue.Size(count: 8, bytes: 1))
        #expect(queue.count == 1 && queue.bytes == each)
        _ = take(&queue)
        #expect(queue.bytes == 0)
        #expect(queue.wantsRead(size: .init(count: 8, bytes: 1), at: now), "empty is not full")
    }

    @Test func `what is in memory is not read again, and what has left it meanwhile is`() {
        var queue = queue((1...6).map { row($0) })
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        #expect(order.known.count == 6 && order.known[DeliveryID(6)] == now)
        // Those of number 3 were cancelled and queued again, say.
        queue.forget([DeliveryID(3)])
        let window = DeliveryWindow(order, of: (1...7).map { row($0) })
        #expect(window.rows.compactMap(\.delivery?.id) == [DeliveryID(7)])
        queue.endRead(window, size: size, at: now)
        #expect(queue.count == 6 && queue.wantsRead(size: .init(count: 20), at: now))
        let again = queue.beginRead(of: "http://a", size: size)
        queue.endRead(DeliveryWindow(again, of: (1...7).map { row($0) }), size: size, at: now)
        let ids = (1...7).map { _ in take(&queue) }
        #expect(ids == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `a delivery that is due at another time now is read as it is now`() {
        var queue = queue([row(1), row(2)])
        queue.markStale()
        let order = queue.beginRead(of: "http://a", size: size)
        let rows = [row(1, dueIn: 30, attempts: 4), row(2)]
        queue.endRead(DeliveryWindow(order, of: rows), size: size, at: now)
        #expect(take(&queue) == 2)
        #expect(queue.first?.delivery == rows[0])
    }

    @Test func `a due time that no right clock can have set counts as now`() {
        func due(_ row: Delivery) -> Duration { OriginQueue.due(of: row, at: now) - now }
        #expect(due(row(1, dueIn: -50)) == .seconds(-50))
        #expect(due(row(1, dueIn: 25 * 3600, attempts: 3)) == .seconds(25 * 3600))
        #expect(due(row(1, dueIn: 25 * 3600 + 1, attempts: 3)) == .zero)
        // Converted in the future: the clock was set back. An attempt since then was set rightly.
        #expect(due(row(1, dueIn: 100, convertedIn: 100)) == .zero)
        #expect(due(row(1, dueIn: 100, convertedIn: 5)) == .seconds(100))
        #expect(due(row(1, dueIn: 10, attempts: 1, convertedIn: 100)) == .seconds(10))
    }
}

import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct DeliveryTests {
    private typealias Bench = StoreBench

    private func bench(origins: [String] = ["https://a.example"]) throws -> StoreBench {
        let bench = try Bench()
        try bench.install()
        try bench.perform { (tx) throws(StoreError) in
            _ = try Bench.record(
                Bench.conversion(click: 1),
                deliveries: origins.enumerated().map {
                    Bench.delivery("d/\($0.offset)", origin: $0.element)
                },
                in: tx)
        }
        return bench
    }

    private func delivery(_ bench: StoreBench, _ id: Int64 = 1) throws -> Delivery {
        let found = try bench.read { (reader) throws(StoreError) in
            try reader.delivery(DeliveryID(id))
        }
        return try #require(found)
    }

    private static func attempt(
        _ seconds: Int64, number: Int = 1, status: Int? = 500, error: String? = "status 500"
    ) -> Attempt {
        Attempt(
            number: number, at: Bench.noon.advanced(by: .seconds(seconds)), status: status,
            milliseconds: 12, error: error, excerpt: [0, 255])
    }

    @Test func `attempts are numbered and move the delivery on`() throws {
        let bench = try bench()
        let later = Bench.noon.advanced(by: .seconds(10))
        try bench.perform { (tx) throws(StoreError) in
            try tx.record(Self.attempt(1), of: DeliveryID(1), outcome: .retry(at: later))
        }
        var now = try delivery(bench)
        #expect(now.state == .waiting && now.dueAt == later && now.attemptCount == 1)
        #expect(now.reason == "status 500")
        try bench.perform { (tx) throws(StoreError) in
            try tx.record(
                Self.attempt(10, number: 2, status: 204, error: nil), of: DeliveryID(1),
                outcome: .delivered)
        }
        now = try delivery(bench)
        #expect(now.state == .delivered && now.attemptCount == 2 && now.reason == nil)
        let attempts = try bench.read { (reader) throws(StoreError) in
            try reader.attempts(of: DeliveryID(1))
        }
        try #require(attempts.count == 2)
        #expect(attempts.map(\.number) == [1, 2] && attempts.map(\.status) == [500, 204])
        #expect(attempts[0].excerpt == [0, 255] && attempts[0].error == "status 500")
        #expect(attempts[1].milliseconds == 12 && attempts[1].error == nil)
    }

    @Test func `an attempt that was recorded before changes nothing`() throws {
        let bench = try bench()
        let later = Bench.noon.advanced(by: .seconds(10))
        for _ in 1...2 {
            try bench.perform { (tx) throws(StoreError) in
                try tx.record(Self.attempt(1), of: DeliveryID(1), outcome: .retry(at: later))
            }
        }
        try bench.perform { (tx) throws(StoreError) in
            try tx.record(Self.attempt(2), of: DeliveryID(1), outcome: .dead("again"))
        }
        let now = try delivery(bench)
        #expect(now.attemptCount == 1 && now.state == .waiting && now.dueAt == later)
    }

    @Test func `a cancelled delivery stays so unless its last call was taken`() throws {
        let bench = try bench(origins: ["https://a.example", "https://a.example"])
        try bench.perform { (tx) throws(StoreError) in
            for id in 1...2 {
                let cancelled = try tx.cancel(DeliveryID(Int64(id)))
                #expect(cancelled.state == .cancelled && cancelled.reason != nil)
            }
            try tx.record(
                Self.attempt(1), of: DeliveryID(1), outcome: .retry(at: Bench.noon))
            try tx.record(
                Self.attempt(1, status: 200, error: nil), of: DeliveryID(2), outcome: .delivered)
        }
        #expect(try delivery(bench, 1).state == .cancelled)
        #expect(try delivery(bench, 1).reason == "cancelled by hand")
        #expect(try delivery(bench, 2).state == .delivered)
    }

    @Test func `what can be retried and cancelled, and what can't`() throws {
        let bench = try bench(origins: Array(repeating: "https://a.example", count: 4))
        let later = Bench.noon.advanced(by: .seconds(99))
        try bench.perform { (tx) throws(StoreError) in
            try tx.record(Self.attempt(1), of: DeliveryID(1), outcome: .dead("gone"))
            try tx.record(Self.attempt(1), of: DeliveryID(2), outcome: .delivered)
            _ = try tx.cancel(DeliveryID(3))
        }
        #expect(try delivery(bench, 1).state == .dead && delivery(bench, 1).reason == "gone")
        func error(_ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Delivery)
            -> String
        {
            do {
                let delivery = try bench.perform(work)
                return delivery.state.rawValue
            } catch StoreError.conflict {
                return "conflict"
            } catch StoreError.notFound {
                return "not found"
            } catch {
                return "\(error)"
            }
        }
        let before = bench.origins.current.count
        var results: [String] = []
        for id in 1...5 as ClosedRange<Int64> {
            results.append(
                error { (tx) throws(StoreError) in try tx.retry(DeliveryID(id), at: later) })
        }
        #expect(results == ["waiting", "conflict", "waiting", "waiting", "not found"])
        #expect(try delivery(bench, 1).dueAt == later && delivery(bench, 1).reason == nil)
        try eventually("the retries are told") { bench.origins.current.count > before }
        results = []
        for id in 1...5 as ClosedRange<Int64> {
            results.append(error { (tx) throws(StoreError) in try tx.cancel(DeliveryID(id)) })
        }
        #expect(results == ["cancelled", "conflict", "cancelled", "cancelled", "not found"])
    }

    @Test func `the dispatcher finds what waits, by origin and time`() throws {
        let bench = try bench(
            origins: [
                "https://b.example", "http://a.example", "https://b.example", "https://c.example",
            ])
        // Told after the answer that `bench` waits for.
        try eventually("the origins are told") {
            bench.origins.current
                == [["https://b.example", "http://a.example", "https://c.example"]]
        }
        try bench.perform { (tx) throws(StoreError) in
            try tx.record(
                Self.attempt(1), of: DeliveryID(1),
                outcome: .retry(at: Bench.noon.advanced(by: .seconds(5))))
            try tx.record(Self.attempt(1), of: DeliveryID(4), outcome: .delivered)
        }
        #expect(
            try bench.read { (reader) throws(StoreError) in try reader.waitingOrigins() }
                == ["http://a.example", "https://b.example"])
        let waiting = try bench.read { (reader) throws(StoreError) in
            try reader.window(.init(origin: "https://b.example", limit: 10)).rows
                .map(\.id.rawValue)
        }
        #expect(waiting == [3, 1])
        let backlog = try bench.read { (reader) throws(StoreError) in try reader.backlog() }
        #expect(backlog.waiting == 3 && backlog.dead == 0 && backlog.oldestDueAt == Bench.noon)
    }

    @Test func `a dead delivery is kept with its reason and wakes nobody`() throws {
        let bench = try Bench()
        try bench.install()
        let usual = Bench.delivery()
        try bench.perform { (tx) throws(StoreError) in
            _ = try Bench.record(
                Bench.conversion(click: 1),
                deliveries: [
                    NewDelivery(
                        destination: "d", request: usual.request, deadReason: "no external ID")
                ], in: tx)
        }
        #expect(bench.origins.current.isEmpty)
        #expect(try delivery(bench).state == .dead && delivery(bench).reason == "no external ID")
        // Its request may be cut short or lack what it was to tell: it is never sent.
        #expect(throws: StoreError.conflict("delivery 1 can't be sent: no external ID")) {
            try bench.perform { (tx) throws(StoreError) in
                try tx.retry(DeliveryID(1), at: Bench.noon)
            }
        }
        #expect(
            try bench.read { (reader) throws(StoreError) in try reader.waitingOrigins() }.isEmpty)
    }

    @Test func `lists are filtered and paged without a gap or a repeat`() throws {
        let bench = try Bench()
        try bench.install()
        try bench.perform { (tx) throws(StoreError) in
            for number in 1...25 {
                _ = try Bench.record(
                    Bench.conversion(
                        click: number, campaign: Int64(number % 2 + 1),
                        transaction: number % 5 == 0 ? "five" : "",
                        status: number % 3 == 0 ? .pending : .approved), in: tx)
            }
        }
        func all(_ filter: ConversionFilter, by limit: Int) throws -> [Int] {
            var numbers: [Int] = []
            var cursor: Int64?
            repeat {
                let from = cursor
                let page = try bench.read { (reader) throws(StoreError) in
                    try reader.conversions(filter, limit: limit, cursor: from)
                }
                #expect(page.items.count <= limit)
                numbers += page.items.map(\.click.rowID.sequence)
                cursor = page.nextCursor
            } while cursor != nil
            return numbers
        }
        let down = Array((1...25).reversed())
        for limit in [1, 7, 25, 26, 1000] {
            #expect(try all(ConversionFilter(), by: limit) == down, "\(limit)")
        }
        var filter = ConversionFilter()
        filter.status = .pending
        #expect(try all(filter, by: 3) == down.filter { $0 % 3 == 0 })
        filter.campaign = CampaignID(2)
        #expect(try all(filter, by: 3) == down.filter { $0 % 3 == 0 && $0 % 2 == 1 })
        filter = ConversionFilter()
        filter.transactionID = "five"
        #expect(try all(filter, by: 2) == [25, 20, 15, 10, 5])
        filter.transactionID = ""
        #expect(try all(filter, by: 2).isEmpty)
        filter = ConversionFilter()
        filter.externalID = [0, 255, 65]
        #expect(try all(filter, by: 10).count == 25)
        filter.externalID = [0, 255]
        #expect(try all(filter, by: 10).isEmpty)
        filter = ConversionFilter()
        filter.to = Bench.noon
        #expect(try all(filter, by: 10).isEmpty)
        filter.to = nil
        filter.from = Bench.noon
        #expect(try all(filter, by: 10).count == 25)
    }

    @Test func `totals are exact whatever the amounts, and leave test calls out`() throws {
        let bench = try Bench()
        try bench.install()
        let euro = try #require(Currency("EUR"))
        try bench.perform { (tx) throws(StoreError) in
            let amounts: [Int64] = [.max, .max, .max, .min + 1, -1, 999_999_999, -999_999_999, 1]
            for (number, nanos) in amounts.enumerated() {
                _ = try Bench.record(Bench.conversion(click: number, nanos: nanos), in: tx)
            }
            _ = try Bench.record(
                Bench.conversion(click: 100, nanos: 7, currency: euro), in: tx)
            _ = try Bench.record(
                Bench.conversion(click: 101, nanos: 8, status: .trash), in: tx)
            _ = try Bench.record(Bench.conversion(click: 102, nanos: 9, isTest: true), in: tx)
        }
        let day = Bench.noon.day
        let totals = try bench.read { (reader) throws(StoreError) in
            try reader.conversionTotals(from: day.start, to: day.advanced(by: 1).start)
        }
        #expect(totals.count == 3)
        let usd = try #require(totals.first { $0.status == .approved && $0.currency == .usDollar })
        #expect(usd.conversions == 8 && usd.payoutNanos == 2 * Int128(Int64.max))
        #expect(totals.first { $0.currency == euro }?.payoutNanos == 7)
        #expect(totals.first { $0.status == .trash }?.conversions == 1)
        for (from, to) in [
            (day.advanced(by: 1).start, day.advanced(by: 2).start),
            (day.advanced(by: -1).start, day.start),
        ] {
            #expect(
                try bench.read { (reader) throws(StoreError) in
                    try reader.conversionTotals(from: from, to: to)
                }.isEmpty)
        }
    }

    @Test func `the newest conversion of an identity is the one that is found`() throws {
        let bench = try Bench()
        try bench.install()
        let found = try bench.perform { (tx) throws(StoreError) in
            let first = Bench.conversion(click: 1, transaction: "t")
            _ = try Bench.record(first, in: tx)
            _ = try Bench.record(
                Bench.conversion(click: 1, transaction: "t", ordinal: 1), in: tx)
            _ = try Bench.record(
                Bench.conversion(click: 1, transaction: "t", isTest: true), in: tx)
            func find(_ transaction: String, isTest: Bool = false) throws(StoreError) -> String {
                let found = try tx.conversion(
                    clickRowID: first.click.rowID, event: "sale", transactionID: transaction,
                    isTest: isTest)
                return found?.id.description ?? "none"
            }
            return [try find("t"), try find("t", isTest: true), try find("T"), try find("")]
        }
        #expect(found == ["cv2", "cv3", "none", "none"])
    }
}

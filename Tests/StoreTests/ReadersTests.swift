import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct ReadersTests {
    @Test func `one piece of work sees one state of the ledger, the next one a newer`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let ledger = try Ledger(
            data, options: Ledger.Options(), observers: Ledger.Observers())
        defer { ledger.stop() }
        let readers = Readers(data, threads: 1)
        defer { readers.stop() }
        let counts = Locked<[Int]>([])
        let isWritten = Locked(false)
        readers.read(
            { reader throws(StoreError) in
                let before = try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil)
                // Written by another thread while this work goes on.
                ledger.perform(
                    { transaction throws(StoreError) in
                        try transaction.insert(
                            Postback(
                                receivedAt: Instant(micros: 1), sender: nil, method: "GET",
                                target: [], headers: [], body: []),
                            networkID: nil, clickRowID: nil, conversionID: nil,
                            verdict: .keyUnknown, message: "")
                    }, finished: { _ in isWritten.with { $0 = true } })
                // A wait that fails shows as a count that is missing.
                try? eventually("the call is on disk") { isWritten.current }
                let after = try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil)
                counts.with { $0 += [before.items.count, after.items.count] }
            }, finished: { _ in })
        readers.read(
            { reader throws(StoreError) in
                let later = try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil)
                counts.with { $0.append(later.items.count) }
            }, finished: { _ in })
        try eventually("both have read") { counts.current.count == 3 }
        #expect(isWritten.current)
        #expect(counts.current == [0, 0, 1])
    }

    @Test func `a ledger that was put in another's place is read from then on`() throws {
        let benches = try (StoreBench(), StoreBench())
        func calls(_ bench: StoreBench) throws -> Int {
            try bench.read { reader throws(StoreError) in
                try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil).items.count
            }
        }
        for (bench, count) in [(benches.0, 1), (benches.1, 3)] {
            try bench.perform { (tx) throws(StoreError) in
                for _ in 0..<count {
                    _ = try tx.insert(
                        StoreBench.postback(), networkID: nil, clickRowID: nil, conversionID: nil,
                        verdict: .keyUnknown, message: "")
                }
            }
        }
        #expect(try calls(benches.0) == 1)
        benches.0.ledger.stop()
        benches.1.ledger.stop()
        for suffix in ["", "-wal", "-shm"] {
            let path = benches.0.data.ledgerPath + suffix
            if FileManager.default.fileExists(atPath: path) {
                try FileManager.default.removeItem(atPath: path)
            }
        }
        // While there is none, the one that is open is better than nothing.
        #expect(try calls(benches.0) == 1)
        try FileManager.default.copyItem(
            atPath: benches.1.data.ledgerPath, toPath: benches.0.data.ledgerPath)
        #expect(try calls(benches.0) == 3)
    }

    @Test func `a page looks at some rows only, and the pages together at all`() throws {
        let bench = try StoreBench()
        try bench.install()
        try bench.perform { tx throws(StoreError) in
            for number in 1...20 {
                let made = try StoreBench.record(
                    StoreBench.conversion(click: number, transaction: "\(number)"), in: tx)
                if made.id.rawValue % 9 == 0 { _ = try tx.cancel(DeliveryID(made.id.rawValue)) }
            }
        }
        let pages = try bench.read { reader throws(StoreError) in
            reader.rowsLookedAtMax = 4
            var filter = DeliveryFilter()
            filter.states = [.cancelled]
            var down: [[Int64]] = []
            var cursor: Int64?
            repeat {
                let page = try reader.deliveries(filter, limit: 10, cursor: cursor)
                down.append(page.items.map(\.id.rawValue))
                cursor = page.nextCursor
            } while cursor != nil
            var up: [[Int64]] = []
            repeat {
                let page = try reader.deliveryIDs(
                    filter, after: cursor ?? 0, through: 20, limit: 10)
                up.append(page.items.map(\.rawValue))
                cursor = page.nextCursor
            } while cursor != nil
            return (down, up)
        }
        #expect(pages.0 == [[18], [], [9], [], []])
        #expect(pages.1 == [[], [], [9], [], [18]])
        let waiting = try bench.read { reader throws(StoreError) in
            reader.rowsLookedAtMax = 4
            var filter = DeliveryFilter()
            filter.states = [.waiting]
            return try reader.deliveries(filter, limit: 30, cursor: nil).items.count
        }
        #expect(waiting == 18, "few that wait are found by an index")
    }

    @Test func `a read that takes too long ends, and the next one goes on`() throws {
        let bench = try StoreBench()
        let pending = Pending<Int>()
        let hasTimedOut = Locked(false)
        bench.readers.read(within: 0) { reader throws(StoreError) in
            defer { hasTimedOut.with { [timedOut = reader.hasTimedOut] in $0 = timedOut } }
            return try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil).items.count
        } finished: {
            pending.finish($0)
        }
        #expect(throws: StoreError.self) { try pending.value() }
        #expect(hasTimedOut.current)
        #expect(
            try bench.read { reader throws(StoreError) in
                try reader.postbacks(PostbackFilter(), limit: 10, cursor: nil).items.count
            } == 0)
    }
}

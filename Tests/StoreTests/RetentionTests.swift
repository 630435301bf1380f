import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct RetentionTests {
    @Test func `days beyond the retention are deleted as whole files, and no others`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let today = try #require(Day("2026-11-20"))
        let clock = Locked(today.start.advanced(by: .seconds(43_200)))
        for age in 0...5 {
            // Made by a store of that day, as it happens in life.
            let day = today.advanced(by: -age)
            let store = try ClickStore(
                data, options: ClickStore.Options(), now: { day.start }, log: { _, _ in })
            store.stop()
        }
        #expect(try data.clickDays().count == 6)
        // As an upgrade and a crash leave them.
        for name in ["2026-11-15.db.v0003.backup", "2026-11-17.db.v0003.backup"] {
            try directory.write("a copy", to: "clicks/" + name)
        }
        try directory.write("", to: "clicks/2026-11-16.db-journal")
        var options = ClickStore.Options()
        options.retentionDays = 3
        let deleted = Locked<[String]>([])
        let store = try ClickStore(
            data, options: options, now: { clock.current },
            log: { event, detail in
                if event == "clicks_deleted" { deleted.with { $0.append(detail) } }
            })
        defer { store.stop() }
        try eventually("the two oldest days are gone") { try data.clickDays().count == 4 }
        #expect(try data.clickDays().first == today.advanced(by: -3))
        // Said after it is done.
        try eventually("both are reported") { deleted.current.count == 2 }
        // Logged a moment after the file has gone.
        try eventually("both are logged") {
            deleted.current == ["day=2026-11-15", "day=2026-11-16"]
        }
        let left = directory.entries(of: "clicks")
        #expect(!left.contains { $0.hasPrefix("2026-11-15") || $0.hasPrefix("2026-11-16") })
        #expect(left.contains("2026-11-17.db.v0003.backup"))
    }

    @Test func `an old day that can't be deleted does not stop today's clicks`() throws {
        let bench = try ClickBench { $0.retentionDays = 3 }
        let old = StoreBench.noon.day.advanced(by: -9)
        try bench.block(old)
        try bench.keepHouseTwice(every: .seconds(6))
        try eventually("it's said") { !bench.events.current.isEmpty }
        #expect(bench.store.failure == nil)
        #expect(bench.events.current == ["day_not_deleted"])
    }

    @Test func `no day is deleted that still takes lander clicks`() throws {
        let directory = try TemporaryDirectory()
        let bench = try ClickBench(directory) { $0.retentionDays = 1 }
        let today = StoreBench.noon.day
        for age in 1...4 {
            var batch = ClickBatch()
            _ = ClickBench.click(age, at: today.advanced(by: -age).start, into: &batch)
            #expect(try bench.save(batch) == .stored)
        }
        bench.clock.with { $0 = $0.advanced(by: .seconds(6)) }
        try eventually("finished days are gone") {
            try bench.data.clickDays().first == today.advanced(by: -2)
        }
        bench.clock.with { $0 = $0.advanced(by: .seconds(6)) }
        try eventually("another round") { try bench.data.clickDays().count == 3 }
    }

    @Test func `old calls lose their text and keep their verdict, new ones keep both`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        var options = Ledger.Options()
        let cutoff = Instant(micros: 5_000_000)
        let isDue = Locked(false)
        options.forgetCallsBefore = { isDue.current ? cutoff : nil }
        let ledger = try Ledger(data, options: options, observers: Ledger.Observers())
        defer { ledger.stop() }
        let readers = Readers(data, threads: 1)
        defer { readers.stop() }
        let count = 1200
        ledger.perform(
            { transaction throws(StoreError) in
                for number in 0..<count {
                    let time = number < count - 10 ? cutoff.micros - 1 : cutoff.micros
                    _ = try transaction.insert(
                        Postback(
                            receivedAt: Instant(micros: time), sender: IPAddress("192.0.2.1"),
                            method: "GET", target: Array("/postback/k?n=\(number)".utf8),
                            headers: [], body: []),
                        networkID: nil, clickRowID: nil, conversionID: nil, verdict: .keyUnknown,
                        message: "kept")
                }
            }, finished: { _ in isDue.with { $0 = true } })
        func calls() throws -> [StoredPostback] {
            let found = Locked<[StoredPostback]?>(nil)
            readers.read(
                { reader throws(StoreError) in
                    try reader.postbacks(PostbackFilter(), limit: 1000, cursor: nil).items
                }, finished: { result in found.with { $0 = (try? result.get()) ?? [] } })
            try eventually("the list was read") { found.current != nil }
            return found.current ?? []
        }
        try eventually("all old calls are empty") {
            try calls().count { $0.call.target.isEmpty } == 990
        }
        let after = try calls()
        #expect(after.count == 1000)
        #expect(after.prefix(10).allSatisfy { !$0.call.target.isEmpty && $0.call.sender != nil })
        #expect(after.allSatisfy { $0.message == "kept" })
    }
}

@Suite struct ForgettingTests {
    @Test func `a parked call keeps its text until it waits no more`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        var options = Ledger.Options()
        let isDue = Locked(false)
        options.forgetCallsBefore = { isDue.current ? Instant(micros: 5_000_000) : nil }
        let ledger = try Ledger(data, options: options, observers: Ledger.Observers())
        defer { ledger.stop() }
        func perform<Value: Sendable>(
            _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
        ) throws -> Value {
            let pending = Pending<Value>()
            ledger.perform(work) { pending.finish($0) }
            return try pending.value()
        }
        let click = ClickRowID(milliseconds: 1, node: 0, sequence: 0)
        let ids = try perform { tx throws(StoreError) in
            var ids: [PostbackID] = []
            for number in 1...2 {
                ids.append(
                    try tx.insert(
                        Postback(
                            receivedAt: Instant(micros: 1), sender: nil, method: "GET",
                            target: Array("/postback/k?n=\(number)".utf8), headers: [], body: []),
                        networkID: nil, clickRowID: click, conversionID: nil, verdict: .parked,
                        message: "kept"))
            }
            try tx.park(ids[0], click: click, isHeld: false)
            return ids
        }
        isDue.with { $0 = true }
        func isEmpty(_ id: PostbackID) throws -> Bool? {
            try perform { tx throws(StoreError) in try tx.postback(id)?.call.target.isEmpty }
        }
        try eventually("the other has lost its text") { try isEmpty(ids[1]) == true }
        #expect(try isEmpty(ids[0]) == false)
        try perform { tx throws(StoreError) in try tx.unpark(ids[0]) }
        #expect(try isEmpty(ids[0]) == true)
    }
}

@Suite struct SealingTests {
    @Test func `a damaged file of yesterday does not keep a store from starting today`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let today = try #require(Day("2026-11-20"))
        try directory.write("this is no database", to: "clicks/2026-11-19.db")
        #expect(try ClickStore.newestRowIDs(data, today: today).isEmpty)
        // Today's own is another matter: its newest ID must be known.
        try directory.write("this is no database", to: "clicks/2026-11-20.db")
        #expect(throws: StoreError.self) {
            try ClickStore.newestRowIDs(data, today: today)
        }
    }

    @Test func `a day that an earlier run left open becomes one plain file`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let day = try #require(Day("2026-11-10"))
        let store = try ClickStore(
            data, options: ClickStore.Options(), now: { day.start }, log: { _, _ in })
        let isStored = Locked(false)
        var batch = ClickBatch()
        batch.rows.append(
            NewClick(
                rowID: ClickRowID(
                    milliseconds: day.start.milliseconds - ClickRowID.epochMilliseconds, node: 0,
                    sequence: 1),
                campaignID: CampaignID(1), flowVersion: 1, rule: 0, path: 1, landerVersion: nil,
                offerVersion: 1, costNanos: nil,
                currency: .usDollar, externalID: .none, ip: nil, userAgent: .none,
                referrer: .none, parameterNames: .none, parameterValues: .none))
        store.store(batch) { outcome in
            if case .stored = outcome { isStored.with { $0 = true } }
        }
        try eventually("the click is stored") { isStored.current }
        // As a crash leaves it: the files are copied away while the store has them open.
        let copy = try TemporaryDirectory()
        try FileManager.default.removeItem(atPath: copy.path)
        try FileManager.default.copyItem(atPath: directory.path, toPath: copy.path)
        store.stop()
        #expect(copy.entries(of: "clicks").contains("2026-11-10.db-wal"))

        let later = day.advanced(by: 4).start
        let next = try ClickStore(
            DataDirectory(path: copy.path), options: ClickStore.Options(), now: { later },
            log: { _, _ in })
        defer { next.stop() }
        try eventually("the log is gone") {
            !copy.entries(of: "clicks").contains("2026-11-10.db-wal")
        }
        let reader = ClickReader(DataDirectory(path: copy.path))
        #expect(try reader.click(batch.rows[0].rowID)?.campaignID == CampaignID(1))
        reader.closeAll()
        // A reader that came before the file was plain has made one, and is waited for.
        try eventually(within: 30, "the log stays away") {
            !copy.entries(of: "clicks").contains("2026-11-10.db-wal")
        }
    }
}

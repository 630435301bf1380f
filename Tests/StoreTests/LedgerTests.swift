import Domain
import Foundation
import SQLite
import Store
import TestSupport
import Testing

@Suite struct LedgerTests {
    private typealias Bench = StoreBench

    private func failure(_ work: () throws -> Void) -> StoreError? {
        do {
            try work()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test func `what a job wrote is there after its answer and after a restart`() throws {
        let directory = try TemporaryDirectory()
        try Bench(directory).install()
        let bench = try Bench(directory)
        let catalog = bench.ledger.catalog
        let network = try #require(catalog.networkByPostbackKey["k1"])
        #expect(catalog.networks[network]?.value.key.text == "net")
        #expect(catalog.postbackKeys[network]?.map(\.text) == ["k1"])
        let offer = try #require(catalog.offers.all.first)
        let version = try #require(catalog.currentVersions[offer.id])
        #expect(version.url == "https://o.example/?s2={click_id}")
        #expect(catalog.offer(ofVersion: version.id)?.offer.id == offer.id)
        #expect(catalog.campaigns.all.map(\.value.name) == ["Summer"])
        #expect(catalog.sources.all.first?.createdAt == Bench.noon)

        let made = try bench.perform { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 1, transaction: "é\u{0}"), in: tx)
        }
        let kept = try bench.read { (reader) throws(StoreError) in
            try reader.conversion(made.id)
        }
        #expect(kept == made && made.id.rawValue == 1)
        // What is not there when read: an extra beyond the last one that was kept.
        #expect(kept?.click == made.click && kept?.extras == ["a", nil])
        let delivery = try bench.read { (reader) throws(StoreError) in
            try reader.delivery(DeliveryID(1))
        }
        #expect(delivery?.request == Bench.delivery().request)
        #expect(delivery?.dueAt == Bench.noon && delivery?.attemptCount == 0)
        let postback = try bench.read { (reader) throws(StoreError) in
            try reader.postback(PostbackID(1))
        }
        #expect(postback?.call == Bench.postback() && postback?.conversionID == made.id)
    }

    @Test func `a job that fails undoes only itself`() throws {
        let bench = try Bench()
        try bench.install()
        // One batch: the writer is kept busy until all of them wait.
        let gate = DispatchSemaphore(value: 0)
        let first = bench.submit { (_) throws(StoreError) in gate.wait() }
        let good = bench.submit { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 1), in: tx).id
        }
        let bad = bench.submit { (tx) throws(StoreError) in
            _ = try Bench.record(Bench.conversion(click: 2), in: tx)
            throw .notFound("no")
        }
        let clash = bench.submit { (tx) throws(StoreError) in
            _ = try Bench.record(Bench.conversion(click: 3), in: tx)
            return try Bench.record(Bench.conversion(click: 1), in: tx).id
        }
        let last = bench.submit { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 4), in: tx).id
        }
        gate.signal()
        try first.value()
        _ = try good.value()
        #expect(failure { _ = try bad.value() } == .notFound("no"))
        guard case .conflict = failure({ _ = try clash.value() }) else {
            Issue.record("a broken unique index is its job's own trouble")
            return
        }
        _ = try last.value()
        let kept = try bench.read { (reader) throws(StoreError) in
            try reader.conversions(ConversionFilter(), limit: 10, cursor: nil).items
        }
        #expect(kept.map(\.click.rowID.sequence) == [4, 1])
        #expect(bench.ledger.failure == nil && bench.events.current == [])
        #expect(
            try bench.read { (reader) throws(StoreError) in
                try reader.deliveries(DeliveryFilter(), limit: 10, cursor: nil).items.count
            } == 2)
    }

    @Test func `each constraint that a job breaks fails that job alone`() throws {
        let bench = try Bench()
        try bench.install()
        let made = try bench.perform { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 1), in: tx)
        }
        func expectConflict(
            _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Void,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            guard case .conflict = failure({ try bench.perform(work) }) else {
                Issue.record("not a conflict", sourceLocation: sourceLocation)
                return
            }
        }
        expectConflict { (tx) throws(StoreError) in
            try tx.insert(Bench.delivery(), of: made, at: Bench.noon)
        }
        expectConflict { (tx) throws(StoreError) in
            try tx.insertRevision(of: made, at: Bench.noon, by: PostbackID(1))
        }
        expectConflict { (tx) throws(StoreError) in
            let other = made.with(id: ConversionID(99))
            try tx.insertRevision(of: other, at: Bench.noon, by: PostbackID(1))
        }
        expectConflict { (tx) throws(StoreError) in
            _ = try tx.insert(
                Bench.postback(), networkID: NetworkID(99), clickRowID: nil, conversionID: nil,
                verdict: .accepted, message: "")
        }
        #expect(bench.ledger.failure == nil)
        try bench.perform { (tx) throws(StoreError) in
            try tx.insert(Bench.delivery("src/e"), of: made, at: Bench.noon)
        }
    }

    @Test func `a failed job's change of the catalog is undone with it`() throws {
        let bench = try Bench()
        try bench.install()
        let before = bench.catalogs.current.count
        let winter = try Bench.campaign(key: "winter")
        let renamed = try Bench.campaign(name: "Other")
        let gate = DispatchSemaphore(value: 0)
        let first = bench.submit { (_) throws(StoreError) in gate.wait() }
        let bad = bench.submit { (tx) throws(StoreError) in
            _ = try tx.put(winter, at: Bench.noon)
            _ = try tx.put(renamed, at: Bench.noon)
            #expect(tx.catalog.campaigns[winter.key] != nil)
            throw .notFound("no")
        }
        let seen = bench.submit { (tx) throws(StoreError) in
            tx.catalog.campaigns.all.map(\.value.name)
        }
        gate.signal()
        try first.value()
        #expect(failure { try bad.value() } == .notFound("no"))
        #expect(try seen.value() == ["Summer"])
        #expect(bench.ledger.catalog.campaigns.all.map(\.value.name) == ["Summer"])
        #expect(bench.catalogs.current.count == before)
        // Its number is free again.
        let stored = try bench.perform { (tx) throws(StoreError) in
            try tx.put(winter, at: Bench.noon)
        }
        #expect(stored.id.rawValue == 2)
        #expect(
            bench.catalogs.current.last?.campaigns.all.map(\.value.key.text) == [
                "summer", "winter",
            ])
    }

    @Test func `a change is published before its answer`() throws {
        let bench = try Bench()
        let published = Locked<Int?>(nil)
        let done = DispatchSemaphore(value: 0)
        let source = try Source(document: ["key": "src"])
        bench.ledger.perform { (tx) throws(StoreError) in
            try tx.put(source, at: Bench.noon)
        } finished: { [catalogs = bench.catalogs] _ in
            // Not `bench`: the writer's thread must not be the one that lets go of it last.
            published.with { $0 = catalogs.current.last?.sources.all.count }
            done.signal()
        }
        done.wait()
        #expect(published.current == 1)
    }

    @Test func `a full queue refuses at once and keeps what it had`() throws {
        let bench = try Bench(queuedMax: 2)
        let gate = DispatchSemaphore(value: 0)
        let running = bench.submit { (_) throws(StoreError) in gate.wait() }
        try eventually("the writer took the first") { bench.ledger.depth == 0 }
        let waiting = (0..<2).map { number in bench.submit { (_) throws(StoreError) in number } }
        let refused = bench.submit { (_) throws(StoreError) in 3 }
        guard case .storage = failure({ _ = try refused.value() }) else {
            Issue.record("a third one was taken")
            return
        }
        #expect(bench.ledger.depth == 2)
        gate.signal()
        try running.value()
        #expect(try waiting.map { try $0.value() } == [0, 1])
    }

    @Test func `stopping runs what had queued and refuses what comes later`() throws {
        let bench = try Bench()
        try bench.install()
        let pending = (0..<50).map { number in
            bench.submit { (tx) throws(StoreError) in
                try Bench.record(Bench.conversion(click: number), in: tx).id
            }
        }
        bench.ledger.stop()
        #expect(try pending.map { try $0.value().rawValue } == Array(1...50).map { Int64($0) })
        #expect(failure { try bench.perform { (_) throws(StoreError) in } } != nil)
        let again = try Bench(bench.directory)
        #expect(
            try again.read { (reader) throws(StoreError) in
                try reader.conversions(ConversionFilter(), limit: 100, cursor: nil).items.count
            } == 50)
    }

    @Test func `a ledger that was moved away fails until it is back, and loses nothing`() throws {
        let bench = try Bench()
        try bench.install()
        let path = bench.data.ledgerPath
        let away = bench.directory.file("away")
        try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: false)
        func move(_ from: String, _ to: String) throws {
            for suffix in ["", "-wal", "-shm"]
            where FileManager.default.fileExists(atPath: from + suffix) {
                try FileManager.default.moveItem(atPath: from + suffix, toPath: to + suffix)
            }
        }
        try move(path, away + "/clickrelay.db")
        try eventually("the loss is noticed") { bench.ledger.failure != nil }
        guard case .storage = failure({ try bench.perform { (_) throws(StoreError) in } }) else {
            Issue.record("a job was answered as if it were kept")
            return
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        try move(away + "/clickrelay.db", path)
        try eventually("the ledger works again") { bench.ledger.failure == nil }
        let id = try bench.perform { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 1), in: tx).id
        }
        #expect(id.rawValue == 1)
        #expect(bench.ledger.catalog.campaigns.all.count == 1)
        #expect(bench.events.current == ["ledger_failed", "ledger_opened_again"])
    }

    @Test func `a ledger that is open goes on though days of clicks can't be listed`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let events = Locked<[String]>([])
        var observers = Ledger.Observers()
        observers.log = { event, _ in events.with { $0.append(event) } }
        var options = Ledger.Options()
        options.isDriven = true
        options.sumsClicksBefore = { Bench.noon.day }
        let ledger = try Ledger(data, options: options, observers: observers)
        defer { ledger.stop() }
        try FileManager.default.removeItem(atPath: data.clicksPath)
        try directory.write("no folder", to: "clicks")
        for _ in 0..<15 { ledger.idle() }
        #expect(ledger.failure == nil)
        #expect(events.current == ["days_not_listed"])
    }

    @Test func `a day of clicks that is taken away is said once, and not the oldest`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        let days = (1...4).map { Bench.noon.day.advanced(by: -$0) }
        for day in days {
            try ClickBench(directory, at: day.start.advanced(by: .seconds(43_200))).store.stop()
        }
        let events = Locked<[String]>([])
        var observers = Ledger.Observers()
        observers.log = { event, detail in events.with { $0.append("\(event) \(detail)") } }
        var options = Ledger.Options()
        options.isDriven = true
        options.sumsClicksBefore = { Bench.noon.day }
        let ledger = try Ledger(data, options: options, observers: observers)
        defer { ledger.stop() }
        // A day's sums are kept each fifth time.
        for _ in 0..<25 { ledger.idle() }
        #expect(days.allSatisfy(ledger.hasClickSums))
        func remove(_ day: Day) throws {
            try FileManager.default.removeItem(atPath: data.clickFilePath(day))
        }
        // As retention deletes them.
        for day in days.suffix(2) { try remove(day) }
        for _ in 0..<10 { ledger.idle() }
        #expect(events.current.isEmpty, "\(events.current)")
        try remove(days[0])
        for _ in 0..<10 { ledger.idle() }
        #expect(events.current.count == 1, "\(events.current)")
        #expect(events.current[0].hasPrefix("day_missing file=clicks/\(days[0].text).db "))
    }

    @Test func `a lock that another process holds fails the batch and no more`() throws {
        let bench = try Bench()
        try bench.install()
        let other = try Connection(path: bench.data.ledgerPath, mode: .readWrite)
        try other.begin()
        let pending = bench.submit { (tx) throws(StoreError) in
            try Bench.record(Bench.conversion(click: 1), in: tx).id
        }
        guard case .storage = failure({ _ = try pending.value() }) else {
            Issue.record("written beside another writer")
            return
        }
        #expect(bench.ledger.failure != nil)
        try other.rollBack()
        other.close()
        try eventually("the ledger works again") {
            failure {
                try bench.perform { (tx) throws(StoreError) in
                    _ = try Bench.record(Bench.conversion(click: 1), in: tx)
                }
            } == nil
        }
        #expect(
            try bench.read { (reader) throws(StoreError) in
                try reader.conversions(ConversionFilter(), limit: 10, cursor: nil).items.count
            } == 1)
    }

    @Test func `a job that can't read a day of clicks fails alone`() throws {
        let bench = try Bench()
        try bench.install()
        let day = Bench.noon.day
        try Data("no database".utf8).write(to: URL(fileURLWithPath: bench.data.clickFilePath(day)))
        let rowID = Bench.conversion(click: 1).click.rowID
        let read = bench.submit { (tx) throws(StoreError) in try tx.click(rowID) }
        guard case .unreadable = failure({ _ = try read.value() }) else {
            Issue.record("the file was read")
            return
        }
        #expect(bench.ledger.failure == nil)
        try FileManager.default.removeItem(atPath: bench.data.clickFilePath(day))
        #expect(try bench.perform { (tx) throws(StoreError) in try tx.click(rowID) } == nil)
    }

    @Test func `forgetting a stray call reads no other table from end to end`() throws {
        let bench = try Bench()
        let ledger = try Connection(path: bench.data.ledgerPath, mode: .readOnly)
        defer { ledger.close() }
        // What refers to a row is looked for when that row is deleted: by an index or by a scan.
        let scanned = try ledger.rows(
            """
            SELECT child.name || '.' || key."from"
            FROM sqlite_schema AS child, pragma_foreign_key_list(child.name) AS key
            WHERE child.type = 'table' AND key."table" = 'postback' AND NOT EXISTS (
                SELECT 1 FROM pragma_index_list(child.name) AS i, pragma_index_info(i.name) AS part
                WHERE part.seqno = 0 AND part.name = key."from")
            """
        ) { (row) throws(SQLiteError) in row.text(0) }
        #expect(scanned == [])
    }

    @Test func `only the newest strays are kept, and all are counted`() throws {
        let bench = try Bench()
        try bench.install()
        let max = Int(LedgerTransaction.strayPostbacksMax)
        func strays(_ count: Int) throws {
            try bench.perform { (tx) throws(StoreError) in
                for _ in 0..<count {
                    _ = try tx.insert(
                        Bench.postback(), networkID: nil, clickRowID: nil, conversionID: nil,
                        verdict: .keyUnknown, message: "m")
                }
            }
        }
        func kept() throws -> [Int64] {
            var ids: [Int64] = []
            var cursor: Int64?
            repeat {
                let from = cursor
                let page = try bench.read { (reader) throws(StoreError) in
                    try reader.postbacks(PostbackFilter(), limit: 1000, cursor: from)
                }
                ids += page.items.map(\.id.rawValue)
                cursor = page.nextCursor
            } while cursor != nil
            return ids
        }
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.insert(
                Bench.postback(), networkID: NetworkID(1), clickRowID: nil, conversionID: nil,
                verdict: .clickIDMissing, message: "m")
        }
        try strays(max)
        #expect(try kept().count == max + 1)
        try strays(2)
        let ids = try kept()
        #expect(ids.count == max + 1 && ids.last == 1)
        #expect(ids.first == Int64(max + 3) && ids.dropLast().last == 4)
        #expect(
            try bench.read { (reader) throws(StoreError) in try reader.strayPostbackCount() }
                == Int64(max + 2))
        // A restart counts on.
        bench.ledger.stop()
        let again = try Bench(bench.directory)
        try again.perform { (tx) throws(StoreError) in
            _ = try tx.insert(
                Bench.postback(), networkID: nil, clickRowID: nil, conversionID: nil,
                verdict: .keyUnknown, message: "m")
        }
        #expect(try kept().count == max + 1)
    }
}

import Domain
import Migrations
import SQLite
import Store
import TestSupport
import Testing

/// Who came, as day files keep it.
@Suite struct VisitorStoreTests {
    private static let noon = StoreBench.noon

    private static let phone: Device = {
        var device = Device()
        device.kind = .mobile
        device.os = "iOS"
        device.osVersion = "17.4"
        return device
    }()

    /// After all clicks of these tests.
    private static let end = ClickRowID(
        milliseconds: noon.milliseconds - ClickRowID.epochMilliseconds + 1000, node: 0, sequence: 0)

    @Test func `visits are found among other clicks, page by page, newest days first`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        var ids: [ClickRowID] = []
        for number in 0..<30 {
            ids.append(ClickBench.click(number, into: &batch))
            guard number % 3 == 0 else { continue }
            batch.rows[number].visitor = VisitorNumber(rawValue: .max - UInt64(number))
            batch.rows[number].visitNumber = Int64(number)
        }
        #expect(try bench.save(batch) == .stored)
        let reader = ClickReader(bench.data)
        let day = Self.noon.day
        #expect(try reader.click(ids[3])?.visitor == VisitorNumber(rawValue: .max - 3))
        #expect(try reader.click(ids[3])?.visitNumber == 3)
        #expect(try reader.click(ids[4])?.visitor == nil)
        let all = try reader.visits(on: day, from: ids[0], to: Self.end, limit: 100)
        #expect(all.map(\.rowID) == stride(from: 0, to: 30, by: 3).map { ids[$0] })
        #expect(all[1].visitor == VisitorNumber(rawValue: .max - 3))
        let page = try reader.visits(on: day, from: ids[4], to: ids[15], limit: 3)
        #expect(page.map(\.rowID) == [ids[6], ids[9], ids[12]])
        for (max, count, first) in [(100, 10, 0), (10, 10, 0), (4, 4, 18), (1, 1, 27)] {
            let newest = try #require(
                try reader.newestVisits(on: day, from: ids[0], to: Self.end, max: max))
            #expect(newest.count == count && newest.first == ids[first])
        }
        #expect(try reader.newestVisits(on: day, from: ids[28], to: Self.end, max: 9) == nil)
        #expect(dayFaults(bench.data) == [])
    }

    /// Makes the batch's newest click one of that visitor.
    private func mark(_ batch: inout ClickBatch, _ visit: VisitKind, _ device: Device?) {
        let last = batch.rows.count - 1
        batch.rows[last].visit = visit
        guard let device else { return }
        batch.rows[last].device = device.packed.withUnsafeBytes { batch.keep($0) }
    }

    private func totals(_ bench: ClickBench) throws -> [ClickTotal] {
        try ClickReader(bench.data).totals(
            on: Self.noon.day, from: Self.noon.day.start,
            to: Self.noon.day.advanced(by: 1).start)
    }

    /// What a check finds wrong with day files.
    private func dayFaults(_ data: DataDirectory) -> [String] {
        let check = DirectoryCheck(data)
        check.run()
        return check.faults.filter { $0.file.hasPrefix("clicks/") }.map(\.message)
    }

    @Test func `bots are kept with their device and are in no sum but their own`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        var ids: [ClickRowID] = []
        for (number, visit) in ([.visitor, .bot, .prefetch, .preview, .visitor] as [VisitKind])
            .enumerated()
        {
            ids.append(ClickBench.click(number, into: &batch))
            mark(&batch, visit, number == 4 ? nil : Self.phone)
        }
        #expect(try bench.save(batch) == .stored)
        let clicks = try ids.map { try #require(try bench.click($0)) }
        #expect(clicks.map(\.visit) == [.visitor, .bot, .prefetch, .preview, .visitor])
        #expect(clicks.map(\.device) == [Self.phone, Self.phone, Self.phone, Self.phone, nil])
        // The device is one text for all of them, beside the agent and the parameters' names.
        #expect(try bench.count(Self.noon.day, "SELECT count(*) FROM text") == 3)
        let totals = try totals(bench)
        #expect(totals.reduce(0) { $0 + $1.clicks } == 2)
        #expect(totals.reduce(0) { $0 + $1.bots } == 3)
        #expect(totals.reduce(0) { $0 + $1.costNanos } == 10)
        #expect(dayFaults(bench.data) == [])
    }

    @Test func `a finished day of an earlier version reads as it was written`() throws {
        for version in 1...6 {
            let files = try TemporaryDirectory()
            let data = DataDirectory(path: files.file("data"))
            try data.create()
            let rowID = ClickRowID(
                milliseconds: Self.noon.milliseconds - ClickRowID.epochMilliseconds, node: 0,
                sequence: 1)
            let old = try Connection(path: data.clickFilePath(Self.noon.day), mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_636c,
                migrations: EmbeddedMigrations.clicks.filter { $0.version <= version }.map {
                    Migration(version: $0.version, name: $0.name, sql: $0.sql)
                }
            ).migrate(old)
            try old.execute(
                """
                INSERT INTO click (id, campaign_id, path, offer_version) VALUES
                    (\(rowID.rawValue), 3, 0, 1);
                INSERT INTO click_total (slot, campaign_id, currency, clicks, cost_units, cost_nanos)
                    VALUES (\(Self.noon.micros / 900_000_000), 3, 0, 1, 0, 0);
                """)
            old.close()
            let reader = ClickReader(data)
            let click = try #require(try reader.click(rowID))
            #expect(click.visit == .visitor && click.device == nil)
            #expect(click.visitor == nil && click.visitNumber == nil)
            #expect(
                try reader.visits(
                    on: Self.noon.day, from: rowID, to: Self.end, limit: 9
                ).isEmpty)
            #expect(
                try reader.newestVisits(
                    on: Self.noon.day, from: rowID, to: Self.end, max: 9) == nil)
            let totals = try reader.totals(
                on: Self.noon.day, from: Self.noon.day.start,
                to: Self.noon.day.advanced(by: 1).start)
            #expect(totals.map(\.clicks) == [1] && totals.map(\.bots) == [0])
            reader.closeAll()
            #expect(dayFaults(data) == [])
        }
    }
}

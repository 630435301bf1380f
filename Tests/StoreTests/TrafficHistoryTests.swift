import Domain
import Foundation
import Migrations
import SQLite
import Store
import TestSupport
import Testing

/// Sums of clicks by the way they went, from which caps are counted.
@Suite struct TrafficHistoryTests {
    private static let today = StoreBench.noon.day

    private static func way(_ campaign: Int64, rule: Int = 0, path: Int = 1, offer: Int64 = 1)
        -> ClickWay
    {
        ClickWay(
            campaignID: CampaignID(campaign), flowVersion: 1, rule: rule, path: path,
            offerVersion: offer)
    }

    /// Clicks at random ways and times around noon of a day.
    private static func clicks(
        _ count: Int, on day: Day, first: Int, _ random: inout SeededRandom
    ) -> ClickBatch {
        var batch = ClickBatch()
        for number in 0..<count {
            let at = day.start.advanced(by: .seconds(Int64.random(in: 0..<86_400, using: &random)))
            _ = ClickBench.click(
                first + number, at: at, campaign: Int64.random(in: 1...3, using: &random),
                into: &batch)
            let last = batch.rows.count - 1
            batch.rows[last].rule = Int.random(in: -1...1, using: &random)
            batch.rows[last].path =
                batch.rows[last].rule < 0 ? 0 : Int.random(in: 1...2, using: &random)
            batch.rows[last].offerVersion = Int64.random(in: 1...2, using: &random)
        }
        return batch
    }

    /// The same from the rows.
    private static func sums(_ rows: [NewClick], from: Instant, to: Instant) -> [ClickWay: Int64] {
        var sums: [ClickWay: Int64] = [:]
        for row in rows where row.path > 0 {
            guard row.rowID.instant.micros >= from.micros, row.rowID.instant.micros < to.micros
            else { continue }
            sums[
                way(
                    row.campaignID.rawValue, rule: row.rule, path: row.path,
                    offer: row.offerVersion), default: 0] += 1
        }
        return sums
    }

    private func history(_ data: DataDirectory) -> TrafficHistory {
        TrafficHistory(data) { event, _ in Issue.record("\(event)") }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `sums equal the clicks that paths took, in any range of quarter hours`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        let ledger = try StoreBench()
        let bench = try ClickBench(ledger.directory)
        var rows: [NewClick] = []
        for (index, day) in [Self.today.advanced(by: -1), Self.today].enumerated() {
            let batch = Self.clicks(300, on: day, first: index * 1_000, &random)
            // Twice the same: a failed commit may have kept its rows.
            #expect(try bench.save(batch) == .stored && bench.save(batch) == .stored)
            rows += batch.rows
        }
        let history = history(bench.data)
        defer { history.close() }
        for _ in 0..<20 {
            let from = Self.today.start.advanced(
                by: .seconds(900 * Int64.random(in: -96...90, using: &random)))
            let to = from.advanced(by: .seconds(900 * Int64.random(in: 1...100, using: &random)))
            #expect(
                try history.clicks(from: from, to: to) == Self.sums(rows, from: from, to: to),
                "seed \(seed)")
        }
        let all = Self.sums(rows, from: Instant(micros: 0), to: Instant(micros: .max))
        #expect(try history.allClicks(today: Self.today) == all)
    }

    @Test func `totals outlive the files of their days`() throws {
        var random = SeededRandom(5)
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        var rows: [NewClick] = []
        for age in 0...5 {
            let day = Self.today.advanced(by: -age)
            let bench = try ClickBench(
                directory, at: day.start.advanced(by: .seconds(43_200)))
            let batch = Self.clicks(50, on: day, first: age * 1_000, &random)
            #expect(try bench.save(batch) == .stored)
            bench.store.stop()
            rows += batch.rows
        }
        let all = Self.sums(rows, from: Instant(micros: 0), to: Instant(micros: .max))
        var options = Ledger.Options()
        options.isFullyDurable = false
        options.sumsClicksBefore = { Self.today.advanced(by: -1) }
        let ledger = try Ledger(data, options: options, observers: Ledger.Observers())
        #expect(!ledger.hasClickSums(of: Self.today.advanced(by: -5)))
        let bench = try ClickBench(directory) {
            $0.retentionDays = 2
            $0.mayDelete = { ledger.hasClickSums(of: $0) }
        }
        func total() throws -> [ClickWay: Int64] {
            let history = history(data)
            defer { history.close() }
            return try history.allClicks(today: Self.today)
        }
        // At any moment: while some days are summed and some not, deleted and not.
        try eventually(within: 120, "the days beyond the retention are gone") {
            #expect(try total() == all)
            // Housekeeping is done when its time has come.
            bench.clock.with { $0 = $0.advanced(by: .seconds(6)) }
            return try data.clickDays().first == Self.today.advanced(by: -2)
        }
        #expect(try total() == all)
        #expect(!ledger.hasClickSums(of: Self.today.advanced(by: -1)))
        bench.store.stop()
        ledger.stop()
        let again = try Ledger(data, options: options, observers: Ledger.Observers())
        defer { again.stop() }
        #expect(again.hasClickSums(of: Self.today.advanced(by: -5)))
        #expect(try total() == all)
    }

    /// Before that its file must not be deleted: its sums would never have been.
    @Test(arguments: [true, false])
    func `a day that can't be read is tried again an hour later`(isBackThen: Bool) throws {
        var random = SeededRandom(7)
        let directory = try TemporaryDirectory()
        let day = Self.today.advanced(by: -3)
        let bench = try ClickBench(directory, at: day.start.advanced(by: .seconds(43_200)))
        let batch = Self.clicks(50, on: day, first: 0, &random)
        #expect(try bench.save(batch) == .stored)
        bench.store.stop()
        let data = DataDirectory(path: directory.path)
        let file = URL(fileURLWithPath: directory.file("clicks/\(day.text).db"))
        let whole = try Data(contentsOf: file)
        try Data(repeating: 0x78, count: 8192).write(to: file)
        let events = Locked<[String]>([])
        var observers = Ledger.Observers()
        observers.log = { event, _ in events.with { $0.append(event) } }
        var options = Ledger.Options()
        options.isDriven = true
        options.sumsClicksBefore = { Self.today }
        let ledger = try Ledger(data, options: options, observers: observers)
        defer { ledger.stop() }
        for _ in 0..<500 { ledger.idle() }
        #expect(!ledger.hasClickSums(of: day))
        if isBackThen { try whole.write(to: file) }
        for _ in 0..<3_600 { ledger.idle() }
        #expect(ledger.hasClickSums(of: day))
        #expect(events.current == ["day_not_summed"])
        guard isBackThen else { return }
        try directory.remove("clicks/\(day.text).db")
        let history = history(data)
        defer { history.close() }
        #expect(
            try history.allClicks(today: Self.today)
                == Self.sums(batch.rows, from: Instant(micros: 0), to: Instant(micros: .max)))
    }

    @Test func `a clock that is set back for a while takes no sums of deleted days along`() throws {
        var random = SeededRandom(6)
        let directory = try TemporaryDirectory()
        let days = [-9, -5].map { Self.today.advanced(by: $0) }
        var rows: [NewClick] = []
        for (index, day) in days.enumerated() {
            let bench = try ClickBench(directory, at: day.start.advanced(by: .seconds(43_200)))
            let batch = Self.clicks(50, on: day, first: index * 1_000, &random)
            #expect(try bench.save(batch) == .stored)
            bench.store.stop()
            rows += batch.rows
        }
        let data = DataDirectory(path: directory.path)
        let before = Locked(Self.today.advanced(by: -1))
        var options = Ledger.Options()
        options.isDriven = true
        options.sumsClicksBefore = { before.current }
        let ledger = try Ledger(data, options: options, observers: Ledger.Observers())
        defer { ledger.stop() }
        /// A day is summed with each fifth.
        func rest() { for _ in 0..<15 { ledger.idle() } }
        rest()
        #expect(days.allSatisfy { ledger.hasClickSums(of: $0) })
        for name in directory.entries(of: "clicks") where name.hasPrefix(days[0].text) {
            try directory.remove("clicks/" + name)
        }
        before.with { $0 = Self.today.advanced(by: -30) }
        rest()
        #expect(ledger.hasClickSums(of: days[0]) && !ledger.hasClickSums(of: days[1]))
        before.with { $0 = Self.today.advanced(by: -1) }
        rest()
        #expect(days.allSatisfy { ledger.hasClickSums(of: $0) })
        let history = history(data)
        defer { history.close() }
        #expect(
            try history.allClicks(today: Self.today)
                == Self.sums(rows, from: Instant(micros: 0), to: Instant(micros: .max)))
    }

    @Test func `a file from before the sums were kept is counted click by click`() throws {
        let ledger = try StoreBench()
        for version in 1...2 {
            let day = Self.today.advanced(by: -version)
            let old = try Connection(path: ledger.data.clickFilePath(day), mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_636c,
                migrations: EmbeddedMigrations.clicks.filter { $0.version <= version }.map {
                    Migration(version: $0.version, name: $0.name, sql: $0.sql)
                }
            ).migrate(old)
            for number in 0..<10 {
                var batch = ClickBatch()
                let id = ClickBench.click(
                    number, at: day.start.advanced(by: .seconds(900 * Int64(number))),
                    into: &batch)
                try old.execute(
                    "INSERT INTO click (id, campaign_id, path, offer_version) "
                        + "VALUES (\(id.rawValue), 1, \(number < 2 ? 0 : 1), 1)")
            }
            old.close()
        }
        let history = history(ledger.data)
        defer { history.close() }
        let way = ClickWay(
            campaignID: CampaignID(1), flowVersion: 0, rule: 0, path: 1, offerVersion: 1)
        #expect(try history.allClicks(today: Self.today) == [way: 16])
        let day = Self.today.advanced(by: -2)
        let from = day.start.advanced(by: .seconds(900 * 8))
        #expect(try history.clicks(from: from, to: day.advanced(by: 1).start) == [way: 2])
    }

    @Test func `today's file gets its sums when it is opened by this version`() throws {
        let ledger = try StoreBench()
        let path = ledger.data.clickFilePath(Self.today)
        let old = try Connection(path: path, mode: .create)
        _ = try Migrator(
            applicationID: 0x6372_636c,
            migrations: EmbeddedMigrations.clicks.filter { $0.version <= 2 }.map {
                Migration(version: $0.version, name: $0.name, sql: $0.sql)
            }
        ).migrate(old)
        var batch = ClickBatch()
        let ids = (0..<4).map {
            ClickBench.click(
                $0, at: Self.today.start.advanced(by: .seconds(900 * Int64($0))), into: &batch)
        }
        for (index, id) in ids.enumerated() {
            try old.execute(
                "INSERT INTO click (id, campaign_id, path, offer_version, flow_version, rule) "
                    + "VALUES (\(id.rawValue), 1, 1, 1, 1, \(index % 2))")
        }
        old.close()
        let bench = try ClickBench(ledger.directory)
        var more = ClickBatch()
        _ = ClickBench.click(9, into: &more)
        #expect(try bench.save(more) == .stored)
        let history = history(ledger.data)
        defer { history.close() }
        #expect(
            try history.allClicks(today: Self.today) == [
                Self.way(1): 3, Self.way(1, rule: 1): 2,
            ])
    }
}

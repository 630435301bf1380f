import Domain
import Foundation
import Migrations
import SQLite
import Store
import TestSupport
import Testing

/// Lander clicks in the files of their clicks' days, and in the ledger when those are finished.
@Suite struct LanderClickTests {
    private static let noon = StoreBench.noon
    private static let today = StoreBench.noon.day

    private static func rowID(_ sequence: Int, at instant: Instant = noon) -> ClickRowID {
        ClickRowID(
            milliseconds: instant.milliseconds - ClickRowID.epochMilliseconds, node: 2,
            sequence: sequence)
    }

    private static func press(
        _ sequence: Int, of click: ClickRowID, _ number: OfferNumber = .nth(1), offer: Int64 = 1
    ) -> LanderClick {
        LanderClick(
            id: rowID(sequence, at: noon.advanced(by: .seconds(90_000))), clickRowID: click,
            campaignID: CampaignID(1), number: number, offerVersion: offer)
    }

    private func totals(_ reader: ClickReader) throws -> [Int64] {
        try reader.landerTotals(
            on: Self.today, from: Self.noon, to: Self.noon.advanced(by: .seconds(1))
        ).flatMap { [$0.campaignID.rawValue, $0.views, $0.clicks, $0.passed] }
    }

    @Test func `they lie with their click, and count once however often they are written`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let ids = (1...3).map { ClickBench.click($0, into: &batch) }
        batch.rows[0].landerVersion = 7
        batch.rows[1].landerVersion = 7
        #expect(try bench.save(batch) == .stored)
        // A day later: the file is that of the click.
        var presses = ClickBatch()
        presses.landerClicks = [
            Self.press(10, of: ids[0], .nth(2), offer: 5), Self.press(11, of: ids[0], .any),
            Self.press(12, of: ids[2], .nth(100), offer: 0),
        ]
        #expect(try bench.save(presses) == .stored)
        let reader = ClickReader(bench.data)
        defer { reader.closeAll() }
        #expect(try reader.landerClicks(of: ids[0]) == Array(presses.landerClicks.prefix(2)))
        #expect(try reader.landerClicks(of: ids[1]).isEmpty)
        #expect(try reader.landerClicks(of: ids[2]) == [presses.landerClicks[2]])
        #expect(try totals(reader) == [1, 2, 3, 2])
        // After a failed commit all is inserted again.
        #expect(try bench.save(presses) == .stored && bench.save(batch) == .stored)
        #expect(try totals(reader) == [1, 2, 3, 2])
        #expect(try bench.data.clickDays() == [Self.today])
    }

    @Test func `one click has so many of them and no more, in its day's file and in the ledger`()
        throws
    {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let id = ClickBench.click(1, into: &batch)
        let presses = (1...LanderClick.perClickMax + 2).map { Self.press($0, of: id) }
        batch.landerClicks = presses.dropLast()
        #expect(try bench.save(batch) == .stored)
        batch.landerClicks = presses.suffix(1)
        #expect(try bench.save(batch) == .stored)
        let reader = ClickReader(bench.data)
        defer { reader.closeAll() }
        let kept = Array(presses.prefix(LanderClick.perClickMax))
        #expect(try reader.landerClicks(of: id) == kept)
        #expect(try reader.landerClicks(of: id, limit: 1) == [presses[0]])
        #expect(try totals(reader) == [1, 0, Int64(LanderClick.perClickMax), 1])

        let ledger = try StoreBench()
        try ledger.perform { (tx) throws(StoreError) in
            for press in presses { try tx.insertLate(press, isFirst: false) }
            // One that is there already is not counted against the others.
            try tx.insertLate(presses[0], isFirst: false)
        }
        #expect(
            try ledger.perform { (tx) throws(StoreError) in try tx.landerClicks(of: id) } == kept)
        #expect(
            try ledger.read { (reader) throws(StoreError) in try reader.landerClicks(of: id) }
                == kept)
    }

    @Test func `an earlier day's file is tried again however many lander clicks come for it`()
        throws
    {
        let kept = Locked(0)
        let bench = try ClickBench {
            $0.keepLate = { late, finished in
                kept.with { $0 += late.count }
                finished(true)
            }
        }
        let yesterday = Self.today.advanced(by: -1)
        try bench.block(yesterday)
        var batch = ClickBatch()
        let last = ClickBench.click(1, at: yesterday.start, into: &batch)
        #expect(try bench.save(batch) == .held && bench.store.depth.held == 1)
        try bench.unblock(yesterday)
        for number in 0..<10 {
            bench.clock.with { $0 = $0.advanced(by: .milliseconds(400)) }
            var presses = ClickBatch()
            presses.landerClicks = [Self.press(10 + number, of: last)]
            #expect(try bench.save(presses) == .stored)
        }
        try eventually(within: 60, "what is held is stored") { bench.store.depth.held == 0 }
        #expect(try bench.click(last)?.rowID == last)
        let reader = ClickReader(bench.data)
        defer { reader.closeAll() }
        // Those of the first second lie elsewhere.
        #expect((1...4).contains(kept.current), "\(kept.current)")
        #expect(try reader.landerClicks(of: last).count == 10 - kept.current)
        // Said after it is done.
        try eventually("it's said") {
            bench.events.current == ["day_not_written", "clicks_stored_again"]
        }
    }

    @Test func `the last try at the end is too early for no day's file`() throws {
        let bench = try ClickBench()
        let yesterday = Self.today.advanced(by: -1)
        try bench.block(yesterday)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: yesterday.start, into: &batch)
        #expect(try bench.save(batch) == .held)
        try bench.unblock(yesterday)
        bench.store.stop()
        #expect(try bench.click(id)?.rowID == id)
        #expect(!bench.events.current.contains("clicks_lost"))
    }

    @Test func `an earlier day's damaged file keeps no click of today from being stored`() throws {
        let kept = Locked<[LanderClick]>([])
        let isKept = Locked(true)
        let bench = try ClickBench {
            $0.keepLate = { late, finished in
                if isKept.current { kept.with { $0 += late } }
                finished(isKept.current)
            }
        }
        let yesterday = Self.today.advanced(by: -1)
        try Data("no database".utf8)
            .write(to: URL(fileURLWithPath: bench.data.clickFilePath(yesterday)))
        let old = Self.rowID(1, at: yesterday.start)
        var batch = ClickBatch()
        let id = ClickBench.click(1, into: &batch)
        batch.landerClicks = [Self.press(10, of: old), Self.press(11, of: id)]
        #expect(try bench.save(batch) == .stored)
        #expect(try bench.click(id)?.rowID == id && bench.store.failure == nil)
        #expect(kept.current == [batch.landerClicks[0]])
        let reader = ClickReader(bench.data)
        #expect(try reader.landerClicks(of: id) == [batch.landerClicks[1]])
        #expect(bench.events.current == ["day_not_written"], "said once")

        // Its last clicks wait, and only they.
        var midnight = ClickBatch()
        let last = ClickBench.click(5, at: yesterday.start, into: &midnight)
        let first = ClickBench.click(6, into: &midnight)
        #expect(try bench.save(midnight) == .held && bench.store.depth.held == 1)
        #expect(try bench.click(first) != nil && bench.store.failure == nil)
        isKept.with { $0 = false }
        #expect(try bench.save(batch) == .stored, "its visitor goes on all the same")
        #expect(bench.events.current == ["day_not_written", "lander_clicks_lost"])

        try FileManager.default.removeItem(atPath: bench.data.clickFilePath(yesterday))
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("its click is stored") { bench.store.depth.held == 0 }
        #expect(try bench.click(last)?.rowID == last)
        try eventually("it's said") { bench.events.current.last == "clicks_stored_again" }
    }

    @Test func `held lander clicks of a day that turns out damaged are kept elsewhere`() throws {
        let kept = Locked<[LanderClick]>([])
        let bench = try ClickBench {
            $0.keepLate = { late, finished in
                kept.with { $0 += late }
                finished(true)
            }
        }
        let (yesterday, tomorrow) = (Self.today.advanced(by: -1), Self.today.advanced(by: 1))
        try bench.block(tomorrow)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: tomorrow.start, into: &batch)
        batch.landerClicks = [Self.press(10, of: Self.rowID(1, at: yesterday.start))]
        #expect(try bench.save(batch) == .held && bench.store.depth.held == 2)
        try Data("no database".utf8)
            .write(to: URL(fileURLWithPath: bench.data.clickFilePath(yesterday)))
        try bench.unblock(tomorrow)
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("nothing is held") { bench.store.depth.held == 0 }
        #expect(try bench.click(id)?.rowID == id && kept.current == batch.landerClicks)
    }

    @Test func `what waits for a broken disk keeps its lander clicks`() throws {
        let bench = try ClickBench()
        let tomorrow = Self.today.advanced(by: 1)
        try bench.block(tomorrow)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: tomorrow.start, into: &batch)
        batch.landerClicks = [
            LanderClick(
                id: Self.rowID(9, at: tomorrow.start), clickRowID: id, campaignID: CampaignID(1),
                number: .any, offerVersion: 3)
        ]
        #expect(try bench.save(batch) == .held)
        #expect(bench.store.depth.held == 2)
        var more = ClickBatch()
        more.landerClicks = batch.landerClicks
        #expect(try bench.save(more) == .held)
        try bench.unblock(tomorrow)
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("they are stored") { bench.store.depth.held == 0 }
        #expect(try ClickReader(bench.data).landerClicks(of: id) == batch.landerClicks)
    }

    @Test func `a day's file of before there were any has none, and is read all the same`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let id = Self.rowID(1)
        for version in 1...2 {
            let day = Self.today
            try? FileManager.default.removeItem(atPath: data.clickFilePath(day))
            let old = try Connection(path: data.clickFilePath(day), mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_636c,
                migrations: EmbeddedMigrations.clicks.prefix(version).map {
                    Migration(version: $0.version, name: $0.name, sql: $0.sql)
                }
            ).migrate(old)
            try old.execute(
                "INSERT INTO click (id, campaign_id, path, offer_version) "
                    + "VALUES (\(id.rawValue), 1, 1, 1)")
            old.close()
            let reader = ClickReader(data)
            #expect(try reader.click(id)?.rowID == id)
            #expect(try reader.landerClicks(of: id).isEmpty && totals(reader).isEmpty)
            reader.closeAll()
        }
        // The writer brings it up to date.
        let bench = try ClickBench(directory)
        var batch = ClickBatch()
        batch.landerClicks = [Self.press(5, of: id)]
        #expect(try bench.save(batch) == .stored)
        #expect(try ClickReader(data).landerClicks(of: id) == batch.landerClicks)
    }

    @Test func `late ones are kept in the ledger, and the first of a click is known`() throws {
        let bench = try StoreBench()
        let click = Self.rowID(1)
        let presses = (1...3).map { Self.press($0, of: click, .nth($0), offer: Int64($0)) }
        try bench.perform { (tx) throws(StoreError) in
            try tx.insertLate(presses[0], isFirst: true)
            try tx.insertLate(presses[1], isFirst: true)
            try tx.insertLate(presses[1], isFirst: true)
            // Another click, which has one in its day's file.
            try tx.insertLate(Self.press(8, of: Self.rowID(2)), isFirst: false)
        }
        let all = try bench.perform { (tx) throws(StoreError) in
            try tx.landerClicks(of: click)
        }
        #expect(all == Array(presses.prefix(2)))
        let (read, totals) = try bench.read { (reader) throws(StoreError) in
            (
                try reader.landerClicks(of: click),
                try reader.lateLanderTotals(
                    from: Self.noon, to: Self.noon.advanced(by: .seconds(1)))
            )
        }
        #expect(read == all)
        #expect(
            totals == [LanderTotal(campaignID: CampaignID(1), views: 0, clicks: 3, passed: 1)])
    }

    @Test func `look-ups find the click and the path that was decided`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let id = ClickBench.click(1, into: &batch)
        #expect(try bench.save(batch) == .stored)
        let lookUps = ClickLookUps(bench.data) { _, _ in }
        defer { lookUps.stop() }
        func find(_ rowID: ClickRowID, at now: Instant) throws -> ClickLookUps.Found {
            let found = Locked<ClickLookUps.Found?>(nil)
            lookUps.find(rowID, for: Self.rowID(1), now: now) { result in found.with { $0 = result }
            }
            return try eventually("the look-up ended") { found.current }
        }
        // There is no ledger beside it: what can't be read is not known, and nobody waits.
        #expect(try find(id, at: Self.noon).path == nil)
        #expect(try find(Self.rowID(99), at: Self.noon).click == nil)
        let later = Self.noon.advanced(by: .seconds(4 * 86_400))
        #expect(try !find(Self.rowID(99), at: later).hasLanderClicks)
    }

    /// An earlier run's clock was ahead: its IDs lie where this run's counter comes to.
    @Test func `look-ups say which IDs a click's lander clicks have taken`() throws {
        let bench = try StoreBench()
        let click = Self.rowID(1)
        let presses = (1...4).map { Self.press($0, of: click) }
        let clicks = try ClickBench(bench.directory)
        var batch = ClickBatch()
        batch.landerClicks = [presses[0], presses[2], Self.press(3, of: Self.rowID(2))]
        #expect(try clicks.save(batch) == .stored)
        try bench.perform { (tx) throws(StoreError) in
            try tx.insertLate(presses[3], isFirst: false)
        }
        let lookUps = ClickLookUps(bench.data) { _, _ in }
        defer { lookUps.stop() }
        func taken(from first: LanderClick, after days: Int64) throws -> Set<ClickRowID> {
            let found = Locked<Set<ClickRowID>?>(nil)
            let now = Self.noon.advanced(by: .seconds(days * 86_400))
            lookUps.find(click, for: first.id, now: now) { result in
                found.with { $0 = result.takenIDs }
            }
            return try eventually("the look-up ended") { found.current }
        }
        #expect(try taken(from: presses[0], after: 0) == [presses[0].id, presses[2].id])
        #expect(try taken(from: presses[1], after: 0) == [presses[2].id])
        #expect(try taken(from: presses[3], after: 0).isEmpty)
        // Then it would be late itself, and lie among the late ones.
        #expect(try taken(from: presses[1], after: 4) == [presses[2].id, presses[3].id])
    }
}

import Domain
import Foundation
import SQLite
import Store
import TestSupport
import Testing

@Suite struct ClickStoreTests {
    private static let noon = StoreBench.noon
    private static let today = StoreBench.noon.day
    private static let tomorrow = StoreBench.noon.day.advanced(by: 1)

    @Test func `a click reads back byte for byte`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let odd: [UInt8] = [0, 255, 13, 10, 37]
        let long = [UInt8](repeating: 200, count: 20_000)
        let ids = [
            ClickBench.click(
                1, parameters: [("zone", odd), ("", []), ("é\u{0}", long), ("zone", [1])],
                externalID: odd, into: &batch),
            ClickBench.click(2, cost: nil, ip: "2001:db8::7", externalID: [], into: &batch),
            ClickBench.click(
                3, cost: .min, agent: "", parameters: [], ip: nil, externalID: long, into: &batch),
            ClickBench.click(4, cost: .max, ip: "0.0.0.0", into: &batch),
        ]
        #expect(try bench.save(batch) == .stored)
        let clicks = try ids.map { try #require(try bench.click($0)) }
        #expect(clicks.map(\.rowID) == ids)
        #expect(clicks[0].externalID == odd)
        #expect(
            clicks[0].parameters == [
                .init(name: "zone", value: odd), .init(name: "", value: []),
                .init(name: "é\u{0}", value: long), .init(name: "zone", value: [1]),
            ])
        #expect(clicks[1].externalID == nil && clicks[1].cost == nil)
        #expect(clicks[1].ip?.text == "2001:db8::7")
        #expect(clicks[2].cost?.nanos == .min && clicks[2].ip == nil)
        #expect(clicks[2].userAgent.isEmpty && clicks[2].parameters.isEmpty)
        #expect(clicks[2].externalID == long)
        #expect(clicks[3].cost?.nanos == .max && clicks[3].ip?.text == "0.0.0.0")
        #expect(clicks.allSatisfy { $0.path == 1 && $0.offerVersion == 1 && $0.referrer.isEmpty })
        let missing = ClickRowID(milliseconds: ids[0].milliseconds, node: 2, sequence: 99)
        #expect(try bench.click(missing) == nil)
    }

    @Test func `texts that clicks share are kept once, also after a restart`() throws {
        let directory = try TemporaryDirectory()
        for run in 0..<2 {
            let bench = try ClickBench(directory)
            var batch = ClickBatch()
            for number in 0..<100 {
                _ = ClickBench.click(
                    run * 100 + number, agent: number % 2 == 0 ? "A" : "B", into: &batch)
            }
            #expect(try bench.save(batch) == .stored)
            // Two agents and one list of names.
            #expect(try bench.count(Self.today, "SELECT count(*) FROM text") == 3)
        }
    }

    @Test func `thousands of texts are told apart`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        // Alike but for one byte, in the middle of words and behind the last.
        let agents = (0..<3000).map { number in
            String(repeating: "a", count: number % 41) + "\(number)"
                + String(repeating: "b", count: number % 23)
        }
        let ids = agents.indices.map {
            ClickBench.click($0, agent: agents[$0], into: &batch)
        }
        #expect(try bench.save(batch) == .stored)
        #expect(try bench.count(Self.today, "SELECT count(*) FROM text") == agents.count + 1)
        for (id, agent) in zip(ids, agents) {
            #expect(try bench.click(id)?.userAgent == Array(agent.utf8))
        }
    }

    @Test func `a batch over midnight lies in both days' files`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let midnight = Self.tomorrow.start
        let last = ClickBench.click(
            1, at: Instant(micros: midnight.micros - 1000), into: &batch)
        let first = ClickBench.click(2, at: midnight, into: &batch)
        let back = ClickBench.click(3, at: Instant(micros: midnight.micros - 2000), into: &batch)
        #expect(try bench.save(batch) == .stored)
        for id in [last, first, back] { #expect(try bench.click(id)?.rowID == id) }
        #expect(try bench.count(Self.today) == 2 && bench.count(Self.tomorrow) == 1)
        #expect(try bench.data.clickDays() == [Self.today, Self.tomorrow])
    }

    @Test(arguments: [1, 2, 7, 33, 100])
    func `a click among new ones that is there already counts once`(
        count: Int
    ) throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let first = ClickBench.click(0, agent: "first", into: &batch)
        #expect(try bench.save(batch) == .stored)
        var ids: [ClickRowID] = []
        for number in 1...count {
            ids.append(ClickBench.click(number, agent: "later \(number)", into: &batch))
        }
        #expect(try bench.save(batch) == .stored)
        // Texts whose rows were undone on the way are not taken for kept ones.
        var last = ClickBatch()
        ids.append(ClickBench.click(count + 1, agent: "later 1", into: &last))
        #expect(try bench.save(last) == .stored)
        #expect(try bench.count(Self.today, "SELECT count(*) FROM click") == Int64(count + 2))
        #expect(
            try bench.count(Self.today, "SELECT sum(clicks) FROM click_total") == Int64(count + 2))
        #expect(
            try bench.count(Self.today, "SELECT sum(clicks) FROM click_way") == Int64(count + 2))
        #expect(try bench.click(first)?.userAgent == Array("first".utf8))
        for (number, id) in ids.enumerated() {
            let agent = number == count ? "later 1" : "later \(number + 1)"
            #expect(try bench.click(id)?.userAgent == Array(agent.utf8))
        }
        #expect(bench.events.current.isEmpty)
    }

    @Test func `the same click twice is one click and one in the sums`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let id = ClickBench.click(1, cost: 7, into: &batch)
        #expect(try bench.save(batch) == .stored && bench.save(batch) == .stored)
        #expect(try bench.count(Self.today) == 1)
        let totals = try ClickReader(bench.data).totals(
            on: Self.today, from: Self.today.start, to: Self.tomorrow.start)
        #expect(totals.map(\.clicks) == [1] && totals.map(\.costNanos) == [7])
        #expect(try bench.click(id) != nil)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `sums equal the clicks they are of, to the last nano`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let bench = try ClickBench()
        struct Key: Hashable {
            let campaign: Int64
            let currency: String?
        }
        var expected: [Key: (clicks: Int64, nanos: Int128)] = [:]
        let euro = try #require(Currency("EUR"))
        // Half an hour of it is asked for.
        let from = Self.noon, to = Self.noon.advanced(by: .seconds(1800))
        for round in 0..<5 {
            var batch = ClickBatch()
            for number in 0..<40 {
                let seconds = Int64.random(in: -1000...3000, using: &random)
                let at = Self.noon.advanced(by: .seconds(seconds))
                let campaign = Int64.random(in: 1...3, using: &random)
                let currency = Bool.random(using: &random) ? euro : .usDollar
                let cost: Int64? =
                    Int.random(in: 0..<4, using: &random) == 0
                    ? nil : Int64.random(in: -(1 << 62)...(1 << 62), using: &random)
                _ = ClickBench.click(
                    round * 40 + number, at: at, campaign: campaign, cost: cost, currency: currency,
                    into: &batch)
                guard at >= from, at < to else { continue }
                let key = Key(campaign: campaign, currency: cost == nil ? nil : currency.code)
                let before = expected[key] ?? (0, 0)
                expected[key] = (before.clicks + 1, before.nanos + Int128(cost ?? 0))
            }
            #expect(try bench.save(batch) == .stored)
        }
        let totals = try ClickReader(bench.data).totals(on: Self.today, from: from, to: to)
        #expect(totals.count == expected.count)
        for total in totals {
            let key = Key(campaign: total.campaignID.rawValue, currency: total.currency?.code)
            #expect(
                expected[key]?.clicks == total.clicks && expected[key]?.nanos == total.costNanos)
        }
    }

    @Test func `clicks that can't be stored are held, and stored when the disk works again`() throws
    {
        let bench = try ClickBench()
        var before = ClickBatch(), during = ClickBatch(), late = ClickBatch()
        let first = ClickBench.click(1, into: &before)
        #expect(try bench.save(before) == .stored)

        try bench.block(Self.tomorrow)
        let midnight = Self.tomorrow.start
        let second = ClickBench.click(2, at: Self.noon, into: &during)
        let third = ClickBench.click(3, at: midnight, into: &during)
        #expect(try bench.save(during) == .held)
        let fourth = ClickBench.click(4, at: Self.noon, into: &late)
        #expect(try bench.save(late) == .held)
        #expect(bench.store.failure != nil && bench.store.depth.held == 3)

        try bench.unblock(Self.tomorrow)
        // The next try is a second later by the injected clock.
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("the held clicks are stored") { bench.store.failure == nil }
        #expect(bench.store.depth.held == 0)
        for id in [first, second, third, fourth] { #expect(try bench.click(id)?.rowID == id) }
        let totals = try ClickReader(bench.data).totals(
            on: Self.today, from: Self.today.start, to: Self.tomorrow.start)
        #expect(totals.map(\.clicks) == [3])
        // Said after it is done.
        try eventually("it's said") {
            bench.events.current == ["clicks_not_stored", "clicks_stored_again"]
        }
    }

    @Test func `a clock that is set back does not put off storing what is held`() throws {
        let bench = try ClickBench()
        try bench.block(Self.tomorrow)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: Self.tomorrow.start, into: &batch)
        #expect(try bench.save(batch) == .held)
        try bench.unblock(Self.tomorrow)
        bench.clock.with { $0 = $0.advanced(by: .seconds(-7200)) }
        try eventually(within: 60, "the held click is stored") { bench.store.failure == nil }
        #expect(try bench.click(id)?.rowID == id)
    }

    @Test func `clicks that would take too much memory are refused, and it's said`() throws {
        let bench = try ClickBench { $0.heldBytesMax = 100_000 }
        try bench.block(Self.tomorrow)
        var outcomes: [ClickOutcome] = []
        for number in 0..<20 {
            var batch = ClickBatch()
            _ = ClickBench.click(number + 1, at: Self.tomorrow.start, into: &batch)
            batch.arena += [UInt8](repeating: 0, count: 16_000)
            outcomes.append(try bench.save(batch))
        }
        let held = outcomes.filter { $0 == .held }.count
        #expect((3...6).contains(held) && outcomes.prefix(held).allSatisfy { $0 == .held })
        #expect(outcomes.filter { $0 == .refused }.count == 20 - held)
        #expect(bench.events.current == ["clicks_not_stored", "clicks_refused"])
        #expect(bench.store.failure?.contains("\(held) clicks are held in memory") == true)
        try bench.unblock(Self.tomorrow)
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("the held clicks are stored") { bench.store.failure == nil }
        #expect(bench.store.depth.held == 0)
    }

    @Test func `what is held has a bound`() throws {
        let bench = try ClickBench { $0.heldMax = 2 }
        try bench.block(Self.tomorrow)
        func save(_ count: Int) throws -> ClickOutcome {
            var batch = ClickBatch()
            for number in 0..<count {
                _ = ClickBench.click(number, at: Self.tomorrow.start, into: &batch)
            }
            return try bench.save(batch)
        }
        #expect(
            try save(1) == .held && save(2) == .refused && save(1) == .held && save(1) == .refused)
        #expect(bench.store.depth.held == 2)
        try bench.unblock(Self.tomorrow)
    }

    @Test func `who refuses visitors while the disk fails holds nothing`() throws {
        let bench = try ClickBench { $0.redirectsOnFailure = false }
        try bench.block(Self.tomorrow)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: Self.tomorrow.start, into: &batch)
        #expect(try bench.save(batch) == .refused && bench.store.depth.held == 0)
        try bench.unblock(Self.tomorrow)
        bench.clock.with { $0 = $0.advanced(by: .seconds(2)) }
        try eventually("clicks are stored again") { try bench.save(batch) == .stored }
        #expect(try bench.click(id) != nil)
    }

    @Test func `more than may queue is refused`() throws {
        let bench = try ClickBench { $0.queuedMax = 3 }
        func batch(_ count: Int) -> ClickBatch {
            var batch = ClickBatch()
            for number in 0..<count { _ = ClickBench.click(number, into: &batch) }
            return batch
        }
        #expect(try bench.save(batch(4)) == .refused && bench.save(batch(3)) == .stored)
        #expect(bench.store.depth.queued == 0)
    }

    @Test func `stopping stores what had queued, and tries once more what was held`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let ids = (0..<3).map { ClickBench.click($0, into: &batch) }
        let outcome = bench.submit(batch)
        bench.store.stop()
        #expect(outcome.current == .stored)
        for id in ids { #expect(try bench.click(id) != nil) }
        #expect(try bench.save(batch) == .refused)

        let failing = try ClickBench()
        try failing.block(Self.tomorrow)
        var held = ClickBatch()
        let late = ClickBench.click(1, at: Self.tomorrow.start, into: &held)
        #expect(try failing.save(held) == .held)
        try failing.unblock(Self.tomorrow)
        failing.store.stop()
        #expect(try failing.click(late) != nil)

        let lost = try ClickBench()
        try lost.block(Self.tomorrow)
        #expect(try lost.save(held) == .held)
        lost.store.stop()
        #expect(lost.events.current.contains("clicks_lost"))
    }

    @Test func `the next day's file is made before midnight`() throws {
        let bench = try ClickBench(at: Instant(micros: Self.tomorrow.start.micros - 601_000_000))
        try eventually("the first round is over") {
            bench.directory.entries(of: "clicks").count > 0
        }
        #expect(try bench.data.clickDays() == [Self.today])
        bench.clock.with { $0 = $0.advanced(by: .seconds(10)) }
        try eventually("tomorrow's file is there") {
            try bench.data.clickDays() == [Self.today, Self.tomorrow]
        }
    }

    @Test func `a finished day is sealed and still read`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let id = ClickBench.click(1, into: &batch)
        #expect(try bench.save(batch) == .stored)
        let log = bench.data.clickFilePath(Self.today) + "-wal"
        #expect(FileManager.default.fileExists(atPath: log))
        bench.clock.with { $0 = Self.tomorrow.start.advanced(by: .seconds(48 * 3600 + 10)) }
        try eventually("the file is sealed") { !FileManager.default.fileExists(atPath: log) }
        #expect(try bench.click(id)?.rowID == id)
    }

    @Test func `an old day that can't be opened does not stop today's clicks`() throws {
        let directory = try TemporaryDirectory()
        let old = Self.today.advanced(by: -9)
        let data = DataDirectory(path: directory.path)
        try data.create()
        try Data("no database".utf8).write(to: URL(fileURLWithPath: data.clickFilePath(old)))
        try Data("no log".utf8).write(to: URL(fileURLWithPath: data.clickFilePath(old) + "-wal"))
        let bench = try ClickBench(directory)
        try bench.keepHouseTwice(every: .seconds(3601))
        try eventually("it's said") { !bench.events.current.isEmpty }
        #expect(bench.store.failure == nil)
        #expect(Set(bench.events.current) == ["day_not_sealed"])
    }

    @Test func `IDs go on behind what earlier runs stored`() throws {
        let directory = try TemporaryDirectory()
        let yesterday = Self.today.advanced(by: -1)
        let future = Self.today.advanced(by: 4)
        let bench = try ClickBench(directory)
        var batch = ClickBatch()
        let ids = [
            ClickBench.click(9, at: yesterday.start, into: &batch),
            ClickBench.click(3, at: Self.noon.advanced(by: .seconds(100)), into: &batch),
            ClickBench.click(7, at: future.start.advanced(by: .seconds(5)), into: &batch),
        ]
        #expect(try bench.save(batch) == .stored)
        bench.store.stop()
        let newest = try ClickStore.newestRowIDs(bench.data, today: Self.today)
        #expect(Set(newest) == Set(ids))
        let next = ClickRowIDs(node: 2, newestStored: newest, now: Self.noon)
        let first = next.next(micros: Self.noon.micros)
        #expect(first > ids[1] && first.day == Self.today)
        #expect(next.next(micros: future.start.micros) > ids[2])
    }

    /// A crash has come while a page was changed outside the log, as happens when a file is made or
    /// sealed: the journal says that the file had the pages that it has.
    private func leaveJournal(_ data: DataDirectory, _ day: Day) throws {
        let path = data.clickFilePath(day)
        let pages = try Data(contentsOf: URL(fileURLWithPath: path)).count / 4096
        var journal = Data([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])
        for number in [0, 0, UInt32(pages), 512, 4096] as [UInt32] {
            withUnsafeBytes(of: number.bigEndian) { journal.append(contentsOf: $0) }
        }
        journal.append(Data(count: 512 - journal.count))
        try journal.write(to: URL(fileURLWithPath: path + "-journal"))
    }

    @Test(arguments: [0, -3])
    func `a file that a crash met half made or half sealed is finished at the start`(age: Int)
        throws
    {
        let directory = try TemporaryDirectory()
        let day = Self.today.advanced(by: age)
        let bench = try ClickBench(directory)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: day.start, into: &batch)
        #expect(try bench.save(batch) == .stored)
        bench.store.stop()
        try leaveJournal(bench.data, day)
        // Whoever only reads can't play the journal back.
        #expect(throws: StoreError.self) { try ClickReader(bench.data).click(id) }

        let failures = Locked<[String]>([])
        try ClickStore.recover(bench.data, now: Self.noon) { event, _ in
            failures.with { $0.append(event) }
        }
        #expect(failures.current == [])
        #expect(try ClickReader(bench.data).click(id)?.rowID == id)
        #expect(try ClickStore.newestRowIDs(bench.data, today: day) == [id])
        let path = bench.data.clickFilePath(day)
        #expect(!FileManager.default.fileExists(atPath: path + "-journal"))
        // A sealed file needs no log to be read.
        #expect(FileManager.default.fileExists(atPath: path + "-wal") == (age == 0))
    }

    @Test func `a file that a failure left half done is finished by the running store`() throws {
        let directory = try TemporaryDirectory()
        let day = Self.today.advanced(by: -1)
        let first = try ClickBench(directory)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: day.start, into: &batch)
        #expect(try first.save(batch) == .stored)
        first.store.stop()
        try leaveJournal(first.data, day)
        // It takes lander clicks for a day yet, and nobody may come with one.
        let bench = try ClickBench(directory)
        let journal = bench.data.clickFilePath(day) + "-journal"
        try eventually("it is finished") { !FileManager.default.fileExists(atPath: journal) }
        #expect(try bench.click(id)?.rowID == id)
        #expect(bench.events.current == [])
    }

    @Test func `a file that can't be finished does not stop the others`() throws {
        let directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        let path = data.clickFilePath(Self.today)
        try Data("no database, and long enough to be none".utf8).write(
            to: URL(fileURLWithPath: path))
        try Data("no journal".utf8).write(to: URL(fileURLWithPath: path + "-journal"))
        let failures = Locked<[String]>([])
        try ClickStore.recover(data, now: Self.noon) { event, _ in
            failures.with { $0.append(event) }
        }
        #expect(failures.current == ["day_not_recovered"])
    }

    @Test func `a file that is just being made has no clicks yet`() throws {
        let bench = try ClickBench()
        let path = bench.data.clickFilePath(Self.tomorrow)
        try Data().write(to: URL(fileURLWithPath: path))
        let reader = ClickReader(bench.data)
        var batch = ClickBatch()
        let id = ClickBench.click(1, at: Self.tomorrow.start, into: &batch)
        #expect(try reader.click(id) == nil)
        #expect(
            try reader.totals(
                on: Self.tomorrow, from: Self.tomorrow.start,
                to: Self.tomorrow.advanced(by: 1).start
            ).isEmpty)
        #expect(try bench.save(batch) == .stored)
        #expect(try reader.click(id)?.rowID == id)
    }

    @Test func `a reader keeps few days open and reads all`() throws {
        let bench = try ClickBench()
        var batch = ClickBatch()
        let ids = (0..<12).map { age in
            ClickBench.click(
                age, at: Self.today.advanced(by: -age).start, externalID: [UInt8(age), 0],
                into: &batch)
        }
        #expect(try bench.save(batch) == .stored)
        let reader = ClickReader(bench.data)
        for id in ids + ids.reversed() { #expect(try reader.click(id)?.rowID == id) }
        #expect(
            try reader.clicks(externalID: [3, 0], on: Self.today.advanced(by: -3), limit: 5)
                .map(\.rowID) == [ids[3]])
        #expect(
            try reader.clicks(externalID: [3], on: Self.today.advanced(by: -3), limit: 5).isEmpty)
        // A day that is deleted is a day without clicks, once the reader rests.
        reader.closeAll()
        try FileManager.default.removeItem(
            atPath: bench.data.clickFilePath(Self.today.advanced(by: -11)))
        #expect(try reader.click(ids[11]) == nil && reader.click(ids[10]) != nil)
    }
}

import Domain
import Foundation
import SQLite
import Store
import StoreSupport
import TestSupport
import Testing

/// A click store whose clock the test moves.
final class ClickBench: Sendable {
    let directory: TemporaryDirectory
    let data: DataDirectory
    let store: ClickStore
    let clock: Locked<Instant>
    let events = Locked<[String]>([])

    init(
        _ directory: TemporaryDirectory? = nil, at start: Instant = StoreBench.noon,
        _ change: (inout ClickStore.Options) -> Void = { _ in }
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        data = DataDirectory(path: directory.path)
        try data.create()
        var options = ClickStore.Options()
        options.isFullyDurable = false
        change(&options)
        let clock = Locked(start)
        self.clock = clock
        let events = self.events
        store = try ClickStore(data, options: options, now: { clock.current }) { event, _ in
            events.with { $0.append(event) }
        }
    }

    deinit { store.stop() }

    /// A click of `instant` with its row ID's sequence as external ID.
    static func click(
        _ sequence: Int, at instant: Instant = StoreBench.noon, campaign: Int64 = 1,
        cost: Int64? = 5, currency: Currency = .usDollar, agent: String = "UA",
        parameters: [(String, [UInt8])] = [("zone", Array("7".utf8))], ip: String? = "198.51.100.7",
        externalID: [UInt8]? = nil, into batch: inout ClickBatch
    ) -> ClickRowID {
        let rowID = ClickRowID(
            milliseconds: instant.milliseconds - ClickRowID.epochMilliseconds, node: 2,
            sequence: sequence)
        func keep(_ bytes: [UInt8]) -> NewClick.Bytes { bytes.withUnsafeBytes { batch.keep($0) } }
        let external = keep(externalID ?? Array("E\(sequence)".utf8))
        let userAgent = keep(Array(agent.utf8))
        let kept = batch.keep(parameters.map { (name: $0.0, value: $0.1) })
        batch.rows.append(
            NewClick(
                rowID: rowID, campaignID: CampaignID(campaign), flowVersion: 1, rule: 0, path: 1,
                landerVersion: nil, offerVersion: 1,
                costNanos: cost, currency: currency, externalID: external,
                ip: ip.flatMap { IPAddress($0) }, userAgent: userAgent, referrer: .none,
                parameterNames: kept.names, parameterValues: kept.values))
        return rowID
    }

    func submit(_ batch: ClickBatch) -> Locked<ClickOutcome?> {
        let outcome = Locked<ClickOutcome?>(nil)
        store.store(batch) {
            let came = $0
            outcome.with { $0 = came }
        }
        return outcome
    }

    func save(_ batch: ClickBatch) throws -> ClickOutcome {
        let outcome = submit(batch)
        return try eventually("the batch was answered") { outcome.current }
    }

    /// Two rounds of housekeeping, with a click in each.
    func keepHouseTwice(every pause: Duration) throws {
        for round in 0..<2 {
            clock.with { $0 = $0.advanced(by: pause) }
            usleep(1_100_000)
            var batch = ClickBatch()
            _ = Self.click(round, at: clock.current, into: &batch)
            #expect(try save(batch) == .stored)
        }
    }

    func click(_ rowID: ClickRowID) throws -> Click? { try ClickReader(data).click(rowID) }

    func count(_ day: Day, _ sql: String = "SELECT count(*) FROM click") throws -> Int64 {
        let connection = try Connection(path: data.clickFilePath(day), mode: .readOnly)
        defer { connection.close() }
        return try connection.int64(sql) ?? -1
    }

    /// Makes a day's file impossible to open, and possible again.
    func block(_ day: Day) throws {
        try FileManager.default.createDirectory(
            atPath: data.clickFilePath(day), withIntermediateDirectories: false)
    }

    func unblock(_ day: Day) throws {
        try FileManager.default.removeItem(atPath: data.clickFilePath(day))
    }
}

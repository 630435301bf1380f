import Domain
import SQLite
import Store
import TestSupport
import Testing

@Suite struct DirectoryCheckTests {
    private let directory: TemporaryDirectory
    private let data: DataDirectory
    private static let day = Day("2026-11-20")
    /// The ID of a click at noon of that day.
    private static let clickID = rowID("2026-11-20T12:00:00Z")

    private static func rowID(_ time: String) -> Int64 {
        let milliseconds = (Instant(rfc3339: time)?.milliseconds ?? 0)
        return ClickRowID(
            milliseconds: milliseconds - ClickRowID.epochMilliseconds, node: 0, sequence: 0
        ).rawValue
    }

    init() throws {
        directory = try TemporaryDirectory()
        data = DataDirectory(path: directory.path)
        try data.create()
        let ledger = try Ledger(data, options: Ledger.Options(), observers: Ledger.Observers())
        ledger.stop()
        try change(data.ledgerPath, SoundDirectory.entities)
        let noon = try #require(Instant(rfc3339: "2026-11-20T12:00:00Z"))
        let store = try ClickStore(
            data, options: ClickStore.Options(), now: { noon }, log: { _, _ in })
        store.stop()
    }

    private func change(_ path: String, _ sql: String...) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        defer { connection.close() }
        for statement in sql { try connection.execute(statement) }
    }

    private func changeDay(_ sql: String...) throws {
        let day = try #require(Self.day)
        let connection = try Connection(path: data.clickFilePath(day), mode: .readWrite)
        defer { connection.close() }
        for statement in sql { try connection.execute(statement) }
    }

    private func faults() -> [String] {
        let check = DirectoryCheck(data)
        check.run()
        return check.faults.map { "\($0.file): \($0.message)" }
    }

    private static func insertClick(_ id: Int64, userAgent: String = "NULL") -> String {
        """
        INSERT INTO click (id, campaign_id, path, offer_version, cost_nanos, currency, user_agent)
        VALUES (\(id), 1, 0, 0, 2500000000, 7, \(userAgent))
        """
    }

    private static func insertTotal(clicks: Int, units: Int, nanos: Int) -> String {
        let slot = (Instant(rfc3339: "2026-11-20T12:00:00Z")?.micros ?? 0) / 900_000_000
        return "INSERT INTO click_total VALUES (\(slot), 1, 7, \(clicks), \(units), \(nanos), 0)"
    }

    private static let insertConversion = """
        INSERT INTO conversion (id, click_row_id, event, transaction_id, is_test, ordinal,
            campaign_id, source_id, network_id, offer_id, status, payout_nanos, currency, revision,
            converted_at_us, parameters, user_agent, referrer, path, offer_version)
        VALUES (5, \(clickID), 'sale', '', 0, 0, 1, 1, 1, 1, 'approved', 1, 'USD', 1, 0, x'', x'',
            x'', 1, 1)
        """

    @Test func `what was just made is sound, and stays as it was`() throws {
        try changeDay(
            Self.insertClick(Self.clickID),
            Self.insertTotal(clicks: 1, units: 2, nanos: 500_000_000))
        let before = directory.entries()
        let check = DirectoryCheck(data)
        check.run()
        #expect(check.faults.isEmpty)
        #expect(check.dayFileCount == 1 && check.clickCount == 1)
        #expect(Set(before).isSubset(of: directory.entries()))
    }

    @Test func `a sum that is not that of the clicks is found`() throws {
        // Units and nanos may be carried differently; only their sum counts.
        try changeDay(
            Self.insertClick(Self.clickID),
            Self.insertTotal(clicks: 1, units: 1, nanos: 1_500_000_000))
        #expect(faults().isEmpty)
        try changeDay("UPDATE click_total SET cost_nanos = cost_nanos + 1")
        #expect(faults().count == 1)
        try changeDay("UPDATE click_total SET cost_nanos = cost_nanos - 1, clicks = 2")
        #expect(faults().first?.contains("has 1 clicks") == true)
        try changeDay("DELETE FROM click_total")
        #expect(faults().first?.contains("a sum of 0") == true)
    }

    @Test func `a click in the wrong day's file is found`() throws {
        let next = Self.rowID("2026-11-21T00:00:00Z")
        try changeDay(Self.insertClick(next))
        #expect(faults().contains { $0.contains("belongs to 2026-11-21") })
        try changeDay("UPDATE click SET id = id - (1 << 22)")
        #expect(!faults().contains { $0.contains("belongs to") }, "the day's last millisecond")
    }

    @Test func `a click whose text is gone is found`() throws {
        try changeDay(
            Self.insertClick(Self.clickID, userAgent: "99"),
            Self.insertTotal(clicks: 1, units: 2, nanos: 500_000_000))
        #expect(faults() == ["clicks/2026-11-20.db: the user_agent of 1 clicks is missing"])
    }

    @Test func `a conversion without its click, its revision or any key is found`() throws {
        try change(data.ledgerPath, Self.insertConversion)
        let found = faults()
        #expect(found.contains { $0.contains("the click of conversion 5 is missing") })
        #expect(found.contains { $0.contains("revisions of conversion 5") })
        #expect(found.contains { $0.contains("no click ID key") })
        // A day that was deleted took its clicks along; that is no fault.
        try directory.remove("clicks/2026-11-20.db")
        #expect(!faults().contains { $0.contains("the click of conversion") })
    }

    @Test func `a document that can't be read is found`() throws {
        try change(
            data.ledgerPath,
            """
            INSERT INTO source (key, document, created_at_us, updated_at_us)
            VALUES ('a', '{nope', 0, 0), ('b', '{"key": "c"}', 0, 0), ('d', '{"key": "d"}', 0, 0)
            """)
        let found = faults()
        #expect(found.count == 2)
        #expect(found.contains { $0.contains("source a is not JSON") })
        #expect(found.contains { $0.contains("source b is that of c") })
    }

    @Test func `files that are no databases, or other programs', are found`() throws {
        try directory.write(String(repeating: "nonsense ", count: 1000), to: "clicks/2026-11-19.db")
        try change(data.ledgerPath, "PRAGMA application_id = 7")
        let found = faults()
        #expect(found.contains { $0.hasPrefix("clickrelay.db: ") })
        #expect(found.contains { $0.hasPrefix("clicks/2026-11-19.db: ") })
        #expect(!found.contains { $0.hasPrefix("clicks/2026-11-20.db: ") })
    }

    @Test func `many faults of one kind are summed up`() throws {
        for index in 0..<30 {
            try change(
                data.ledgerPath,
                """
                INSERT INTO postback (received_at_us, verdict, message, method, target, headers, body)
                VALUES (\(index), 'accepted', '', 'GET', x'', x'', x'')
                """)
        }
        let found = faults()
        #expect(found.count == 21)
        #expect(found.last?.contains("and more of these") == true)
    }
}

import Domain
import Foundation
import Migrations
import SQLite
import Store
import TestSupport
import Testing

/// Databases of released versions, with data in them, opened by this one.
@Suite struct UpgradeTests {
    @Test func `a ledger of version 1 keeps its calls and conversions`() throws {
        let files = try TemporaryDirectory()
        let directory = DataDirectory(path: files.file("data"))
        try directory.create()
        let initial = try #require(EmbeddedMigrations.ledger.first)
        do {
            let old = try Connection(path: directory.ledgerPath, mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_6c64,
                migrations: [Migration(version: 1, name: initial.name, sql: initial.sql)]
            ).migrate(old)
            try old.execute(
                """
                INSERT INTO network VALUES (1, 'net', '{"key":"net"}', 1, 1, NULL);
                INSERT INTO postback_key VALUES ('k1', 1, 1);
                INSERT INTO postback VALUES (1, 5, 1, 77, NULL, 'parked', 'why', NULL, 'GET',
                    CAST('/postback/k1?cid=x' AS BLOB), x'', x'');
                INSERT INTO conversion VALUES (1, 77, 'sale', 't', 0, 0, 1, 1, 1, 1, 'approved',
                    NULL, 5000000000, 'USD', 1, 5, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1, 1);
                INSERT INTO conversion VALUES (2, 77, 'sale', 'u', 0, 0, 1, 1, 1, 1, 'pending',
                    NULL, 0, 'USD', 1, 86399999999, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1,
                    1);
                INSERT INTO conversion VALUES (3, 77, 'sale', 'v', 0, 0, 1, 1, 1, 1, 'approved',
                    NULL, -1500000000, 'USD', 1, -1, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1,
                    1);
                INSERT INTO conversion VALUES (4, 77, 'sale', 'w', 0, 0, 1, 1, 1, 1, 'rejected',
                    NULL, 7000000000, 'USD', 1, 5, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1, 1);
                INSERT INTO conversion VALUES (5, 77, 'sale', 'x', 1, 0, 1, 1, 1, 1, 'approved',
                    NULL, 7000000000, 'USD', 1, 5, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1, 1);
                INSERT INTO conversion_revision VALUES
                    (1, 1, 'approved', NULL, 5000000000, 'USD', 5, 1);
                """)
            old.close()
        }
        let ledger = try Ledger(
            directory, options: Ledger.Options(), observers: Ledger.Observers())
        defer { ledger.stop() }
        #expect(ledger.catalog.networkByPostbackKey["k1"] == NetworkID(1))
        let answer = Locked<Result<(StoredPostback?, Conversion?), StoreError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        ledger.perform { (tx) throws(StoreError) in
            (try tx.postback(PostbackID(1)), try tx.conversion(madeBy: PostbackID(1)))
        } finished: { result in
            answer.with { $0 = result }
            done.signal()
        }
        #expect(done.wait(timeout: .now() + 20) == .success)
        let (call, none) = try #require(answer.current).get()
        #expect(call?.verdict == "parked" && call?.replayOf == nil && none == nil)
        #expect(call?.isWaiting == true, "what was parked waits")
        #expect(
            call.map { String(decoding: $0.call.target, as: UTF8.self) } == "/postback/k1?cid=x")
        let now = try Connection(path: directory.ledgerPath, mode: .readOnly)
        #expect(try now.int64("SELECT payout_nanos FROM conversion WHERE id = 1") == 5_000_000_000)
        #expect(try now.int64("SELECT count(*) FROM conversion_revision") == 1)
        let sums = try now.rows(
            """
            SELECT scope, entity_id, day, currency, conversions, payout_units, payout_nanos
            FROM conversion_total ORDER BY scope, day
            """
        ) { (row) throws(SQLiteError) in
            "\(row.text(0)) \(row.int64(1)) \(row.int64(2)) \(row.text(3)) \(row.int64(4)) "
                + "\(row.int64(5)) \(row.int64(6))"
        }
        #expect(
            sums == [
                "campaign 1 -1000000000 USD 3 4 -500000000", "campaign 1 -1 USD 1 -1 -500000000",
                "campaign 1 0 USD 2 5 0", "offer 1 -1000000000 USD 3 4 -500000000",
                "offer 1 -1 USD 1 -1 -500000000", "offer 1 0 USD 2 5 0",
            ])
        let ways = try now.rows(
            """
            SELECT slot, campaign_id, flow_version, rule, path, offer_id, currency, conversions,
                payout_units, payout_nanos
            FROM conversion_way ORDER BY slot
            """
        ) { (row) throws(SQLiteError) in
            (0..<Int32(6)).map { "\(row.int64($0)) " }.joined()
                + "\(row.text(6)) \(row.int64(7)) \(row.int64(8)) \(row.int64(9))"
        }
        #expect(
            ways == [
                "-1 1 0 0 1 1 USD 1 -1 -500000000", "0 1 0 0 1 1 USD 1 5 0",
                "95 1 0 0 1 1 USD 1 0 0",
            ])
        now.close()
    }

    @Test func `conversions of version 2 are not converted until somebody asks for it`() throws {
        let files = try TemporaryDirectory()
        let data = DataDirectory(path: files.path)
        try data.create()
        do {
            let old = try Connection(path: data.ledgerPath, mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_6c64,
                migrations: EmbeddedMigrations.ledger.filter { $0.version <= 2 }.map {
                    Migration(version: $0.version, name: $0.name, sql: $0.sql)
                }
            ).migrate(old)
            try old.execute(
                """
                INSERT INTO conversion VALUES (1, 77, 'sale', 't', 0, 0, 1, 1, 1, 1, 'approved',
                    NULL, 5000000000, 'USD', 1, 5, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1, 1);
                INSERT INTO conversion_revision VALUES
                    (1, 1, 'approved', NULL, 5000000000, 'USD', 5, 1);
                """)
            old.close()
        }
        let bench = try StoreBench(files)
        let id = ConversionID(1)
        func reporting() throws -> [ReportingAmount?] {
            try bench.read { (reader) throws(StoreError) in
                [try reader.conversion(id)?.reporting]
                    + (try reader.revisions(of: id).map(\.reporting))
            }
        }
        #expect(try reporting() == [nil, nil])
        let euro = try #require(Currency("EUR"))
        let rate = ExchangeRate(
            currency: .usDollar, day: Day(number: 0), nanos: 2_000_000_000)
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(euro, at: StoreBench.noon)
            try tx.put([rate], reporting: euro, at: StoreBench.noon)
            let operation = try tx.beginRecomputation(
                reporting: euro, from: nil, to: nil, at: StoreBench.noon)
            _ = try tx.recompute([id], reporting: euro, operation: operation)
        }
        let amount = ReportingAmount(
            money: Money(nanos: 10_000_000_000, currency: euro), rateNanos: 2_000_000_000)
        #expect(try reporting() == [amount, amount])
    }

    @Test func `deliveries of version 5 are counted as if they had always been`() throws {
        let files = try TemporaryDirectory()
        let data = DataDirectory(path: files.path)
        try data.create()
        let noon = StoreBench.noon.micros
        do {
            let old = try Connection(path: data.ledgerPath, mode: .create)
            _ = try Migrator(
                applicationID: 0x6372_6c64,
                migrations: EmbeddedMigrations.ledger.filter { $0.version <= 5 }.map {
                    Migration(version: $0.version, name: $0.name, sql: $0.sql)
                }
            ).migrate(old)
            try old.execute(
                """
                INSERT INTO conversion VALUES (1, 77, 'sale', 't', 0, 0, 1, 1, 1, 1, 'approved',
                    NULL, 5000000000, 'USD', 1, 5, NULL, NULL, NULL, NULL, x'', NULL, x'', x'', 1, 1,
                    NULL, NULL, NULL);
                """)
            for (revision, state) in ["waiting", "delivered", "dead", "delivered"].enumerated() {
                try old.execute(
                    """
                    INSERT INTO delivery VALUES (\(revision + 1), 1, \(revision), 'a/1', '\(state)',
                        NULL, \(noon), \(noon), \(revision), 'https://a.example:443', 'GET',
                        'https://a.example/', '[]', NULL, 200, 299, NULL, 0, NULL, 0);
                    INSERT INTO attempt VALUES (\(revision + 1), \(max(1, revision)),
                        \(noon + 100_000 * Int64(revision)), 200, 20, NULL, x'');
                    """)
            }
            old.close()
        }
        let bench = try StoreBench(files)
        let day = StoreBench.noon.day
        let numbers = try bench.read { (reader) throws(StoreError) in
            try reader.destinationNumbers(days: day...day)
        }
        let one = try #require(numbers["a/1"])
        #expect(one.waiting == 1 && one.delivered == 2 && one.dead == 1 && one.cancelled == 0)
        #expect(one.oldestDueAt == StoreBench.noon && one.latency.count == 2)
        // 120 and 320 ms.
        let low = try #require(one.latency.percentile(50))
        let high = try #require(one.latency.percentile(99))
        #expect(low >= .milliseconds(120) && low <= .milliseconds(128))
        #expect(high >= .milliseconds(320) && high <= .milliseconds(340))
    }
}

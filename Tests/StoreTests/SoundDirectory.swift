import Domain
import SQLite
import Store
import TestSupport

/// A data directory that has one of everything and agrees with itself.
struct SoundDirectory {
    let files: TemporaryDirectory
    let data: DataDirectory
    let day: Day

    /// At noon of 2026-11-20, with a lander click.
    static let clickID = rowID(day: 20, hour: 12)

    init() throws {
        files = try TemporaryDirectory()
        data = DataDirectory(path: files.file("data"))
        try data.create()
        let ledger = try Ledger(data, options: Ledger.Options(), observers: Ledger.Observers())
        ledger.stop()
        let noon = Instant(micros: Self.noonMicros)
        day = noon.day
        let store = try ClickStore(
            data, options: ClickStore.Options(), now: { noon }, log: { _, _ in })
        store.stop()
        try change(data.ledgerPath, Self.entities + Self.ledger)
        try change(data.clickFilePath(day), Self.clicks)
    }

    func change(_ path: String, _ sql: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        defer { connection.close() }
        try connection.execute("PRAGMA foreign_keys = 0; PRAGMA writable_schema = 1;" + sql)
    }

    var faults: [String] {
        let check = DirectoryCheck(data)
        check.run()
        return check.faults.map { "\($0.file): \($0.message)" }
    }

    private static let noonMicros: Int64 = 1_795_176_000_000_000

    private static func rowID(day: Int64, hour: Int64) -> Int64 {
        let milliseconds =
            noonMicros / 1000 + (day - 20) * 86_400_000 + (hour - 12) * 3_600_000
        return ClickRowID(
            milliseconds: milliseconds - ClickRowID.epochMilliseconds, node: 0, sequence: 1
        ).rawValue
    }

    static let entities = """
        INSERT INTO source (id, key, document, created_at_us, updated_at_us)
        VALUES (1, 's', '{"key": "s"}', 0, 0);
        INSERT INTO network (id, key, document, created_at_us, updated_at_us)
        VALUES (1, 'n', '{"key": "n"}', 0, 0);
        INSERT INTO postback_key VALUES ('k1', 1, 0);
        INSERT INTO offer (id, key, document, created_at_us, updated_at_us)
        VALUES (1, 'o', '{"key": "o"}', 0, 0);
        INSERT INTO lander (id, key, document, created_at_us, updated_at_us)
        VALUES (1, 'l', '{"key": "l"}', 0, 0);
        INSERT INTO campaign (id, key, document, created_at_us, updated_at_us)
        VALUES (1, 'c', '{"key": "c"}', 0, 0);
        INSERT INTO offer_version VALUES (1, 1, 1, 'https://offer.example/', 0);
        INSERT INTO lander_version VALUES (1, 1, 'https://lander.example/', 0);
        INSERT INTO flow_version VALUES (1, 1, '{}', 0);
        """

    /// A conversion of two revisions, told to one destination at the second attempt, a call that
    /// waits for its click, and a lander click that came after its click's day.
    private static let ledger = """
        INSERT INTO click_key VALUES (1, zeroblob(16), 0);
        INSERT INTO conversion (id, click_row_id, event, transaction_id, is_test, ordinal,
            campaign_id, source_id, network_id, offer_id, status, payout_nanos, currency, revision,
            converted_at_us, external_id, parameters, user_agent, referrer, path, offer_version,
            flow_version, rule, lander_version)
        VALUES (1, \(clickID), 'sale', '77', 0, 0, 1, 1, 1, 1, 'approved', 1500000000, 'USD', 2,
            \(noonMicros), x'41', x'', x'', x'', 1, 1, 1, 0, 1);
        INSERT INTO postback (id, received_at_us, network_id, click_row_id, conversion_id, verdict,
            message, method, target, headers, body)
        VALUES (1, 0, 1, \(clickID), 1, 'accepted', '', 'GET', x'', x'', x''),
            (2, 0, 1, \(clickID), 1, 'updated', '', 'GET', x'', x'', x''),
            (3, 0, 1, 5, NULL, 'parked', '', 'GET', x'', x'', x'');
        INSERT INTO parked (postback_id, click_row_id) VALUES (3, 5);
        INSERT INTO conversion_revision (conversion_id, number, status, payout_nanos, currency,
            at_us, postback_id)
        VALUES (1, 1, 'pending', 0, 'USD', 0, 1), (1, 2, 'approved', 1500000000, 'USD', 0, 2);
        INSERT INTO delivery (id, conversion_id, revision, destination, state, due_at_us,
            converted_at_us, attempt_count, origin, method, url, headers, success_min, success_max,
            allow_private)
        VALUES (1, 1, 2, 's/main', 'delivered', 0, 0, 2, 'o', 'GET', 'u', '', 200, 299, 0);
        INSERT INTO attempt VALUES (1, 1, 0, 500, 1, NULL, x''), (1, 2, 0, 200, 1, NULL, x'');
        INSERT INTO conversion_total VALUES
            ('offer', 1, -1000000000, 'USD', 1, 1, 500000000),
            ('offer', 1, \(noonMicros / 86_400_000_000), 'USD', 1, 1, 500000000),
            ('campaign', 1, -1000000000, 'USD', 1, 1, 500000000),
            ('campaign', 1, \(noonMicros / 86_400_000_000), 'USD', 1, 1, 500000000);
        INSERT INTO conversion_way VALUES
            (\(noonMicros / 900_000_000), 1, 1, 0, 1, 1, 'USD', 1, 1, 500000000);
        INSERT INTO click_day VALUES (\(noonMicros / 86_400_000_000));
        INSERT INTO click_day_way VALUES (\(noonMicros / 86_400_000_000), 1, 1, 0, 1, 1, 1);
        INSERT INTO delivery_latency VALUES (0, 's/main', 1000, 1);
        INSERT INTO late_lander_click VALUES (\(clickID), \(clickID + 2), 1, 1, 1, 0);
        INSERT INTO cost_layer VALUES (1, 1, \(noonMicros / 900_000_000),
            \(noonMicros / 900_000_000 + 4), '{"campaign": "c", "from": "2026-11-20T12:00:00Z",
            "to": "2026-11-20T13:00:00Z", "time_zone": "UTC", "where": {}, "cpc": "0.5",
            "currency": "USD"}', 0, NULL);
        INSERT INTO cost_layer_day VALUES (1, \(noonMicros / 86_400_000_000), 1);
        INSERT INTO setting VALUES ('reporting_currency', 'USD', 0);
        INSERT INTO exchange_rate VALUES ('USD', 'EUR', 0, 1100000000, 0);
        INSERT INTO api_token VALUES (1, 'ops', zeroblob(32), 0, NULL);
        """

    private static let clicks = """
        INSERT INTO text VALUES (1, 1, x'41');
        INSERT INTO click (id, campaign_id, path, offer_version, cost_nanos, currency, external_id,
            user_agent, flow_version, rule, lander_version)
        VALUES (\(clickID), 1, 1, 1, 2500000000, 7, x'41', 1, 1, 0, 1);
        INSERT INTO click_total VALUES (\(noonMicros / 900_000_000), 1, 7, 1, 2, 500000000, 0);
        INSERT INTO click_way VALUES (\(noonMicros / 900_000_000), 1, 1, 0, 1, 1, 1);
        INSERT INTO lander_click VALUES (\(clickID), \(clickID + 1), 1, 1, 1);
        INSERT INTO lander_total VALUES (\(noonMicros / 900_000_000), 1, 1, 1, 1);
        """
}

internal import Domain
internal import SQLite

/// Something found wrong in a data directory.
public struct DirectoryFault: Equatable, Sendable {
    /// Within the directory: `clickrelay.db`, `clicks/2026-11-20.db`.
    public let file: String
    public let message: String
}

/// Reads every file of a data directory and reports what contradicts itself.
///
/// Only reads, each file in one transaction, so it may run beside a server: the ledger is read
/// first, and what it refers to was on disk by then. Faults of one kind are reported at most
/// `faultsPerKindMax` times.
public final class DirectoryCheck {
    public private(set) var faults: [DirectoryFault] = []
    public private(set) var dayFileCount = 0
    public private(set) var clickCount: Int64 = 0
    public private(set) var conversionCount: Int64 = 0
    public private(set) var deliveryCount: Int64 = 0

    static let faultsPerKindMax = 20

    private let directory: DataDirectory
    private let progress: (String) -> Void
    /// Stays open, and in its transaction, for the days to be compared with.
    private var ledger: Connection?

    /// - Parameter progress: told what is read next.
    public init(_ directory: DataDirectory, progress: @escaping (String) -> Void = { _ in }) {
        self.directory = directory
        self.progress = progress
    }

    public func run() {
        checkLedger()
        defer { ledger?.close() }
        let days: [Day]
        do {
            days = try directory.clickDays()
        } catch {
            fault("clicks", "\(error)")
            return
        }
        dayFileCount = days.count
        for (index, day) in days.enumerated() {
            progress("clicks/\(day.text).db (\(index + 1) of \(days.count))")
            checkDay(day)
        }
    }

    private func fault(_ file: String, _ message: String) {
        faults.append(DirectoryFault(file: file, message: message))
    }

    // MARK: The ledger

    private static let ledgerName = "clickrelay.db"

    private func checkLedger() {
        progress(Self.ledgerName)
        read(Self.ledgerName, directory.ledgerPath, LedgerSchema.migrator) {
            (connection) throws(SQLiteError) in
            // A directory that was not upgraded yet lacks what is newer.
            let version = try connection.int64("PRAGMA user_version") ?? 0
            for rule in LedgerRule.all where rule.since <= version {
                progress("\(Self.ledgerName): \(rule.name)")
                try find(rule, connection)
            }
            try checkDocuments(connection)
            conversionCount = try connection.int64("SELECT count(*) FROM conversion") ?? 0
            deliveryCount = try connection.int64("SELECT count(*) FROM delivery") ?? 0
            ledger = connection
        }
    }

    private func find(_ rule: LedgerRule, _ connection: Connection) throws(SQLiteError) {
        let found = try connection.rows("\(rule.sql) LIMIT \(Self.faultsPerKindMax + 1)") {
            (row) throws(SQLiteError) in row.text(0)
        }
        for id in found.prefix(Self.faultsPerKindMax) {
            fault(Self.ledgerName, rule.message(id))
        }
        if found.count > Self.faultsPerKindMax {
            fault(Self.ledgerName, "and more of these: \(rule.name)")
        }
    }

    /// The entities' documents are JSON that has the row's own key.
    private func checkDocuments(_ connection: Connection) throws(SQLiteError) {
        for table in ["source", "network", "offer", "lander", "flow", "campaign"] {
            let documents = try connection.rows("SELECT key, document FROM \(table)") {
                (row) throws(SQLiteError) in (row.text(0), row.text(1))
            }
            for (key, document) in documents {
                do {
                    let json = try JSONValue(parsing: document)
                    if let own = json["key"]?.stringValue, own != key {
                        fault(Self.ledgerName, "the document of \(table) \(key) is that of \(own)")
                    }
                } catch {
                    fault(Self.ledgerName, "the document of \(table) \(key) is not JSON: \(error)")
                }
            }
        }
    }

    // MARK: Days

    private func checkDay(_ day: Day) {
        let name = "clicks/\(day.text).db"
        read(name, directory.clickFilePath(day), ClickSchema.migrator) {
            (connection) throws(SQLiteError) in
            clickCount += try connection.int64("SELECT count(*) FROM click") ?? 0
            // A finished day's file keeps the columns that it was written with.
            let version = try connection.int64("PRAGMA user_version") ?? 0
            let tellsVisitors = version >= 5
            try checkRowsLieInTheirDay(day, name, connection)
            try checkTexts(name, connection, version)
            try checkTotals(name, connection, tellsVisitors)
            if version >= 3 { try checkLanderTotals(name, connection, tellsVisitors) }
            try checkConvertedClicks(day, name, connection)
        }
    }

    private func checkRowsLieInTheirDay(_ day: Day, _ name: String, _ connection: Connection)
        throws(SQLiteError)
    {
        // IDs grow with time, so that the first and the last stand for all between them.
        for edge in ["min", "max"] {
            guard let value = try connection.int64("SELECT \(edge)(id) FROM click") else { return }
            guard let rowID = ClickRowID(rawValue: value) else {
                fault(name, "\(value) is no click's row ID")
                continue
            }
            if rowID.day != day {
                fault(name, "click \(value) belongs to \(rowID.day.text)")
            }
        }
    }

    private func checkTexts(_ name: String, _ connection: Connection, _ version: Int64)
        throws(SQLiteError)
    {
        let columns = [
            ("user_agent", 1), ("referrer", 1), ("parameter_names", 1), ("device", 5), ("place", 6),
        ]
        for (column, since) in columns where version >= since {
            let count =
                try connection.int64(
                    """
                    SELECT count(*) FROM click WHERE \(column) IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM text WHERE text.id = click.\(column))
                    """) ?? 0
            if count > 0 { fault(name, "the \(column) of \(count) clicks is missing") }
        }
    }

    private struct TotalKey: Hashable {
        let slot: Int64
        let campaign: Int64
        let currency: Int64
    }

    private struct Total: Equatable {
        let clicks: Int64
        let costNanos: Int128
        let bots: Int64
    }

    /// The sums that reports read are those of the clicks themselves.
    private func checkTotals(_ name: String, _ connection: Connection, _ tellsVisitors: Bool)
        throws(SQLiteError)
    {
        // What is no click has no cost in any sum.
        let isBot = tellsVisitors ? "visit IS NOT NULL" : "0"
        // The same quarter hours as `ClickFile.slotMicros`, from the milliseconds in the row ID.
        let counted = try totals(
            connection,
            """
            SELECT ((id >> 22) + \(ClickRowID.epochMilliseconds)) / 900000 AS slot, campaign_id,
                CASE WHEN cost_nanos IS NULL OR \(isBot) THEN 0
                    ELSE ifnull(currency, 0) END AS money,
                sum(NOT (\(isBot))),
                sum(CASE WHEN \(isBot) THEN 0 ELSE ifnull(cost_nanos, 0) / 1000000000 END),
                sum(CASE WHEN \(isBot) THEN 0 ELSE ifnull(cost_nanos, 0) % 1000000000 END),
                sum(\(isBot))
            FROM click GROUP BY slot, campaign_id, money
            """)
        let kept = try totals(
            connection,
            """
            SELECT slot, campaign_id, currency, clicks, cost_units, cost_nanos,
                \(tellsVisitors ? "bots" : "0")
            FROM click_total
            """)
        var wrong = 0
        for key in Set(counted.keys).union(kept.keys) where counted[key] != kept[key] {
            wrong += 1
            if wrong > Self.faultsPerKindMax { continue }
            let start = Instant(micros: key.slot * ClickFile.slotMicros).rfc3339
            fault(
                name,
                "campaign \(key.campaign) has \(counted[key]?.clicks ?? 0) clicks from \(start) on "
                    + "and a sum of \(kept[key]?.clicks ?? 0), or their costs or bots differ")
        }
        if wrong > Self.faultsPerKindMax { fault(name, "\(wrong) sums are wrong in all") }
    }

    private func checkLanderTotals(
        _ name: String, _ connection: Connection, _ tellsVisitors: Bool
    ) throws(SQLiteError) {
        let slot = "/ \(ClickFile.slotMicros / 1000)"
        let wrong = try connection.rows(
            """
            SELECT slot, campaign_id FROM (
                SELECT ((id >> 22) + ?1) \(slot) AS slot, campaign_id, 1 AS views, 0 AS clicks,
                    0 AS passed
                FROM click WHERE lander_version IS NOT NULL
                    \(tellsVisitors ? "AND visit IS NULL" : "")
                UNION ALL
                SELECT ((click_id >> 22) + ?1) \(slot), campaign_id, 0, count(*), 1
                FROM lander_click GROUP BY click_id
                UNION ALL
                SELECT slot, campaign_id, -views, -clicks, -passed FROM lander_total)
            GROUP BY slot, campaign_id
            HAVING sum(views) <> 0 OR sum(clicks) <> 0 OR sum(passed) <> 0
            LIMIT \(Self.faultsPerKindMax)
            """, [.integer(ClickRowID.epochMilliseconds)]
        ) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        for (slot, campaign) in wrong {
            let start = Instant(micros: slot * ClickFile.slotMicros).rfc3339
            fault(
                name,
                "the sums of campaign \(campaign)'s landers from \(start) on are not those of its "
                    + "clicks and lander clicks")
        }
    }

    private func totals(_ connection: Connection, _ sql: String) throws(SQLiteError)
        -> [TotalKey: Total]
    {
        var totals: [TotalKey: Total] = [:]
        let rows = try connection.rows(sql) { (row) throws(SQLiteError) in
            (
                TotalKey(slot: row.int64(0), campaign: row.int64(1), currency: row.int64(2)),
                Total(
                    clicks: row.int64(3),
                    costNanos: Int128(row.int64(4)) * 1_000_000_000 + Int128(row.int64(5)),
                    bots: row.int64(6))
            )
        }
        for (key, total) in rows { totals[key] = total }
        return totals
    }

    /// A day that was deleted takes its clicks with it; in one that is there none may be missing.
    private func checkConvertedClicks(_ day: Day, _ name: String, _ connection: Connection)
        throws(SQLiteError)
    {
        guard let ledger else { return }
        let find = try connection.prepare("SELECT 1 FROM click WHERE id = ?1")
        let conversions = try ledger.prepare(
            "SELECT id, click_row_id FROM conversion WHERE click_row_id >= ?1 AND click_row_id < ?2"
        )
        conversions.bind(1, Self.firstRowID(at: day.start))
        conversions.bind(2, Self.firstRowID(at: day.start.advanced(by: .seconds(86_400))))
        var missing = 0
        while try conversions.step() {
            find.bind(1, conversions.int64(1))
            let isThere = try find.step()
            find.reset()
            if isThere { continue }
            missing += 1
            if missing <= Self.faultsPerKindMax {
                fault(name, "the click of conversion \(conversions.int64(0)) is missing")
            }
        }
        if missing > Self.faultsPerKindMax { fault(name, "\(missing) such clicks in all") }
    }

    private static func firstRowID(at instant: Instant) -> Int64 {
        let milliseconds = instant.milliseconds - ClickRowID.epochMilliseconds
        let clamped = min(max(0, milliseconds), ClickRowID.millisecondsMax)
        return ClickRowID(milliseconds: clamped, node: 0, sequence: 0).rawValue
    }

    // MARK: Files

    /// Opens a file, checks that it is whole and ours, and reads on in one transaction.
    private func read(
        _ name: String, _ path: String, _ migrator: Migrator,
        _ body: (Connection) throws(SQLiteError) -> Void
    ) {
        do throws(SQLiteError) {
            let connection = try Connection(path: path, mode: .readOnly)
            defer { if connection !== ledger { connection.close() } }
            do {
                _ = try migrator.check(connection)
            } catch {
                fault(name, "\(error)")
                return
            }
            try connection.begin(.deferred)
            for message in try connection.integrityCheck() { fault(name, message) }
            try body(connection)
        } catch {
            fault(name, "\(error)")
        }
    }
}

/// One thing that always holds in a ledger, as a query for the rows where it doesn't.
private struct LedgerRule: Sendable {
    let name: String
    /// The schema's version that has what is asked.
    var since: Int64 = 1
    /// Selects the ID of each row that breaks the rule; takes a LIMIT.
    let sql: String
    let message: @Sendable (String) -> String

    static let all = [
        LedgerRule(
            name: "every conversion has its revisions, counted from 1",
            sql: """
                SELECT id FROM conversion LEFT JOIN (
                    SELECT conversion_id, count(*) AS amount, min(number) AS low,
                        max(number) AS high
                    FROM conversion_revision GROUP BY conversion_id
                ) AS known ON conversion_id = id
                WHERE ifnull(amount, 0) <> revision OR low <> 1 OR high <> revision
                """,
            message: { "the revisions of conversion \($0) are not 1 to its newest" }),
        LedgerRule(
            name: "every conversion is as its newest revision says",
            sql: """
                SELECT id FROM conversion AS c JOIN conversion_revision AS r
                    ON r.conversion_id = c.id AND r.number = c.revision
                WHERE r.status <> c.status OR r.payout_nanos <> c.payout_nanos
                    OR r.currency <> c.currency
                """,
            message: { "conversion \($0) differs from its newest revision" }),
        LedgerRule(
            name: "what counts towards limits is what the conversions come to", since: 3,
            sql: """
                SELECT scope || ' ' || entity_id || ' in ' || currency FROM (
                    SELECT 'offer' AS scope, offer_id AS entity_id, currency, 1 AS conversions,
                        payout_nanos / 1000000000 AS units, payout_nanos % 1000000000 AS nanos
                    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
                    UNION ALL
                    SELECT 'campaign', campaign_id, currency, 1, payout_nanos / 1000000000,
                        payout_nanos % 1000000000
                    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
                    UNION ALL
                    SELECT scope, entity_id, currency, -conversions, -payout_units, -payout_nanos
                    FROM conversion_total WHERE day = \(LedgerTransaction.allDays))
                GROUP BY scope, entity_id, currency
                HAVING sum(conversions) <> 0 OR sum(units) <> 0 OR sum(nanos) <> 0
                """,
            message: { "the sums of \($0) are not those of its conversions" }),
        LedgerRule(
            name: "sums of ways are those of the conversions", since: 16,
            sql: """
                SELECT campaign_id || ' on path ' || path || ' in ' || currency FROM (
                    SELECT campaign_id, path, offer_id, currency, 1 AS conversions,
                        payout_nanos / 1000000000 AS units, payout_nanos % 1000000000 AS nanos
                    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
                    UNION ALL
                    SELECT campaign_id, path, offer_id, currency, -conversions, -payout_units,
                        -payout_nanos
                    FROM conversion_way)
                GROUP BY campaign_id, path, offer_id, currency
                HAVING sum(conversions) <> 0 OR sum(units) <> 0 OR sum(nanos) <> 0
                """,
            message: { "the sums of campaign \($0) are not those of its conversions" }),
        LedgerRule(
            name: "every revision has the call that made it",
            sql: """
                SELECT conversion_id FROM conversion_revision AS r WHERE NOT EXISTS (
                    SELECT 1 FROM postback WHERE postback.id = r.postback_id)
                """,
            message: { "the call that made a revision of conversion \($0) is missing" }),
        LedgerRule(
            name: "every delivery tells of a revision",
            sql: """
                SELECT id FROM delivery AS d WHERE NOT EXISTS (
                    SELECT 1 FROM conversion_revision AS r
                    WHERE r.conversion_id = d.conversion_id AND r.number = d.revision)
                """,
            message: { "delivery \($0) tells of a revision that does not exist" }),
        LedgerRule(
            name: "every accepted call has its conversion",
            sql: """
                SELECT id FROM postback
                WHERE verdict IN ('accepted', 'updated') AND conversion_id IS NULL
                """,
            message: { "postback \($0) was accepted and has no conversion" }),
        LedgerRule(
            name: "clicks can be told from inventions",
            sql: """
                SELECT id FROM conversion WHERE NOT EXISTS (SELECT 1 FROM click_key)
                """,
            message: { "conversion \($0) has a click, but there is no click ID key" }),
    ]
}

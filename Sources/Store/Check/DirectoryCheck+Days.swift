internal import Domain
internal import SQLite

/// What always holds in a day's file, by itself and beside the ledger.
extension DirectoryCheck {
    func checkRowsLieInTheirDay(_ day: Day, _ name: String, _ connection: Connection)
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

    func checkTexts(_ name: String, _ connection: Connection, _ version: Int64)
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

    fileprivate struct TotalKey: Hashable {
        let slot: Int64
        let campaign: Int64
        let currency: Int64
    }

    fileprivate struct Total: Equatable {
        let clicks: Int64
        let costNanos: Int128
        let bots: Int64
    }

    /// The sums that reports read are those of the clicks themselves.
    func checkTotals(_ name: String, _ connection: Connection, _ tellsVisitors: Bool)
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

    func checkLanderTotals(
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

    /// The sums that caps are counted from are those of the clicks themselves.
    func checkWays(_ name: String, _ connection: Connection, _ tellsVisitors: Bool)
        throws(SQLiteError)
    {
        let wrong = try connection.rows(
            """
            SELECT DISTINCT slot, campaign_id FROM (
                SELECT ((id >> 22) + ?1) / \(ClickFile.slotMicros / 1000) AS slot, campaign_id,
                    ifnull(flow_version, 0) AS flow, ifnull(rule, 0) AS rule, path, offer_version,
                    1 AS clicks
                FROM click WHERE path > 0 \(tellsVisitors ? "AND visit IS NULL" : "")
                UNION ALL
                SELECT slot, campaign_id, flow_version, rule, path, offer_version, -clicks
                FROM click_way)
            GROUP BY slot, campaign_id, flow, rule, path, offer_version HAVING sum(clicks) <> 0
            LIMIT \(Self.faultsPerKindMax)
            """, [.integer(ClickRowID.epochMilliseconds)]
        ) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        for (slot, campaign) in wrong {
            let start = Instant(micros: slot * ClickFile.slotMicros).rfc3339
            fault(
                name,
                "the sums that caps of campaign \(campaign) are counted from are not those of its "
                    + "clicks from \(start) on")
        }
    }

    /// The ledger's copy of a day's sums has nothing that the day doesn't have. Less is no fault:
    /// clicks may come late after the disk has failed for long.
    func checkKeptWays(_ day: Day, _ name: String, _ connection: Connection) throws(SQLiteError) {
        guard let ledger, try ledger.hasTable("click_day_way") else { return }
        let kept = try ledger.rows(
            """
            SELECT campaign_id, flow_version, rule, path, offer_version, clicks
            FROM click_day_way WHERE day = ?1
            """, [.integer(Int64(day.number))]
        ) { (row) throws(SQLiteError) in (ClickWay(row), row.int64(5)) }
        if kept.isEmpty { return }
        var own: [ClickWay: Int64] = [:]
        try connection.rows(
            """
            SELECT campaign_id, flow_version, rule, path, offer_version, sum(clicks) FROM click_way
            GROUP BY campaign_id, flow_version, rule, path, offer_version
            """
        ) { (row) throws(SQLiteError) in own[ClickWay(row)] = row.int64(5) }
        let wrong = Set(kept.filter { $1 > own[$0, default: 0] }.map(\.0.campaignID.rawValue))
        for campaign in wrong.sorted().prefix(Self.faultsPerKindMax) {
            fault(
                name, "campaign \(campaign) has fewer clicks than were summed when the day was over"
            )
        }
    }

    /// A lander click lies with its click, and is of the same campaign.
    func checkLanderClicks(_ name: String, _ connection: Connection) throws(SQLiteError) {
        let count =
            try connection.int64(
                """
                SELECT count(*) FROM lander_click AS l WHERE NOT EXISTS (
                    SELECT 1 FROM click AS c
                    WHERE c.id = l.click_id AND c.campaign_id = l.campaign_id)
                """) ?? 0
        if count > 0 { fault(name, "the clicks of \(count) lander clicks are missing") }
    }

    /// What clicks refer to in the ledger: their campaigns, and the wordings that decided.
    func checkReferences(_ name: String, _ connection: Connection, _ version: Int64)
        throws(SQLiteError)
    {
        guard ledger != nil else { return }
        let decided = version < 2 ? "NULL, NULL" : "flow_version, lander_version"
        var found: [String: Set<Int64>] = [:]
        let tables = ["campaign", "offer_version", "flow_version", "lander_version"]
        try connection.rows("SELECT DISTINCT campaign_id, offer_version, \(decided) FROM click") {
            (row) throws(SQLiteError) in
            for (column, table) in tables.enumerated() {
                // 0 stands for none.
                guard let id = row.optionalInt64(Int32(column)), id != 0 else { continue }
                found[table, default: []].insert(id)
            }
        }
        if version >= 3 {
            try connection.rows("SELECT DISTINCT offer_version FROM lander_click") {
                (row) throws(SQLiteError) in
                if row.int64(0) != 0 { found["offer_version", default: []].insert(row.int64(0)) }
            }
        }
        for (table, ids) in found.sorted(by: { $0.key < $1.key }) {
            let missing = try missing(ids, table).sorted()
            for id in missing.prefix(Self.faultsPerKindMax) {
                fault(
                    name,
                    "clicks refer to \(table) \(id), which is missing")
            }
        }
    }

    private func missing(_ ids: Set<Int64>, _ table: String) throws(SQLiteError) -> Set<Int64> {
        var left = ids
        if let ledger { left.subtract(try Self.ids(table, ledger)) }
        if left.isEmpty { return [] }
        // Beside a server: made since the ledger was read, but before the click.
        let now = try Connection(path: directory.ledgerPath, mode: .readOnly)
        defer { now.close() }
        return left.subtracting(try Self.ids(table, now))
    }

    private static func ids(_ table: String, _ ledger: Connection) throws(SQLiteError)
        -> Set<Int64>
    {
        guard try ledger.hasTable(table) else { return [] }
        return Set(
            try ledger.rows("SELECT id FROM \(table)") { (row) throws(SQLiteError) in row.int64(0) }
        )
    }

    /// A day that was deleted takes its clicks with it; in one that is there none may be missing,
    /// and each conversion is a copy of its click.
    func checkConvertedClicks(_ day: Day, _ name: String, _ connection: Connection)
        throws(SQLiteError)
    {
        guard let ledger else { return }
        let find = try connection.prepare(
            "SELECT campaign_id, external_id FROM click WHERE id = ?1")
        let conversions = try ledger.prepare(
            """
            SELECT id, click_row_id, campaign_id, external_id FROM conversion
            WHERE click_row_id >= ?1 AND click_row_id < ?2
            """)
        conversions.bind(1, LedgerReader.firstRowID(at: day.start))
        conversions.bind(2, LedgerReader.firstRowID(at: day.advanced(by: 1).start))
        var wrong = 0
        while try conversions.step() {
            find.bind(1, conversions.int64(1))
            let isThere = try find.step()
            let isSame =
                isThere && find.int64(0) == conversions.int64(2)
                && (find.optionalBlob(1) ?? []) == (conversions.optionalBlob(3) ?? [])
            find.reset()
            if isSame { continue }
            wrong += 1
            if wrong <= Self.faultsPerKindMax {
                fault(
                    name,
                    isThere
                        ? "conversion \(conversions.int64(0)) differs from its click in campaign or "
                            + "external ID"
                        : "the click of conversion \(conversions.int64(0)) is missing")
            }
        }
        if wrong > Self.faultsPerKindMax { fault(name, "\(wrong) such clicks in all") }
    }

    /// Retention deletes the oldest days, so that one is missing which is newer than another that is
    /// there, though the ledger knows of clicks in it.
    func checkMissingDays(_ days: [Day], _ emptyDays: Set<Day>) {
        guard let ledger, let oldest = days.first else { return }
        do throws(SQLiteError) {
            var known = Set(
                try ledger.rows(
                    "SELECT DISTINCT ((click_row_id >> 22) + ?1) / 86400000 FROM conversion",
                    [.integer(ClickRowID.epochMilliseconds)]
                ) { (row) throws(SQLiteError) in
                    Day(number: Int32(clamping: row.int64(0)))
                })
            for day in known.intersection(emptyDays).sorted() {
                fault("clicks/\(day.text).db", "is empty, though there were clicks in it")
            }
            if try ledger.hasTable("click_day") {
                try ledger.rows("SELECT day FROM click_day") { (row) throws(SQLiteError) in
                    known.insert(Day(number: Int32(clamping: row.int64(0))))
                }
            }
            for day in known.subtracting(days).sorted() where day > oldest {
                fault("clicks/\(day.text).db", "is missing, though there are days before it")
            }
        } catch {
            fault(Self.ledgerName, "\(error)")
        }
    }
}

extension Connection {
    func hasTable(_ name: String) throws(SQLiteError) -> Bool {
        try int64(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [.text(name)]) != nil
    }
}

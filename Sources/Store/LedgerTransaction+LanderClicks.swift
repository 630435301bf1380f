public import Domain
internal import SQLite

extension LedgerTransaction {
    /// Keeps a lander click that the file of its click's day does not take any more, or can't take;
    /// one more than a click may have is left out.
    ///
    /// - Parameter isFirst: the day's file has no other one of this click.
    public func insertLate(_ landerClick: LanderClick, isFirst: Bool) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                INSERT OR IGNORE INTO late_lander_click (\(LanderClick.columns), is_first)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6 AND NOT EXISTS (
                    SELECT 1 FROM late_lander_click WHERE click_id = ?1)
                WHERE (SELECT count(*) FROM (
                    SELECT 1 FROM late_lander_click WHERE click_id = ?1
                    LIMIT \(LanderClick.perClickMax))) < \(LanderClick.perClickMax)
                """, landerClick.values + [.bool(isFirst)])
        }
    }

    /// All lander clicks of a click, those of its day's file first.
    public func landerClicks(of rowID: ClickRowID) throws(StoreError) -> [LanderClick] {
        let inDay: [LanderClick]
        do {
            inDay = try clicks.landerClicks(of: rowID)
        } catch {
            throw .unreadable(error.description)
        }
        return try sql { () throws(SQLiteError) in
            try inDay + LanderClick.all(statements.findLateLanderClicks, of: rowID)
        }
    }
}

extension LedgerReader {
    /// All lander clicks of a click, those of its day's file first.
    public func landerClicks(of rowID: ClickRowID) throws(StoreError) -> [LanderClick] {
        try clicks.landerClicks(of: rowID) + lateLanderClicks(of: rowID)
    }

    /// Those that the ledger has, from the given ID on.
    func lateLanderClicks(of rowID: ClickRowID, from first: ClickRowID? = nil)
        throws(StoreError) -> [LanderClick]
    {
        try sql { (connection) throws(SQLiteError) in
            try LanderClick.all(
                connection.prepare(LanderClick.lateSQL), of: rowID, from: first)
        }
    }

    /// Sums of the lander clicks that came too late for the files of their clicks' days, within a
    /// range of times of those clicks.
    public func lateLanderTotals(from: Instant, to: Instant) throws(StoreError) -> [LanderTotal] {
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT campaign_id, 0, count(*), sum(is_first) FROM late_lander_click
                WHERE click_id >= ?1 AND click_id < ?2 GROUP BY campaign_id
                """,
                [.integer(Self.firstRowID(at: from)), .integer(Self.firstRowID(at: to))]
            ) { (row) throws(SQLiteError) in LanderTotal(row: row) }
        }
    }
}

extension LanderClick {
    static let lateSQL = """
        SELECT \(columns) FROM late_lander_click WHERE click_id = ?1 AND id >= ?2
        ORDER BY id LIMIT \(perClickMax)
        """

    /// Oldest first.
    fileprivate static func all(
        _ find: Statement, of rowID: ClickRowID, from first: ClickRowID? = nil
    ) throws(SQLiteError) -> [LanderClick] {
        find.bind(1, rowID.rawValue)
        find.bind(2, first?.rawValue ?? 0)
        var found: [LanderClick] = []
        while try find.step() {
            if let landerClick = LanderClick(row: find) { found.append(landerClick) }
        }
        return found
    }
}

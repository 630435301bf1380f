public import Domain
internal import SQLite

extension LedgerTransaction {
    /// Keeps a lander click that the file of its click's day does not take any more.
    ///
    /// - Parameter isFirst: the day's file has no other one of this click.
    public func insertLate(_ landerClick: LanderClick, isFirst: Bool) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                INSERT OR IGNORE INTO late_lander_click (\(LanderClick.columns), is_first)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6 AND NOT EXISTS (
                    SELECT 1 FROM late_lander_click WHERE click_id = ?1)
                """, landerClick.values + [.bool(isFirst)])
        }
    }

    /// All lander clicks of a click, oldest first.
    public func landerClicks(of rowID: ClickRowID, at now: Instant) throws(StoreError)
        -> [LanderClick]
    {
        let inDay: [LanderClick]
        do {
            inDay = try clicks.landerClicks(of: rowID)
        } catch {
            throw .unreadable(error.description)
        }
        // Most conversions come while the day's file still takes them.
        guard ClickStore.isFinished(rowID.day, at: now) else { return inDay }
        return inDay
            + (try sql { () throws(SQLiteError) in
                try LanderClick.late(of: rowID, connection)
            })
    }
}

extension LedgerReader {
    /// All lander clicks of a click, oldest first.
    public func landerClicks(of rowID: ClickRowID) throws(StoreError) -> [LanderClick] {
        try clicks.landerClicks(of: rowID)
            + (try sql { (connection) throws(SQLiteError) in
                try LanderClick.late(of: rowID, connection)
            })
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
    fileprivate static func late(of rowID: ClickRowID, _ connection: Connection)
        throws(SQLiteError) -> [LanderClick]
    {
        try connection.rows(
            "SELECT \(columns) FROM late_lander_click WHERE click_id = ?1 ORDER BY id",
            [.integer(rowID.rawValue)]
        ) { (row) throws(SQLiteError) in LanderClick(row: row) }
        .compactMap { $0 }
    }
}

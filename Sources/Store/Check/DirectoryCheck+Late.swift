internal import Domain
internal import SQLite

/// What the ledger came to know of a day's clicks after their file was finished, or for the time
/// when it is gone.
extension DirectoryCheck {
    /// A lander click that came late is of a click of its day's file, as one that came in time, and
    /// follows on one that is there.
    func checkLateLanderClicks(_ day: Day, _ name: String, _ connection: Connection)
        throws(SQLiteError)
    {
        guard let ledger, try ledger.hasTable("late_lander_click") else { return }
        let find = try connection.prepare(
            """
            SELECT EXISTS (SELECT 1 FROM click WHERE id = ?1 AND campaign_id = ?2),
                EXISTS (SELECT 1 FROM lander_click WHERE click_id = ?1)
            """)
        let late = try ledger.prepare(
            """
            SELECT click_id, campaign_id, count(*), max(is_first) FROM late_lander_click
            WHERE click_id >= ?1 AND click_id < ?2 GROUP BY click_id, campaign_id
            """)
        late.bind(1, LedgerReader.firstRowID(at: day.start))
        late.bind(2, LedgerReader.firstRowID(at: day.advanced(by: 1).start))
        var orphans: Int64 = 0
        var followers: Int64 = 0
        while try late.step() {
            find.bind(1, late.int64(0))
            find.bind(2, late.int64(1))
            _ = try find.step()  // there is always one row
            if !find.bool(0) { orphans += late.int64(2) }
            // The other way round is no fault: while the file failed nobody could say what is in it.
            if late.int64(3) == 0, !find.bool(1) { followers += late.int64(2) }
            find.reset()
        }
        if orphans > 0 { fault(name, "the clicks of \(orphans) late lander clicks are missing") }
        if followers > 0 {
            fault(name, "what came before \(followers) late lander clicks of its clicks is missing")
        }
    }

    /// Clicks only become more, so that no cost layer was about more of them than there are.
    func checkNotedClicks(_ day: Day, _ name: String, _ connection: Connection)
        throws(SQLiteError)
    {
        guard let ledger, try ledger.hasTable("cost_layer_day") else { return }
        let count = try connection.prepare(
            """
            SELECT sum(clicks) FROM click_total
            WHERE campaign_id = ?1 AND slot >= ?2 AND slot < ?3
            """)
        let noted = try ledger.prepare(
            """
            SELECT id, clicks, campaign_id, from_quarter, to_quarter
            FROM cost_layer_day JOIN cost_layer ON id = layer_id WHERE day = ?1
            """)
        noted.bind(1, Int64(day.number))
        var wrong = 0
        while try noted.step() {
            for place in Int32(1)...3 { count.bind(place, noted.int64(place + 1)) }
            let clicks = try count.step() ? count.int64(0) : 0
            count.reset()
            if noted.int64(1) <= clicks { continue }
            wrong += 1
            if wrong > Self.faultsPerKindMax { continue }
            fault(
                name,
                "has \(clicks) clicks in the times of cost layer \(noted.int64(0)), fewer than the "
                    + "\(noted.int64(1)) that it is noted with")
        }
        if wrong > Self.faultsPerKindMax { fault(name, "\(wrong) such cost layers in all") }
    }
}

internal import Domain
internal import SQLite

/// What the ledger came to know of a day's clicks after their file was finished, or for the time
/// when it is gone.
extension DirectoryCheck {
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

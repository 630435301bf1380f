internal import Domain
internal import SQLite

/// The lander clicks in one day's file, as its writer sees them.
final class LanderClickTable {
    private let connection: Connection
    private let insert: Statement
    private let count: Statement
    private let addTotal: Statement
    /// Sums of the open transaction, written once at its end.
    private var totals: [Key: Total] = [:]

    private struct Key: Hashable {
        let slot: Int64
        let campaignID: Int64

        /// A lander click counts at the time of its click, so that both stand in one row of a
        /// report.
        init(_ clickRowID: ClickRowID, _ campaignID: CampaignID) {
            slot = clickRowID.instant.micros / ClickFile.slotMicros
            self.campaignID = campaignID.rawValue
        }
    }

    private struct Total {
        var views: Int64 = 0
        var clicks: Int64 = 0
        var passed: Int64 = 0
    }

    init(_ connection: Connection) throws(SQLiteError) {
        self.connection = connection
        insert = try connection.prepare(
            """
            INSERT OR IGNORE INTO lander_click (click_id, id, campaign_id, number, offer_version)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """)
        count = try connection.prepare(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM lander_click WHERE click_id = ?1 LIMIT \(LanderClick.perClickMax))
            """)
        addTotal = try connection.prepare(
            """
            INSERT INTO lander_total (slot, campaign_id, views, clicks, passed)
            VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET views = views + excluded.views,
                clicks = clicks + excluded.clicks, passed = passed + excluded.passed
            """)
    }

    /// A new click is sent to a lander.
    func noteView(_ rowID: ClickRowID, of campaignID: CampaignID) {
        totals[Key(rowID, campaignID), default: Total()].views += 1
    }

    /// One more than a click may have is left out.
    func insert(_ landerClick: LanderClick) throws(SQLiteError) {
        count.bind(1, landerClick.clickRowID.rawValue)
        let before = try count.step() ? count.int64(0) : 0
        count.reset()
        guard before < LanderClick.perClickMax else { return }
        insert.bind(1, landerClick.clickRowID.rawValue)
        insert.bind(2, landerClick.id.rawValue)
        insert.bind(3, landerClick.campaignID.rawValue)
        insert.bind(4, landerClick.number.rawValue)
        insert.bind(5, landerClick.offerVersion)
        try insert.run()
        guard connection.changes == 1 else { return }
        let key = Key(landerClick.clickRowID, landerClick.campaignID)
        totals[key, default: Total()].clicks += 1
        if before == 0 { totals[key, default: Total()].passed += 1 }
    }

    func writeTotals() throws(SQLiteError) {
        for (key, total) in totals {
            addTotal.bind(1, key.slot)
            addTotal.bind(2, key.campaignID)
            addTotal.bind(3, total.views)
            addTotal.bind(4, total.clicks)
            addTotal.bind(5, total.passed)
            try addTotal.run()
        }
    }

    /// Once they are on disk.
    func forgetTotals() { totals.removeAll(keepingCapacity: true) }
}

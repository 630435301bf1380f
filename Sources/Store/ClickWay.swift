public import Domain
internal import SQLite

/// Which way clicks went: what sums for caps are taken by.
public struct ClickWay: Hashable, Sendable {
    public let campaignID: CampaignID
    /// 0: from before versions were kept.
    public let flowVersion: Int64
    /// As in `Decision`, of paths only.
    public let rule: Int
    public let path: Int
    /// Of the offer that the visitor was meant for, an overflow's included.
    public let offerVersion: Int64

    public init(
        campaignID: CampaignID, flowVersion: Int64, rule: Int, path: Int, offerVersion: Int64
    ) {
        self.campaignID = campaignID
        self.flowVersion = flowVersion
        self.rule = rule
        self.path = path
        self.offerVersion = offerVersion
    }

    /// From columns `campaign_id, flow_version, rule, path, offer_version` and the sum behind them.
    init(_ row: Statement) {
        self.init(
            campaignID: CampaignID(row.int64(0)), flowVersion: row.int64(1),
            rule: Int(row.int64(2)), path: Int(row.int64(3)), offerVersion: row.int64(4))
    }
}

extension NewClick {
    var way: ClickWay {
        ClickWay(
            campaignID: campaignID, flowVersion: flowVersion, rule: rule, path: path,
            offerVersion: offerVersion)
    }

    /// The only place where that is decided for what is on disk: a visitor whom a path took. Loops
    /// take room of the caps by the same rule.
    var countsTowardsCaps: Bool { path > 0 && visit == .visitor }
}

extension ClickReader {
    /// One day's sums by way, of the quarter hours from `from` on and before `to`.
    public func ways(on day: Day, from: Instant, to: Instant) throws(StoreError)
        -> [(way: ClickWay, clicks: Int64)]
    {
        try read(day) { (connection, version) throws(SQLiteError) in
            try connection.rows(
                Self.waysSQL(fileVersion: version),
                [
                    .integer(ClickTotal.slot(startingAtOrAfter: from)),
                    .integer(ClickTotal.slot(startingAtOrAfter: to)),
                ]
            ) { (row) throws(SQLiteError) in (ClickWay(row), row.int64(5)) }
        } ?? []
    }

    /// A finished day's file stays as it was written: older ones have no sums, and fewer columns.
    private static func waysSQL(fileVersion version: Int64) -> String {
        if version >= 4 {
            return """
                SELECT campaign_id, flow_version, rule, path, offer_version, sum(clicks)
                FROM click_way WHERE slot >= ?1 AND slot < ?2
                GROUP BY campaign_id, flow_version, rule, path, offer_version
                """
        }
        let slot = "((id >> 22) + \(ClickRowID.epochMilliseconds)) / 900000"
        return """
            SELECT campaign_id, \(version < 2 ? "0" : "ifnull(flow_version, 0)") AS flow,
                \(version < 2 ? "0" : "ifnull(rule, 0)") AS chosen, path, offer_version, count(*)
            FROM click WHERE path > 0 AND \(slot) >= ?1 AND \(slot) < ?2
            GROUP BY campaign_id, flow, chosen, path, offer_version
            """
    }
}

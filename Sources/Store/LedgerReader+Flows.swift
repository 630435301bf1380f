public import Domain
internal import SQLite

extension LedgerReader {
    /// What decided about a campaign's visitors when this version was the newest; nil when there is
    /// no such version, or it is another campaign's.
    /// - Parameter campaign: nil: of any.
    public func flowVersion(_ id: Int64, of campaign: CampaignID? = nil) throws(StoreError)
        -> FlowVersion?
    {
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT document FROM flow_version WHERE id = ?1 AND ifnull(?2, campaign_id) = campaign_id",
                [.integer(id), campaign.map { .integer($0.rawValue) } ?? .null]
            ) { (row) throws(SQLiteError) in
                (try? JSONValue(parsing: row.text(0))).map { FlowVersion(id: id, document: $0) }
            }.first ?? nil
        }
    }
}

public import Domain
internal import SQLite

extension LedgerReader {
    /// What decided about a campaign's visitors when this version was the newest; nil when there is
    /// no such version.
    public func flowVersion(_ id: Int64) throws(StoreError) -> FlowVersion? {
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT document FROM flow_version WHERE id = ?1", [.integer(id)]
            ) { (row) throws(SQLiteError) in
                (try? JSONValue(parsing: row.text(0))).map { FlowVersion(id: id, document: $0) }
            }.first ?? nil
        }
    }
}

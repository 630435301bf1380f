internal import SQLite

extension LedgerReader {
    /// All tokens, revoked ones too, oldest first.
    public func tokens() throws(StoreError) -> [APIToken] {
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(APIToken.select) { (row) throws(SQLiteError) in
                APIToken.read(row)
            }
        }
    }

    /// The number of the newest migration the ledger has had.
    public func schemaVersion() throws(StoreError) -> Int64 {
        try sql { (connection) throws(SQLiteError) in
            let version: Int64 = try connection.pragma("user_version")
            return version
        }
    }
}

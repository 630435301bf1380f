internal import SQLite

extension LedgerReader {
    /// Whether an API token with this digest is valid now.
    public func isValidToken(sha256: [UInt8]) throws(StoreError) -> Bool {
        try sql { (connection) throws(SQLiteError) in
            try connection.int64(
                "SELECT 1 FROM api_token WHERE token_sha256 = ?1 AND revoked_at_us IS NULL",
                [.blob(sha256)]) == 1
        }
    }

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

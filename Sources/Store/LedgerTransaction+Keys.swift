public import Domain
internal import SQLite

/// A token of the administration API, as it is kept: its SHA-256 only.
public struct APIToken: Sendable, Equatable {
    public let id: Int64
    public let name: String
    public let createdAt: Instant
    public let revokedAt: Instant?

    static let select =
        "SELECT id, name, created_at_us, revoked_at_us FROM api_token ORDER BY id"

    static func read(_ row: Statement) -> APIToken {
        APIToken(
            id: row.int64(0), name: row.text(1), createdAt: Instant(micros: row.int64(2)),
            revokedAt: row.optionalInt64(3).map { Instant(micros: $0) })
    }
}

extension LedgerTransaction {
    /// The installation's click ID keys, oldest first.
    public func clickKeys() throws(StoreError) -> [[UInt8]] {
        try sql { () throws(SQLiteError) in
            try connection.rows("SELECT secret FROM click_key ORDER BY id") {
                (row) throws(SQLiteError) in row.blob(0)
            }
        }
    }

    /// Adds a click ID key; it issues from the next start on, and older ones still verify.
    public func addClickKey(_ secret: [UInt8], at now: Instant) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO click_key (secret, created_at_us) VALUES (?1, ?2)",
                [.blob(secret), .integer(now.micros)])
        }
    }

    public func addToken(name: String, sha256: [UInt8], at now: Instant) throws(StoreError)
        -> APIToken
    {
        let token = try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO api_token (name, token_sha256, created_at_us) VALUES (?1, ?2, ?3)",
                [.text(name), .blob(sha256), .integer(now.micros)])
            return APIToken(
                id: connection.lastInsertRowID, name: name, createdAt: now, revokedAt: nil)
        }
        catalog.tokenDigests.insert(sha256)
        noteCatalogChange()
        return token
    }

    /// Revokes tokens by name, or one by number. Revoked ones stay listed.
    /// - Returns: those that were revoked by this call.
    public func revokeTokens(_ nameOrID: String, at now: Instant) throws(StoreError) -> [APIToken] {
        let matches = try tokens().filter {
            $0.revokedAt == nil && ($0.name == nameOrID || String($0.id) == nameOrID)
        }
        guard !matches.isEmpty else { throw .notFound("there is no valid token \"\(nameOrID)\"") }
        try sql { () throws(SQLiteError) in
            for token in matches {
                try connection.run(
                    "UPDATE api_token SET revoked_at_us = ?2 WHERE id = ?1",
                    [.integer(token.id), .integer(now.micros)])
            }
        }
        catalog.tokenDigests = try validTokenDigests()
        noteCatalogChange()
        return matches.map {
            APIToken(id: $0.id, name: $0.name, createdAt: $0.createdAt, revokedAt: now)
        }
    }

    public func tokens() throws(StoreError) -> [APIToken] {
        try sql { () throws(SQLiteError) in
            try connection.rows(APIToken.select) { (row) throws(SQLiteError) in
                APIToken.read(row)
            }
        }
    }

    /// SHA-256 digests of the tokens that are valid now.
    public func validTokenDigests() throws(StoreError) -> Set<[UInt8]> {
        try sql { () throws(SQLiteError) in
            Set(
                try connection.rows(
                    "SELECT token_sha256 FROM api_token WHERE revoked_at_us IS NULL"
                ) { (row) throws(SQLiteError) in row.blob(0) })
        }
    }
}

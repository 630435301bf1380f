public import Domain
internal import SQLite

/// What a replay has to know of the past.
extension LedgerTransaction {
    public func postback(_ id: PostbackID) throws(StoreError) -> StoredPostback? {
        try sql { () throws(SQLiteError) in
            try connection.first(
                "SELECT \(PostbackRow.columns), body FROM postback WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in PostbackRow.read(row) }
        }
    }

    /// The conversion that a call, or a replay of it, made or changed.
    public func conversion(madeBy root: PostbackID) throws(StoreError) -> Conversion? {
        try sql { () throws(SQLiteError) in
            try connection.first(
                """
                SELECT \(ConversionRow.columns) FROM conversion WHERE id = (
                    SELECT conversion_id FROM (
                        SELECT id, conversion_id, verdict FROM postback WHERE id = ?1
                        UNION ALL
                        SELECT id, conversion_id, verdict FROM postback WHERE replay_of = ?1)
                    WHERE verdict IN ('accepted', 'updated', 'test') AND conversion_id IS NOT NULL
                    ORDER BY id LIMIT 1)
                """, [.integer(root.rawValue)]
            ) { (row) throws(SQLiteError) in try ConversionRow.read(row) }
        }
    }

    /// The newest of the calls that made a conversion's revisions. A replay counts as the call that
    /// it repeats.
    public func newestCall(of id: ConversionID) throws(StoreError) -> PostbackID? {
        try sql { () throws(SQLiteError) in
            try connection.int64(
                """
                SELECT max(coalesce(postback.replay_of, postback.id)) FROM conversion_revision
                JOIN postback ON postback.id = postback_id WHERE conversion_revision.conversion_id = ?1
                """, [.integer(id.rawValue)]
            ).map { PostbackID($0) }
        }
    }
}

internal import Domain
internal import SQLite

extension LedgerTransaction {
    /// As many calls lose their text at a time: postbacks wait meanwhile.
    static let forgottenAtOnce: Int64 = 500

    private static let emptied = "target = x'', headers = x'', body = x'', sender = NULL"

    /// Empties the texts of some old calls in a transaction of its own. Their rows stay: conversions
    /// and their revisions refer to them, and the verdict is still worth reading. Those that are
    /// parked keep theirs until they wait no more: it holds what they are worth.
    ///
    /// Calls are numbered in the order they came, so a counter says how far this has come.
    ///
    /// - Returns: whether there are more.
    func forgetCalls(before time: Instant) throws(StoreError) -> Bool {
        try sql { () throws(SQLiteError) in
            let done =
                try connection.int64("SELECT value FROM counter WHERE name = 'forgotten_postbacks'")
                ?? 0
            let last = try connection.int64(
                """
                SELECT max(id) FROM (
                    SELECT id, received_at_us FROM postback WHERE id > ?1 ORDER BY id LIMIT ?2)
                WHERE received_at_us < ?3
                """, [.integer(done), .integer(Self.forgottenAtOnce), .integer(time.micros)])
            guard let last else { return false }
            try connection.transaction { () throws(SQLiteError) in
                try connection.run(
                    """
                    UPDATE postback SET \(Self.emptied) WHERE id > ?1 AND id <= ?2
                        AND id NOT IN (SELECT postback_id FROM parked)
                    """, [.integer(done), .integer(last)])
                try connection.run(
                    "INSERT INTO counter (name, value) VALUES ('forgotten_postbacks', ?1) "
                        + "ON CONFLICT DO UPDATE SET value = excluded.value", [.integer(last)])
            }
            return last - done >= Self.forgottenAtOnce
        }
    }

    /// Empties the text of a call that waits no more, if its turn was while it waited.
    func forgetIfOld(_ id: PostbackID) throws(SQLiteError) {
        try connection.run(
            """
            UPDATE postback SET \(Self.emptied) WHERE id = ?1 AND id <=
                (SELECT value FROM counter WHERE name = 'forgotten_postbacks')
            """, [.integer(id.rawValue)])
    }
}

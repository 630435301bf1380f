public import Domain
internal import SQLite

/// Calls that were kept with their value though they could not be counted.
extension LedgerTransaction {
    /// - Parameter isHeld: its click is there, but a limit was passed: `parked(after:)` leaves it
    ///   to people.
    public func park(_ id: PostbackID, click: ClickRowID, isHeld: Bool) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                INSERT INTO parked (postback_id, click_row_id, is_held) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET is_held = excluded.is_held
                """, [.integer(id.rawValue), .integer(click.rawValue), .integer(isHeld ? 1 : 0)])
        }
    }

    /// What a call waits for has changed. Nothing happens when it does not wait.
    public func setHeld(_ id: PostbackID, _ isHeld: Bool) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE parked SET is_held = ?2 WHERE postback_id = ?1",
                [.integer(id.rawValue), .integer(isHeld ? 1 : 0)])
        }
    }

    /// The call waits no longer. Nothing happens when it did not.
    public func unpark(_ id: PostbackID) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                "DELETE FROM parked WHERE postback_id = ?1", [.integer(id.rawValue)])
            if connection.changes > 0 { try forgetIfOld(id) }
        }
    }

    /// Some of the calls that wait for their click, oldest first.
    public func parked(after cursor: PostbackID?, limit: Int) throws(StoreError)
        -> [(id: PostbackID, click: ClickRowID)]
    {
        try sql { () throws(SQLiteError) in
            try connection.rows(
                """
                SELECT postback_id, click_row_id FROM parked
                WHERE is_held = 0 AND postback_id > ?1 ORDER BY postback_id
                LIMIT ?2
                """, [.integer(cursor?.rawValue ?? 0), .integer(Int64(limit))]
            ) { (row) throws(SQLiteError) in
                guard let click = ClickRowID(rawValue: row.int64(1)) else {
                    throw .corrupt("parked call \(row.int64(0)) has no click")
                }
                return (PostbackID(row.int64(0)), click)
            }
        }
    }

    /// Somebody decided that the call will not be counted; its message says so. It can still be
    /// replayed.
    public func rejectParked(_ id: PostbackID, at now: Instant) throws(StoreError)
        -> StoredPostback
    {
        guard let call = try postback(id) else { throw .notFound("there is no postback \(id)") }
        guard call.isWaiting else {
            throw .conflict("postback \(id) is \(call.verdict) and does not wait for anything")
        }
        try unpark(id)
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE postback SET message = message || ?2 WHERE id = ?1",
                [.integer(id.rawValue), .text("; rejected by hand at \(now.rfc3339)")])
        }
        guard let rejected = try postback(id) else { throw .notFound("there is no postback \(id)") }
        return rejected
    }
}

public import Domain
internal import SQLite

/// A click of a visitor whom its campaign knows, as far as knowing it again needs.
public struct VisitRow: Sendable {
    public let rowID: ClickRowID
    public let campaignID: CampaignID
    public let visitor: VisitorNumber
    /// As in `Decision`; nil for one that can't be told.
    public let rule: Int?
    public let path: Int
    public let landerVersion: Int64?
    public let offerVersion: Int64
}

extension ClickReader {
    /// Finds the newest visits of one day: by an index, without the other clicks.
    ///
    /// - Parameters:
    ///   - first: none before it.
    ///   - end: none from it on.
    /// - Returns: how many there are, at most `max`, and the first of them.
    public func newestVisits(on day: Day, from first: ClickRowID, to end: ClickRowID, max: Int)
        throws(StoreError) -> (count: Int, first: ClickRowID)?
    {
        let found = try read(day) { (connection, version) throws(SQLiteError) -> [(Int64, Int64)] in
            guard version >= Self.visitsVersion else { return [] }
            return try connection.rows(
                """
                SELECT count(*), min(id) FROM (
                    SELECT id FROM click INDEXED BY click_of_visitor
                    WHERE visitor IS NOT NULL AND id >= ?1 AND id < ?2
                    ORDER BY id DESC LIMIT ?3)
                """,
                [.integer(first.rawValue), .integer(end.rawValue), .integer(Int64(max))]
            ) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        }
        guard let (count, id) = found?.first, count > 0, let first = ClickRowID(rawValue: id) else {
            return nil
        }
        return (Int(count), first)
    }

    /// Visits of one day, oldest first.
    ///
    /// - Parameters:
    ///   - first: none before it.
    ///   - end: none from it on.
    public func visits(on day: Day, from first: ClickRowID, to end: ClickRowID, limit: Int)
        throws(StoreError) -> [VisitRow]
    {
        try read(day) { (connection, version) throws(SQLiteError) -> [VisitRow] in
            guard version >= Self.visitsVersion else { return [] }
            return try connection.rows(
                """
                SELECT id, campaign_id, visitor, rule, path, lander_version, offer_version
                FROM click INDEXED BY click_of_visitor
                WHERE visitor IS NOT NULL AND id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3
                """,
                [.integer(first.rawValue), .integer(end.rawValue), .integer(Int64(limit))]
            ) { (row) throws(SQLiteError) in VisitRow(row) }
            .compactMap { $0 }
        } ?? []
    }

    /// Of a file that tells visitors.
    private static let visitsVersion = 7 as Int64
}

extension VisitRow {
    /// Nil for a row that can't be one of ours.
    fileprivate init?(_ row: Statement) {
        guard let rowID = ClickRowID(rawValue: row.int64(0)) else { return nil }
        self.rowID = rowID
        campaignID = CampaignID(row.int64(1))
        visitor = VisitorNumber(rawValue: UInt64(bitPattern: row.int64(2)))
        rule = row.optionalInt64(3).map { Int($0) }
        path = Int(row.int64(4))
        landerVersion = row.optionalInt64(5)
        offerVersion = row.int64(6)
    }
}

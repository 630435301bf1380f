public import Domain
internal import SQLite

/// A received call as it is kept, with what was made of it.
public struct StoredPostback: Sendable {
    public let id: PostbackID
    public let call: Postback
    /// Bytes of the whole body, of which lists hold `listedBodyMax` at most.
    public let bodyCount: Int
    /// Nil for a key that never existed.
    public let networkID: NetworkID?
    public let clickRowID: ClickRowID?
    public let conversionID: ConversionID?
    public let verdict: String
    public let message: String
    /// The call that this one repeats; nil for one that came in by itself.
    public let replayOf: PostbackID?
    /// Parked, and neither counted nor rejected since.
    public let isWaiting: Bool

    /// Bytes of each body in a list: a page of whole ones could be a gigabyte.
    public static let listedBodyMax = 4096
}

/// Which received calls a list shows; nil members do not narrow it.
public struct PostbackFilter: Sendable {
    public var from: Instant?
    public var to: Instant?
    public var network: NetworkID?
    public var verdict: String?
    public var clickRowID: ClickRowID?
    public var conversionID: ConversionID?
    /// Only parked calls that were neither counted nor rejected since.
    public var isWaiting = false

    public init() {}

    /// Whether it narrows nothing.
    public var isEmpty: Bool {
        from == nil && to == nil && network == nil && verdict == nil && clickRowID == nil
            && conversionID == nil && !isWaiting
    }

    /// An index finds the few that there are.
    fileprivate var isSelective: Bool {
        clickRowID != nil || conversionID != nil || isWaiting
    }
}

extension LedgerReader {
    /// Newest first.
    public func postbacks(_ filter: PostbackFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<StoredPostback>
    {
        var conditions = Self.conditions(filter)
        conditions.add("id < ?", cursor)
        let lookedAt =
            filter.isSelective
            ? .all
            : LookedAt(
                before: cursor, newest: try newest("postback"), rowsMax: rowsLookedAtMax)
        conditions.add("id >= ?", lookedAt.from)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT \(PostbackRow.columns), substr(body, 1, \(StoredPostback.listedBodyMax)) "
                    + "FROM postback \(conditions.sql) "
                    + "ORDER BY id DESC LIMIT \(limit + 1)", conditions.values
            ) { (row) throws(SQLiteError) in PostbackRow.read(row) }
        }
        return Page(items, limit: limit, endedAt: lookedAt.from) { $0.id.rawValue }
    }

    /// Calls of a selection that a replay may change, oldest first: replays themselves, calls
    /// whose replay was counted, and calls of which not the whole text is there are left out.
    public func replayable(_ filter: PostbackFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<PostbackID>
    {
        var conditions = Self.conditions(filter)
        conditions.add("id > ?", cursor)
        let lookedAt =
            filter.isSelective
            ? .all
            : LookedAt(
                after: cursor, newest: try newest("postback"), rowsMax: rowsLookedAtMax)
        conditions.add("id <= ?", lookedAt.through)
        conditions.add("replay_of IS NULL AND target <> x'' AND verdict <> 'too_large'")
        conditions.add(
            """
            NOT EXISTS (SELECT 1 FROM postback AS replay WHERE replay.replay_of = postback.id
                AND replay.verdict IN ('accepted', 'updated'))
            """)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT id FROM postback \(conditions.sql) ORDER BY id LIMIT \(limit + 1)",
                conditions.values
            ) { (row) throws(SQLiteError) in PostbackID(row.int64(0)) }
        }
        return Page(items, limit: limit, endedAt: lookedAt.through) { $0.rawValue }
    }

    private static func conditions(_ filter: PostbackFilter) -> Conditions {
        var conditions = Conditions()
        conditions.add("received_at_us >= ?", filter.from?.micros)
        conditions.add("received_at_us < ?", filter.to?.micros)
        conditions.add("network_id = ?", filter.network?.rawValue)
        conditions.add("verdict = ?", filter.verdict)
        conditions.add("click_row_id = ?", filter.clickRowID?.rawValue)
        // Found by its click, for which there is an index; there is none for conversions.
        conditions.add(
            "click_row_id = (SELECT click_row_id FROM conversion WHERE id = ?)",
            filter.conversionID?.rawValue)
        conditions.add("conversion_id = ?", filter.conversionID?.rawValue)
        if filter.isWaiting { conditions.add("id IN (SELECT postback_id FROM parked)") }
        return conditions
    }

    public func postback(_ id: PostbackID) throws(StoreError) -> StoredPostback? {
        try sql { (connection) throws(SQLiteError) in
            try connection.first(
                "SELECT \(PostbackRow.columns), body FROM postback WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in PostbackRow.read(row) }
        }
    }

    /// Calls to keys that never existed, the forgotten ones included.
    public func strayPostbackCount() throws(StoreError) -> Int64 {
        try sql { (connection) throws(SQLiteError) in
            try connection.int64("SELECT value FROM counter WHERE name = 'stray_postbacks'") ?? 0
        }
    }
}

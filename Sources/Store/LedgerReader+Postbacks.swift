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

    public init() {}
}

extension LedgerReader {
    /// Newest first.
    public func postbacks(_ filter: PostbackFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<StoredPostback>
    {
        var conditions = Conditions()
        conditions.add("id < ?", cursor)
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
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT \(Self.postbackColumns), substr(body, 1, \(StoredPostback.listedBodyMax)) "
                    + "FROM postback \(conditions.sql) "
                    + "ORDER BY id DESC LIMIT \(limit + 1)", conditions.values
            ) { (row) throws(SQLiteError) in Self.postback(row) }
        }
        return Page(items, limit: limit) { $0.id.rawValue }
    }

    public func postback(_ id: PostbackID) throws(StoreError) -> StoredPostback? {
        try sql { (connection) throws(SQLiteError) in
            try connection.first(
                "SELECT \(Self.postbackColumns), body FROM postback WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in Self.postback(row) }
        }
    }

    /// Calls to keys that never existed, the forgotten ones included.
    public func strayPostbackCount() throws(StoreError) -> Int64 {
        try sql { (connection) throws(SQLiteError) in
            try connection.int64("SELECT value FROM counter WHERE name = 'stray_postbacks'") ?? 0
        }
    }

    private static let postbackColumns = """
        id, received_at_us, network_id, click_row_id, conversion_id, verdict, message, sender,
        method, target, headers, length(body)
        """

    private static func postback(_ row: Statement) -> StoredPostback {
        let headers = row.withBytes(10) { PackedTexts.unpack($0) }
        return StoredPostback(
            id: PostbackID(row.int64(0)),
            call: Postback(
                receivedAt: Instant(micros: row.int64(1)),
                sender: row.optionalBlob(7).flatMap { IPAddress(storedBytes: $0) },
                method: row.text(8), target: row.blob(9),
                headers: stride(from: 0, to: headers.count - 1, by: 2).map { index in
                    Postback.Header(
                        name: String(decoding: headers[index], as: UTF8.self),
                        value: headers[index + 1])
                },
                body: row.blob(12)),
            bodyCount: Int(row.int64(11)),
            networkID: row.optionalInt64(2).map { NetworkID($0) },
            clickRowID: row.optionalInt64(3).flatMap { ClickRowID(rawValue: $0) },
            conversionID: row.optionalInt64(4).map { ConversionID($0) },
            verdict: row.text(5), message: row.text(6))
    }
}

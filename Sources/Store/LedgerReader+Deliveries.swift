public import Domain
internal import SQLite

/// Which deliveries a list shows; nil members do not narrow it.
public struct DeliveryFilter: Sendable {
    public var state: Delivery.State?
    public var destination: String?
    public var conversionID: ConversionID?
    public var origin: String?
    public var clickRowID: ClickRowID?

    public init() {}
}

extension LedgerReader {
    /// Newest first.
    public func deliveries(_ filter: DeliveryFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<Delivery>
    {
        var conditions = Conditions()
        conditions.add("id < ?", cursor)
        conditions.add("state = ?", filter.state?.rawValue)
        conditions.add("destination = ?", filter.destination)
        conditions.add("conversion_id = ?", filter.conversionID?.rawValue)
        conditions.add("origin = ?", filter.origin)
        conditions.add(
            "conversion_id IN (SELECT id FROM conversion WHERE click_row_id = ?)",
            filter.clickRowID?.rawValue)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT \(DeliveryRow.columns) FROM delivery \(conditions.sql) "
                    + "ORDER BY id DESC LIMIT \(limit + 1)", conditions.values
            ) { (row) throws(SQLiteError) in try DeliveryRow.read(row) }
        }
        return Page(items, limit: limit) { $0.id.rawValue }
    }

    public func delivery(_ id: DeliveryID) throws(StoreError) -> Delivery? {
        try sql { (connection) throws(SQLiteError) in
            try connection.first(
                "SELECT \(DeliveryRow.columns) FROM delivery WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in try DeliveryRow.read(row) }
        }
    }

    /// In their order.
    public func attempts(of id: DeliveryID) throws(StoreError) -> [Attempt] {
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT number, at_us, status, milliseconds, error, excerpt FROM attempt
                WHERE delivery_id = ?1 ORDER BY number
                """, [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in
                Attempt(
                    number: Int(row.int64(0)), at: Instant(micros: row.int64(1)),
                    status: row.optionalInt64(2).map { Int($0) },
                    milliseconds: Int(row.int64(3)), error: row.optionalText(4),
                    excerpt: row.blob(5))
            }
        }
    }
}

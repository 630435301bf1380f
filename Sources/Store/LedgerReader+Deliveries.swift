public import Domain
internal import SQLite

/// Which deliveries a list shows; nil members do not narrow it.
public struct DeliveryFilter: Sendable {
    /// Empty: all.
    public var states: [Delivery.State] = []
    public var destination: String?
    public var conversionID: ConversionID?
    public var origin: String?
    public var clickRowID: ClickRowID?
    /// By the time of the conversion.
    public var from: Instant?
    public var to: Instant?

    public init() {}

    /// Whether it narrows nothing.
    public var isEmpty: Bool {
        states.isEmpty && destination == nil && conversionID == nil && origin == nil
            && clickRowID == nil && from == nil && to == nil
    }
}

extension LedgerReader {
    /// Newest first.
    public func deliveries(_ filter: DeliveryFilter, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<Delivery>
    {
        let way = try way(filter)
        var conditions = Self.conditions(filter)
        conditions.add("id < ?", cursor)
        let lookedAt =
            way == .all
            ? LookedAt(
                before: cursor, newest: try newestDelivery(), rowsMax: rowsLookedAtMax) : .all
        conditions.add("id >= ?", lookedAt.from)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT \(DeliveryRow.columns) FROM \(way.table) \(conditions.sql) "
                    + "ORDER BY id DESC LIMIT \(limit + 1)", conditions.values
            ) { (row) throws(SQLiteError) in try DeliveryRow.read(row) }
        }
        return Page(items, limit: limit, endedAt: lookedAt.from) { $0.id.rawValue }
    }

    /// Deliveries of a selection up to a number, oldest first.
    ///
    /// - Parameter cursor: the number that they come after.
    public func deliveryIDs(
        _ filter: DeliveryFilter, after cursor: Int64, through last: Int64, limit: Int
    ) throws(StoreError) -> Page<DeliveryID> {
        let way = try way(filter)
        var conditions = Self.conditions(filter)
        conditions.add("id > ?", cursor)
        let lookedAt =
            way == .all
            ? LookedAt(
                after: cursor, newest: last, rowsMax: rowsLookedAtMax) : .all
        conditions.add("id <= ?", lookedAt.through ?? last)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT id FROM \(way.table) \(conditions.sql) "
                    + "ORDER BY id LIMIT \(limit + 1)",
                conditions.values
            ) { (row) throws(SQLiteError) in DeliveryID(row.int64(0)) }
        }
        return Page(items, limit: limit, endedAt: lookedAt.through) { $0.rawValue }
    }

    /// How many deliveries a selection has, and how many of them are dead without ever having been
    /// a whole request.
    public func deliveryCount(
        _ filter: DeliveryFilter, after cursor: Int64, through last: Int64
    ) throws(StoreError) -> (all: Int, incomplete: Int) {
        let way = try way(filter)
        var conditions = Self.conditions(filter)
        conditions.add("id > ?", cursor)
        conditions.add("id <= ?", last)
        let found = try sql { (connection) throws(SQLiteError) in
            try connection.first(
                // As `Delivery.wasNeverComplete`.
                """
                SELECT count(*), sum(state = 'dead' AND attempt_count = 0
                    AND due_at_us <= converted_at_us + delay_seconds * 1000000)
                FROM \(way.table) \(conditions.sql)
                """, conditions.values
            ) { (row) throws(SQLiteError) in
                (Int(row.int64(0)), Int(row.optionalInt64(1) ?? 0))
            }
        }
        return found.map { (all: $0.0, incomplete: $0.1) } ?? (all: 0, incomplete: 0)
    }

    /// The number of the newest delivery there is; 0 when there is none.
    public func newestDelivery() throws(StoreError) -> Int64 {
        try newest("delivery")
    }

    /// The way into the table. Rows are wanted in the order of their numbers, a page at a time: by an
    /// index of all that wait, each page begins with sorting them, so it is for few.
    private enum Way {
        case byConversion, dead, fewWaiting, all

        var table: String {
            switch self {
            case .byConversion: "delivery"
            case .dead: "delivery INDEXED BY delivery_dead"
            case .fewWaiting: "delivery INDEXED BY delivery_queue"
            case .all: "delivery NOT INDEXED"
            }
        }

        static let fewMax = 10_000
    }

    private func way(_ filter: DeliveryFilter) throws(StoreError) -> Way {
        if filter.conversionID != nil || filter.clickRowID != nil { return .byConversion }
        if filter.states == [.dead] { return .dead }
        guard filter.states == [.waiting] else { return .all }
        let waiting = try sql { (connection) throws(SQLiteError) in
            try connection.int64("SELECT sum(waiting) FROM delivery_total") ?? 0
        }
        return waiting <= Way.fewMax ? .fewWaiting : .all
    }

    private static func conditions(_ filter: DeliveryFilter) -> Conditions {
        var conditions = Conditions()
        if !filter.states.isEmpty {
            // Written out, because an index of one state is used only where SQL names the state.
            conditions.add(
                filter.states.count == 1
                    ? "state = '\(filter.states[0].rawValue)'"
                    : "state IN (\(filter.states.map { "'\($0.rawValue)'" }.joined(separator: ",")))"
            )
        }
        conditions.add("destination = ?", filter.destination)
        conditions.add("conversion_id = ?", filter.conversionID?.rawValue)
        conditions.add("origin = ?", filter.origin)
        conditions.add(
            "conversion_id IN (SELECT id FROM conversion WHERE click_row_id = ?)",
            filter.clickRowID?.rawValue)
        conditions.add("converted_at_us >= ?", filter.from?.micros)
        conditions.add("converted_at_us < ?", filter.to?.micros)
        return conditions
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
        try sql { (connection) throws(SQLiteError) in try Attempt.all(of: id, connection) }
    }
}

extension LedgerTransaction {
    /// In their order.
    public func attempts(of id: DeliveryID) throws(StoreError) -> [Attempt] {
        try sql { () throws(SQLiteError) in try Attempt.all(of: id, connection) }
    }
}

extension Attempt {
    fileprivate static func all(of id: DeliveryID, _ connection: Connection)
        throws(SQLiteError) -> [Attempt]
    {
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

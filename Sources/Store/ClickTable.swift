internal import Domain
internal import SQLite

/// The rows of one day's clicks, as their writer sees them.
///
/// Most of what a row costs by itself is the statement around it, so several go in by one.
final class ClickTable {
    private let connection: Connection
    /// By how many rows each inserts, the most first and one last.
    private let inserts: [RowInsert]
    private let texts: TextTable
    /// Where bound addresses lie until their statement has run.
    private let addresses: UnsafeMutableRawBufferPointer

    private static let rowsMax = 32
    private static let addressBytes = 16
    /// All of the table's, and in its order: SQLite then puts the values together once.
    private static let columns = [
        "id", "campaign_id", "path", "offer_version", "cost_nanos", "currency", "external_id", "ip",
        "user_agent", "referrer", "parameter_names", "parameter_values", "flow_version", "rule",
        "lander_version", "visit", "device", "place", "visitor", "visit_number",
    ]

    init(_ connection: Connection) throws(SQLiteError) {
        self.connection = connection
        texts = try TextTable(connection)
        var inserts: [RowInsert] = []
        var rows = Self.rowsMax
        while rows > 0 {
            let row = "(" + Self.columns.map { _ in "?" }.joined(separator: ", ") + ")"
            inserts.append(
                RowInsert(
                    try connection.prepare(
                        """
                        INSERT OR IGNORE INTO click (\(Self.columns.joined(separator: ", ")))
                        VALUES \(Array(repeating: row, count: rows).joined(separator: ", "))
                        """), rows: rows, columns: Self.columns.count))
            rows /= 2
        }
        self.inserts = inserts
        addresses = .allocate(byteCount: Self.rowsMax * Self.addressBytes, alignment: 16)
    }

    deinit { addresses.deallocate() }

    /// Inserts clicks that are new.
    ///
    /// - Returns: whether they were; else the transaction holds some of them, and must be undone.
    func insert(_ clicks: ArraySlice<NewClick>, arena: UnsafeRawBufferPointer)
        throws(SQLiteError) -> Bool
    {
        var next = clicks.startIndex
        for insert in inserts {
            while clicks.endIndex - next >= insert.rows {
                for row in 0..<insert.rows {
                    try bind(clicks[next + row], row, to: insert, arena: arena)
                }
                try insert.run()
                guard connection.changes == insert.rows else { return false }
                next += insert.rows
            }
        }
        return true
    }

    /// Inserts a click unless it is there: after a failed commit nobody can say which were kept.
    ///
    /// - Returns: whether it was new.
    func insertIfNew(_ click: NewClick, arena: UnsafeRawBufferPointer) throws(SQLiteError) -> Bool {
        let insert = inserts[inserts.count - 1]
        try bind(click, 0, to: insert, arena: arena)
        try insert.run()
        return connection.changes == 1
    }

    /// - Parameter row: of the statement's, from 0.
    private func bind(
        _ click: NewClick, _ row: Int, to insert: RowInsert, arena: UnsafeRawBufferPointer
    ) throws(SQLiteError) {
        let first = row * Self.columns.count
        insert.bind(first + 1, click.rowID.rawValue)
        insert.bind(first + 2, click.campaignID.rawValue)
        insert.bind(first + 3, Int64(click.path))
        insert.bind(first + 4, click.offerVersion)
        insert.bind(first + 5, click.costNanos)
        insert.bind(first + 6, click.costNanos == nil ? nil : Int64(click.currency.rawValue))
        insert.bind(first + 7, orNull: arena[click.externalID])
        insert.bind(first + 8, orNull: storedBytes(of: click.ip, row))
        insert.bind(first + 9, try texts.id(of: arena[click.userAgent]))
        insert.bind(first + 10, try texts.id(of: arena[click.referrer]))
        insert.bind(first + 11, try texts.id(of: arena[click.parameterNames]))
        insert.bind(first + 12, orNull: arena[click.parameterValues])
        insert.bind(first + 13, click.flowVersion)
        insert.bind(first + 14, Int64(click.rule))
        insert.bind(first + 15, click.landerVersion)
        insert.bind(first + 16, click.visit.stored)
        insert.bind(first + 17, try texts.id(of: arena[click.device]))
        insert.bind(first + 18, try texts.id(of: arena[click.place]))
        insert.bind(first + 19, click.visitor.map { Int64(bitPattern: $0.rawValue) })
        insert.bind(first + 20, click.visitNumber)
    }

    /// 4 or 16 bytes in network order; none for none.
    private func storedBytes(of ip: IPAddress?, _ row: Int) -> UnsafeRawBufferPointer {
        guard let ip else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = row * Self.addressBytes
        addresses.storeBytes(of: ip.bits.bigEndian, toByteOffset: start, as: UInt128.self)
        return UnsafeRawBufferPointer(
            rebasing: addresses[(ip.isIPv4 ? start + 12 : start)..<(start + Self.addressBytes)])
    }

    /// After the transaction was undone: texts that it inserted are gone with it.
    func forgetTexts() { texts.forget() }
}

extension UnsafeRawBufferPointer {
    /// The bytes that a click keeps in its batch's arena.
    subscript(_ bytes: NewClick.Bytes) -> UnsafeRawBufferPointer {
        let start = Int(bytes.start)
        let end = start + Int(bytes.count)
        precondition(end <= count, "a click's bytes \(start)..<\(end) lie outside its arena")
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}

/// A statement that inserts so many rows, and what its parameters hold: SQLite keeps a binding until
/// the next one, and most columns say what the row before said in their place.
private final class RowInsert {
    let rows: Int
    private let statement: Statement
    /// By parameter, from 1. In memory of its own: each look at an array that a class changes in
    /// place is checked.
    private let held: UnsafeMutableBufferPointer<Held>

    private enum Held {
        case null
        case integer(Int64)
        /// Bytes, whose address holds for one run, or nobody knows what.
        case other
    }

    init(_ statement: Statement, rows: Int, columns: Int) {
        self.statement = statement
        self.rows = rows
        held = .allocate(capacity: rows * columns + 1)
        held.initialize(repeating: .null)
    }

    deinit { held.deallocate() }

    func bind(_ index: Int, _ value: Int64?) {
        guard let value else { return bindNull(index) }
        if case .integer(value) = held[index] { return }
        held[index] = .integer(value)
        statement.bind(Int32(index), value)
    }

    /// NULL for no bytes: it needs no space in the row.
    func bind(_ index: Int, orNull bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { return bindNull(index) }
        held[index] = .other
        statement.bind(Int32(index), bytes: bytes)
    }

    private func bindNull(_ index: Int) {
        if case .null = held[index] { return }
        held[index] = .null
        statement.bindNull(Int32(index))
    }

    func run() throws(SQLiteError) {
        do {
            try statement.run()
        } catch {
            // What failed may have been a binding.
            held.update(repeating: .other)
            throw error
        }
    }
}

internal import SQLite

/// Texts that many clicks share, by a number in the day's file.
final class TextTable {
    private let find: Statement
    private let insert: Statement
    private let connection: Connection
    /// By the process's own hash of their bytes. Emptied at its bound: a table of distinct texts
    /// would otherwise grow with the visitors.
    private let known = HashedRows()
    private let hash = TextHash()
    private static let knownMax = 65_536

    init(_ connection: Connection) throws(SQLiteError) {
        self.connection = connection
        // Of equal hashes only a few are compared: somebody may aim texts at one, and a text that is
        // there twice does no harm.
        find = try connection.prepare(
            """
            SELECT id FROM (SELECT id, value FROM text WHERE hash = ?1 LIMIT 8) WHERE value = ?2
            """)
        insert = try connection.prepare("INSERT INTO text (hash, value) VALUES (?1, ?2)")
    }

    /// Nil for no bytes.
    func id(of bytes: UnsafeRawBufferPointer) throws(SQLiteError) -> Int64? {
        if bytes.isEmpty { return nil }
        let key = hash(bytes)
        if let id = known[key] { return id }
        let storedHash = Int64(bitPattern: Self.storedHash(bytes))
        find.bind(1, storedHash)
        find.bind(2, bytes: bytes)
        let found: Int64? = try find.step() ? find.column(0) : nil
        find.reset()
        let id: Int64
        if let found {
            id = found
        } else {
            insert.bind(1, storedHash)
            insert.bind(2, bytes: bytes)
            try insert.run()
            id = connection.lastInsertRowID
        }
        if known.count >= Self.knownMax { known.removeAll() }
        known.insert(key, id)
        return id
    }

    /// Forgets which texts there are.
    func forget() { known.removeAll() }

    /// FNV-1a, 64 bits: the same in every process. It only narrows a search that compares bytes.
    private static func storedHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}

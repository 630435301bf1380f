internal import Domain
internal import SQLite

/// Rows of one kind of entity. Their tables have the same columns.
struct EntityTable<Value: Entity> {
    let connection: Connection

    func load() throws(StoreError) -> EntityIndex<Value> {
        var index = EntityIndex<Value>()
        for row in try rows() {
            do throws(ValidationError) {
                let document = try Self.parse(row.document)
                index.set(
                    Stored(
                        id: RowID(row.id), value: try Value(document: document),
                        createdAt: row.createdAt, updatedAt: row.updatedAt,
                        archivedAt: row.archivedAt))
            } catch {
                throw .storage(
                    "\(Value.kind) \(row.key) can't be read: \(StoreError.invalid(error))")
            }
        }
        return index
    }

    /// Inserts it, or replaces the document of the one with its key; an archived one lives again.
    func put(_ value: Value, existing: Stored<Value>?, at now: Instant) throws(SQLiteError)
        -> Stored<Value>
    {
        let document = value.document.encoded()
        if let existing {
            try connection.run(
                "UPDATE \(Value.kind) SET document = ?1, updated_at_us = ?2, archived_at_us = NULL "
                    + "WHERE id = ?3",
                [.text(document), .integer(now.micros), .integer(existing.id.rawValue)])
            return Stored(
                id: existing.id, value: value, createdAt: existing.createdAt, updatedAt: now,
                archivedAt: nil)
        }
        try connection.run(
            "INSERT INTO \(Value.kind) (key, document, created_at_us, updated_at_us) "
                + "VALUES (?1, ?2, ?3, ?3)",
            [.text(value.key.text), .text(document), .integer(now.micros)])
        return Stored(
            id: RowID(connection.lastInsertRowID), value: value, createdAt: now, updatedAt: now,
            archivedAt: nil)
    }

    func archive(_ stored: Stored<Value>, at now: Instant) throws(SQLiteError) -> Stored<Value> {
        try connection.run(
            "UPDATE \(Value.kind) SET archived_at_us = ?1 WHERE id = ?2",
            [.integer(now.micros), .integer(stored.id.rawValue)])
        return Stored(
            id: stored.id, value: stored.value, createdAt: stored.createdAt,
            updatedAt: stored.updatedAt, archivedAt: now)
    }

    private struct Row {
        let id: Int64
        let key: String
        let document: String
        let createdAt: Instant
        let updatedAt: Instant
        let archivedAt: Instant?
    }

    private func rows() throws(StoreError) -> [Row] {
        do {
            return try connection.rows(
                "SELECT id, key, document, created_at_us, updated_at_us, archived_at_us "
                    + "FROM \(Value.kind) ORDER BY id"
            ) { (row) throws(SQLiteError) in
                Row(
                    id: row.int64(0), key: row.text(1), document: row.text(2),
                    createdAt: Instant(micros: row.int64(3)),
                    updatedAt: Instant(micros: row.int64(4)),
                    archivedAt: row.optionalInt64(5).map { Instant(micros: $0) })
            }
        } catch {
            throw StoreError(error)
        }
    }

    private static func parse(_ text: String) throws(ValidationError) -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw ValidationError("", error.description)
        }
    }
}

extension Migrator {
    /// Where a database's schema is not the one that its migrations make: tables, columns, indexes
    /// and triggers that are missing, or are there beside them, or read differently.
    ///
    /// A missing unique index lets in what it was to keep out, and nothing else would say so.
    public func schemaFaults(_ connection: Connection) throws(SQLiteError) -> [String] {
        let version = Int(try connection.pragma("user_version") as Int64)
        let reference = try Connection.inMemory()
        defer { reference.close() }
        for migration in migrations.prefix(version) { try reference.execute(migration.sql) }
        let expected = try Self.schema(reference)
        let found = try Self.schema(connection)
        var faults: [String] = []
        for name in expected.keys.sorted() where found[name] != expected[name] {
            faults.append(
                found[name] == nil ? "\(name) is missing" : "\(name) is not as it was made")
        }
        for name in found.keys.sorted() where expected[name] == nil {
            faults.append("\(name) is none of ours")
        }
        return faults
    }

    /// What there is by kind and name, as SQL without the spaces.
    private static func schema(_ connection: Connection) throws(SQLiteError) -> [String: String] {
        var schema: [String: String] = [:]
        try connection.rows(
            """
            SELECT type || ' ' || name, tbl_name || ' ' || ifnull(sql, '') FROM sqlite_schema
            WHERE name NOT LIKE 'sqlite_stat%'
            """
        ) { (row) throws(SQLiteError) in
            schema[row.text(0)] = row.text(1).split(whereSeparator: \.isWhitespace)
                .joined(separator: " ")
        }
        return schema
    }
}

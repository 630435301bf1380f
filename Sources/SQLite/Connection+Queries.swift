internal import CSQLite

/// SQL that is run now and then: compiled, bound, run and forgotten in one call.
extension Connection {
    /// What `body` makes of each row, in order.
    @discardableResult
    public func rows<Element>(
        _ sql: String, _ bindings: [Value] = [],
        _ body: (Statement) throws(SQLiteError) -> Element
    ) throws(SQLiteError) -> [Element] {
        let statement = try compileOnce(sql, bindings)
        var elements: [Element] = []
        while try statement.step() { elements.append(try body(statement)) }
        return elements
    }

    /// What `body` makes of the first row; nil if there is none.
    public func first<Element>(
        _ sql: String, _ bindings: [Value] = [],
        _ body: (Statement) throws(SQLiteError) -> Element
    ) throws(SQLiteError) -> Element? {
        let statement = try compileOnce(sql, bindings)
        return try statement.step() ? try body(statement) : nil
    }

    /// The first column of the first row; nil if there is no row or it is NULL.
    public func int64(_ sql: String, _ bindings: [Value] = []) throws(SQLiteError) -> Int64? {
        try first(sql, bindings) { (row) throws(SQLiteError) in row.optionalInt64(0) } ?? nil
    }

    /// The first column of the first row; nil if there is no row or it is NULL.
    public func text(_ sql: String, _ bindings: [Value] = []) throws(SQLiteError) -> String? {
        try first(sql, bindings) { (row) throws(SQLiteError) in row.optionalText(0) } ?? nil
    }

    /// Runs one statement with bound values.
    public func run(_ sql: String, _ bindings: [Value] = []) throws(SQLiteError) {
        try compileOnce(sql, bindings).run()
    }

    /// A pragma's value; 0 where it has none.
    public func pragma(_ name: String) throws(SQLiteError) -> Int64 {
        try int64("PRAGMA \(name)") ?? 0
    }

    /// A pragma's value; "" where it has none.
    public func pragma(_ name: String) throws(SQLiteError) -> String {
        try text("PRAGMA \(name)") ?? ""
    }

    private func compileOnce(_ sql: String, _ bindings: [Value]) throws(SQLiteError) -> Statement {
        let statement = try compile(sql, flags: 0)
        guard Int(statement.parameterCount) == bindings.count else {
            throw SQLiteError(
                extendedCode: SQLITE_RANGE,
                message: "\(statement.parameterCount) parameters, \(bindings.count) values",
                statement: sql)
        }
        var index: Int32 = 1
        for value in bindings {
            statement.bind(index, value: value)
            index += 1
        }
        return statement
    }
}

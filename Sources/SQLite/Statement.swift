internal import CSQLite

/// A compiled SQL statement: bind, step, read, and again.
///
/// Keep it for as long as its connection lives; compiling costs far more than running. Parameters
/// count from 1 and columns from 0, as SQLite has it. Confined to its connection's thread.
///
/// Binding does not throw: what was wrong with a binding is thrown by the next `step()`, so that a
/// row's binds read as one block.
public final class Statement {
    /// Nil once its connection was closed: SQLite then answers every call with "misuse".
    private var handle: OpaquePointer?
    private let connection: Connection
    private var bindFailure: Int32 = SQLITE_OK

    init(handle: OpaquePointer, connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    deinit {
        if let handle {
            connection.forget(handle)
            sqlite3_finalize(handle)
        }
    }

    /// Called by the connection while it closes.
    func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    // MARK: Binding

    public func bind(_ index: Int32, _ value: Int64) {
        note(sqlite3_bind_int64(handle, index, value))
    }

    public func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    public func bind(_ index: Int32, _ value: Bool) { bind(index, value ? 1 : 0 as Int64) }

    public func bindNull(_ index: Int32) { note(sqlite3_bind_null(handle, index)) }

    /// Binds a blob without copying it: the bytes must stay until the statement was stepped to its
    /// end or reset, and be bound anew before it is stepped again. An empty buffer is an empty
    /// blob, not NULL.
    public func bind(_ index: Int32, bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else {
            note(sqlite3_bind_zeroblob(handle, index, 0))
            return
        }
        note(sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), nil))
    }

    /// Binds a copy of the text.
    public func bind(_ index: Int32, text: String) {
        var text = text
        let result = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                // An empty buffer may have no address, which SQLite would take for NULL.
                characters.isEmpty
                    ? sqlite3_bind_text64(
                        handle, index, "", 0, clickrelay_sqlite_transient(), UInt8(SQLITE_UTF8))
                    : sqlite3_bind_text64(
                        handle, index, characters.baseAddress, UInt64(characters.count),
                        clickrelay_sqlite_transient(), UInt8(SQLITE_UTF8))
            }
        }
        note(result)
    }

    public func bind(_ index: Int32, text: String?) {
        if let text { bind(index, text: text) } else { bindNull(index) }
    }

    /// Binds a copy of the bytes.
    public func bind(_ index: Int32, blob: [UInt8]) {
        let result = blob.withUnsafeBytes { bytes in
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, index, 0)
                : sqlite3_bind_blob64(
                    handle, index, bytes.baseAddress, UInt64(bytes.count),
                    clickrelay_sqlite_transient())
        }
        note(result)
    }

    public func bind(_ index: Int32, blob: [UInt8]?) {
        if let blob { bind(index, blob: blob) } else { bindNull(index) }
    }

    public func bind(_ index: Int32, value: Value) {
        switch value {
        case .integer(let integer): bind(index, integer)
        case .text(let text): bind(index, text: text)
        case .blob(let blob): bind(index, blob: blob)
        case .null: bindNull(index)
        }
    }

    public var parameterCount: Int32 { sqlite3_bind_parameter_count(handle) }

    private func note(_ result: Int32) {
        if result != SQLITE_OK && bindFailure == SQLITE_OK { bindFailure = result }
    }

    // MARK: Running

    /// Moves to the next row. False at the end, where the statement is already reset and can be
    /// bound and stepped again.
    ///
    /// - Throws: the failure of a binding made since the last step, or of the step; either way the
    ///   statement is reset and this execution changed nothing.
    public func step() throws(SQLiteError) -> Bool {
        if bindFailure != SQLITE_OK {
            let error = SQLiteError(bindFailure, on: nil, statement: sql)
            reset()
            throw error
        }
        let result = sqlite3_step(handle)
        if result == SQLITE_ROW { return true }
        if result == SQLITE_DONE {
            sqlite3_reset(handle)
            return false
        }
        let error = SQLiteError(result, on: connection.handle, statement: sql)
        reset()
        throw error
    }

    /// Steps to the end, whatever rows come, and resets.
    public func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Ends an execution early. A statement left between two rows keeps its read transaction open,
    /// and with it the WAL from being checkpointed.
    public func reset() {
        // The result repeats the error that `step` has already thrown.
        sqlite3_reset(handle)
        bindFailure = SQLITE_OK
    }

    public var sql: String { sqlite3_sql(handle).map { String(cString: $0) } ?? "" }

    // MARK: Reading the current row

    public func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// The column as an integer; NULL reads as 0.
    public func column(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    public func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    public func bool(_ column: Int32) -> Bool { sqlite3_column_int64(handle, column) != 0 }

    public func optionalInt64(_ column: Int32) -> Int64? {
        isNull(column) ? nil : int64(column)
    }

    /// The column as text; NULL reads as "", broken UTF-8 as U+FFFD.
    public func text(_ column: Int32) -> String {
        guard let text = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    public func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// A copy of the column's bytes; NULL reads as empty.
    public func blob(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }

    public func optionalBlob(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : blob(column) }

    /// Lends the bytes of a blob or text column, valid only inside `body`; NULL is empty.
    public func withBytes<Result, Failure: Error>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // In this order: asking for the blob may convert the value, which changes the count.
        let base = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return try body(UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count))
    }
}

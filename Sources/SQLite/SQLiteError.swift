internal import CSQLite

/// Why SQLite refused or failed, in its own words.
///
/// Codes are SQLite's result codes (sqlite.org/rescode.html); `extendedCode` tells, for example,
/// a unique violation (2067) from a foreign key's (787).
public struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
    public let code: Int32
    public let extendedCode: Int32
    public let message: String
    /// The first words of the statement that failed, for the log; empty where there was none.
    /// Values are bound, never spelled in the text, so no secret can be among them.
    public let statement: String

    public init(extendedCode: Int32, message: String, statement: String = "") {
        code = extendedCode & 0xff
        self.extendedCode = extendedCode
        self.message = message
        self.statement = Self.firstWords(of: statement)
    }

    /// What the connection reports about the call that just returned `result`.
    init(_ result: Int32, on handle: OpaquePointer?, statement: String = "") {
        // The connection's own words are about its last call; for a plain misuse there are none.
        let reported = handle.map { sqlite3_extended_errcode($0) } ?? result
        let isAboutThis = handle != nil && reported & 0xff == result & 0xff
        let words = isAboutThis ? sqlite3_errmsg(handle) : sqlite3_errstr(result)
        self.init(
            extendedCode: isAboutThis ? reported : result,
            message: words.map { String(cString: $0) } ?? "unknown error",
            statement: statement)
    }

    /// A file operation of ours around the database failed.
    init(_ error: FileError) {
        let code = error.isDiskFull ? SQLITE_FULL : SQLITE_IOERR
        self.init(extendedCode: code, message: error.description)
    }

    static func closed(_ path: String) -> SQLiteError {
        SQLiteError(extendedCode: SQLITE_MISUSE, message: "\(path) was closed")
    }

    /// The disk, the file or memory failed rather than the data: nothing can be promised until it
    /// works again, and the same request may succeed later.
    public var isStorageFailure: Bool {
        switch code {
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_CORRUPT,
            SQLITE_NOTADB, SQLITE_NOMEM, SQLITE_PROTOCOL:
            true
        default:
            false
        }
    }

    /// After a failed read, write or sync the connection's idea of the file may be wrong (a page
    /// the kernel dropped after a failed fsync still looks written), and after the file was moved
    /// away (SQLITE_READONLY_DBMOVED) it holds another: close it, open it again.
    public var mustReopen: Bool {
        switch code {
        case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_PROTOCOL: true
        default: extendedCode == SQLITE_READONLY | 4 << 8
        }
    }

    public var isConstraint: Bool { code == SQLITE_CONSTRAINT }
    /// A unique index or a primary key already holds the value.
    public var isUniqueViolation: Bool {
        extendedCode == 2067 || extendedCode == 1555 || extendedCode == 2579
    }
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
    public var isInterrupted: Bool { code == SQLITE_INTERRUPT }
    public var isFull: Bool { code == SQLITE_FULL }

    public var description: String {
        let suffix = statement.isEmpty ? "" : " in \(statement)"
        return "\(message) (SQLite \(extendedCode))\(suffix)"
    }

    private static func firstWords(of sql: String) -> String {
        let words = sql.prefix(400).split(whereSeparator: \.isWhitespace)
        let kept = words.prefix(6).joined(separator: " ")
        return kept.count > 80 ? String(kept.prefix(80)) : kept
    }
}

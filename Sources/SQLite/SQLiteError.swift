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

    public var isConstraint: Bool { code == SQLITE_CONSTRAINT }
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }

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

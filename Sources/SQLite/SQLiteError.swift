internal import CSQLite
internal import Glibc

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
        var message = words.map { String(cString: $0) } ?? "unknown error"
        if Self.isAboutFile(result & 0xff), let handle {
            // A file's trouble has a file, and mostly a reason of the system's.
            let system = sqlite3_system_errno(handle)
            if result & 0xff != SQLITE_CORRUPT, result & 0xff != SQLITE_NOTADB, system != 0 {
                message += ": \(String(cString: strerror(system)))"
            }
            if let path = sqlite3_db_filename(handle, "main").map({ String(cString: $0) }),
                let name = path.split(separator: "/").last
            {
                message = "\(name): \(message)"
            }
        }
        self.init(
            extendedCode: isAboutThis ? reported : result, message: message, statement: statement)
    }

    private static func isAboutFile(_ code: Int32) -> Bool {
        switch code {
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_CORRUPT,
            SQLITE_NOTADB:
            true
        default: false
        }
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

    /// What its operator can do about a file's failure; nil where it is nothing of the kind.
    public var advice: String? {
        switch code {
        case SQLITE_FULL: "free space where the data directory lies"
        case SQLITE_IOERR: "look for the disk's errors in the system's log"
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
            "see that the data directory is there and can be written to"
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            "the file is damaged: put it back as it was, or see help check and help restore"
        case SQLITE_NOMEM: "there is too little memory"
        default: nil
        }
    }

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

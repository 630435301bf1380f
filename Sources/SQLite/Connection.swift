internal import CSQLite
internal import Glibc

/// One open SQLite database file.
///
/// Opened without SQLite's own mutexes, so it must be used by one thread at a time: make it on the
/// thread that will use it, or hand it over whole.
// Unchecked: it is handed to the thread that owns it from then on, and is not shared.
public final class Connection: @unchecked Sendable {
    public enum Mode: Sendable {
        /// Reads and writes; the file is made, readable by its owner only, if it is not there.
        case create
        /// Reads and writes a file that must be there.
        case readWrite
        /// Reads only, never checkpoints, and sees each commit of the writer as it comes.
        ///
        /// Opening works with no writer about. SQLite then makes `-wal` and `-shm` files beside a
        /// database left in WAL mode; a file closed with `seal()` needs none. Where they cannot be
        /// made because the directory is not writable, and none are there, the file is opened as
        /// immutable: that is right only as long as nobody else changes it (a read-only mount, a
        /// backup).
        case readOnly
    }

    public enum Synchronous: Int64, Sendable {
        /// A commit may be lost in a power cut, but the file stays sound.
        case normal = 1
        /// A commit is on the disk when it returns.
        case full = 2
    }

    public struct Options: Sendable {
        /// For connections that write.
        public var synchronous: Synchronous
        /// How long to wait for another connection's lock before `isBusy` is thrown.
        public var busyTimeoutMilliseconds: Int32
        /// How much of the file may be mapped into memory; 0 for none.
        public var mappedBytesMax: Int64
        public var cacheKibibytes: Int64
        /// The WAL's length at which a commit also checkpoints; 0 for never. Writers only.
        public var autocheckpointPages: Int64
        /// Whether the WAL's name, and what it holds of before, is put on the disk first of all: what
        /// syncs that failed have left is not believed. Writers only.
        public var securesLog: Bool

        public init(
            synchronous: Synchronous = .full, busyTimeoutMilliseconds: Int32 = 5_000,
            mappedBytesMax: Int64 = 0, cacheKibibytes: Int64 = 2_048,
            autocheckpointPages: Int64 = 1_000, securesLog: Bool = false
        ) {
            self.synchronous = synchronous
            self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
            self.mappedBytesMax = mappedBytesMax
            self.cacheKibibytes = cacheKibibytes
            self.autocheckpointPages = autocheckpointPages
            self.securesLog = securesLog
        }
    }

    public let path: String
    public let mode: Mode
    private(set) var handle: OpaquePointer?
    private let deadline: Deadline?
    private var statements: [OpaquePointer: Unmanaged<Statement>] = [:]
    /// Transaction control is run for every job, so it is compiled once.
    private var control = [OpaquePointer?](repeating: nil, count: Control.allCases.count)

    /// Opens the database, sets its pragmas and reads them back.
    ///
    /// - Throws: `SQLiteError`; also when the file system cannot give what was asked (for example
    ///   WAL on a network file system). Nothing stays open.
    public init(
        path: String, mode: Mode, options: Options = Options(), deadline: Deadline? = nil
    ) throws(SQLiteError) {
        self.path = path
        self.mode = mode
        self.deadline = deadline
        _ = Library.configured
        guard !path.utf8.contains(0) else {
            throw SQLiteError(extendedCode: SQLITE_CANTOPEN, message: "the path contains a NUL")
        }
        do {
            switch mode {
            case .create:
                try Self.makePrivate(path)
                try open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
                try configureWriter(options)
            case .readWrite:
                try open(path, SQLITE_OPEN_READWRITE)
                try configureWriter(options)
            case .readOnly:
                try openReader(options)
            }
        } catch {
            close()
            throw error
        }
    }

    /// A new file without WAL, for a backup to fill; synced at every commit by default.
    init(creatingPlain path: String) throws(SQLiteError) {
        self.path = path
        mode = .create
        deadline = nil
        try Self.makePrivate(path)
        try open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    }

    /// A database of its own that is nowhere but in memory, and gone with its connection.
    static func inMemory() throws(SQLiteError) -> Connection {
        try Connection(inMemory: ())
    }

    private init(inMemory: Void) throws(SQLiteError) {
        path = ":memory:"
        mode = .create
        deadline = nil
        _ = Library.configured
        try open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    }

    deinit { close() }

    /// Finalizes every statement and closes the file. Safe to repeat; statements of a closed
    /// connection throw.
    public func close() {
        guard let handle else { return }
        for statement in control { sqlite3_finalize(statement) }
        for statement in statements.values { statement.takeUnretainedValue().finalize() }
        control = [OpaquePointer?](repeating: nil, count: Control.allCases.count)
        statements = [:]
        // With no statement or backup left this cannot be refused.
        sqlite3_close_v2(handle)
        self.handle = nil
    }

    // MARK: Statements

    /// Compiles one statement that is going to be kept and run often.
    public func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        try compile(sql, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
    }

    func compile(_ sql: String, flags: UInt32) throws(SQLiteError) -> Statement {
        let compiled = try compileRaw(sql, flags: flags)
        let statement = Statement(handle: compiled, connection: self)
        statements[compiled] = Unmanaged.passUnretained(statement)
        return statement
    }

    private func compileRaw(_ sql: String, flags: UInt32) throws(SQLiteError) -> OpaquePointer {
        var compiled: OpaquePointer?
        var hasMore = false
        let result = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let result = sqlite3_prepare_v3(handle, text, -1, flags, &compiled, &tail)
            // Only the first of several statements is compiled: the others would be lost silently.
            hasMore =
                tail.map { tail in
                    UnsafeBufferPointer(start: tail, count: strlen(tail)).contains {
                        $0 > 32 && $0 != 59
                    }
                } ?? false
            return result
        }
        guard result == SQLITE_OK else { throw SQLiteError(result, on: handle, statement: sql) }
        guard let compiled, !hasMore else {
            sqlite3_finalize(compiled)
            throw SQLiteError(
                extendedCode: SQLITE_MISUSE, message: "exactly one statement was expected",
                statement: sql)
        }
        return compiled
    }

    func forget(_ statement: OpaquePointer) { statements[statement] = nil }

    /// Runs a script of any number of statements; their rows are dropped.
    public func execute(_ sql: String) throws(SQLiteError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw SQLiteError(result, on: handle, statement: sql) }
    }

    /// What the pages take that are kept in memory (`Options.cacheKibibytes`).
    public var cacheBytes: Int64 {
        var (current, highest): (Int32, Int32) = (0, 0)
        // Fails for an unknown figure only.
        guard let handle,
            sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &current, &highest, 0)
                == SQLITE_OK
        else { return 0 }
        return Int64(current)
    }

    public var lastInsertRowID: Int64 { handle.map { sqlite3_last_insert_rowid($0) } ?? 0 }
    /// Rows changed by the last statement, without those of triggers and foreign keys.
    public var changes: Int64 { handle.map { sqlite3_changes64($0) } ?? 0 }
    public var isInTransaction: Bool { handle != nil && sqlite3_get_autocommit(handle) == 0 }

    enum Control: Int, CaseIterable {
        case beginImmediate, beginDeferred, commit, rollBack
        case savepoint, release, rollBackToSavepoint

        // Of several savepoints of one name the innermost is meant, so one name will do.
        var sql: String {
            switch self {
            case .beginImmediate: "BEGIN IMMEDIATE"
            case .beginDeferred: "BEGIN DEFERRED"
            case .commit: "COMMIT"
            case .rollBack: "ROLLBACK"
            case .savepoint: "SAVEPOINT job"
            case .release: "RELEASE job"
            case .rollBackToSavepoint: "ROLLBACK TO job"
            }
        }
    }

    func run(_ step: Control) throws(SQLiteError) {
        let statement: OpaquePointer
        if let known = control[step.rawValue] {
            statement = known
        } else {
            statement = try compileRaw(step.sql, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
            control[step.rawValue] = statement
        }
        let result = sqlite3_step(statement)
        guard result == SQLITE_DONE else {
            let error = SQLiteError(result, on: handle, statement: step.sql)
            sqlite3_reset(statement)
            throw error
        }
        sqlite3_reset(statement)
    }

    // MARK: Opening

    private func open(_ name: String, _ flags: Int32) throws(SQLiteError) {
        var opened: OpaquePointer?
        let all = flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(name, &opened, all, nil)
        guard result == SQLITE_OK else {
            let error = SQLiteError(result, on: opened, statement: "open \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        deadline?.watch(opened)
        // "text" in double quotes is a misspelt column, not a string.
        clickrelay_sqlite_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0)
        clickrelay_sqlite_db_config(opened, SQLITE_DBCONFIG_DQS_DDL, 0)
        clickrelay_sqlite_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    }

    private func configureWriter(_ options: Options) throws(SQLiteError) {
        sqlite3_busy_timeout(handle, options.busyTimeoutMilliseconds)
        try require("journal_mode", "wal")
        try require("synchronous", options.synchronous.rawValue)
        try require("foreign_keys", 1)
        try require("wal_autocheckpoint", options.autocheckpointPages)
        try configureMemory(options)
        if options.securesLog { try secureLog() }
    }

    private func secureLog() throws(SQLiteError) {
        // Opens the log, or makes it, and keeps others from adding to it meanwhile.
        try begin()
        // Nothing was written that could be lost with it.
        defer { try? rollBack() }
        do throws(FileError) {
            try WriteAheadLog.rewrite(path + "-wal")
            // SQLite does so with its first commit, and goes on when that fails.
            try FileSystem.syncDirectory(FileSystem.parent(of: path))
        } catch {
            throw SQLiteError(error)
        }
    }

    private func openReader(_ options: Options) throws(SQLiteError) {
        do {
            try open(path, SQLITE_OPEN_READONLY)
            try configureReader(options)
        } catch {
            guard error.code == SQLITE_CANTOPEN || error.code == SQLITE_READONLY,
                FileSystem.exists(path), !FileSystem.exists(path + "-wal"),
                !FileSystem.isWritable(FileSystem.parent(of: path))
            else { throw error }
            close()
            try open(Self.immutableURI(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
            try configureReader(options)
        }
    }

    private func configureReader(_ options: Options) throws(SQLiteError) {
        sqlite3_busy_timeout(handle, options.busyTimeoutMilliseconds)
        // The writer alone checkpoints: before SQLite 3.51.3 a checkpoint beside a writer could
        // lose pages (sqlite.org/wal.html, "WAL-reset bug").
        clickrelay_sqlite_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        try require("wal_autocheckpoint", 0)
        try require("query_only", 1)
        try configureMemory(options)
        // The file itself is opened by the first read; let it fail here.
        let _: Int64 = try pragma("schema_version")
    }

    private func configureMemory(_ options: Options) throws(SQLiteError) {
        try execute("PRAGMA cache_size = -\(options.cacheKibibytes)")
        try execute("PRAGMA mmap_size = \(options.mappedBytesMax)")
        try require("temp_store", 2)
    }

    private func require(_ name: String, _ wanted: Int64) throws(SQLiteError) {
        try execute("PRAGMA \(name) = \(wanted)")
        let found: Int64 = try pragma(name)
        guard found == wanted else { throw refused(name, "\(wanted)", "\(found)") }
    }

    private func require(_ name: String, _ wanted: String) throws(SQLiteError) {
        try execute("PRAGMA \(name) = \(wanted)")
        let found: String = try pragma(name)
        guard found == wanted else { throw refused(name, wanted, found) }
    }

    private func refused(_ name: String, _ wanted: String, _ found: String) -> SQLiteError {
        SQLiteError(
            extendedCode: SQLITE_CANTOPEN,
            message: "\(path): \(name) is \(found) although \(wanted) was asked for; "
                + "a local file system is needed",
            statement: "PRAGMA \(name)")
    }

    /// SQLite would make the file readable by everybody, and gives its companions the same rights.
    private static func makePrivate(_ path: String) throws(SQLiteError) {
        // O_EXCL: closing a descriptor of a file that SQLite has open would drop its locks. When
        // the file cannot be made, SQLite's attempt reports why.
        let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        do throws(FileError) {
            // Commits sync the contents; the name must survive a power cut too.
            try FileSystem.syncDirectory(FileSystem.parent(of: path))
        } catch {
            throw SQLiteError(error)
        }
    }

    private static func immutableURI(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var uri = Array("file:".utf8)
        for byte in path.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 47, 95, 126: uri.append(byte)
            default: uri += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: uri, as: UTF8.self) + "?immutable=1"
    }
}

private enum Library {
    /// Once per process, before the first connection.
    static let configured: Void = {
        // Refused once SQLite is initialised, which then merely keeps its statistics.
        _ = clickrelay_sqlite_no_memory_statistics()
        precondition(sqlite3_threadsafe() != 0, "this SQLite was built without thread support")
    }()
}

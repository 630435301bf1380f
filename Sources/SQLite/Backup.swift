internal import CSQLite
internal import Glibc

/// A copy of a live database, taken a few pages at a time (sqlite.org/backup.html).
///
/// The copy grows at `path` + ".partial" and appears at `path`, synced and whole, by `finish()`.
/// It is one self-contained file (no WAL). Through the connection that writes, changes made
/// between steps go into the copy too; through a read-only one, take it inside a transaction, or
/// every commit of the writer starts it anew. Confined to the source's thread.
public final class Backup {
    public struct Progress: Sendable {
        public let pagesDone: Int
        public let pagesTotal: Int
    }

    private let source: Connection
    private let path: String
    private let partialPath: String
    private var target: Connection?
    private var handle: OpaquePointer?
    private var isComplete = false

    /// - Parameter path: replaced by `finish()` if it exists.
    public init(of source: Connection, toPath path: String) throws(SQLiteError) {
        self.source = source
        self.path = path
        partialPath = path + ".partial"
        try Self.asSQLite { () throws(FileError) in
            for suffix in ["", "-journal", "-wal", "-shm"] {
                try FileSystem.remove(partialPath + suffix)
            }
        }
        guard let sourceHandle = source.handle else { throw .closed(source.path) }
        let target = try Connection(creatingPlain: partialPath)
        guard let handle = sqlite3_backup_init(target.handle, "main", sourceHandle, "main") else {
            throw SQLiteError(
                sqlite3_errcode(target.handle), on: target.handle, statement: "backup")
        }
        self.target = target
        self.handle = handle
    }

    deinit { abandon() }

    /// Copies up to `pages` more; false when all are copied.
    ///
    /// - Throws: `isBusy` if another connection locks the source; the step may be repeated.
    public func step(pages: Int32) throws(SQLiteError) -> Bool {
        guard let handle else { throw Self.misuse }
        switch sqlite3_backup_step(handle, pages) {
        case SQLITE_OK: return true
        case SQLITE_DONE:
            isComplete = true
            return false
        case let result: throw SQLiteError(result, on: target?.handle, statement: "backup")
        }
    }

    public var progress: Progress {
        guard let handle else { return Progress(pagesDone: 0, pagesTotal: 0) }
        let total = Int(sqlite3_backup_pagecount(handle))
        return Progress(
            pagesDone: total - Int(sqlite3_backup_remaining(handle)), pagesTotal: total)
    }

    /// Makes the complete copy appear at its path, on the disk for good.
    ///
    /// - Throws: also if `step` has not yet said that all is copied.
    public func finish() throws(SQLiteError) {
        guard isComplete, handle != nil else { throw Self.misuse }
        let result = sqlite3_backup_finish(handle)
        handle = nil
        guard result == SQLITE_OK, let target else {
            throw SQLiteError(result, on: self.target?.handle, statement: "backup")
        }
        // The source's header says WAL; the copy shall not need a second file.
        let _: String = try target.pragma("journal_mode = DELETE")
        target.close()
        try Self.asSQLite { () throws(FileError) in
            try FileSystem.syncFile(partialPath)
            try FileSystem.rename(partialPath, to: path)
        }
        self.target = nil
    }

    /// Ends the copying and removes what there is of it. Nothing happens after `finish()`.
    public func abandon() {
        sqlite3_backup_finish(handle)
        handle = nil
        guard let target else { return }
        target.close()
        self.target = nil
        // A leftover is removed by the next backup to the same path.
        try? FileSystem.remove(partialPath)
    }

    private static let misuse = SQLiteError(
        extendedCode: SQLITE_MISUSE, message: "the backup is not at this point",
        statement: "backup")

    private static func asSQLite(_ body: () throws(FileError) -> Void) throws(SQLiteError) {
        do throws(FileError) {
            try body()
        } catch {
            throw SQLiteError(error)
        }
    }
}

extension Connection {
    /// Copies the whole database, as it is at one moment, to a new file or over an old one.
    ///
    /// - Parameter progress: called after each step of about 4 MiB; false gives the backup up.
    /// - Returns: false if it was given up. The target is then what it was before.
    @discardableResult
    public func backup(
        toPath path: String, progress: (Backup.Progress) -> Bool = { _ in true }
    ) throws(SQLiteError) -> Bool {
        // A held read transaction is the one moment: the writer's commits don't start it anew.
        let ownsTransaction = !isInTransaction
        if ownsTransaction {
            try begin(.deferred)
            do {
                _ = try int64("SELECT count(*) FROM sqlite_schema")
            } catch {
                // The first failure is the one to report.
                try? rollBack()
                throw error
            }
        }
        defer {
            // A read transaction has nothing that could be lost with it.
            if ownsTransaction { try? rollBack() }
        }
        let backup = try Backup(of: self, toPath: path)
        defer { backup.abandon() }
        while try backup.step(pages: 1_024) {
            if !progress(backup.progress) { return false }
        }
        _ = progress(backup.progress)
        try backup.finish()
        return true
    }
}

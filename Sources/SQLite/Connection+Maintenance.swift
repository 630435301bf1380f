internal import CSQLite

extension Connection {
    public struct CheckpointResult: Sendable, Equatable {
        /// Readers or a writer kept part of the WAL from being copied.
        public let wasBlocked: Bool
        public let walPages: Int
        public let copiedPages: Int
        public var isComplete: Bool { !wasBlocked && walPages == copiedPages }
    }

    /// Copies the WAL into the database, as much as possible without waiting for anybody. Only the
    /// connection that writes may do this.
    @discardableResult
    public func walCheckpoint() throws(SQLiteError) -> CheckpointResult {
        guard let handle else { throw .closed(path) }
        var length: Int32 = 0
        var copied: Int32 = 0
        let result = sqlite3_wal_checkpoint_v2(
            handle, nil, SQLITE_CHECKPOINT_PASSIVE, &length, &copied)
        guard result == SQLITE_OK || result == SQLITE_BUSY else {
            throw SQLiteError(result, on: handle, statement: "checkpoint")
        }
        return CheckpointResult(
            wasBlocked: result == SQLITE_BUSY, walPages: Int(max(0, length)),
            copiedPages: Int(max(0, copied)))
    }

    /// Turns the database into one plain file that needs no `-wal` or `-shm` beside it, not even
    /// to be read, and closes it. For a file that will not change again; opening it for writing
    /// puts it back into WAL mode.
    ///
    /// - Throws: `isBusy` while any other connection has the file open, also an idle one; nothing
    ///   has changed and the connection stays open.
    public func seal() throws(SQLiteError) {
        let mode: String = try pragma("journal_mode = DELETE")
        guard mode == "delete" else {
            throw SQLiteError(
                extendedCode: SQLITE_BUSY, message: "\(path) is still open elsewhere",
                statement: "PRAGMA journal_mode")
        }
        close()
        do throws(FileError) {
            // A WAL that came back after a power cut would be harmless, but would be in the way.
            try FileSystem.syncDirectory(FileSystem.parent(of: path))
        } catch {
            throw SQLiteError(error)
        }
    }

    /// Every fault found in the file, its indexes and its foreign keys; none is the good case.
    /// Reads all of it. At most 100 structural faults are listed.
    public func integrityCheck() throws(SQLiteError) -> [String] {
        let faults = try rows("PRAGMA integrity_check") { (row) throws(SQLiteError) in
            row.text(0)
        }
        let orphans = try foreignKeyFaults()
        return faults.filter { $0 != "ok" } + orphans
    }

    /// Rows whose foreign keys lead nowhere, described; at most 100.
    func foreignKeyFaults() throws(SQLiteError) -> [String] {
        let sql = """
            SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 100
            """
        return try rows(sql) { (row) throws(SQLiteError) in
            "row \(row.int64(1)) of \(row.text(0)) refers to a missing row of \(row.text(2))"
        }
    }

    /// The file is no longer at `path`, because somebody moved or removed it. In WAL mode SQLite
    /// does not notice that by itself: commits succeed, into a file nobody will find. Costs one
    /// `stat`, so a writer can ask now and then; true calls for reopening.
    public var hasMoved: Bool {
        guard let handle else { return false }
        var moved: Int32 = 0
        let result = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        return result == SQLITE_OK && moved != 0
    }
}

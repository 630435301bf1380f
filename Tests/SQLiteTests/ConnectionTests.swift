import Foundation
import TestSupport
import Testing

@testable import SQLite

@Suite struct ConnectionTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("a.db") }

    init() throws { directory = try TemporaryDirectory() }

    private func makeDatabase() throws -> Connection {
        let connection = try Connection(path: path, mode: .create)
        try connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT) STRICT")
        try connection.run("INSERT INTO t VALUES (?, ?)", [1, "one"])
        return connection
    }

    @Test(arguments: [Connection.Synchronous.full, .normal])
    func `a writer has the pragmas it was opened with`(synchronous: Connection.Synchronous) throws {
        let connection = try Connection(
            path: path, mode: .create,
            options: Connection.Options(
                synchronous: synchronous, mappedBytesMax: 1 << 20, cacheKibibytes: 4_096,
                autocheckpointPages: 500))
        #expect(try connection.pragma("journal_mode") == "wal")
        #expect(try connection.pragma("synchronous") == synchronous.rawValue)
        #expect(try connection.pragma("foreign_keys") == 1 as Int64)
        #expect(try connection.pragma("wal_autocheckpoint") == 500 as Int64)
        #expect(try connection.pragma("mmap_size") == 1 << 20 as Int64)
        #expect(try connection.pragma("cache_size") == -4_096 as Int64)
    }

    @Test func `a reader neither writes nor checkpoints`() throws {
        let writer = try makeDatabase()
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.pragma("query_only") == 1 as Int64)
        #expect(try reader.pragma("wal_autocheckpoint") == 0 as Int64)
        let error = #expect(throws: SQLiteError.self) {
            try reader.run("INSERT INTO t VALUES (2, NULL)")
        }
        #expect(error?.code == 8)
        #expect(try writer.int64("SELECT count(*) FROM t") == 1)
    }

    @Test func `a reader sees each commit of the writer and nothing before it`() throws {
        let writer = try makeDatabase()
        let reader = try Connection(path: path, mode: .readOnly)
        try writer.begin()
        try writer.run("INSERT INTO t VALUES (2, 'two')")
        #expect(try reader.int64("SELECT count(*) FROM t") == 1)
        try writer.commit()
        #expect(try reader.int64("SELECT count(*) FROM t") == 2)
    }

    @Test func `a file without a writer or its companions can be read`() throws {
        try makeDatabase().close()
        #expect(directory.entries() == ["a.db"])
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.text("SELECT name FROM t") == "one")
        // A writer that comes later is seen: nothing was taken for immutable.
        let writer = try Connection(path: path, mode: .readWrite)
        try writer.run("UPDATE t SET name = 'uno'")
        #expect(try reader.text("SELECT name FROM t") == "uno")
    }

    @Test func `a sealed file is one plain file and stays one while it is read`() throws {
        let writer = try makeDatabase()
        try writer.seal()
        #expect(directory.entries() == ["a.db"])
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.text("SELECT name FROM t") == "one")
        #expect(directory.entries() == ["a.db"])
        reader.close()
        let again = try Connection(path: path, mode: .readWrite)
        #expect(try again.pragma("journal_mode") == "wal")
        #expect(try again.text("SELECT name FROM t") == "one")
    }

    @Test func `a file that is still read cannot be sealed, and still works`() throws {
        let writer = try Connection(
            path: path, mode: .create, options: Connection.Options(busyTimeoutMilliseconds: 1))
        try writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.int64("SELECT count(*) FROM t") == 0)
        let error = #expect(throws: SQLiteError.self) { try writer.seal() }
        #expect(error?.isBusy == true)
        try writer.run("INSERT INTO t VALUES (1)")
        #expect(try reader.int64("SELECT count(*) FROM t") == 1)
        reader.close()
        try writer.seal()
        #expect(directory.entries() == ["a.db"])
    }

    @Test func `rows of a writer that died are there for a reader`() throws {
        let writer = try makeDatabase()
        let copy = directory.file("copy.db")
        // What a SIGKILL leaves: the database and its WAL, and an index that describes nothing.
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
        #expect(try Connection(path: copy, mode: .readOnly).text("SELECT name FROM t") == "one")
        #expect(try Connection(path: copy, mode: .readWrite).text("SELECT name FROM t") == "one")
        writer.close()
    }

    @Test func `a WAL file in a directory that can't be written is read as immutable`() throws {
        try makeDatabase().close()
        chmod(directory.path, 0o555)
        chmod(path, 0o444)
        // For the superuser rights mean nothing, so this thread acts as nobody on the file system.
        let asNobody = geteuid() == 0 ? FileSystemUser() : nil
        #expect(geteuid() != 0 || asNobody != nil)
        defer {
            asNobody?.restore()
            chmod(directory.path, 0o700)
        }
        asNobody?.become(65_534)
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.text("SELECT name FROM t") == "one")
        // With a WAL beside it the file alone is not the whole truth.
        asNobody?.restore()
        chmod(directory.path, 0o755)
        try directory.write("x", to: "a.db-wal")
        chmod(directory.path, 0o555)
        asNobody?.become(65_534)
        #expect(throws: SQLiteError.self) { try Connection(path: path, mode: .readOnly) }
    }

    @Test func `a new database belongs to its owner alone`() throws {
        let writer = try makeDatabase()
        for name in directory.entries() {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: directory.file(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        #expect(directory.entries() == ["a.db", "a.db-shm", "a.db-wal"])
        writer.close()
    }

    @Test(arguments: [Connection.Mode.readWrite, .readOnly])
    func `a missing file is not made`(mode: Connection.Mode) throws {
        let error = #expect(throws: SQLiteError.self) {
            try Connection(path: path, mode: mode)
        }
        #expect(error?.code == 14)
        #expect(error?.description.contains(path) == true)
        #expect(directory.entries().isEmpty)
    }

    @Test func `a file that is no database is refused as a storage failure`() throws {
        try directory.write(String(repeating: "not a database ", count: 100), to: "a.db")
        for mode in [Connection.Mode.create, .readWrite, .readOnly] {
            let error = #expect(throws: SQLiteError.self) {
                try Connection(path: path, mode: mode)
            }
            #expect(error?.code == 26)
        }
    }

    @Test func `a file system that can't hold a WAL is refused by name`() throws {
        // SQLite has no WAL for a database in memory either, and says so in the same way.
        let error = #expect(throws: SQLiteError.self) {
            try Connection(path: ":memory:", mode: .readWrite)
        }
        #expect(error?.message.contains("journal_mode is memory") == true)
    }

    @Test func `after close everything throws and nothing crashes`() throws {
        let connection = try makeDatabase()
        let statement = try connection.prepare("SELECT name FROM t WHERE id = ?")
        statement.bind(1, 1 as Int64)
        #expect(try statement.step())
        connection.close()
        connection.close()
        statement.bind(1, text: "x")
        statement.reset()
        #expect(statement.isNull(0))
        #expect(statement.text(0) == "")
        #expect(throws: SQLiteError.self) { try statement.step() }
        #expect(throws: SQLiteError.self) { try connection.execute("SELECT 1") }
        #expect(throws: SQLiteError.self) { try connection.prepare("SELECT 1") }
        #expect(throws: SQLiteError.self) { try connection.begin() }
        #expect(throws: SQLiteError.self) { try connection.walCheckpoint() }
        #expect(throws: SQLiteError.self) {
            try connection.backup(toPath: directory.file("b.db"))
        }
        #expect(connection.changes == 0 && connection.lastInsertRowID == 0)
        #expect(!connection.isInTransaction)
    }

    @Test func `a deadline ends a long statement, and the connection goes on`() throws {
        _ = try makeDatabase()
        let deadline = Deadline()
        let connection = try Connection(
            path: path, mode: .readOnly, deadline: deadline)
        let statement = try connection.prepare(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n
            """)
        #expect(try statement.step())
        #expect(!deadline.isOver)
        deadline.set(afterMilliseconds: 0)
        let error = #expect(throws: SQLiteError.self) { try statement.run() }
        #expect(error?.code == 9)
        #expect(throws: SQLiteError.self) { try deadline.check() }
        deadline.clear()
        #expect(try connection.int64("SELECT count(*) FROM t") == 1)
    }

    @Test func `a checkpoint empties the WAL and says what kept it`() throws {
        let writer = try Connection(
            path: path, mode: .create,
            options: Connection.Options(busyTimeoutMilliseconds: 1, autocheckpointPages: 0))
        try writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
        let reader = try Connection(path: path, mode: .readOnly)
        try reader.begin(.deferred)
        _ = try reader.int64("SELECT count(*) FROM t")
        try writer.run("INSERT INTO t VALUES (1)")
        #expect(try !writer.walCheckpoint().isComplete)
        try reader.rollBack()
        #expect(try writer.walCheckpoint().isComplete)
    }

    @Test func `a sound file has no faults and a damaged one has`() throws {
        let connection = try makeDatabase()
        #expect(try connection.integrityCheck().isEmpty)
        try connection.execute(
            """
            CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t) STRICT;
            CREATE INDEX t_name ON t (name);
            PRAGMA foreign_keys = 0;
            INSERT INTO child VALUES (5, 99);
            """)
        #expect(
            try connection.integrityCheck() == ["row 5 of child refers to a missing row of t"])
        try connection.execute("DELETE FROM child")
        let root = try #require(
            try connection.int64("SELECT rootpage FROM sqlite_schema WHERE name = 't_name'"))
        let size: Int64 = try connection.pragma("page_size")
        connection.close()
        // An index page that has become an empty leaf: the row is no longer in the index.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64((root - 1) * size))
        try file.write(contentsOf: Data([10, 0, 0, 0, 0, 16, 0, 0]))
        try file.close()
        #expect(try !Connection(path: path, mode: .readOnly).integrityCheck().isEmpty)
    }

    @Test func `changes and row IDs are those of the last statement`() throws {
        let connection = try makeDatabase()
        try connection.run("INSERT INTO t VALUES (41, NULL), (42, NULL)")
        #expect(connection.changes == 2)
        #expect(connection.lastInsertRowID == 42)
    }
}

/// Whose rights this thread has on the file system, without changing who the process is.
private struct FileSystemUser {
    private typealias Call = @convention(c) (UInt32) -> Int32
    private let call: Call

    init?() {
        guard let symbol = dlsym(nil, "setfsuid") else { return nil }
        call = unsafeBitCast(symbol, to: Call.self)
    }

    func become(_ user: UInt32) { _ = call(user) }
    func restore() { _ = call(0) }
}

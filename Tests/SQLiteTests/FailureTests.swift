import TestSupport
import Testing

@testable import SQLite

@Suite struct FailureTests {
    let directory: TemporaryDirectory
    let connection: Connection

    init() throws {
        directory = try TemporaryDirectory()
        connection = try Connection(path: directory.file("a.db"), mode: .create)
        try connection.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, b BLOB) STRICT;
            CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER NOT NULL REFERENCES t) STRICT;
            INSERT INTO t (id, name) VALUES (1, 'one');
            """)
    }

    @Test(arguments: [
        "INSERT INTO t (id, name) VALUES (2, 'one')", "INSERT INTO t (id, name) VALUES (1, 'two')",
        "INSERT INTO child VALUES (1, 99)", "INSERT INTO child VALUES (1, NULL)",
    ])
    func `a violated constraint is told from other trouble`(sql: String) throws {
        let error = #expect(throws: SQLiteError.self) { try connection.run(sql) }
        #expect(error?.isConstraint == true)
        #expect(error?.statement.hasPrefix("INSERT INTO") == true)
    }

    @Test func `an error names the statement by its first words only`() throws {
        let long = "SELECT " + String(repeating: "missing, ", count: 100) + "1 FROM nowhere"
        let error = #expect(throws: SQLiteError.self) { try connection.prepare(long) }
        #expect(error.map { $0.statement.count <= 80 } == true)
        #expect(error?.description.contains("nowhere") == true)
    }

    @Test func `a full disk is a storage failure that undoes only its transaction`() throws {
        let pages: Int64 = try connection.pragma("page_count")
        try connection.execute("PRAGMA max_page_count = \(pages + 20)")
        try connection.run("INSERT INTO t (id, b) VALUES (2, zeroblob(20000))")
        let error = #expect(throws: SQLiteError.self) {
            try connection.transaction { () throws(SQLiteError) in
                try connection.run("INSERT INTO t (id) VALUES (3)")
                try connection.run("INSERT INTO t (id, b) VALUES (4, zeroblob(200000))")
            }
        }
        #expect(error?.code == 13)
        #expect(!connection.isInTransaction)
        #expect(try connection.int64("SELECT max(id) FROM t") == 2)
        // With room again the same connection goes on.
        try connection.execute("PRAGMA max_page_count = 1000000")
        try connection.run("INSERT INTO t (id, b) VALUES (4, zeroblob(200000))")
        #expect(try connection.integrityCheck().isEmpty)
    }

    @Test func `a second writer is kept out and told so`() throws {
        let other = try Connection(
            path: directory.file("a.db"), mode: .readWrite,
            options: Connection.Options(busyTimeoutMilliseconds: 1))
        try connection.begin()
        let error = #expect(throws: SQLiteError.self) { try other.begin() }
        #expect(error?.isBusy == true)
        try connection.rollBack()
        try other.begin()
        try other.rollBack()
    }

    @Test func `a database moved away or removed under its writer can be noticed`() throws {
        #expect(!connection.hasMoved)
        try FileSystem.rename(directory.file("a.db"), to: directory.file("moved.db"))
        // Why it has to be asked for: the commit succeeds.
        try connection.run("INSERT INTO t (id) VALUES (2)")
        #expect(connection.hasMoved)
        try FileSystem.rename(directory.file("moved.db"), to: directory.file("a.db"))
        #expect(!connection.hasMoved)
        try FileSystem.remove(directory.file("a.db"))
        #expect(connection.hasMoved)
        connection.close()
        #expect(!connection.hasMoved)
    }
}

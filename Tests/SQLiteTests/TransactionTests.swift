import TestSupport
import Testing

@testable import SQLite

@Suite struct TransactionTests {
    struct Refusal: Error, Equatable { let reason: String }

    let directory: TemporaryDirectory
    let connection: Connection

    init() throws {
        directory = try TemporaryDirectory()
        connection = try Connection(path: directory.file("a.db"), mode: .create)
        try connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB) STRICT")
    }

    private func insert(_ id: Int64) throws(SQLiteError) {
        try connection.run("INSERT INTO t (id) VALUES (?)", [.integer(id)])
    }

    private func ids() throws -> [Int64] {
        try connection.rows("SELECT id FROM t ORDER BY id") { (row) throws(SQLiteError) in
            row.int64(0)
        }
    }

    @Test func `a transaction keeps all or nothing`() throws {
        let answer = try connection.transaction { () throws(SQLiteError) in
            try insert(1)
            try insert(2)
            return 42
        }
        #expect(answer == 42)
        #expect(throws: SQLiteError.self) {
            try connection.transaction { () throws(SQLiteError) in
                try insert(3)
                try insert(1)
            }
        }
        #expect(try ids() == [1, 2])
        #expect(!connection.isInTransaction)
    }

    @Test func `an attempt returns its own error and undoes only itself`() throws {
        try connection.begin()
        let kept = try connection.attempt { () throws(SQLiteError) in
            try insert(1)
            return "kept"
        }
        let refused = try connection.attempt { () throws(Refusal) in
            do { try insert(2) } catch { throw Refusal(reason: "unexpected") }
            throw Refusal(reason: "no")
        }
        try connection.commit()
        #expect(try kept.get() == "kept")
        #expect(throws: Refusal(reason: "no")) { try refused.get() }
        #expect(try ids() == [1])
    }

    @Test func `attempts nest`() throws {
        try connection.transaction { () throws(SQLiteError) in
            let outer = try connection.attempt { () throws(SQLiteError) in
                try insert(1)
                let inner = try connection.attempt { () throws(Refusal) in
                    do { try insert(2) } catch { throw Refusal(reason: "unexpected") }
                    throw Refusal(reason: "inner")
                }
                #expect(throws: Refusal(reason: "inner")) { try inner.get() }
                try insert(3)
            }
            #expect(throws: Never.self) { try outer.get() }
        }
        #expect(try ids() == [1, 3])
    }

    @Test func `when everything was undone, an attempt throws instead of going on`() throws {
        try connection.begin()
        try insert(1)
        let error = #expect(throws: SQLiteError.self) {
            try connection.attempt { () throws(Refusal) in
                // Stands for what SQLite does by itself after some failures.
                do { try connection.execute("ROLLBACK") } catch { throw Refusal(reason: "?") }
            }
        }
        #expect(error?.code == 4)
        #expect(!connection.isInTransaction)
        #expect(try ids() == [])
    }

    @Test func `rolling back without a transaction is nothing`() throws {
        try connection.rollBack()
        try insert(1)
        #expect(try ids() == [1])
    }

    @Test func `a deferred transaction reads one unchanging state`() throws {
        let reader = try Connection(path: directory.file("a.db"), mode: .readOnly)
        try reader.transaction(.deferred) { () throws(SQLiteError) in
            #expect(try reader.int64("SELECT count(*) FROM t") == 0)
            try insert(1)
            #expect(try reader.int64("SELECT count(*) FROM t") == 0)
        }
        #expect(try reader.int64("SELECT count(*) FROM t") == 1)
    }
}

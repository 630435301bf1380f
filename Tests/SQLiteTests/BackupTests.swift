import TestSupport
import Testing

@testable import SQLite

@Suite struct BackupTests {
    let directory: TemporaryDirectory
    let writer: Connection
    var target: String { directory.file("copy.db") }

    init() throws {
        directory = try TemporaryDirectory()
        writer = try Connection(path: directory.file("a.db"), mode: .create)
        try writer.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB) STRICT;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)
            INSERT INTO t SELECT i, zeroblob(4000) FROM n;
            """)
    }

    @Test func `a copy is one whole plain file`() throws {
        var seen: [Int] = []
        try writer.backup(toPath: target) { progress in
            seen.append(progress.pagesDone)
            return true
        }
        #expect(seen.count > 2 && seen == seen.sorted())
        #expect(directory.entries().filter { $0.hasPrefix("copy") } == ["copy.db"])
        // Bytes 18 and 19 are 1 for a rollback journal and 2 for a WAL (sqlite.org/fileformat2).
        #expect(try FileSystem.read(target)[18...19] == [1, 1])
        let copy = try Connection(path: target, mode: .readOnly)
        #expect(try copy.integrityCheck().isEmpty)
        #expect(try copy.int64("SELECT count(*) FROM t") == 3_000)
        #expect(directory.entries().filter { $0.hasPrefix("copy") } == ["copy.db"])
    }

    @Test func `a reader's copy is of one moment while the writer goes on`() throws {
        let reader = try Connection(path: directory.file("a.db"), mode: .readOnly)
        var failure: (any Error)?
        var id: Int64 = 10_000
        try reader.backup(toPath: target) { _ in
            do {
                id += 1
                try writer.run("INSERT INTO t VALUES (?, NULL)", [.integer(id)])
            } catch { failure = error }
            return true
        }
        #expect(failure == nil && id > 10_001)
        let copy = try Connection(path: target, mode: .readOnly)
        #expect(try copy.int64("SELECT max(id) FROM t") == 3_000)
        #expect(!reader.isInTransaction)
    }

    @Test func `what the writer changes between steps is in its copy`() throws {
        let backup = try Backup(of: writer, toPath: target)
        #expect(try backup.step(pages: 100))
        try writer.run("UPDATE t SET b = NULL WHERE id = 1")
        try writer.run("INSERT INTO t VALUES (5000, NULL)")
        while try backup.step(pages: 1_000) {}
        try backup.finish()
        let copy = try Connection(path: target, mode: .readOnly)
        #expect(try copy.integrityCheck().isEmpty)
        #expect(try copy.int64("SELECT max(id) FROM t") == 5_000)
        #expect(try copy.int64("SELECT b IS NULL FROM t WHERE id = 1") == 1)
    }

    @Test func `a backup given up leaves the old target and no remains`() throws {
        try directory.write("old", to: "copy.db")
        #expect(try !writer.backup(toPath: target) { _ in false })
        #expect(directory.entries().filter { $0.hasPrefix("copy") } == ["copy.db"])
        #expect(try FileSystem.read(target) == Array("old".utf8))
        try directory.write("remains of a crash", to: "copy.db.partial")
        try writer.backup(toPath: target)
        #expect(try Connection(path: target, mode: .readOnly).integrityCheck().isEmpty)
    }

    @Test func `an unfinished copy is never put in place`() throws {
        let backup = try Backup(of: writer, toPath: target)
        #expect(try backup.step(pages: 1))
        #expect(throws: SQLiteError.self) { try backup.finish() }
        backup.abandon()
        #expect(throws: SQLiteError.self) { try backup.step(pages: 1) }
        #expect(directory.entries().filter { $0.hasPrefix("copy") } == [])
    }

    @Test func `a target that can't be made is a storage failure`() throws {
        let error = #expect(throws: SQLiteError.self) {
            try writer.backup(toPath: directory.file("missing/copy.db"))
        }
        #expect(error != nil)
        #expect(!writer.isInTransaction)
    }
}

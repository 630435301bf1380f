import Foundation
import TestSupport
import Testing

@testable import SQLite

/// What a log is written anew with; that it has to be, the simulated machine shows.
@Suite struct WriteAheadLogTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("a.db") }
    var log: String { path + "-wal" }

    init() throws { directory = try TemporaryDirectory() }

    private func contents() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: log)) }

    /// A database of which all is in its log, and another connection that leaves it there.
    private func makeLog(rows: Int) throws -> Connection {
        let writer = try Connection(
            path: path, mode: .create, options: Connection.Options(autocheckpointPages: 0))
        try writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB) STRICT")
        for _ in 0..<rows { try writer.run("INSERT INTO t (b) VALUES (zeroblob(3000))") }
        let reader = try Connection(path: path, mode: .readOnly)
        writer.close()
        return reader
    }

    // Below and above a chunk of a mebibyte, which is 254 frames.
    @Test(arguments: [1, 20, 400])
    func `a log is the same afterwards, and what it holds is there`(rows: Int) throws {
        let reader = try makeLog(rows: rows)
        let before = try contents()
        #expect(before.count > rows * 4096)
        try WriteAheadLog.rewrite(log)
        #expect(try contents() == before)
        #expect(try reader.int64("SELECT count(*) FROM t") == Int64(rows))
        reader.close()
        let writer = try Connection(
            path: path, mode: .readWrite, options: Connection.Options(securesLog: true))
        #expect(!writer.isInTransaction)
        #expect(try writer.int64("SELECT count(*) FROM t") == Int64(rows))
        try writer.run("INSERT INTO t (b) VALUES (NULL)")
        #expect(try writer.integrityCheck().isEmpty)
    }

    @Test(arguments: [0, 1, 31, 32, 33, 56, 4151, 4152])
    func `a log that ends anywhere is the same afterwards`(count: Int) throws {
        try makeLog(rows: 3).close()
        let cut = try contents().prefix(count)
        try cut.write(to: URL(fileURLWithPath: log))
        try WriteAheadLog.rewrite(log)
        #expect(try contents() == cut)
    }

    @Test func `no log, or none that SQLite would take, is left alone`() throws {
        try WriteAheadLog.rewrite(log)
        #expect(directory.entries().isEmpty)
        let nonsense = Data((0..<9000).map { UInt8(truncatingIfNeeded: $0) })
        try nonsense.write(to: URL(fileURLWithPath: log))
        try WriteAheadLog.rewrite(log)
        #expect(try contents() == nonsense)
    }

    @Test func `a log that another writer adds to is not touched`() throws {
        try makeLog(rows: 3).close()
        let other = try Connection(path: path, mode: .readWrite)
        try other.begin()
        let error = #expect(throws: SQLiteError.self) {
            try Connection(
                path: path, mode: .readWrite,
                options: Connection.Options(busyTimeoutMilliseconds: 1, securesLog: true))
        }
        #expect(error?.isBusy == true)
        try other.rollBack()
    }
}

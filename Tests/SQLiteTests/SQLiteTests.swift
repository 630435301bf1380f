import Testing

@testable import SQLite

@Suite struct SmokeTests {
    @Test func `a row written is read back`() throws {
        let path = "/tmp/clickrelay-smoke-\(UInt64.random(in: 0 ... .max)).db"
        defer {
            for suffix in ["", "-wal", "-shm"] { try? FileSystem.remove(path + suffix) }
        }
        let writer = try Connection(path: path, mode: .create)
        try writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT) STRICT")
        let insert = try writer.prepare("INSERT INTO t VALUES (?, ?)")
        insert.bind(1, 7)
        insert.bind(2, text: "seven")
        try insert.run()
        let reader = try Connection(path: path, mode: .readOnly)
        #expect(try reader.text("SELECT name FROM t WHERE id = ?", [7]) == "seven")
    }
}

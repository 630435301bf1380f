import TestSupport
import Testing

@testable import SQLite

@Suite struct StatementTests {
    let directory: TemporaryDirectory
    let connection: Connection

    init() throws {
        directory = try TemporaryDirectory()
        connection = try Connection(path: directory.file("a.db"), mode: .create)
        try connection.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, x TEXT, b BLOB) STRICT")
    }

    @Test(arguments: [0, 1, -1, .max, .min] as [Int64])
    func `integers come back as they went in`(value: Int64) throws {
        let statement = try connection.prepare("SELECT ?")
        statement.bind(1, value)
        #expect(try statement.step())
        #expect(statement.int64(0) == value)
        #expect(statement.optionalInt64(0) == value)
        #expect(statement.column(0) == value)
        #expect(statement.bool(0) == (value != 0))
    }

    @Test(arguments: ["", "a", "Zoë — 日本", "a\u{0}b"])
    func `text comes back as it went in`(text: String) throws {
        let statement = try connection.prepare("SELECT ?, typeof(?1)")
        statement.bind(1, text: text)
        #expect(try statement.step())
        #expect(statement.text(0) == text && statement.optionalText(0) == text)
        #expect(statement.text(1) == "text")
        statement.reset()
    }

    @Test(arguments: [[], [0], [0, 255, 0, 1], [UInt8](repeating: 7, count: 100_000)])
    func `bytes come back as they went in`(bytes: [UInt8]) throws {
        let statement = try connection.prepare("SELECT ?, ?, typeof(?1), typeof(?2)")
        try bytes.withUnsafeBytes { pointer in
            statement.bind(1, blob: bytes)
            statement.bind(2, bytes: pointer)
            let hasRow = try statement.step()
            #expect(hasRow)
            #expect(statement.blob(0) == bytes)
            #expect(statement.withBytes(1) { Array($0) } == bytes)
            #expect(statement.text(2) == "blob" && statement.text(3) == "blob")
            statement.reset()
        }
    }

    @Test func `an empty buffer without an address is empty, not NULL`() throws {
        let statement = try connection.prepare("SELECT typeof(?)")
        statement.bind(1, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(try statement.step())
        #expect(statement.text(0) == "blob")
    }

    @Test func `nothing is NULL and reads as nothing`() throws {
        let statement = try connection.prepare("SELECT ?, ?, ?, ?, ?")
        statement.bind(1, nil as Int64?)
        statement.bind(2, text: nil)
        statement.bind(3, blob: nil)
        statement.bindNull(4)
        statement.bind(5, value: nil)
        #expect(try statement.step())
        for column in 0..<5 as Range<Int32> {
            #expect(statement.isNull(column))
            #expect(statement.optionalInt64(column) == nil)
            #expect(statement.optionalText(column) == nil)
            #expect(statement.optionalBlob(column) == nil)
            #expect(statement.text(column) == "" && statement.blob(column) == [])
        }
    }

    @Test func `broken UTF-8 is read with replacements`() throws {
        let statement = try connection.prepare("SELECT CAST(? AS TEXT)")
        statement.bind(1, blob: [97, 0xff, 98])
        #expect(try statement.step())
        #expect(statement.text(0) == "a\u{fffd}b")
    }

    @Test func `a statement runs again and again`() throws {
        let insert = try connection.prepare("INSERT INTO t (id, i, x) VALUES (?, ?, ?)")
        for id in 1...100 as ClosedRange<Int64> {
            insert.bind(1, id)
            insert.bind(2, id * 2)
            insert.bind(3, text: "row \(id)")
            try insert.run()
        }
        let select = try connection.prepare("SELECT i, x FROM t WHERE id = ?")
        for id in [1, 50, 100] as [Int64] {
            select.bind(1, id)
            #expect(try select.step())
            #expect(select.int64(0) == id * 2 && select.text(1) == "row \(id)")
            #expect(try !select.step())
        }
        #expect(try connection.int64("SELECT count(*) FROM t") == 100)
    }

    @Test func `a wrong binding is thrown by the next step, once`() throws {
        let insert = try connection.prepare("INSERT INTO t (id) VALUES (?)")
        insert.bind(1, 1 as Int64)
        insert.bind(2, 1 as Int64)
        let error = #expect(throws: SQLiteError.self) { try insert.run() }
        #expect(error?.code == 25)
        #expect(error?.statement == "INSERT INTO t (id) VALUES (?)")
        #expect(try connection.int64("SELECT count(*) FROM t") == 0)
        try insert.run()
        #expect(try connection.int64("SELECT id FROM t") == 1)
    }

    @Test func `binding between two rows is refused`() throws {
        try connection.run("INSERT INTO t (id) VALUES (1), (2)")
        let select = try connection.prepare("SELECT id FROM t WHERE id < ?")
        select.bind(1, 10 as Int64)
        #expect(try select.step())
        select.bind(1, 1 as Int64)
        #expect(throws: SQLiteError.self) { try select.step() }
    }

    @Test(arguments: ["SELECT 1; SELECT 2", "", "-- nothing", "SELECT 1; garbage"])
    func `anything but one statement is refused`(sql: String) throws {
        #expect(throws: SQLiteError.self) { try connection.prepare(sql) }
    }

    @Test func `a trailing semicolon is fine`() throws {
        #expect(try connection.int64("SELECT 1 ;\n ") == 1)
    }

    @Test func `the number of values must be the number of parameters`() throws {
        #expect(throws: SQLiteError.self) { try connection.int64("SELECT ?") }
        #expect(throws: SQLiteError.self) { try connection.int64("SELECT ?", [1, 2]) }
    }

    @Test func `rows come in order and first takes one`() throws {
        try connection.run("INSERT INTO t (id, x) VALUES (1, 'a'), (2, NULL), (3, 'c')")
        let names = try connection.rows("SELECT x FROM t WHERE id >= ? ORDER BY id", [1]) {
            (row) throws(SQLiteError) in row.optionalText(0)
        }
        #expect(names == ["a", nil, "c"])
        let none = try connection.first("SELECT x FROM t WHERE id = 9") {
            (row) throws(SQLiteError) in row.optionalText(0)
        }
        #expect(none == nil)
        #expect(try connection.text("SELECT x FROM t WHERE id = 2") == nil)
    }

    @Test func `a misspelt column in double quotes is an error, not a string`() throws {
        #expect(throws: SQLiteError.self) {
            try connection.int64("SELECT count(*) FROM t WHERE \"nome\" = 'nome'")
        }
    }
}

import Domain
import SQLite
import Store
import TestSupport
import Testing

@Suite struct DirectorySnapshotTests {
    private let directory: TemporaryDirectory
    private let data: DataDirectory
    private let today: Day
    private var copy: String { directory.file("copy.db") }

    init() throws {
        directory = try TemporaryDirectory()
        data = DataDirectory(path: directory.file("data"))
        try data.create()
        let ledger = try Ledger(data, options: Ledger.Options(), observers: Ledger.Observers())
        ledger.stop()
        let noon = try #require(Instant(rfc3339: "2026-11-20T12:00:00Z"))
        today = noon.day
        let store = try ClickStore(
            data, options: ClickStore.Options(), now: { noon }, log: { _, _ in })
        store.stop()
    }

    private func open(_ path: String) throws -> Connection {
        try Connection(path: path, mode: .readWrite)
    }

    private func count(_ path: String) throws -> Int64? {
        let connection = try Connection(path: path, mode: .readOnly)
        defer { connection.close() }
        return try connection.int64("SELECT count(*) FROM sqlite_schema WHERE name = 'later'")
    }

    @Test func `what is committed after its moment is in no copy`() throws {
        let ledger = try open(data.ledgerPath)
        let clicks = try open(data.clickFilePath(today))
        let snapshot = try DirectorySnapshot(data)
        for connection in [ledger, clicks] { try connection.execute("CREATE TABLE later (a)") }
        try snapshot.copyLedger(toPath: copy) { _ in }
        #expect(try count(copy) == 0)
        try snapshot.copyDay(today, toPath: copy) { _ in }
        #expect(try count(copy) == 0)
        #expect(try count(data.ledgerPath) == 1)
        let next = try DirectorySnapshot(data)
        try next.copyDay(today, toPath: copy) { _ in }
        #expect(try count(copy) == 1)
    }

    @Test func `sealed days are told from those that are still written, and from broken ones`()
        throws
    {
        let sealed = today.advanced(by: -1)
        let broken = today.advanced(by: -2)
        try open(data.clickFilePath(today)).backup(toPath: data.clickFilePath(sealed))
        try directory.write("no database", to: "data/clicks/\(broken.text).db")
        let snapshot = try DirectorySnapshot(data)
        #expect(snapshot.days == [sealed, today])
        #expect(snapshot.isSealed(sealed) && !snapshot.isSealed(today))
        #expect(snapshot.unreadableDays.map(\.day) == [broken])
        snapshot.releaseDay(today)
        #expect(!snapshot.isSealed(today))
        #expect(throws: StoreError.self) { try snapshot.copyDay(today, toPath: copy) { _ in } }
    }

    @Test func `a released ledger lets its log be emptied`() throws {
        let ledger = try open(data.ledgerPath)
        let snapshot = try DirectorySnapshot(data)
        try ledger.execute("CREATE TABLE later (a)")
        #expect(try !ledger.walCheckpoint().isComplete)
        snapshot.releaseLedger()
        #expect(try ledger.walCheckpoint().isComplete)
    }

    @Test func `there is no snapshot of another program's ledger`() throws {
        let ledger = try open(data.ledgerPath)
        try ledger.execute("PRAGMA application_id = 7")
        ledger.close()
        #expect(throws: StoreError.self) { try DirectorySnapshot(data) }
    }
}

import Foundation
import Migrations
import TestSupport
import Testing

@testable import SQLite

@Suite struct MigratorTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("a.db") }

    let first = Migration(
        version: 1, name: "initial",
        sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT) STRICT;")
    let second = Migration(
        version: 2, name: "colour",
        sql: "ALTER TABLE t ADD COLUMN colour TEXT; UPDATE t SET colour = 'red';")

    init() throws { directory = try TemporaryDirectory() }

    private func migrator(_ migrations: Migration...) -> Migrator {
        Migrator(applicationID: 0x4352_4c59, migrations: migrations)
    }

    private func open() throws -> Connection { try Connection(path: path, mode: .create) }

    @Test func `an empty database gets everything and needs no backup`() throws {
        let connection = try open()
        #expect(try migrator(first, second).migrate(connection) == [first, second])
        #expect(try connection.pragma("user_version") == 2 as Int64)
        #expect(try connection.pragma("application_id") == 0x4352_4c59 as Int64)
        #expect(try connection.pragma("foreign_keys") == 1 as Int64)
        #expect(!directory.entries().contains { $0.hasSuffix(".backup") })
        #expect(try migrator(first, second).migrate(connection) == [])
    }

    @Test func `an older database is copied first and then upgraded`() throws {
        let connection = try open()
        _ = try migrator(first).migrate(connection)
        try connection.run("INSERT INTO t VALUES (1, 'one')")
        #expect(try migrator(first, second).migrate(connection) == [second])
        #expect(try connection.text("SELECT colour FROM t") == "red")
        let copy = try Connection(path: path + ".v0001.backup", mode: .readOnly)
        #expect(try copy.pragma("user_version") == 1 as Int64)
        #expect(try copy.text("SELECT name FROM t") == "one")
        #expect(throws: SQLiteError.self) { try copy.text("SELECT colour FROM t") }
        // The copy is what one goes back to, with the older program.
        copy.close()
        #expect(
            try migrator(first).check(Connection(path: copy.path, mode: .readOnly)) == 1)
    }

    @Test func `a newer schema is refused with both versions and left alone`() throws {
        let connection = try open()
        _ = try migrator(first, second).migrate(connection)
        let error = #expect(throws: MigrationError.self) {
            try migrator(first).migrate(connection)
        }
        #expect(error == .newerSchema(path: path, found: 2, known: 1))
        #expect(error?.description.contains("version 2") == true)
        #expect(error?.description.contains("up to 1") == true)
        #expect(try connection.pragma("user_version") == 2 as Int64)
    }

    @Test func `another program's database is refused and left alone`() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE theirs (id INTEGER)")
        #expect(
            throws: MigrationError.foreignApplication(
                path: path, found: 0, expected: 0x4352_4c59)
        ) { try migrator(first).migrate(connection) }
        try connection.execute("PRAGMA application_id = 77")
        #expect(
            throws: MigrationError.foreignApplication(
                path: path, found: 77, expected: 0x4352_4c59)
        ) { try migrator(first).migrate(connection) }
        #expect(try connection.int64("SELECT count(*) FROM sqlite_schema") == 1)
    }

    @Test(arguments: [
        "CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT; INSERT INTO missing VALUES (1);",
        "CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT; COMMIT;",
        "CREATE TABLE u (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t) STRICT; "
            + "INSERT INTO u VALUES (1, 99);",
    ])
    func `a migration that fails is undone whole, after those before it`(sql: String) throws {
        let connection = try open()
        _ = try migrator(first).migrate(connection)
        let broken = Migration(version: 3, name: "broken", sql: sql)
        let error = #expect(throws: MigrationError.self) {
            try migrator(first, second, broken).migrate(connection)
        }
        guard case .failed(3, "broken", let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.message.isEmpty)
        #expect(!connection.isInTransaction)
        #expect(try connection.pragma("user_version") == 2 as Int64)
        #expect(try connection.pragma("foreign_keys") == 1 as Int64)
        if !sql.contains("COMMIT") {
            #expect(
                try connection.int64("SELECT count(*) FROM sqlite_schema WHERE name = 'u'") == 0)
        }
    }

    @Test func `a table may be rebuilt without its children's rows going with it`() throws {
        let connection = try open()
        let parents = Migration(
            version: 1, name: "initial",
            sql: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT) STRICT;
                CREATE TABLE child (t INTEGER REFERENCES t ON DELETE CASCADE) STRICT;
                INSERT INTO t VALUES (1, 'one');
                INSERT INTO child VALUES (1);
                """)
        let rebuild = Migration(
            version: 2, name: "rebuild",
            sql: """
                CREATE TABLE new_t (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
                INSERT INTO new_t SELECT * FROM t;
                DROP TABLE t;
                ALTER TABLE new_t RENAME TO t;
                """)
        _ = try migrator(parents, rebuild).migrate(connection)
        #expect(try connection.int64("SELECT count(*) FROM child") == 1)
        #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO child VALUES (2)") }
    }

    @Test func `without a backup nothing is migrated`() throws {
        let connection = try open()
        _ = try migrator(first).migrate(connection)
        // A directory of that name cannot be replaced by a file.
        try FileSystem.createDirectory(path + ".v0001.backup/inside")
        let error = #expect(throws: MigrationError.self) {
            try migrator(first, second).migrate(connection)
        }
        guard case .backupFailed(_, let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause.code == 14 || cause.code == 10)
        #expect(try connection.pragma("user_version") == 1 as Int64)
    }

    @Test func `a second attempt replaces the backup of the first`() throws {
        let connection = try open()
        _ = try migrator(first).migrate(connection)
        let broken = Migration(version: 2, name: "broken", sql: "nonsense")
        for _ in 1...3 {
            #expect(throws: MigrationError.self) {
                try migrator(first, broken).migrate(connection)
            }
        }
        #expect(
            directory.entries().filter { $0.contains("backup") } == ["a.db.v0001.backup"])
    }

    @Test func `every file in Migrations is built in, under its number`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appendingPathComponent("Migrations")
        var files: [String: String] = [:]
        for name in try FileSystem.list(folder.path) {
            files[name] = String(
                decoding: try FileSystem.read(folder.appendingPathComponent(name).path),
                as: UTF8.self)
        }
        func expected(
            _ prefix: String, _ migrations: [(version: Int, name: String, sql: String)]
        ) -> [(String, String)] {
            migrations.map { migration in
                (
                    prefix + String(format: "v%04d_", migration.version) + migration.name + ".sql",
                    migration.sql
                )
            }
        }
        let embedded =
            expected("", EmbeddedMigrations.ledger) + expected("clicks_", EmbeddedMigrations.clicks)
        #expect(Dictionary(uniqueKeysWithValues: embedded) == files)
    }

    @Test func `the embedded schemas can be applied and are sound`() throws {
        for (name, migrations) in [
            ("ledger.db", EmbeddedMigrations.ledger), ("clicks.db", EmbeddedMigrations.clicks),
        ] {
            let connection = try Connection(path: directory.file(name), mode: .create)
            let steps = migrations.map {
                Migration(version: $0.version, name: $0.name, sql: $0.sql)
            }
            _ = try Migrator(applicationID: 1, migrations: steps).migrate(connection)
            #expect(try connection.integrityCheck().isEmpty)
        }
    }
}

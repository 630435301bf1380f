/// One step of a schema's history, applied once and never edited after its release.
public struct Migration: Sendable, Equatable {
    /// From 1 without gaps; the database's `user_version` after it.
    public let version: Int
    public let name: String
    public let sql: String

    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }
}

/// Why a database was not brought up to date. It is unchanged, but for the migrations applied
/// before one that `failed`, each of which is whole.
public enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Written by a newer version of this program.
    case newerSchema(path: String, found: Int, known: Int)
    /// Some other program's database.
    case foreignApplication(path: String, found: Int32, expected: Int32)
    case failed(version: Int, name: String, SQLiteError)
    /// Nothing was migrated because the copy to go back to could not be made.
    case backupFailed(path: String, SQLiteError)
    case unreadable(SQLiteError)

    public var description: String {
        switch self {
        case .newerSchema(let path, let found, let known):
            "\(path) has schema version \(found), and this program knows up to \(known): "
                + "use the newer program, or restore a backup"
        case .foreignApplication(let path, let found, let expected):
            "\(path) belongs to another program (application ID \(found), not \(expected))"
        case .failed(let version, let name, let error):
            "migration \(version) (\(name)) failed and was undone: \(error)"
        case .backupFailed(let path, let error): "no backup could be made at \(path): \(error)"
        case .unreadable(let error): error.description
        }
    }

    /// The SQLite failure behind it, where there is one.
    public var underlying: SQLiteError? {
        switch self {
        case .newerSchema, .foreignApplication: nil
        case .failed(_, _, let error), .backupFailed(_, let error), .unreadable(let error): error
        }
    }
}

/// Brings a database to the newest schema this program knows.
public struct Migrator: Sendable {
    private let applicationID: Int32
    let migrations: [Migration]

    /// - Parameter migrations: in order, versions 1, 2, 3, ...
    public init(applicationID: Int32, migrations: [Migration]) {
        precondition(applicationID != 0, "0 is SQLite's own for \"nobody's\"")
        for (position, migration) in migrations.enumerated() {
            precondition(
                migration.version == position + 1,
                "migration \(migration.name) is number \(position + 1), not \(migration.version)")
        }
        self.applicationID = applicationID
        self.migrations = migrations
    }

    /// The version a database has after `migrate`.
    public var newestVersion: Int { migrations.count }

    /// Where the copy of `path` at `version` is kept.
    public static func backupPath(of path: String, version: Int) -> String {
        let digits = String(version)
        return path + ".v" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            + ".backup"
    }

    /// Throws unless `connection` is a database of ours that this program can read; changes nothing.
    ///
    /// - Returns: its version; 0 for an empty one.
    @discardableResult
    public func check(_ connection: Connection) throws(MigrationError) -> Int {
        let found: (application: Int32, version: Int, isEmpty: Bool)
        do {
            found = (
                Int32(truncatingIfNeeded: try connection.pragma("application_id") as Int64),
                Int(try connection.pragma("user_version") as Int64),
                try connection.int64("SELECT count(*) FROM sqlite_schema") == 0
            )
        } catch {
            throw .unreadable(error)
        }
        let isNew = found.isEmpty && found.application == 0 && found.version == 0
        guard isNew || found.application == applicationID else {
            throw .foreignApplication(
                path: connection.path, found: found.application, expected: applicationID)
        }
        guard found.version <= newestVersion else {
            throw .newerSchema(path: connection.path, found: found.version, known: newestVersion)
        }
        return found.version
    }

    /// Applies what is missing, each migration in one transaction with its version number.
    ///
    /// A database that holds anything is first copied to `backupPath(of:version:)`; a copy of the
    /// same version from an earlier attempt is replaced, so repeated attempts don't fill the disk.
    /// Foreign keys are not enforced while a migration runs, so that it may rebuild a table, but
    /// checked before it commits.
    ///
    /// - Returns: what was applied.
    public func migrate(_ connection: Connection) throws(MigrationError) -> [Migration] {
        let version = try check(connection)
        let missing = Array(migrations.dropFirst(version))
        if missing.isEmpty { return [] }
        if version > 0 {
            let path = Self.backupPath(of: connection.path, version: version)
            do {
                try connection.backup(toPath: path)
            } catch {
                throw .backupFailed(path: path, error)
            }
        }
        for migration in missing { try apply(migration, to: connection) }
        return missing
    }

    private func apply(_ migration: Migration, to connection: Connection) throws(MigrationError) {
        do {
            // Only outside a transaction does this pragma do anything.
            try connection.execute("PRAGMA foreign_keys = 0")
            defer {
                // It cannot fail on an open connection outside a transaction, and `transaction`
                // has left none.
                try? connection.execute("PRAGMA foreign_keys = 1")
            }
            try connection.transaction { () throws(SQLiteError) in
                try connection.execute(migration.sql)
                guard connection.isInTransaction else {
                    throw SQLiteError(
                        extendedCode: 21, message: "the migration ended its own transaction")
                }
                if let orphan = try connection.foreignKeyFaults().first {
                    throw SQLiteError(extendedCode: 787, message: orphan)
                }
                try connection.execute("PRAGMA application_id = \(applicationID)")
                try connection.execute("PRAGMA user_version = \(migration.version)")
            }
        } catch {
            throw .failed(version: migration.version, name: migration.name, error)
        }
    }
}

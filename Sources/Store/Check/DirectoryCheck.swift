internal import Domain
internal import SQLite

/// Something found wrong in a data directory.
public struct DirectoryFault: Equatable, Sendable {
    /// Within the directory: `clickrelay.db`, `clicks/2026-11-20.db`.
    public let file: String
    public let message: String
}

/// Reads every file of a data directory and reports what contradicts itself.
///
/// Only reads, each file in one transaction, so it may run beside a server: the ledger is read
/// first, and what it refers to was on disk by then. Faults of one kind are reported at most
/// `faultsPerKindMax` times.
public final class DirectoryCheck {
    public private(set) var faults: [DirectoryFault] = []
    public private(set) var dayFileCount = 0
    public private(set) var clickCount: Int64 = 0
    public private(set) var conversionCount: Int64 = 0
    public private(set) var deliveryCount: Int64 = 0

    static let faultsPerKindMax = 20

    let directory: DataDirectory
    private let progress: (String) -> Void
    /// Stays open, and in its transaction, for the days to be compared with.
    private(set) var ledger: Connection?

    /// - Parameter progress: told what is read next.
    public init(_ directory: DataDirectory, progress: @escaping (String) -> Void = { _ in }) {
        self.directory = directory
        self.progress = progress
    }

    public func run() {
        checkLedger()
        defer { ledger?.close() }
        let days: [Day]
        do {
            days = try directory.clickDays()
        } catch {
            fault("clicks", "\(error)")
            return
        }
        dayFileCount = days.count
        var emptyDays: Set<Day> = []
        for (index, day) in days.enumerated() {
            progress("clicks/\(day.text).db (\(index + 1) of \(days.count))")
            checkDay(day, &emptyDays)
        }
        checkMissingDays(days, emptyDays)
    }

    func fault(_ file: String, _ message: String) {
        faults.append(DirectoryFault(file: file, message: message))
    }

    // MARK: The ledger

    static let ledgerName = "clickrelay.db"

    private func checkLedger() {
        progress(Self.ledgerName)
        read(Self.ledgerName, directory.ledgerPath, LedgerSchema.migrator) {
            (connection) throws(SQLiteError) in
            // A directory that was not upgraded yet lacks what is newer.
            let version = try connection.int64("PRAGMA user_version") ?? 0
            for rule in LedgerRule.all where rule.since <= version {
                progress("\(Self.ledgerName): \(rule.name)")
                try find(rule, connection)
            }
            try checkDocuments(connection)
            try checkCostLayers(connection)
            try checkRates(connection)
            conversionCount = try connection.int64("SELECT count(*) FROM conversion") ?? 0
            deliveryCount = try connection.int64("SELECT count(*) FROM delivery") ?? 0
            ledger = connection
        }
    }

    private func find(_ rule: LedgerRule, _ connection: Connection) throws(SQLiteError) {
        let found = try connection.rows("\(rule.sql) LIMIT \(Self.faultsPerKindMax + 1)") {
            (row) throws(SQLiteError) in row.text(0)
        }
        for id in found.prefix(Self.faultsPerKindMax) {
            fault(Self.ledgerName, rule.message(id))
        }
        if found.count > Self.faultsPerKindMax {
            fault(Self.ledgerName, "and more of these: \(rule.name)")
        }
    }

    // MARK: Days

    private func checkDay(_ day: Day, _ emptyDays: inout Set<Day>) {
        let name = "clicks/\(day.text).db"
        read(name, directory.clickFilePath(day), ClickSchema.migrator) {
            (connection) throws(SQLiteError) in
            // A crash came when it was made, or it is nobody's any more: what others know of it tells.
            if try connection.int64("SELECT count(*) FROM sqlite_schema") == 0 {
                emptyDays.insert(day)
                return
            }
            clickCount += try connection.int64("SELECT count(*) FROM click") ?? 0
            // A finished day's file keeps the columns that it was written with.
            let version = try connection.int64("PRAGMA user_version") ?? 0
            let tellsVisitors = version >= 5
            try checkRowsLieInTheirDay(day, name, connection)
            try checkTexts(name, connection, version)
            try checkTotals(name, connection, tellsVisitors)
            if version >= 3 {
                try checkLanderTotals(name, connection, tellsVisitors)
                try checkLanderClicks(name, connection)
                try checkLateLanderClicks(day, name, connection)
            }
            if version >= 4 {
                try checkWays(name, connection, tellsVisitors)
                try checkKeptWays(day, name, connection)
            }
            try checkReferences(name, connection, version)
            try checkNotedClicks(day, name, connection)
            try checkConvertedClicks(day, name, connection)
        }
    }

    // MARK: Files

    /// Opens a file, checks that it is whole and ours, and reads on in one transaction.
    private func read(
        _ name: String, _ path: String, _ migrator: Migrator,
        _ body: (Connection) throws(SQLiteError) -> Void
    ) {
        do throws(SQLiteError) {
            let connection = try Connection(path: path, mode: .readOnly)
            defer { if connection !== ledger { connection.close() } }
            do {
                _ = try migrator.check(connection)
            } catch {
                fault(name, "\(error)")
                return
            }
            try connection.begin(.deferred)
            for message in try connection.integrityCheck() { fault(name, message) }
            for message in try migrator.schemaFaults(connection) { fault(name, message) }
            try body(connection)
        } catch {
            fault(name, "\(error)")
        }
    }
}

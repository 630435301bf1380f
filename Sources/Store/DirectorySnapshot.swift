public import Domain
internal import SQLite

/// A data directory as it is at one moment, to be copied file by file, also beside the server that
/// writes it.
///
/// What belongs together is in it together: each conversion's click, and whatever a click refers to
/// (its campaign, the wordings that decided). Held as read transactions, so that the logs of the
/// files that are being written grow until they are copied: `releaseDay` and `releaseLedger` let
/// them go. Confined to one thread.
public final class DirectorySnapshot {
    /// The days with clicks, oldest first.
    public let days: [Day]
    /// Days whose files can't be read, with the reason. They are in no other list.
    public let unreadableDays: [(day: Day, reason: String)]

    private let directory: DataDirectory
    private let sealed: Set<Day>
    private var ledger: Connection?
    /// The days that may still change, each in a transaction.
    private var open: [Day: Connection]

    /// Between two looks at the ledger, a few milliseconds apart, somebody may save a campaign; then
    /// both are taken again.
    private static let attemptsMax = 50

    public convenience init(_ directory: DataDirectory) throws(StoreError) {
        for _ in 1...Self.attemptsMax {
            guard let moment = try Moment(directory) else { continue }
            self.init(directory, moment)
            return
        }
        throw .storage("campaigns change all the time; try again")
    }

    private init(_ directory: DataDirectory, _ moment: Moment) {
        self.directory = directory
        sealed = moment.sealed
        days = moment.sealed.union(moment.open.keys).sorted()
        unreadableDays = moment.unreadable.sorted { $0.day < $1.day }
        ledger = moment.ledger
        open = moment.open
    }

    deinit {
        releaseLedger()
        for day in open.keys { releaseDay(day) }
    }

    /// Whether a day's file never changes again: then it may be copied as any other file.
    public func isSealed(_ day: Day) -> Bool { sealed.contains(day) }

    /// The ledger as one plain file of its own.
    /// - Parameter progress: told the share that is done, from 0 to 1.
    public func copyLedger(toPath path: String, progress: (Double) -> Void) throws(StoreError) {
        guard let ledger else { throw .storage("the ledger was released") }
        try Self.copy(ledger, path, progress)
    }

    /// A day that is not sealed, as one plain file of its own.
    public func copyDay(_ day: Day, toPath path: String, progress: (Double) -> Void)
        throws(StoreError)
    {
        guard let connection = open[day] else { throw .storage("\(day.text) is not held") }
        try Self.copy(connection, path, progress)
    }

    public func releaseLedger() {
        ledger?.close()
        ledger = nil
    }

    public func releaseDay(_ day: Day) { open.removeValue(forKey: day)?.close() }

    private static func copy(
        _ connection: Connection, _ path: String, _ progress: (Double) -> Void
    ) throws(StoreError) {
        do {
            try connection.backup(toPath: path) { state in
                progress(Double(state.pagesDone) / Double(max(1, state.pagesTotal)))
                return true
            }
        } catch {
            throw StoreError(error)
        }
    }
}

/// The files of one moment, opened.
private struct Moment {
    var ledger: Connection
    var open: [Day: Connection] = [:]
    var sealed: Set<Day> = []
    var unreadable: [(day: Day, reason: String)] = []

    /// The ledger first: the clicks of its conversions were committed before they were, so that
    /// they are in what is opened after it. What clicks refer to was committed before *them*: if the
    /// ledger has more of that once all is open, a click may refer to what was not there yet.
    ///
    /// - Returns: nil where it has.
    init?(_ directory: DataDirectory) throws(StoreError) {
        do {
            ledger = try Connection(path: directory.ledgerPath, mode: .readOnly)
        } catch {
            throw StoreError(error)
        }
        do {
            _ = try Self.checked(ledger, LedgerSchema.migrator)
            try ledger.begin(.deferred)
            let referable = try Self.referable(ledger)
            for day in try directory.clickDays() { openDay(day, directory.clickFilePath(day)) }
            let now = try Connection(path: directory.ledgerPath, mode: .readOnly)
            defer { now.close() }
            if try Self.referable(now) == referable { return }
        } catch {
            close()
            throw error as? StoreError ?? .storage("\(error)")
        }
        close()
        return nil
    }

    private func close() {
        ledger.close()
        for connection in open.values { connection.close() }
    }

    private mutating func openDay(_ day: Day, _ path: String) {
        do throws(SQLiteError) {
            let connection = try Connection(path: path, mode: .readOnly)
            guard try Self.checked(connection, ClickSchema.migrator) > 0 else {
                // Its writer is making it at this moment, and it holds nothing yet.
                connection.close()
                return
            }
            let mode: String = try connection.pragma("journal_mode")
            guard mode == "wal" else {
                connection.close()
                sealed.insert(day)
                return
            }
            try connection.begin(.deferred)
            // The first read is what takes the snapshot.
            _ = try connection.int64("SELECT count(*) FROM sqlite_schema")
            open[day] = connection
        } catch {
            // Deleted by retention since the days were listed: it belongs to no backup any more.
            guard FileSystem.exists(path) else { return }
            unreadable.append((day, "\(error)"))
        }
    }

    private static func checked(_ connection: Connection, _ migrator: Migrator)
        throws(SQLiteError) -> Int
    {
        do throws(MigrationError) {
            return try migrator.check(connection)
        } catch {
            throw error.underlying
                ?? SQLiteError(extendedCode: 26, message: error.description)
        }
    }

    /// What clicks may refer to is only ever added.
    private static func referable(_ ledger: Connection) throws(SQLiteError) -> [Int64] {
        var newest: [Int64] = []
        for table in ["campaign", "offer_version", "lander_version", "flow_version"] {
            // From before there were such.
            guard try ledger.hasTable(table) else { continue }
            newest.append(try ledger.int64("SELECT max(id) FROM \(table)") ?? 0)
        }
        return newest
    }
}

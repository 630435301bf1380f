internal import Domain
internal import SQLite

/// One day's file, open for writing on the click writer's thread.
final class ClickFile {
    let day: Day
    private let connection: Connection
    private let clicks: ClickTable
    private var sums: ClickSums
    private let landerClicks: LanderClickTable
    private(set) var isInTransaction = false
    static let cacheKibibytes: Int64 = 8192
    /// Of the day, as click row IDs count them.
    private let milliseconds: Range<Int64>

    /// Opens or makes the day's file.
    init(_ day: Day, in directory: DataDirectory, synchronous: Connection.Synchronous)
        throws(StoreError)
    {
        self.day = day
        let first = day.start.milliseconds - ClickRowID.epochMilliseconds
        let next = day.advanced(by: 1).start.milliseconds - ClickRowID.epochMilliseconds
        milliseconds = first..<next
        do {
            // A checkpoint keeps the clicks of its moment waiting: at full load one of 4 MB comes
            // some times a second and takes little, where 16 MB showed in each hundredth redirect.
            connection = try Connection(
                path: directory.clickFilePath(day), mode: .create,
                options: Connection.Options(
                    synchronous: synchronous, cacheKibibytes: Self.cacheKibibytes,
                    autocheckpointPages: 1000, securesLog: true))
            _ = try ClickSchema.migrator.migrate(connection)
            clicks = try ClickTable(connection)
            sums = try ClickSums(connection)
            landerClicks = try LanderClickTable(connection)
        } catch let error as SQLiteError {
            throw StoreError(error)
        } catch let error as MigrationError {
            throw StoreError(error)
        } catch {
            throw .storage("\(error)")
        }
    }

    /// The newest row's ID, so that no ID is issued twice.
    func newestRowID() throws(SQLiteError) -> ClickRowID? {
        try connection.int64("SELECT max(id) FROM click").flatMap { ClickRowID(rawValue: $0) }
    }

    var cacheBytes: Int64 { connection.cacheBytes }

    func begin() throws(SQLiteError) {
        guard !isInTransaction else { return }
        try connection.begin()
        isInTransaction = true
    }

    /// Whether the click is of this day.
    func holds(_ click: NewClick) -> Bool { milliseconds.contains(click.rowID.milliseconds) }

    /// Inserts clicks within the open transaction.
    ///
    /// - Parameter areNew: false: those that are there already are left alone, and counted by
    ///   nobody: after a failed commit nobody can say which were kept, so all are inserted again.
    /// - Returns: false when clicks that should be new are not: `rollBack` then.
    func insert(_ new: ArraySlice<NewClick>, arena: UnsafeRawBufferPointer, areNew: Bool)
        throws(SQLiteError) -> Bool
    {
        guard areNew else {
            for click in new where try clicks.insertIfNew(click, arena: arena) {
                sums.count(CollectionOfOne(click))
                noteView(click)
            }
            return true
        }
        guard try clicks.insert(new, arena: arena) else { return false }
        sums.count(new)
        for click in new { noteView(click) }
        return true
    }

    private func noteView(_ click: NewClick) {
        if click.visit == .visitor, click.landerVersion != nil {
            landerClicks.noteView(click.rowID, of: click.campaignID)
        }
    }

    /// As for a click: one that is already there is left alone.
    func insert(_ landerClick: LanderClick) throws(SQLiteError) {
        try landerClicks.insert(landerClick)
    }

    static let slotMicros = QuarterHour.micros

    /// On disk when it returns.
    func commit() throws(SQLiteError) {
        try sums.write()
        try landerClicks.writeTotals()
        try connection.commit()
        ended()
    }

    /// Undoes what was inserted since `begin`.
    func rollBack() throws(SQLiteError) {
        try connection.rollBack()
        clicks.forgetTexts()
        ended()
    }

    private func ended() {
        sums.removeAll()
        landerClicks.forgetTotals()
        isInTransaction = false
    }

    /// Writes and syncs something that changes nothing: whether the disk takes it is the question.
    func probe() throws(SQLiteError) {
        try connection.execute("PRAGMA user_version = \(ClickSchema.migrator.newestVersion)")
    }

    /// Somebody moved or removed it: what is committed from now on would be found by nobody.
    var hasMoved: Bool { connection.hasMoved }

    /// Moves what the log holds into the file, if no reader is in the way.
    func checkpoint() throws(SQLiteError) { _ = try connection.walCheckpoint() }

    /// Closes for good a file whose day is long over. False while a reader still has it open.
    func seal() throws(SQLiteError) -> Bool {
        do {
            try connection.seal()
            return true
        } catch {
            if error.isBusy { return false }
            throw error
        }
    }

    /// Closes without another word to the disk that failed; an open transaction is undone.
    func close() { connection.close() }
}

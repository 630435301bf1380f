internal import Domain
internal import SQLite
internal import Synchronization

/// The state of the click writer's thread: the open day files and, while the disk fails, the
/// clicks that wait for it.
///
/// A failure of today's file is taken for the disk's: everything waits until it works again. An
/// earlier day's file that fails concerns that day alone, for it may be damaged for good: its lander
/// clicks are kept elsewhere, and its last clicks wait by themselves.
// Unchecked: all but `shared` is used by the writer's thread only (at start and end, while that
// thread does not run, by the one that starts and stops it).
final class ClickWriter: @unchecked Sendable {
    private let directory: DataDirectory
    private let options: ClickStore.Options
    private let now: @Sendable () -> Instant
    private let log: @Sendable (String, String) -> Void
    private let disk: DiskWatch
    private var files: [Day: ClickFile] = [:]
    private var held: [ClickBatch] = []
    /// Days whose files fail though today's does not.
    private var failing: [Day: Failing] = [:]
    /// Finished days that can't be deleted. Said once of each.
    private var undeletable: Set<Day> = []
    /// The newest look for days failed.
    private var isUnlisted = false
    /// Earlier days of which the commit under way keeps nothing.
    private var missed: Set<Day> = []
    private var retryAt = Instant(micros: 0)
    private var housekeepingAt = Instant(micros: 0)
    private var sealingAt = Instant(micros: 0)

    private struct Failing {
        let reason: String
        let retryAt: Instant
    }

    private struct Shared {
        var failure: String?
        var heldCount = 0
        var heldBytes = 0
        /// Some were refused since clicks are held, because they are too many.
        var isFull = false
        var cache = CacheUse(bytes: 0, bytesMax: 0)
    }
    private let shared = Mutex(Shared())

    /// The next day's file is made this long before midnight.
    private static let preparedBefore = Duration.seconds(600)
    private static let retryEvery = Duration.seconds(1)
    private static let housekeepingEvery = Duration.seconds(5)
    private static let sealingEvery = Duration.seconds(3600)
    /// After a file was closed in the middle of something.
    private static let sealingAfterFailure = Duration.seconds(60)

    /// Also when `instant` lies further ahead than it was ever set: the clock was set back, and
    /// whoever waited for it to catch up might hold clicks until they are too many.
    private static func isDue(_ instant: Instant, _ now: Instant, every pause: Duration) -> Bool {
        now >= instant || instant > now.advanced(by: pause)
    }

    init(
        _ directory: DataDirectory, options: ClickStore.Options,
        now: @escaping @Sendable () -> Instant, log: @escaping @Sendable (String, String) -> Void
    ) {
        self.directory = directory
        self.options = options
        self.now = now
        self.log = log
        disk = DiskWatch(log: log)
    }

    /// Why clicks can't be stored now.
    var unreadiness: String? { failure ?? disk.failure }

    private var failure: String? {
        shared.withLock { shared in
            guard let failure = shared.failure, shared.isFull else { return shared.failure }
            return
                "\(failure); \(shared.heldCount) clicks are held in memory, which is all there is "
                + "room for: others are refused"
        }
    }
    var heldCount: Int { shared.withLock(\.heldCount) }
    var cache: CacheUse { shared.withLock(\.cache) }

    func openToday() throws(StoreError) { _ = try file(now().day) }

    func write(_ items: [(batch: ClickBatch, finished: @Sendable (ClickOutcome) -> Void)]) {
        // While the disk fails, each batch would cost a failing sync: they wait for the retry.
        if failure == nil {
            do throws(StoreError) {
                try commit(items.map(\.batch), areNew: true)
                for item in items { finish(item.batch, item.finished) }
                return
            } catch {
                fail(error)
            }
        }
        for item in items { item.finished(hold(item.batch)) }
    }

    func idle() {
        let time = now()
        let cache = CacheUse(
            bytes: files.values.reduce(0) { $0 + $1.cacheBytes },
            bytesMax: Int64(files.count) * ClickFile.cacheKibibytes << 10)
        shared.withLock { $0.cache = cache }
        if failure != nil || heldCount > 0, Self.isDue(retryAt, time, every: Self.retryEvery) {
            retry()
        }
        for moved in files.values.filter(\.hasMoved) {
            let error = StoreError.storage("\(moved.day.text).db was moved or removed")
            if moved.day < time.day { setAside(moved.day, error) } else { fail(error) }
        }
        guard failure == nil, Self.isDue(housekeepingAt, time, every: Self.housekeepingEvery)
        else { return }
        housekeepingAt = time.advanced(by: Self.housekeepingEvery)
        do throws(StoreError) {
            try keepHouse(time)
        } catch {
            fail(error)
        }
    }

    func close() {
        if !held.isEmpty {
            // Nobody tries after this, so none is too early.
            failing.removeAll()
            retry()
        }
        if heldCount > 0 {
            log("clicks_lost", "count=\(heldCount) reason=\"stopped while the disk fails\"")
        }
        for file in files.values { file.close() }
        files.removeAll()
    }

    /// Inserts and commits all batches but what earlier days' failing files were to take
    /// (`missed`), or throws and has committed none, some or all: the rows are inserted again later,
    /// and those that were kept are then left alone.
    private func commit(_ batches: [ClickBatch], areNew: Bool) throws(StoreError) {
        missed.removeAll()
        for batch in batches {
            // Closures of `withUnsafeBytes` can't throw our type, hence the result.
            let result = batch.arena.withUnsafeBytes { arena in
                insert(batch.rows, arena, areNew: areNew)
            }
            guard try result.get() else {
                try rollBack()
                return try commit(batches, areNew: false)
            }
            try insert(batch.landerClicks)
        }
        for file in files.values where file.isInTransaction {
            do throws(SQLiteError) {
                try watch(file.day) { () throws(SQLiteError) in try file.commit() }
                failing[file.day] = nil
            } catch {
                try miss(file.day, StoreError(error))
            }
        }
    }

    private func rollBack() throws(StoreError) {
        for file in files.values where file.isInTransaction {
            do throws(SQLiteError) {
                try file.rollBack()
            } catch {
                try miss(file.day, StoreError(error))
            }
        }
    }

    /// - Returns: false when clicks that should be new are not: `rollBack` then.
    private func insert(_ rows: [NewClick], _ arena: UnsafeRawBufferPointer, areNew: Bool)
        -> Result<Bool, StoreError>
    {
        var start = rows.startIndex
        while start < rows.endIndex {
            let day = rows[start].rowID.day
            do throws(StoreError) {
                guard let file = try begun(day) else {
                    start = rows[start...].firstIndex { $0.rowID.day != day } ?? rows.endIndex
                    continue
                }
                let end = rows[(start + 1)...].firstIndex { !file.holds($0) } ?? rows.endIndex
                do throws(SQLiteError) {
                    guard try file.insert(rows[start..<end], arena: arena, areNew: areNew) else {
                        return .success(false)
                    }
                } catch {
                    try miss(day, StoreError(error))
                }
                start = end
            } catch {
                return .failure(error)
            }
        }
        return .success(true)
    }

    /// Each goes into the file of its click.
    private func insert(_ landerClicks: [LanderClick]) throws(StoreError) {
        for landerClick in landerClicks {
            let day = landerClick.clickRowID.day
            guard let file = try begun(day) else { continue }
            do {
                try file.insert(landerClick)
            } catch {
                try miss(day, StoreError(error))
            }
        }
    }

    /// The day's file in a transaction; nil for a missed day.
    private func begun(_ day: Day) throws(StoreError) -> ClickFile? {
        if missed.contains(day) { return nil }
        do throws(StoreError) {
            let file = try file(day)
            do {
                try file.begin()
            } catch {
                throw StoreError(error)
            }
            return file
        } catch {
            try miss(day, error)
            return nil
        }
    }

    /// An earlier day's file fails: nothing of this commit is in it. That of any other day is the
    /// disk's failure, which is thrown on.
    private func miss(_ day: Day, _ error: StoreError) throws(StoreError) {
        guard day < now().day else { throw error }
        missed.insert(day)
        setAside(day, error)
    }

    /// The day's file is left alone until the next try; the others go on.
    private func setAside(_ day: Day, _ error: StoreError) {
        files.removeValue(forKey: day)?.close()
        sealSoon()
        let (reason, time) = (error.description, now())
        let known = failing[day]
        // Whoever comes before the next try must not put it off: lander clicks may come all the time.
        if let known, !Self.isDue(known.retryAt, time, every: Self.retryEvery) { return }
        failing[day] = Failing(reason: reason, retryAt: time.advanced(by: Self.retryEvery))
        if known == nil { log("day_not_written", "day=\(day.text) reason=\"\(reason)\"") }
    }

    /// Says what became of a batch of the last commit.
    private func finish(_ batch: ClickBatch, _ finished: @escaping @Sendable (ClickOutcome) -> Void)
    {
        guard !missed.isEmpty, let rest = batch.part(of: missed) else { return finished(.stored) }
        let (clicks, late) = (rest.withoutLanderClicks, rest.landerClicks)
        let outcome = clicks.count == 0 ? .stored : hold(clicks)
        if late.isEmpty { return finished(outcome) }
        keepElsewhere(late) { [options] isKept in
            finished(isKept || options.redirectsOnFailure ? outcome : .refused)
        }
    }

    private func keepElsewhere(
        _ late: [LanderClick], _ finished: @escaping @Sendable (Bool) -> Void
    ) {
        options.keepLate(late) { [log] isKept in
            if !isKept { log("lander_clicks_lost", "count=\(late.count)") }
            finished(isKept)
        }
    }

    private func file(_ day: Day) throws(StoreError) -> ClickFile {
        if let open = files[day] { return open }
        if let failing = failing[day], !Self.isDue(failing.retryAt, now(), every: Self.retryEvery) {
            throw .storage(failing.reason)
        }
        let file = try ClickFile(
            day, in: directory, synchronous: options.isFullyDurable ? .full : .normal)
        files[day] = file
        return file
    }

    /// After a failed sync no open handle is trusted again: all are closed, and the next try opens
    /// the files anew.
    private func fail(_ error: StoreError) {
        for file in files.values { file.close() }
        files.removeAll()
        sealSoon()
        retryAt = now().advanced(by: Self.retryEvery)
        let isNew = shared.withLock { shared in
            defer { shared.failure = error.description }
            return shared.failure == nil
        }
        if isNew { log("clicks_not_stored", "reason=\"\(error)\"") }
    }

    private func hold(_ batch: ClickBatch) -> ClickOutcome {
        guard options.redirectsOnFailure else { return .refused }
        let bytes = batch.bytes
        let (isHeld, isNew) = shared.withLock { shared in
            guard shared.heldCount + batch.count <= options.heldMax,
                shared.heldBytes + bytes <= options.heldBytesMax
            else {
                defer { shared.isFull = true }
                return (false, !shared.isFull)
            }
            shared.heldCount += batch.count
            shared.heldBytes += bytes
            held.append(batch)
            return (true, false)
        }
        if isNew {
            log("clicks_refused", "held=\(heldCount) reason=\"no room for more in memory\"")
        }
        return isHeld ? .held : .refused
    }

    private func retry() {
        retryAt = now().advanced(by: Self.retryEvery)
        do throws(StoreError) {
            let today = try file(now().day)
            // With nothing held, only a write shows whether the disk works again.
            do {
                try today.probe()
            } catch {
                throw StoreError(error)
            }
            try commit(held, areNew: false)
        } catch {
            return fail(error)
        }
        let late = held.flatMap { $0.part(of: missed)?.landerClicks ?? [] }
        if !late.isEmpty { keepElsewhere(late) { _ in } }
        held = held.compactMap { $0.part(of: missed)?.withoutLanderClicks }
            .filter { $0.count > 0 }
        let waiting = held.reduce(0) { $0 + $1.count }
        let (count, isWorking) = shared.withLock { shared in
            defer {
                shared.failure = nil
                shared.heldCount = waiting
                shared.heldBytes = held.reduce(0) { $0 + $1.bytes }
                shared.isFull = false
            }
            return (shared.heldCount - waiting - late.count, shared.failure != nil)
        }
        if isWorking || count > 0 { log("clicks_stored_again", "late=\(count)") }
    }

    private func keepHouse(_ time: Instant) throws(StoreError) {
        _ = try file(time.day)
        let next = time.advanced(by: Self.preparedBefore).day
        do throws(StoreError) {
            _ = try file(next)
        } catch {
            // Tried again until its day has come; then it is the disk's failure.
            setAside(next, error)
        }
        if let days = options.retentionDays {
            deleteDays(before: time.day.advanced(by: -days), at: time)
        }
        adoptUnsealed(time)
        for (day, file) in files {
            do throws(SQLiteError) {
                try watch(day) { () throws(SQLiteError) in
                    if !isOver(day, at: time) {
                        try file.checkpoint()
                    } else if try file.seal() {
                        files[day] = nil
                    }
                }
            } catch {
                if day == time.day { throw StoreError(error) }
                setAside(day, StoreError(error))
            }
        }
    }

    private func watch(_ day: Day, _ work: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        try disk.watch("clicks/\(day.text).db", work)
    }

    private func isOver(_ day: Day, at time: Instant) -> Bool {
        ClickStore.isFinished(day, at: time)
    }

    private func sealSoon() {
        sealingAt = min(sealingAt, now().advanced(by: Self.sealingAfterFailure))
    }

    /// Opens the files that an earlier run or a failure left unsealed, or half made or sealed, so that
    /// the next round seals them. Nobody can read one that is half done.
    private func adoptUnsealed(_ time: Instant) {
        guard Self.isDue(sealingAt, time, every: Self.sealingEvery) else { return }
        sealingAt = time.advanced(by: Self.sealingEvery)
        for day in listedDays() {
            guard directory.hasJournal(day) || isOver(day, at: time) && directory.hasLog(day)
            else { continue }
            do throws(StoreError) {
                _ = try file(day)
            } catch {
                // A finished day that is damaged is `check`'s matter: clicks of today go on.
                log("day_not_sealed", "day=\(day.text) reason=\"\(error)\"")
            }
        }
    }

    /// Retention deletes whole files, none that still takes lander clicks. Readers that have one open
    /// read on until they close it.
    private func deleteDays(before first: Day, at time: Instant) {
        for day in listedDays()
        where day < first && isOver(day, at: time) && options.mayDelete(day) {
            files.removeValue(forKey: day)?.close()
            do throws(StoreError) {
                try directory.removeClickFile(day)
                log("clicks_deleted", "day=\(day.text)")
            } catch {
                // Tried again with each round: clicks of today go on.
                guard undeletable.insert(day).inserted else { continue }
                log("day_not_deleted", "day=\(day.text) reason=\"\(error)\"")
            }
        }
    }

    /// None where they can't be listed now, for want of descriptors, say: clicks of today go on, into
    /// the file that is open.
    private func listedDays() -> [Day] {
        do throws(StoreError) {
            let days = try directory.clickDays()
            isUnlisted = false
            return days
        } catch {
            if !isUnlisted { log("days_not_listed", "reason=\"\(error)\"") }
            isUnlisted = true
            return []
        }
    }
}

public import Domain
internal import SQLite
internal import Synchronization

/// The only writer of `clickrelay.db`: one thread on which jobs run in the order they came, many in
/// one transaction, each in a savepoint of its own, so that one that fails undoes only itself.
///
/// What a job made is answered only after the transaction is on disk. Being single, it gives every
/// "is this a duplicate?" one answer.
public final class Ledger: Sendable {
    public struct Options: Sendable {
        public var isFullyDurable = true
        /// Jobs waiting; beyond it they fail with `StoreError.storage`.
        public var queuedMax = 20_000
        /// Whether it has no thread, and works when `turn` and `idle` are called.
        public var isDriven = false
        /// Calls received before that time keep their verdict and lose their text; nil keeps all.
        public var forgetCallsBefore: @Sendable () -> Instant? = { nil }

        /// The sums of the clicks of days before that one are copied here; nil copies none.
        public var sumsClicksBefore: @Sendable () -> Day? = { nil }

        public init() {}
    }

    /// What the wiring is told after a commit, on the writer's thread: of a changed catalog before
    /// the jobs' own answers, of deliveries after them.
    public struct Observers: Sendable {
        /// The entities changed. Publish it before returning: the job's answer comes next, and its
        /// change must hold for the next click.
        public var catalogChanged: @Sendable (Catalog) -> Void = { _ in }
        /// These count towards limits now, or don't any more; nil: nobody can say which, and they have
        /// to be counted anew. Called before the catalog's change, and before the jobs' answers.
        public var conversionsCounted: @Sendable ([CountedConversion]?) -> Void = { _ in }
        /// Deliveries to these origins are waiting now.
        public var deliveriesQueued: @Sendable (Set<String>) -> Void = { _ in }
        /// Somebody wants these origins called now, though they may have failed lately.
        public var originsProbed: @Sendable (Set<String>) -> Void = { _ in }
        /// These deliveries don't wait any more, by hand.
        public var deliveriesCancelled: @Sendable (Set<DeliveryID>) -> Void = { _ in }
        public var log: @Sendable (_ event: String, _ detail: String) -> Void = { _, _ in }

        public init() {}
    }

    typealias Answer = @Sendable () -> Void

    struct Job: Sendable {
        /// Runs inside the transaction and returns what to call once that is on disk.
        let run: @Sendable (LedgerTransaction) throws(StoreError) -> Answer
        /// Called instead when nothing of the job was kept.
        let fail: @Sendable (StoreError) -> Void
    }

    private let thread: BatchThread<Job>
    private let writer: LedgerWriter

    /// Opens the database, brings its schema up to date and loads the catalog.
    public init(_ directory: DataDirectory, options: Options, observers: Observers)
        throws(StoreError)
    {
        let writer = LedgerWriter(directory, options: options, observers: observers)
        try writer.open(isFirst: true)
        self.writer = writer
        thread = BatchThread(
            name: "ledger", capacity: options.queuedMax, idleEvery: .seconds(1),
            isDriven: options.isDriven,
            idle: { writer.idle() },
            run: { jobs in writer.run(jobs) })
    }

    /// Queues a job. `finished` is called on the writer's thread: with what `work` returned once it
    /// is on disk, or with an error when nothing of it was kept.
    public func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value,
        finished: @escaping @Sendable (Result<Value, StoreError>) -> Void
    ) {
        let job = Job(
            run: { transaction throws(StoreError) in
                let value = try work(transaction)
                return { finished(.success(value)) }
            },
            fail: { finished(.failure($0)) })
        if !thread.submit(job) { job.fail(.storage("too many writes are waiting")) }
    }

    /// The entities as of the newest commit.
    public var catalog: Catalog { writer.catalog }

    /// As `Catalog.destination(named:)`, of the newest commit.
    public func destination(named name: String) -> Destination? {
        writer.destination(named: name)
    }

    /// Whether a network has this postback key, as of the newest commit.
    public func hasPostbackKey(_ key: String) -> Bool { writer.hasPostbackKey(key) }

    /// Whether an API token with this digest is valid, as of the newest commit.
    public func hasToken(sha256: [UInt8]) -> Bool { writer.hasToken(sha256: sha256) }

    /// Whether the sums of that day's clicks are kept here: its file is not needed for them.
    public func hasClickSums(of day: Day) -> Bool { writer.summedDays.contains(day) }

    /// Nil when the ledger can be written now, else why not.
    public var failure: String? { writer.unreadiness }

    /// Of the writer's pages, as of a second ago.
    public var cache: CacheUse { writer.cache }

    /// Jobs waiting.
    public var depth: Int { thread.depth }

    /// Runs what has queued, in one transaction; false when nothing had. A driven ledger's only.
    @discardableResult
    public func turn() -> Bool { thread.turn() }

    /// What the writer does once a second. A driven ledger's only.
    public func idle() { thread.idle() }

    /// Runs what has queued, then closes the database.
    public func stop() {
        thread.stop()
        writer.close()
    }
}

/// The state of the ledger writer's thread.
// Unchecked: all but `shared` is used by the writer's thread only (at start and end, while that
// thread does not run, by the one that starts and stops it).
final class LedgerWriter: @unchecked Sendable {
    private let directory: DataDirectory
    private let options: Ledger.Options
    private let observers: Ledger.Observers
    private let disk: DiskWatch
    private var transaction: LedgerTransaction?
    private var checkpointAge = 0
    /// Until when an open that failed is not tried again; nil: the next job may.
    private var pause: Deadline?
    /// Days that couldn't be summed.
    private var unreadableDays: [Day: Unreadable] = [:]
    private struct Unreadable {
        var tries = 1
        /// Looks for days until the next try.
        var pause = LedgerWriter.unreadablePause
    }
    /// An hour.
    private static let unreadablePause = 720
    /// The newest look for days failed.
    private var isUnlisted = false
    /// Whose files are gone, as far as was said.
    private var missingDays: Set<Day> = []

    private struct Shared {
        var catalog = Catalog()
        var failure: String?
        var summedDays: Set<Day> = []
        var cache = CacheUse(bytes: 0, bytesMax: LedgerWriter.cacheKibibytes << 10)
    }
    /// Holds the pages that postbacks of the last days touch.
    private static let cacheKibibytes: Int64 = 32_768
    private static let pauseMilliseconds = 500
    private let shared = Mutex(Shared())

    init(_ directory: DataDirectory, options: Ledger.Options, observers: Ledger.Observers) {
        self.directory = directory
        self.options = options
        self.observers = observers
        disk = DiskWatch(log: observers.log)
    }

    var catalog: Catalog { shared.withLock(\.catalog) }
    /// Why the ledger can't be written now.
    var unreadiness: String? { failure ?? disk.failure }
    private var failure: String? { shared.withLock(\.failure) }
    var summedDays: Set<Day> { shared.withLock(\.summedDays) }
    var cache: CacheUse { shared.withLock(\.cache) }

    // Within the lock: a copy of the catalog would count a dozen references up and down.
    func hasPostbackKey(_ key: String) -> Bool {
        shared.withLock { $0.catalog.networkByPostbackKey[key] != nil }
    }

    func destination(named name: String) -> Destination? {
        shared.withLock { $0.catalog.destination(named: name) }
    }

    func hasToken(sha256: [UInt8]) -> Bool {
        shared.withLock { $0.catalog.tokenDigests.contains(sha256) }
    }

    /// - Parameter isFirst: the file may be made. Later a missing one is a failure: an empty ledger
    ///   in its place would know no campaign and no click ID key.
    func open(isFirst: Bool) throws(StoreError) {
        do {
            let connection = try Connection(
                path: directory.ledgerPath, mode: isFirst ? .create : .readWrite,
                options: Connection.Options(
                    synchronous: options.isFullyDurable ? .full : .normal,
                    cacheKibibytes: Self.cacheKibibytes, autocheckpointPages: 4000,
                    securesLog: true))
            _ = try LedgerSchema.migrator.migrate(connection)
            if !isFirst {
                // Only a write shows whether the disk works again.
                try connection.run(
                    "INSERT INTO counter (name, value) VALUES ('reopened', 1) "
                        + "ON CONFLICT DO UPDATE SET value = value + 1")
            }
            let transaction = try LedgerTransaction(connection, clicks: ClickReader(directory))
            try transaction.noteMissingFlowVersions()
            let summedDays = try transaction.summedClickDays()
            shared.withLock { shared in
                shared.summedDays = summedDays
                shared.catalog = transaction.catalog
                shared.failure = nil
            }
            self.transaction = transaction
        } catch let error as StoreError {
            throw error
        } catch let error as SQLiteError {
            throw StoreError(error)
        } catch let error as MigrationError {
            throw StoreError(error)
        } catch {
            throw .storage("\(error)")
        }
    }

    func run(_ jobs: [Ledger.Job]) {
        guard let transaction = opened() else {
            let reason = StoreError.storage(failure ?? "the database is not open")
            for job in jobs { job.fail(reason) }
            return
        }
        var answers: [Ledger.Answer] = []
        var failures: [Ledger.Answer] = []
        do throws(StoreError) {
            try transaction.begin()
            for job in jobs {
                switch try transaction.attempt(job.run) {
                case .success(let answer): answers.append(answer)
                case .failure(let error):
                    if case .storage = error { throw error }
                    failures.append { job.fail(error) }
                }
            }
            try watch { () throws(StoreError) in try transaction.commit() }
        } catch {
            // Nothing was kept, or nobody can say: no handle is trusted after a failed write, and
            // everybody is told to come again. What was kept is then met as a duplicate; only with
            // `repeat: add` and no transaction ID nothing tells a repeated call from a new one.
            closeAfterFailure(error)
            for job in jobs { job.fail(error) }
            return
        }
        if !transaction.counted.isEmpty { observers.conversionsCounted(transaction.counted) }
        if transaction.catalogChanged {
            shared.withLock { $0.catalog = transaction.catalog }
            observers.catalogChanged(transaction.catalog)
        }
        let origins = transaction.takeQueuedOrigins()
        let probed = transaction.takeProbedOrigins()
        let cancelled = transaction.takeCancelled()
        // Before the answers: whoever is told that a delivery is cancelled can rely on it.
        if !cancelled.isEmpty { observers.deliveriesCancelled(cancelled) }
        for answer in answers { answer() }
        for failure in failures { failure() }
        if !origins.isEmpty { observers.deliveriesQueued(origins) }
        if !probed.isEmpty { observers.originsProbed(probed) }
    }

    func idle() {
        guard let transaction = opened() else { return }
        shared.withLock { $0.cache.bytes = transaction.cacheBytes }
        if transaction.hasMoved {
            return closeAfterFailure(.storage("clickrelay.db was moved or removed: put it back"))
        }
        do throws(StoreError) {
            try forgetCalls(transaction)
            checkpointAge += 1
            guard checkpointAge >= 5 else { return }
            checkpointAge = 0
            try sumClicks(transaction)
            try watch { () throws(StoreError) in try transaction.checkpoint() }
        } catch {
            closeAfterFailure(error)
        }
    }

    private func watch(_ work: () throws(StoreError) -> Void) throws(StoreError) {
        try disk.watch("clickrelay.db", work)
    }

    /// A short while each time: postbacks wait meanwhile.
    private func forgetCalls(_ transaction: LedgerTransaction) throws(StoreError) {
        guard let time = options.forgetCallsBefore() else { return }
        let turn = Deadline()
        turn.set(afterMilliseconds: 20)
        while try transaction.forgetCalls(before: time), !turn.isOver {}
    }

    /// One day at a time: postbacks wait meanwhile.
    private func sumClicks(_ transaction: LedgerTransaction) throws(StoreError) {
        guard let today = options.sumsClicksBefore() else { return }
        let clickDays: [Day]
        do throws(StoreError) {
            clickDays = try directory.clickDays()
            isUnlisted = false
        } catch {
            // For want of descriptors, say: postbacks go on, into the file that is open.
            if !isUnlisted { observers.log("days_not_listed", "reason=\"\(error)\"") }
            isUnlisted = true
            return
        }
        try transaction.forgetClickSums(from: today, of: clickDays)
        let summed = try transaction.summedClickDays()
        noteMissing(summed, clickDays)
        for day in unreadableDays.keys { unreadableDays[day]?.pause -= 1 }
        let next = clickDays.first { day in
            day < today && !summed.contains(day) && (unreadableDays[day]?.pause ?? 0) <= 0
        }
        if let next {
            do throws(StoreError) {
                try transaction.keepClickSums(of: next)
                unreadableDays[next] = nil
            } catch .unreadable(let reason) {
                noteUnreadable(next, reason)
            }
        }
        // Of one that stays unreadable nothing more is to be had.
        let lost = unreadableDays.filter { $0.value.tries > 1 }.keys
        let days = try transaction.summedClickDays().union(lost)
        shared.withLock { $0.summedDays = days }
    }

    /// It may be for want of descriptors, or damaged; `check` tells more of it.
    private func noteUnreadable(_ day: Day, _ reason: String) {
        guard let before = unreadableDays[day] else {
            unreadableDays[day] = Unreadable()
            return observers.log("day_not_summed", "day=\(day.text) reason=\"\(reason)\"")
        }
        unreadableDays[day] = Unreadable(tries: before.tries + 1)
    }

    /// Retention deletes the oldest days: one that is gone though older ones are there was taken away.
    private func noteMissing(_ known: Set<Day>, _ days: [Day]) {
        let missing = known.subtracting(days).filter { day in days.first.map { day > $0 } ?? false }
        for day in missing.subtracting(missingDays).sorted() {
            observers.log(
                "day_missing",
                "file=clicks/\(day.text).db reason=\"put it back: conversions of its clicks wait\"")
        }
        missingDays = missing
    }

    func close() {
        transaction?.close()
        transaction = nil
    }

    private func opened() -> LedgerTransaction? {
        if let transaction { return transaction }
        // Each try writes the log anew: a network that sends again and again must not order one each.
        if let pause, !pause.isOver { return nil }
        do throws(StoreError) {
            try open(isFirst: false)
            pause = nil
            observers.log("ledger_opened_again", "")
            // What was committed by a failing commit may have changed it.
            observers.catalogChanged(catalog)
            observers.conversionsCounted(nil)
        } catch {
            shared.withLock { $0.failure = error.description }
            let pause = Deadline()
            pause.set(afterMilliseconds: Self.pauseMilliseconds)
            self.pause = pause
        }
        return transaction
    }

    private func closeAfterFailure(_ error: StoreError) {
        close()
        let isNew = shared.withLock { shared in
            defer { shared.failure = error.description }
            return shared.failure == nil
        }
        if isNew { observers.log("ledger_failed", "reason=\"\(error)\"") }
    }
}

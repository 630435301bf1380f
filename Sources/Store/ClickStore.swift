public import Domain
internal import SQLite
internal import Synchronization

/// What became of a batch of clicks.
public enum ClickOutcome: Sendable {
    /// On disk: the redirects may go out.
    case stored
    /// Not on disk, but held in memory and tried again; the user prefers redirects to records.
    case held
    /// Not on disk and given up: the visitors must be told to come back.
    case refused
}

/// The only writer of clicks: one thread that takes all batches that have queued, inserts them in
/// one transaction, and reports them stored once that transaction is on disk. While one commit's
/// sync runs, the next batches gather.
public final class ClickStore: Sendable {
    public struct Options: Sendable {
        /// Whether a commit waits for the disk; only then does a click survive a power cut.
        public var isFullyDurable = true
        /// Whether visitors are redirected while clicks can't be stored.
        public var redirectsOnFailure = true
        /// Clicks kept in memory while the disk fails; beyond it they are refused.
        public var heldMax = 500_000
        /// The memory that those may take; visitors choose how long their parameters are.
        public var heldBytesMax = 256 << 20
        /// Clicks on their way to the disk; beyond it they are refused.
        public var queuedMax = 200_000
        /// The memory that those may take.
        public var queuedBytesMax = 128 << 20
        /// Whether it has no thread, and works when `turn` and `idle` are called.
        public var isDriven = false
        /// Keeps lander clicks that an earlier day's file doesn't take because it fails, and says
        /// whether they are on disk; on any thread.
        public var keepLate:
            @Sendable ([LanderClick], _ finished: @escaping @Sendable (Bool) -> Void) -> Void = {
                $1(false)
            }
        /// Days after which a day's clicks are deleted, its file as a whole and not before it is
        /// finished; nil keeps all.
        public var retentionDays: Int?
        /// Whether a day's sums are kept elsewhere, so that its file may be deleted.
        public var mayDelete: @Sendable (Day) -> Bool = { _ in true }

        public init() {}
    }

    private struct Item: Sendable {
        let batch: ClickBatch
        let finished: @Sendable (ClickOutcome) -> Void
    }

    private let thread: BatchThread<Item>
    private let writer: ClickWriter
    private let options: Options
    private let queued = Counter()
    private let queuedBytes = Counter()

    /// An `Atomic` that closures can share.
    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    /// Opens today's file, so that what is wrong with it is known at start.
    /// - Parameter log: takes a line's event name and details when storing fails or works again.
    public init(
        _ directory: DataDirectory, options: Options, now: @escaping @Sendable () -> Instant,
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void
    ) throws(StoreError) {
        self.options = options
        let writer = ClickWriter(directory, options: options, now: now, log: log)
        try writer.openToday()
        self.writer = writer
        thread = BatchThread(
            name: "clicks", capacity: 100_000, idleEvery: .seconds(1), isDriven: options.isDriven,
            idle: { writer.idle() },
            run: { items in
                writer.write(items.map { ($0.batch, $0.finished) })
            })
    }

    /// Queues clicks. `finished` is called on the writer's thread, or at once when the queue is
    /// full; no redirect may be sent before it says so.
    public func store(_ batch: ClickBatch, finished: @escaping @Sendable (ClickOutcome) -> Void) {
        let (count, bytes) = (batch.count, batch.bytes)
        let waiting = queued.value.add(count, ordering: .relaxed).newValue
        let waitingBytes = queuedBytes.value.add(bytes, ordering: .relaxed).newValue
        let item = Item(batch: batch) { [queued, queuedBytes] outcome in
            queued.value.subtract(count, ordering: .relaxed)
            queuedBytes.value.subtract(bytes, ordering: .relaxed)
            finished(outcome)
        }
        if waiting > options.queuedMax || waitingBytes > options.queuedBytesMax
            || !thread.submit(item)
        {
            item.finished(.refused)
        }
    }

    /// A day's file stays open for writing this long after its day, for the lander clicks of its
    /// last visitors.
    private static let graceAfterDay = Duration.seconds(48 * 3600)

    /// Whether a day's file takes nothing any more.
    public static func isFinished(_ day: Day, at now: Instant) -> Bool {
        day.advanced(by: 1).start.advanced(by: graceAfterDay) < now
    }

    /// Nil when clicks can be stored now, else why not.
    public var failure: String? { writer.unreadiness }

    /// Of the writer's pages, as of a second ago.
    public var cache: CacheUse { writer.cache }

    /// Clicks waiting for the disk, and those held in memory because it fails.
    public var depth: (queued: Int, held: Int) {
        (queued.value.load(ordering: .relaxed), writer.heldCount)
    }

    /// Stores what has queued, in one transaction; false when nothing had. A driven store's only.
    @discardableResult
    public func turn() -> Bool { thread.turn() }

    /// What the writer does once a second. A driven store's only.
    public func idle() { thread.idle() }

    /// Stores what has queued, then closes the files.
    public func stop() {
        thread.stop()
        writer.close()
    }

    /// Finishes what a crash has left half done. Before anybody reads: once, by whoever has the
    /// directory's lock.
    ///
    /// For a moment, while a day's file is made or sealed, there is a rollback journal beside it. Only a
    /// connection that writes can play it back, until then nobody can read the file, and to one whose
    /// day is over nobody would write any more.
    public static func recover(
        _ directory: DataDirectory, now: Instant,
        log: (_ event: String, _ detail: String) -> Void
    ) throws(StoreError) {
        for day in try directory.clickDays() where directory.hasJournal(day) {
            do throws(StoreError) {
                let file = try ClickFile(day, in: directory, synchronous: .full)
                defer { file.close() }
                guard isFinished(day, at: now) else { continue }
                do {
                    _ = try file.seal()
                } catch {
                    throw StoreError(error)
                }
            } catch {
                // One that is damaged must not keep today's visitors waiting. `check` reports it.
                log("day_not_recovered", "day=\(day.text) reason=\"\(error)\"")
            }
        }
    }

    /// The newest stored IDs of today and of days to come, for `ClickRowIDs`.
    public static func newestRowIDs(_ directory: DataDirectory, today: Day)
        throws(StoreError) -> [ClickRowID]
    {
        var newest: [ClickRowID] = []
        for day in try directory.clickDays() where day >= today.advanced(by: -1) {
            let reader = ClickReader(directory)
            do {
                if let id = try reader.newestRowID(on: day) { newest.append(id) }
            } catch  where day != today {
                // Another day's file only matters should the clock be set to that day: one that is
                // damaged must not keep today's visitors waiting. `check` reports it.
                continue
            }
        }
        return newest
    }
}

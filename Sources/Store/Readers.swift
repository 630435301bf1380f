public import Domain
internal import SQLite

/// Read-only access for lists, reports and traces, on a few threads of its own.
public final class Readers: Sendable {
    private let pool: ReaderPool<LedgerReader>

    public static let queuedMax = 1000
    /// How long the reads of a piece of work that somebody waits for may take in all: others wait for
    /// its thread. Below the time that the command line waits for an answer.
    public static let answerSecondsMax = 45

    /// A report that reads all clicks takes a tenth of a processor that visitors want, and all of one
    /// that nobody does.
    private static let niceness: Int32 = 10

    /// - Parameter threads: 0: it reads when `turn` is called.
    public init(_ directory: DataDirectory, name: String = "reader", threads: Int) {
        pool = ReaderPool(
            name: name, threads: threads, capacity: Self.queuedMax, niceness: Self.niceness
        ) {
            LedgerReader(directory)
        }
    }

    /// Runs `work` on a reader thread and calls `finished` there. It sees every commit that came
    /// before it.
    ///
    /// - Parameter secondsMax: its reads fail when they have taken that long in all, and
    ///   `hasTimedOut` is true then; nil: they take what they take.
    public func read<Value: Sendable>(
        within secondsMax: Int? = nil,
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value,
        finished: @escaping @Sendable (Result<Value, StoreError>) -> Void
    ) {
        let isTaken = pool.submit { reader in
            if let secondsMax { reader.deadline.set(afterMilliseconds: secondsMax * 1000) }
            defer { reader.deadline.clear() }
            do throws(StoreError) {
                let value = try work(reader)
                reader.rest()
                finished(.success(value))
            } catch {
                // The next work opens its files anew.
                reader.close()
                finished(.failure(error))
            }
        }
        if !isTaken { finished(.failure(.storage("too many reads are waiting"))) }
    }

    /// Does the first piece of work that waits; false when none does. Only without threads.
    @discardableResult
    public func turn() -> Bool { pool.turn() }

    public func stop() { pool.stop() }
}

/// A page of a list: items, and where the next page begins.
public struct Page<Item: Sendable>: Sendable {
    public let items: [Item]
    /// Nil on the last page.
    public let nextCursor: Int64?

    /// - Parameter end: where a page that looked at as many rows as it may ended; nil: it looked at
    ///   all.
    init(_ items: [Item], limit: Int, endedAt end: Int64? = nil, cursor: (Item) -> Int64) {
        // One more than asked for was read, to know whether there is more.
        self.items = Array(items.prefix(limit))
        nextCursor = items.count > limit ? self.items.last.map(cursor) : end
    }
}

/// The rows of a table that a page of a list looks at where no index finds those that are wanted, by
/// their numbers: others wait for the thread that reads them. A page then has fewer items than it
/// might, or none, and the next one goes on where it ended.
struct LookedAt {
    /// Newest first, before a number.
    let from: Int64?
    /// Oldest first, after a number.
    let through: Int64?

    static let all = LookedAt(from: nil, through: nil)

    private init(from: Int64?, through: Int64?) {
        self.from = from
        self.through = through
    }

    init(before cursor: Int64?, newest: Int64, rowsMax: Int64) {
        let from = min(cursor ?? .max, newest + 1) - rowsMax
        self.init(from: from > 1 ? from : nil, through: nil)
    }

    init(after cursor: Int64?, newest: Int64, rowsMax: Int64) {
        // A cursor is whatever somebody sends.
        let through = min(cursor ?? 0, newest) + rowsMax
        self.init(from: nil, through: through < newest ? through : nil)
    }
}

/// One thread's read-only connections.
public final class LedgerReader {
    private let directory: DataDirectory
    let deadline = Deadline()
    public let clicks: ClickReader
    public let costCounts = CostCounts()
    /// Rows that one page of a list looks at; a second or so.
    public var rowsLookedAtMax: Int64 = 1_000_000
    private var open: Connection?
    private var keptQueueStatements: QueueStatements?

    init(_ directory: DataDirectory) {
        self.directory = directory
        clicks = ClickReader(directory, deadline: deadline)
    }

    /// Reads took longer than this piece of work may.
    public var hasTimedOut: Bool { deadline.isOver }

    /// The days that have clicks, oldest first.
    public func clickDays() throws(StoreError) -> [Day] { try directory.clickDays() }

    func close() {
        closeLedger()
        clicks.closeAll()
    }

    private func closeLedger() {
        keptQueueStatements = nil
        open?.close()
        open = nil
    }

    /// Ends the view of the ledger that one piece of work had, and closes the day files: finished
    /// ones must not be kept open, because their writer seals them.
    func rest() {
        clicks.closeAll()
        endView()
    }

    /// Ends the view of the ledger alone.
    func endView() {
        deadline.clear()
        do {
            if let open, open.isInTransaction { try open.commit() }
        } catch {
            // A connection that can't even end a read is opened anew by the next work.
            close()
        }
    }

    func sql<Value>(_ body: (Connection) throws(SQLiteError) -> Value) throws(StoreError) -> Value {
        do {
            return try body(try connection())
        } catch {
            throw StoreError(error)
        }
    }

    /// Made for the connection in use, and gone with it.
    func queueStatements(_ connection: Connection) throws(SQLiteError) -> QueueStatements {
        if let keptQueueStatements { return keptQueueStatements }
        let statements = try QueueStatements(connection)
        keptQueueStatements = statements
        return statements
    }

    /// All reads of one piece of work see the ledger as of its first: a delivery and its attempts
    /// belong together.
    private func connection() throws(SQLiteError) -> Connection {
        try deadline.check()
        if let open, open.isInTransaction { return open }
        // Somebody put another file in its place, which its writer has opened by now.
        if let open, open.hasMoved, FileSystem.exists(directory.ledgerPath) { closeLedger() }
        let connection: Connection
        if let open {
            connection = open
        } else {
            connection = try Connection(
                path: directory.ledgerPath, mode: .readOnly, deadline: deadline)
            open = connection
        }
        try connection.begin(.deferred)
        return connection
    }
}

public import Domain
internal import SQLite

/// Where everything of one installation lies.
public struct DataDirectory: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    public var ledgerPath: String { path + "/clickrelay.db" }
    public var clicksPath: String { path + "/clicks" }
    /// The operator's location files.
    public var geoPath: String { path + "/geo" }
    public var controlSocketPath: String { path + "/control.sock" }
    public var lockPath: String { path + "/lock" }

    /// What is being restored lies here until it is whole; while it is there, nothing else of the
    /// directory may be used.
    public var restoringPath: String { path + "/.restoring" }

    public func clickFilePath(_ day: Day) -> String { "\(clicksPath)/\(day.text).db" }

    /// Makes the directories that are missing, readable by their owner only.
    public func create() throws(StoreError) {
        do {
            try FileSystem.createDirectory(path)
            try FileSystem.createDirectory(clicksPath)
        } catch {
            throw .storage(error.description)
        }
    }

    /// The days that have a file of clicks, oldest first.
    public func clickDays() throws(StoreError) -> [Day] {
        do {
            return try FileSystem.list(clicksPath)
                .compactMap { name in name.hasSuffix(".db") ? Day(String(name.dropLast(3))) : nil }
                .sorted()
        } catch {
            if error.isNotFound { return [] }
            throw .storage(error.description)
        }
    }

    /// Whether the ledger is gone from a directory that had one: there are clicks, or its log. To make
    /// a new one in its place would take every network's calls for nobody's, and drop the log.
    public func lacksItsLedger() throws(StoreError) -> Bool {
        if FileSystem.exists(ledgerPath) { return false }
        if (FileSystem.size(ledgerPath + "-wal") ?? 0) > 0 { return true }
        return try clickDays().contains { FileSystem.size(clickFilePath($0)) ?? 0 > 0 }
    }

    /// Whether a day's file still has a write-ahead log beside it.
    public func hasLog(_ day: Day) -> Bool { FileSystem.exists(clickFilePath(day) + "-wal") }

    /// Whether a crash has left a rollback journal beside a day's file.
    func hasJournal(_ day: Day) -> Bool { FileSystem.exists(clickFilePath(day) + "-journal") }

    /// Deletes a day's clicks for good: with their file its log, a journal that a crash has left, and
    /// the copies from before upgrades.
    func removeClickFile(_ day: Day) throws(StoreError) {
        do {
            let path = clickFilePath(day)
            let name = "\(day.text).db"
            for other in try FileSystem.list(clicksPath)
            where other.hasPrefix(name) && other != name {
                try FileSystem.remove("\(clicksPath)/\(other)")
            }
            // Last: what is left of a deletion that was cut short still names the day.
            try FileSystem.remove(path)
            try FileSystem.syncDirectory(clicksPath)
        } catch {
            throw .storage(error.description)
        }
    }

    /// Bytes of all database files, logs included.
    public func databaseBytes() -> (ledger: Int64, clicks: Int64) {
        let suffixes = ["", "-wal", "-shm"]
        let ledger = suffixes.map { FileSystem.size(ledgerPath + $0) ?? 0 }.reduce(0, +)
        // A directory that can't be listed now has been reported by whoever writes to it.
        let names = (try? FileSystem.list(clicksPath)) ?? []
        let clicks = names.map { FileSystem.size("\(clicksPath)/\($0)") ?? 0 }.reduce(0, +)
        return (ledger, clicks)
    }

    /// Free bytes on its file system; nil where that can't be told.
    // Only shown to people: not knowing it is no failure.
    public var freeBytes: Int64? { try? FileSystem.freeBytes(path) }
}

/// Why the store did not do what it was asked.
public enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The disk, a file or the queue to it failed: nothing was kept, the same may succeed later.
    case storage(String)
    /// One file besides the ledger, or one row of it, can't be read: what needs it fails, the rest
    /// goes on.
    case unreadable(String)
    case invalid(ValidationError)
    case notFound(String)
    /// It contradicts what is there, such as a key that is in use.
    case conflict(String)

    public var description: String {
        switch self {
        case .storage(let reason): "storage failed: \(reason)"
        case .unreadable(let reason): "can't be read: \(reason)"
        case .invalid(let error):
            error.errors.map { "\($0.field): \($0.message)" }.joined(separator: "; ")
        case .notFound(let what), .conflict(let what): what
        }
    }

    /// A row that contradicts the schema, or that holds what is never written, is its own job's
    /// trouble; everything else is the disk's, or may be, and ends the whole transaction.
    init(_ error: SQLiteError) {
        if error.isConstraint {
            self = .conflict(error.description)
        } else if error.isOurCorrupt {
            self = .unreadable(error.message)
        } else {
            self = .storage(
                error.description + (error.advice.map { "; \($0)" } ?? ""))
        }
    }

    init(_ error: MigrationError) {
        self = .storage(
            error.description + (error.underlying?.advice.map { "; \($0)" } ?? ""))
    }
}

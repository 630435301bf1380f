internal import CSQLite
internal import Glibc

/// Until when statements may run, for the connections that were opened with it: whatever is still
/// running then fails with SQLITE_INTERRUPT, and leaves its connection as sound as before.
///
/// Belongs to the thread of those connections.
public final class Deadline {
    /// Of the monotonic clock; nil: there is none.
    private var nanos: UInt64?

    /// Instructions of SQLite's machine between two looks at the clock: well under a millisecond.
    private static let instructions: Int32 = 20_000

    public init() {}

    public func set(afterMilliseconds milliseconds: Int) {
        nanos = Self.now() + UInt64(max(0, milliseconds)) * 1_000_000
    }

    public func clear() { nanos = nil }

    public var isOver: Bool { nanos.map { Self.now() >= $0 } ?? false }

    /// - Throws: as a statement does that runs into it.
    public func check() throws(SQLiteError) {
        if isOver { throw SQLiteError(extendedCode: SQLITE_INTERRUPT, message: "interrupted") }
    }

    /// The connection keeps the deadline for as long as it is open.
    func watch(_ handle: OpaquePointer?) {
        sqlite3_progress_handler(
            handle, Self.instructions,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Deadline>.fromOpaque(context).takeUnretainedValue().isOver ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

internal import Synchronization

/// Watches how long the disk takes for what a writer has it do: whoever waits for that is to be told
/// why.
///
/// `watch` is for the writer's thread, `failure` for any.
public final class DiskWatch: Sendable {
    /// From here on it is a line of the log, and then as good as a disk that doesn't take anything.
    private static let slowNanos: UInt64 = 1_000_000_000
    private static let stuckNanos: UInt64 = 5_000_000_000

    private struct Work {
        let file: String
        /// Of the monotonic clock.
        let since: UInt64
    }

    private let underWay = Mutex<Work?>(nil)
    private let log: @Sendable (_ event: String, _ detail: String) -> Void

    public init(log: @escaping @Sendable (_ event: String, _ detail: String) -> Void) {
        self.log = log
    }

    /// Runs `work`, most of which is the disk's.
    ///
    /// - Parameter file: the name that is told.
    public func watch<Value, Failure: Error>(
        _ file: String, _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let start = monotonicNanos()
        underWay.withLock { $0 = Work(file: file, since: start) }
        defer { underWay.withLock { $0 = nil } }
        let value = try work()
        let nanos = monotonicNanos() - start
        if nanos >= Self.slowNanos { log("disk_slow", "file=\(file) seconds=\(Self.text(nanos))") }
        return value
    }

    /// Why nothing is recorded now, though nothing has failed; nil when the disk is in time.
    public var failure: String? {
        guard let work = underWay.withLock({ $0 }) else { return nil }
        let now = monotonicNanos()
        guard now >= work.since + Self.stuckNanos else { return nil }
        return "the disk has been at \(work.file) for \(Self.text(now - work.since)) s"
    }

    private static func text(_ nanos: UInt64) -> String {
        let tenths = nanos / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}

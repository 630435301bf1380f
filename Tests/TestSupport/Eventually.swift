import Foundation

/// Something a test needs did not happen; the text says what.
public struct TestFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds, looking every few milliseconds.
///
/// - Throws: `TestFailure` naming `what` when `seconds` have passed; or what `condition` throws.
public func eventually(
    within seconds: Double = 20, _ what: @autoclosure () -> String, _ condition: () throws -> Bool
) throws {
    let deadline = monotonicNanos() &+ UInt64(seconds * 1e9)
    var pause: UInt32 = 1000
    while try !condition() {
        if monotonicNanos() > deadline {
            throw TestFailure("not within \(seconds) s: \(what())")
        }
        usleep(pause)
        pause = min(pause * 2, 20_000)
    }
}

/// Waits until `value` returns something, and returns it.
public func eventually<Value>(
    within seconds: Double = 20, _ what: @autoclosure () -> String,
    _ value: () throws -> Value?
) throws -> Value {
    var found: Value?
    try eventually(within: seconds, what()) {
        found = try value()
        return found != nil
    }
    guard let found else { throw TestFailure(what()) }
    return found
}

/// `CLOCK_MONOTONIC` in nanoseconds.
public func monotonicNanos() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// The text of `errno`, to be read right after the failed call.
func systemError() -> String { String(cString: strerror(errno)) }

/// Runs every work item on a thread of its own and returns when all have ended.
///
/// - Throws: the first error of any of them.
public func concurrently(_ count: Int, _ work: @escaping @Sendable (Int) throws -> Void) throws {
    let group = DispatchGroup()
    let failure = Locked<(any Error)?>(nil)
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try work(index) } catch { failure.with { $0 = $0 ?? error } }
            group.leave()
        }
    }
    group.wait()
    if let error = failure.with({ $0 }) { throw error }
}

/// A value behind a lock. (`Mutex` can't be captured by the escaping closures tests are made of.)
public final class Locked<Value>: @unchecked Sendable {
    // Sendable because `value` is touched with `lock` held only.
    private var value: Value
    private let lock = NSCondition()

    public init(_ value: Value) { self.value = value }

    public func with<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }

    public var current: Value { with { $0 } }
}

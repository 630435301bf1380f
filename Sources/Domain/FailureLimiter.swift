internal import Synchronization

/// Limits how often one address may fail: calls to keys that never existed, and tokens that are
/// none. Calls that succeed are not asked about, so that nobody is locked out by a neighbour who
/// mistypes.
///
/// Each address has a bucket of `burst` failures that fills again at `perMinute`. Shared by all
/// loops: a lock is taken for a failure only.
public final class FailureLimiter: Sendable {
    public static let perMinute: UInt64 = 60
    public static let burst: UInt64 = 60
    /// Seconds until an empty bucket is full again: what a refused caller is told to wait.
    public static let retryAfterSeconds = burst * 60 / perMinute
    /// Addresses that are remembered; beyond it the one that came first is forgotten.
    public static let addressesMax = 10_000

    private static let nanosPerFailure = 60_000_000_000 / perMinute

    private struct Table {
        /// When the bucket will be full again (its "theoretical arrival time"): all there is to
        /// know of one.
        var fullAt: [UInt128: UInt64] = [:]
        /// A ring of the addresses in the order they came.
        var order: [UInt128] = []
        var next = 0
        var refused: Int64 = 0

        mutating func forgetOldest(for address: UInt128) {
            if order.count < FailureLimiter.addressesMax {
                order.append(address)
                return
            }
            fullAt[order[next]] = nil
            order[next] = address
            next = (next + 1) % FailureLimiter.addressesMax
        }
    }

    private let table = Mutex(Table())

    public init() {}

    /// Notes one failure.
    ///
    /// - Parameters:
    ///   - address: nil on a socket that has none, which only the owner can open.
    ///   - nowNanos: of a clock that does not jump; loops need not agree to the last turn.
    /// - Returns: false when the address has failed too often, and is to be refused unheard.
    public func admits(_ address: IPAddress?, nowNanos: UInt64) -> Bool {
        guard let address else { return true }
        let sender = address.bucket
        return table.withLock { table in
            let known = table.fullAt[sender]
            let full = max(known ?? 0, nowNanos) &+ Self.nanosPerFailure
            guard full <= nowNanos &+ Self.burst * Self.nanosPerFailure else {
                table.refused += 1
                return false
            }
            if known == nil { table.forgetOldest(for: sender) }
            table.fullAt[sender] = full
            return true
        }
    }

    /// Calls that were refused since the start.
    public var refusedCount: Int64 { table.withLock(\.refused) }
}

extension IPAddress {
    /// One sender. An IPv6 network of 48 bits is what a single customer can be given (RFC 6177), and
    /// has 65,536 of those that most are given; a neighbour who is right is not asked about.
    fileprivate var bucket: UInt128 { isIPv4 ? bits : (bits >> 80) << 80 }
}

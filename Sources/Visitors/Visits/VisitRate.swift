internal import Domain
internal import Synchronization

/// How often visits of one address (of IPv6 the network) and browser came within a minute, in
/// bounded memory and without keeping whose they were. For all event loops.
public final class VisitRate: Sendable {
    /// No person opens more campaign URLs in a minute.
    public static let perMinuteMax = 60

    /// Of 8 bytes each. Two that share one push each other out: then neither is found.
    private static let slotCount = 1 << 16
    /// From the top: 24 bits that tell who, 24 bits of the minute, 16 bits of how often.
    private let slots = Mutex([UInt64](repeating: 0, count: slotCount))

    public init() {}

    /// Counts a visit.
    /// - Returns: whether there were too many, this one included, within its minute.
    func isTooFast(_ address: IPAddress?, _ agent: UnsafeRawBufferPointer, at instant: Instant)
        -> Bool
    {
        // Keyed anew in each process: nobody can aim at another's slot.
        var hasher = Hasher()
        hasher.combine(address?.household)
        hasher.combine(bytes: agent)
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        let minute = UInt64(truncatingIfNeeded: instant.seconds / 60) & 0xff_ffff
        let who = hash & ~0xff_ffff_ffff | minute << 16
        return slots.withLock { slots in
            let index = Int(hash & UInt64(Self.slotCount - 1))
            let known = slots[index]
            let count = known & ~0xffff == who ? min(known & 0xffff + 1, 0xffff) : 1
            slots[index] = who | count
            return count > Self.perMinuteMax
        }
    }
}

internal import Domain
internal import Synchronization

/// The visitors of the campaigns that know theirs, shared by all event loops.
///
/// It is kept in memory and read back from the clicks after a start. At `recordsMax` those that did
/// not come for the longest time are forgotten: about half of them at once, and to be new again is
/// all that happens to them.
public final class VisitorMemory: Sendable {
    /// Of visitors times scopes: about 100 bytes each, three times as much where places are kept.
    public static let recordsMax = 500_000

    private static let shardCount = 64
    private let shards: [Shard]
    private let generationMax: Int

    /// A lock of its own for each, held for a look-up only.
    private final class Shard: Sendable {
        let records = Mutex(Generations())
    }

    /// What was touched lately, and what was before that: dropping the older half needs no order.
    private struct Generations: ~Copyable {
        var young: [UInt64: VisitorRecord] = [:]
        var old: [UInt64: VisitorRecord] = [:]

        /// Finds or makes a record, changes it, and keeps it among the young.
        mutating func update(
            _ key: UInt64, max: Int, _ change: (inout VisitorRecord?) -> Void
        ) {
            var record = young[key] ?? old.removeValue(forKey: key)
            change(&record)
            guard let record else { return }
            if young.count >= max, young[key] == nil {
                old = young
                young = [:]
            }
            young[key] = record
        }
    }

    public init(recordsMax: Int = VisitorMemory.recordsMax) {
        shards = (0..<Self.shardCount).map { _ in Shard() }
        generationMax = max(1, recordsMax / Self.shardCount / 2)
    }

    /// Counts a visit.
    /// - Parameters:
    ///   - window: in seconds, from the first visit.
    /// - Returns: what is remembered, this visit counted in, `note` of it still to come.
    func visit(_ key: VisitorKey, at second: Int64, window: Int64) -> VisitorRecord {
        var result = VisitorRecord(beganAt: second)
        update(key) { record in
            var known = record ?? VisitorRecord(beganAt: second)
            if known.isOver(at: second, window: window) { known = VisitorRecord(beganAt: second) }
            known.count(at: second)
            record = known
            result = known
        }
        return result
    }

    /// As `visit`, but of a request that does not count: nothing is changed.
    func peek(_ key: VisitorKey, at second: Int64, window: Int64) -> VisitorRecord {
        let known = shard(of: key).records.withLock {
            $0.young[key.rawValue] ?? $0.old[key.rawValue]
        }
        var result = VisitorRecord(beganAt: second)
        if let known, !known.isOver(at: second, window: window) { result = known }
        result.count(at: second)
        return result
    }

    /// Of a visit that was not recorded after all.
    func takeBack(_ key: VisitorKey) { update(key) { $0?.takeBack() } }

    /// Remembers where the visit was sent.
    func note(_ key: VisitorKey, _ place: VisitedPlace) {
        // Forgotten between the two for want of room: then it stays so.
        update(key) { $0?.note(place) }
    }

    /// A visit from before this start; they come oldest first, while new ones go on.
    func restore(
        _ key: VisitorKey, at second: Int64, window: Int64, _ place: VisitedPlace?
    ) {
        update(key) { record in
            var known = record ?? VisitorRecord(beganAt: second)
            if known.isOver(at: second, window: window) { known = VisitorRecord(beganAt: second) }
            // It came again after the start and began anew, though this window wasn't over.
            if known.beganAt - second >= window { return }
            known.count(at: second)
            if let place { known.note(place) }
            record = known
        }
    }

    /// How many there are: visitors times scopes.
    public var count: Int {
        shards.reduce(0) { sum, shard in
            sum + shard.records.withLock { $0.young.count + $0.old.count }
        }
    }

    private func update(_ key: VisitorKey, _ change: (inout VisitorRecord?) -> Void) {
        shard(of: key).records.withLock { $0.update(key.rawValue, max: generationMax, change) }
    }

    private func shard(of key: VisitorKey) -> Shard {
        shards[Int(truncatingIfNeeded: key.rawValue >> 56) & (Self.shardCount - 1)]
    }
}

/// A visitor within one scope and window: each window begins and ends for itself.
struct VisitorKey: Hashable {
    let rawValue: UInt64

    /// Two scopes, or two visitors, share a key once in 2⁶⁴.
    init(_ visitor: VisitorNumber, _ scope: MemoryScope, window: Int64) {
        let scoped = WeightedChoice.mix(visitor.rawValue, salt: scope.salt)
        rawValue = WeightedChoice.mix(scoped, salt: UInt64(bitPattern: window))
    }
}

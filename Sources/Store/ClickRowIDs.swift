public import Domain
internal import Synchronization

/// Issues the click row IDs of this process: unique, growing, and with the time of the click.
///
/// The clock is followed but never trusted to be unique: when it stands still or jumps back, IDs
/// count on from the last one; after a restart they begin behind the newest that is stored.
public final class ClickRowIDs: Sendable {
    /// Milliseconds and sequence of the newest ID, as one number: `ms << 14 | sequence`.
    private let newest: Atomic<Int64>
    private let node: UInt8
    /// Where to go on within days that already have clicks though they have not begun: the clock
    /// once stood there. Newest first.
    private let taken: [(day: Day, newest: Int64)]

    /// Behind the newest stored click there may be lander clicks, whose IDs come from here too: a
    /// millisecond's worth of them is passed over, and what lies beyond is looked for with each
    /// (`ClickLookUps`). Only where the clock was set back: else IDs follow it anyway.
    private static let passedOver: Int64 = 1 << 14

    /// - Parameter newestStored: each day's newest stored ID, of today and of days to come.
    public init(node: UInt8, newestStored: [ClickRowID], now: Instant) {
        self.node = node
        let today = now.day
        let counters = newestStored.map {
            ($0.day, $0.milliseconds << 14 + Int64($0.sequence) + Self.passedOver)
        }
        newest = Atomic(counters.filter { $0.0 <= today }.map(\.1).max() ?? 0)
        taken = counters.filter { $0.0 > today }.map { (day: $0.0, newest: $0.1) }
    }

    /// - Parameter micros: the wall clock, in microseconds since 1970.
    public func next(micros: Int64) -> ClickRowID {
        let clock = max(0, micros / 1000 - ClickRowID.epochMilliseconds) << 14
        var before = newest.load(ordering: .relaxed)
        while true {
            var next = max(before + 1, clock)
            if !taken.isEmpty { next = afterTaken(next) }
            let (exchanged, original) = newest.weakCompareExchange(
                expected: before, desired: next, ordering: .relaxed)
            if exchanged { return rowID(next) }
            before = original
        }
    }

    private func afterTaken(_ counter: Int64) -> Int64 {
        let day = rowID(counter).day
        guard let other = taken.first(where: { $0.day == day }) else { return counter }
        return max(counter, other.newest + 1)
    }

    private func rowID(_ counter: Int64) -> ClickRowID {
        ClickRowID(
            milliseconds: counter >> 14, node: node,
            sequence: Int(counter & Int64(ClickRowID.sequenceMax)))
    }
}

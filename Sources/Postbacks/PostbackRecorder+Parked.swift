public import Domain
public import Store

/// What one look at the calls that wait for their click came to.
public struct ParkedSweep: Sendable, Equatable {
    public let matched: Int
    /// Those that had lost their text, and were given up.
    public let lost: [PostbackID]
    /// Where the next look begins; nil when this one reached the end.
    public let next: PostbackID?

    public init(matched: Int, lost: [PostbackID] = [], next: PostbackID?) {
        self.matched = matched
        self.lost = lost
        self.next = next
    }
}

extension PostbackRecorder {
    /// Parked calls of one look.
    public static let sweepMax = 200

    /// Counts parked calls whose click has appeared. The others stay as they are: nothing is
    /// recorded of a look that came to nothing.
    ///
    /// - Parameter cursor: the `next` of the look before.
    public func matchParked(after cursor: PostbackID?, in tx: LedgerTransaction, now: Instant)
        throws(StoreError) -> ParkedSweep
    {
        let candidates = try tx.parked(after: cursor, limit: Self.sweepMax)
        var matched = 0
        var lost: [PostbackID] = []
        for (id, click) in candidates {
            do throws(StoreError) {
                guard try tx.click(click) != nil else { continue }
                let rehearsal = try tx.rehearse { (tx) throws(StoreError) in
                    try replay(id, in: tx, now: now)
                }
                // One that came upon a limit is recorded, too: it says which, and is looked at no
                // more.
                let isSettled = rehearsal.now.verdict.isSettled
                guard isSettled || rehearsal.now.isHeld else { continue }
                _ = try replay(id, in: tx, now: now)
                if isSettled { matched += 1 }
            } catch {
                switch error {
                case .storage: throw error
                // Its day can't be read now; the next look tries again.
                case .unreadable, .invalid, .notFound: continue
                case .conflict:
                    // Without a text nobody will ever be able to judge it; with one, people can.
                    guard try tx.postback(id)?.call.target.isEmpty ?? true else { continue }
                    try tx.unpark(id)
                    lost.append(id)
                }
            }
        }
        return ParkedSweep(
            matched: matched, lost: lost,
            next: candidates.count < Self.sweepMax ? nil : candidates.last?.id)
    }
}

/// An amount of money dealt out to things in a row, exactly: whatever runs of them are added up, the
/// shares of all come to the amount, and no two differ by more than 10⁻⁹ of the currency's unit.
public struct CostShares: Hashable, Sendable {
    /// The sum of the first `count` shares is `nanos` × count ÷ `divisor`, rounded half to even.
    private let nanos: Int128
    private let divisor: Int128

    /// So much each.
    public init(each nanos: Int64) { self.init(nanos: Int128(nanos), divisor: 1) }

    /// So much for a thousand.
    public init(perThousand nanos: Int64) { self.init(nanos: Int128(nanos), divisor: 1000) }

    /// So much for all of `count`; where that is none, there is nothing to deal it out to.
    public init(total nanos: Int64, count: Int64) {
        self.init(nanos: count > 0 ? Int128(nanos) : 0, divisor: Int128(max(1, count)))
    }

    private init(nanos: Int128, divisor: Int128) {
        self.nanos = nanos
        self.divisor = divisor
    }

    /// What the shares of a run come to. A share is the difference of two sums, each of them rounded
    /// once: so runs that make up all make up the amount.
    /// - Parameter run: positions from 0, each below 2⁶².
    public func sum(of run: Range<Int64>) -> Int128 {
        sum(first: run.upperBound) - sum(first: run.lowerBound)
    }

    private func sum(first count: Int64) -> Int128 {
        // Below 2⁶³ × 2⁶³.
        (nanos * Int128(count)).dividedHalfToEven(by: divisor)
    }
}

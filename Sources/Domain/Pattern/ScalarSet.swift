/// A set of Unicode scalars, as a pattern's `[…]` names them.
struct ScalarSet: Hashable, Sendable {
    /// Sorted, apart from one another.
    private(set) var ranges: [ClosedRange<UInt32>] = []

    static let last: UInt32 = 0x10_FFFF

    init() {}

    init(_ ranges: ClosedRange<UInt32>...) {
        for range in ranges { insert(range) }
    }

    static let digits = ScalarSet(0x30...0x39)
    static let word = ScalarSet(0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A)
    static let space = ScalarSet(0x09...0x0D, 0x20...0x20)
    static let notLineFeed = ScalarSet(0x0A...0x0A).negated

    mutating func insert(_ range: ClosedRange<UInt32>) {
        var merged = range
        var kept: [ClosedRange<UInt32>] = []
        kept.reserveCapacity(ranges.count + 1)
        for other in ranges {
            // Bounds are at most 0x10FFFF, so that adding one can't overflow.
            if other.lowerBound <= merged.upperBound + 1
                && merged.lowerBound <= other.upperBound + 1
            {
                merged =
                    min(
                        merged.lowerBound, other.lowerBound)...max(
                        merged.upperBound, other.upperBound)
            } else {
                kept.append(other)
            }
        }
        let place = kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.count
        kept.insert(merged, at: place)
        ranges = kept
    }

    mutating func formUnion(_ other: ScalarSet) {
        for range in other.ranges { insert(range) }
    }

    var negated: ScalarSet {
        var result = ScalarSet()
        var start: UInt32 = 0
        for range in ranges {
            if range.lowerBound > start { result.ranges.append(start...range.lowerBound - 1) }
            start = range.upperBound + 1
        }
        if start <= Self.last { result.ranges.append(start...Self.last) }
        return result
    }

    /// With the other case of each ASCII letter.
    var ignoringCase: ScalarSet {
        var result = self
        for range in ranges {
            let upper = range.clamped(to: 0x41...0x5A)
            if range.overlaps(0x41...0x5A) {
                result.insert(upper.lowerBound + 32...upper.upperBound + 32)
            }
            let lower = range.clamped(to: 0x61...0x7A)
            if range.overlaps(0x61...0x7A) {
                result.insert(lower.lowerBound - 32...lower.upperBound - 32)
            }
        }
        return result
    }

    func contains(_ scalar: UInt32) -> Bool {
        // Binary search for the last range that begins at or before the scalar.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].lowerBound <= scalar { low = middle + 1 } else { high = middle }
        }
        return low > 0 && ranges[low - 1].upperBound >= scalar
    }
}

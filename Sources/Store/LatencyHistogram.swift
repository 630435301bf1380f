/// How many of many times fell into each class of `latency_class`.
///
/// A class is a sixteenth wide of its lowest time, so that a quantile, of which the class is all
/// that is known, is told at most 6.25 % too high; below a millisecond it is told as one.
public struct LatencyHistogram: Sendable, Equatable {
    /// The classes' lowest times in microseconds.
    private var counts: [Int64: Int64] = [:]
    public private(set) var count: Int64 = 0

    public init() {}

    mutating func add(_ deliveries: Int64, lowerMicros: Int64) {
        counts[lowerMicros, default: 0] += deliveries
        count += deliveries
    }

    /// The time that at least so many hundredths of all took at the longest; nil of none.
    ///
    /// - Parameter hundredths: in 1...100.
    public func percentile(_ hundredths: Int64) -> Duration? {
        guard count > 0 else { return nil }
        // As many as that, and no fewer than one; without a product that could overflow.
        let rank = count / 100 * hundredths + (count % 100 * hundredths + 99) / 100
        var seen: Int64 = 0
        for (lower, deliveries) in counts.sorted(by: { $0.key < $1.key }) {
            seen += deliveries
            if seen >= rank { return .microseconds(Self.upper(lower)) }
        }
        return nil
    }

    /// The lowest times of all classes, ascending, as `latency_class` has them.
    static let lowers: [Int64] = {
        var lowers: [Int64] = [0]
        while let last = lowers.last, last < 4_000_000_000_000 { lowers.append(upper(last)) }
        return lowers
    }()

    /// The lowest time of the class that a time falls into.
    static func lower(ofClassWith micros: Int64) -> Int64 {
        var (start, end) = (0, lowers.count)
        while end - start > 1 {
            let middle = (start + end) / 2
            if lowers[middle] <= micros { start = middle } else { end = middle }
        }
        return lowers[start]
    }

    /// Where the next class begins.
    static func upper(_ lower: Int64) -> Int64 { lower == 0 ? 1000 : lower + lower / 16 }
}

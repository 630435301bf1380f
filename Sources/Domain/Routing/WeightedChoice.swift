/// Picks one of several by weight, as a pure function of a number: the same click always makes the
/// same choice, so any past decision can be computed again.
public struct WeightedChoice: Sendable, Hashable {
    /// Running sums of the weights.
    private let bounds: [UInt64]

    /// - Parameter weights: not negative, at most `Path.weightMax` each, at least one above 0.
    public init?(weights: [Int]) {
        var sum: UInt64 = 0
        var bounds: [UInt64] = []
        for weight in weights {
            sum += UInt64(max(0, weight))
            bounds.append(sum)
        }
        guard sum > 0 else { return nil }
        self.bounds = bounds
    }

    /// The index of the choice for `number`, whose bits should be well mixed.
    public func index(for number: UInt64) -> Int {
        guard bounds.count > 1 else { return 0 }
        // The high half of the product maps 0..<2⁶⁴ onto 0..<sum without a division's bias.
        let point = number.multipliedFullWidth(by: bounds[bounds.count - 1]).high
        var low = 0
        var high = bounds.count - 1
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] > point { high = middle } else { low = middle + 1 }
        }
        return low
    }

    var count: Int { bounds.count }

    func weight(_ index: Int) -> UInt64 {
        index == 0 ? bounds[0] : bounds[index] - bounds[index - 1]
    }

    /// SplitMix64's finaliser: spreads a number's bits; `salt` makes independent choices of one.
    public static func mix(_ number: UInt64, salt: UInt64) -> UInt64 {
        var value = number &+ (salt &+ 1) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

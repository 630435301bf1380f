/// Some of a router's rules, by their places from 0.
public struct RuleSet: Sendable {
    /// A bit for each rule.
    private(set) var words: [UInt64]

    init(allOf count: Int) {
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for rule in 0..<count { words[rule / 64] |= 1 << UInt64(rule % 64) }
    }

    /// - Parameter other: of the same router.
    func intersection(_ other: RuleSet) -> RuleSet {
        var both = self
        for word in words.indices { both.words[word] &= other.words[word] }
        return both
    }

    mutating func remove(_ rule: Int) { words[rule / 64] &= ~(1 << UInt64(rule % 64)) }
}

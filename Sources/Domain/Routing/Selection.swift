/// What of a flow one visit may take, and what it should rather take: caps close paths and offers,
/// a visitor's memory tells what was seen. Paths count from 1 as in `Decision`; landers and offers
/// are indexes within their path.
public protocol Selection {
    /// False: nobody is sent this way now, whatever its weight.
    func isOpen(rule: Int, path: Int) -> Bool
    func isOpen(rule: Int, path: Int, offer: Int) -> Bool
    /// True for all: no preference. Where nothing open is unseen, everything open is chosen among.
    func isUnseen(rule: Int, path: Int, lander: Int) -> Bool
    func isUnseen(rule: Int, path: Int, offer: Int) -> Bool
    /// Where the visitor was sent before and should be sent again, when that is still open in the
    /// first rule that matches.
    var remembered: Decision? { get }
}

/// Everything is open, new and forgotten.
public struct OpenSelection: Selection {
    public init() {}

    public func isOpen(rule: Int, path: Int) -> Bool { true }
    public func isOpen(rule: Int, path: Int, offer: Int) -> Bool { true }
    public func isUnseen(rule: Int, path: Int, lander: Int) -> Bool { true }
    public func isUnseen(rule: Int, path: Int, offer: Int) -> Bool { true }
    public var remembered: Decision? { nil }
}

extension WeightedChoice {
    /// As `index(for:)`, but as though those that `isCounted` refuses had weight 0.
    /// - Returns: nil when nothing is left.
    func index(for number: UInt64, where isCounted: (Int) -> Bool) -> Int? {
        // Most often there is nothing to choose among.
        if count == 1 { return weight(0) > 0 && isCounted(0) ? 0 : nil }
        var sum: UInt64 = 0
        for index in 0..<count where isCounted(index) { sum += weight(index) }
        guard sum > 0 else { return nil }
        var point = number.multipliedFullWidth(by: sum).high
        for index in 0..<count where isCounted(index) {
            let weight = weight(index)
            if point < weight { return index }
            point -= weight
        }
        return nil
    }
}

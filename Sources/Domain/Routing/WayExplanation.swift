/// One of several that are chosen among by weight: a path, a lander or an offer.
public struct WayExplanation: Hashable, Sendable {
    public enum State: String, Sendable {
        /// Chosen among.
        case open
        /// Open, but others are not seen yet.
        case seen
        /// By its own cap, or those of all that is behind it.
        case closed
        case disabled
        case weightless = "weight_0"
    }

    public let state: State
    public let weight: Int
    /// Of its group's.
    public internal(set) var share = Share.none

    init(_ state: State, weight: Int) {
        self.state = state
        self.weight = weight
    }

    /// A part of all that is chosen among; none where it is not.
    public struct Share: Hashable, Sendable {
        public let part: UInt64
        public let whole: UInt64

        static let none = Share(part: 0, whole: 1)

        /// `0.6`, to four decimals.
        public var text: String {
            // Weights are a million at most, and a hundred of them: no overflow.
            Self.text(tenThousandths: (part * 10_000 + whole / 2) / whole)
        }

        static func text(tenThousandths: UInt64) -> String {
            Amount.format(Int64(tenThousandths) * 100_000)
        }
    }
}

/// The number, evenly spread over 0 to 1, that a click makes a choice with: the choice is the one in
/// whose share it falls, the shares laid side by side in their order.
public struct DrawnNumber: Hashable, Sendable {
    let bits: UInt64

    /// `0.4231`, cut to four decimals.
    public var text: String {
        WayExplanation.Share.text(tenThousandths: ((bits >> 32) * 10_000) >> 32)
    }
}

extension [WayExplanation] {
    /// The same with their shares.
    func shared() -> [WayExplanation] {
        let whole = filter { $0.state == .open }.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
        guard whole > 0 else { return self }
        return map { way in
            var way = way
            if way.state == .open {
                way.share = WayExplanation.Share(part: UInt64(way.weight), whole: whole)
            }
            return way
        }
    }

    /// What is chosen by that number.
    func index(for number: DrawnNumber) -> Int? {
        WeightedChoice(weights: map(\.weight))?
            .index(for: number.bits) { self[$0].state == .open }
    }
}

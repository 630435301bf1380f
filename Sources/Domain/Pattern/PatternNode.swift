/// A pattern as it was written, before repeats are copied out.
indirect enum PatternNode {
    case empty
    case set(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `most` nil: without end.
    case repeated(PatternNode, least: Int, most: Int?)

    /// States it is compiled to, one more than `Pattern.statesMax` standing for all above. What
    /// compiles to nothing counts as one, for copying it takes time all the same.
    var size: Int {
        let size: Int =
            switch self {
            case .empty, .set, .assertion: 1
            case .sequence(let parts): parts.reduce(0) { $0 + $1.size }
            case .choice(let parts): parts.reduce(-2) { $0 + $1.size + 2 }
            case .repeated(let part, let least, nil): part.size * max(1, least) + 2
            // At most 1,002 * 1,000.
            case .repeated(let part, let least, let most?):
                part.size * least + (part.size + 1) * (most - least)
            }
        return min(max(1, size), Pattern.statesMax + 1)
    }
}

/// What takes no character.
enum PatternAssertion: UInt8 {
    case start, end, wordBoundary, notWordBoundary
}

extension PatternAssertion {
    func holds(_ place: PatternPlace) -> Bool {
        switch self {
        case .start: place.isStart
        case .end: place.isEnd
        case .wordBoundary: place.isAfterWord != place.isBeforeWord
        case .notWordBoundary: place.isAfterWord == place.isBeforeWord
        }
    }
}

/// What assertions may ask about a place between two characters.
struct PatternPlace {
    var isStart: Bool
    var isEnd: Bool
    var isAfterWord: Bool
    var isBeforeWord: Bool
}

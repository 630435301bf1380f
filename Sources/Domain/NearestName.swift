/// Finds what somebody probably meant: "unknown token {clik_id}; did you mean {click_id}?".
public enum NearestName {
    /// Longer names get no suggestion; this bounds the work, which is quadratic.
    static let bytesMax = 64

    /// The candidate with the fewest edits (a letter more, less, other, or two swapped) from
    /// `name`, compared without case; the first one of several. Nil when none is near: more edits
    /// than a third of the name's letters (but one is always near), or a name of one letter.
    public static func suggestion(for name: String, among candidates: [String]) -> String? {
        let letters = lowercased(name)
        guard letters.count > 1, letters.count <= bytesMax else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let other = lowercased(candidate)
            let allowed = min(max(1, letters.count / 3), (best?.distance ?? .max) - 1)
            guard other.count <= bytesMax, abs(other.count - letters.count) <= allowed else {
                continue
            }
            let distance = distance(letters, other)
            if distance <= allowed { best = (candidate, distance) }
        }
        return best?.candidate
    }

    private static func lowercased(_ text: String) -> [UInt8] {
        text.utf8.prefix(bytesMax + 1).map(ASCII.lowercased)
    }

    /// Damerau-Levenshtein, restricted: no letter is edited twice ("optimal string alignment").
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    previous[column + 1] + 1, current[column] + 1,
                    previous[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}

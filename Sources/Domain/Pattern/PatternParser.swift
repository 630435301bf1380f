/// Reads a pattern's text; `Pattern` tells the syntax.
struct PatternParser {
    private let scalars: [UInt32]
    private var position = 0
    private var ignoringCase: Bool

    init(_ text: String, ignoringCase: Bool) throws(PatternError) {
        guard !text.isEmpty else { throw PatternError("must not be empty") }
        guard text.utf8.count <= Pattern.textBytesMax else {
            throw PatternError("must have at most \(Pattern.textBytesMax) bytes")
        }
        scalars = text.unicodeScalars.map(\.value)
        self.ignoringCase = ignoringCase
    }

    mutating func parse() throws(PatternError) -> (node: PatternNode, ignoringCase: Bool) {
        if take("(?i)") { ignoringCase = true } else if take("(?-i)") { ignoringCase = false }
        let node = try choice(depth: 0)
        // Only a closing parenthesis ends a choice before the text does.
        guard isAtEnd else { throw failure("has a ) that closes no group", at: position) }
        return (node, ignoringCase)
    }

    private mutating func choice(depth: Int) throws(PatternError) -> PatternNode {
        guard depth <= Pattern.nestingMax else {
            throw PatternError("has more than \(Pattern.nestingMax) groups inside one another")
        }
        var alternatives = [try sequence(depth: depth)]
        while take("|") { alternatives.append(try sequence(depth: depth)) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func sequence(depth: Int) throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            let start = position
            let part = try atom(depth: depth)
            let repeats = try repeats(part)
            if scalar != "(", case .assertion = part, case .repeated = repeats {
                throw failure("repeats an anchor", at: start)
            }
            parts.append(repeats)
        }
        switch parts.count {
        case 0: return .empty
        case 1: return parts[0]
        default: return .sequence(parts)
        }
    }

    // MARK: Repeats

    private mutating func repeats(_ part: PatternNode) throws(PatternError) -> PatternNode {
        let start = position
        guard let (least, most) = try repeatCounts() else { return part }
        if take("+") {
            throw failure("has a possessive repeat, which is not supported", at: start)
        }
        // A lazy repeat finds a shorter match, and nobody asks how long it is.
        _ = take("?")
        guard try repeatCounts() == nil else {
            throw failure("repeats a repeat: put the first into a group", at: start)
        }
        return .repeated(part, least: least, most: most)
    }

    private mutating func repeatCounts() throws(PatternError) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = position
        guard take("{") else { return nil }
        guard let least = number() else {
            throw failure("has a { that begins no repeat such as {2,5}: write \\{", at: start)
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else {
            throw failure("has a { that begins no repeat such as {2,5}: write \\{", at: start)
        }
        guard least <= Pattern.repeatMax, most ?? 0 <= Pattern.repeatMax else {
            throw failure("repeats more than \(Pattern.repeatMax) times", at: start)
        }
        guard least <= most ?? least else {
            throw failure("has a repeat whose first number is the greater one", at: start)
        }
        return (least, most)
    }

    /// Above `Pattern.repeatMax` it is any number above.
    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek.flatMap({ ASCII.digit(UInt8(clamping: $0.value)) }) {
            position += 1
            value = min((value ?? 0) * 10 + digit, Pattern.repeatMax + 1)
        }
        return value
    }

    // MARK: Single characters and groups

    private mutating func atom(depth: Int) throws(PatternError) -> PatternNode {
        let start = position
        guard let scalar = peek else { return .empty }
        position += 1
        switch scalar {
        case ".": return .set(.notLineFeed)
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case "(": return try group(depth: depth, start: start)
        case "[": return try bracket(start: start)
        case "\\": return try escape(start: start)
        case "*", "+", "?": throw failure("has a \(scalar) with nothing to repeat", at: start)
        case "{":
            throw failure("has a { with nothing to repeat: write \\{ for the character", at: start)
        default: return character(scalar.value)
        }
    }

    private mutating func group(depth: Int, start: Int) throws(PatternError) -> PatternNode {
        if take("?") && !take(":") {
            if take("=") || take("!") || take("<=") || take("<!") {
                throw failure("looks ahead or behind, which is not supported", at: start)
            }
            if take("i)") || take("-i)") {
                throw failure("may have (?i) or (?-i) at its very beginning only", at: start)
            }
            throw failure("has a kind of group that is not supported: write (…)", at: start)
        }
        let inner = try choice(depth: depth + 1)
        guard take(")") else { throw failure("has a group that is not closed", at: start) }
        return inner
    }

    private func character(_ scalar: UInt32) -> PatternNode {
        .set(folded(ScalarSet(scalar...scalar)))
    }

    private func folded(_ set: ScalarSet) -> ScalarSet { ignoringCase ? set.ignoringCase : set }

    private mutating func escape(start: Int) throws(PatternError) -> PatternNode {
        if take("b") { return .assertion(.wordBoundary) }
        if take("B") { return .assertion(.notWordBoundary) }
        switch try escaped(start: start) {
        case .set(let set): return .set(set)
        case .character(let scalar): return character(scalar)
        }
    }

    private enum Escaped {
        case character(UInt32)
        case set(ScalarSet)
    }

    /// What follows a backslash, inside brackets or not.
    private mutating func escaped(start: Int) throws(PatternError) -> Escaped {
        guard let scalar = peek else { throw failure("ends in a lone \\", at: start) }
        position += 1
        switch scalar {
        case "d": return .set(.digits)
        case "D": return .set(ScalarSet.digits.negated)
        case "w": return .set(.word)
        case "W": return .set(ScalarSet.word.negated)
        case "s": return .set(.space)
        case "S": return .set(ScalarSet.space.negated)
        case "t": return .character(0x09)
        case "n": return .character(0x0A)
        case "f": return .character(0x0C)
        case "r": return .character(0x0D)
        case "x": return .character(try hexadecimal(digits: 2, start: start))
        case "u": return .character(try hexadecimal(digits: 4, start: start))
        case "1"..."9", "k":
            throw failure("refers back to a group, which is not supported", at: start)
        case "p", "P":
            throw failure("names a Unicode property, which is not supported", at: start)
        case "0", "a"..."z", "A"..."Z":
            throw failure("has the unknown escape \\\(scalar)", at: start)
        default: return .character(scalar.value)
        }
    }

    private mutating func hexadecimal(digits: Int, start: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = peek.flatMap({ ASCII.hexDigit(UInt8(clamping: $0.value)) }) else {
                throw failure("must have \(digits) hexadecimal digits in an escape", at: start)
            }
            position += 1
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Brackets

    private mutating func bracket(start: Int) throws(PatternError) -> PatternNode {
        var set = ScalarSet()
        let isNegated = take("^")
        var isFirst = true
        // As in Perl, a ] in the first place is one of the characters.
        while isFirst || peek != "]" {
            isFirst = false
            guard peek != nil else { throw failure("has a [ that is not closed", at: start) }
            let itemStart = position
            if take("[:") {
                throw failure("has a class such as [:alpha:]: write \\d, \\w or a-z", at: itemStart)
            }
            switch try bracketItem() {
            case .set(let other):
                if isRange {
                    throw failure("has a range that begins with a class", at: itemStart)
                }
                set.formUnion(other)
            case .character(let first):
                guard isRange else {
                    set.insert(first...first)
                    continue
                }
                position += 1
                guard case .character(let last) = try bracketItem() else {
                    throw failure("has a range that ends with a class", at: itemStart)
                }
                guard first <= last else {
                    throw failure("has a range whose end is before its beginning", at: itemStart)
                }
                set.insert(first...last)
            }
        }
        position += 1
        // Folded first: [^a] is neither a nor A.
        return .set(isNegated ? folded(set).negated : folded(set))
    }

    /// At a `-` that stands between two items? At the end of the brackets it is a character.
    private var isRange: Bool {
        peek == "-" && position + 1 < scalars.count && scalars[position + 1] != 0x5D
    }

    private mutating func bracketItem() throws(PatternError) -> Escaped {
        let start = position
        guard let scalar = peek else { throw failure("has a [ that is not closed", at: start) }
        position += 1
        guard scalar == "\\" else { return .character(scalar.value) }
        return try escaped(start: start)
    }

    // MARK: Reading

    private var isAtEnd: Bool { position == scalars.count }

    private var peek: Unicode.Scalar? {
        position < scalars.count ? Unicode.Scalar(scalars[position]) : nil
    }

    /// Consumes exactly these characters, or nothing.
    private mutating func take(_ word: String) -> Bool {
        var end = position
        for scalar in word.unicodeScalars {
            guard end < scalars.count, scalars[end] == scalar.value else { return false }
            end += 1
        }
        position = end
        return true
    }

    /// - Parameter offset: from 0, told from 1.
    private func failure(_ text: String, at offset: Int) -> PatternError {
        PatternError("\(text) (at character \(offset + 1))")
    }
}

/// A regular expression whose cost is bounded: a match takes time in proportion to the text's
/// length times the pattern's size at worst, whatever either says, and never backtracks.
///
/// Operators write patterns and visitors write the text they are compared with, on an event loop;
/// a backtracking engine there would let one header stop everything.
///
/// Syntax: characters, `.` (not a line feed), classes `[a-z]` `[^a-z]` `\d` `\w` `\s` and their
/// opposites `\D` `\W` `\S` (of ASCII), the anchors `^` `$` `\b` `\B`, groups `(…)` `(?:…)`, `|`,
/// `*` `+` `?` `{m}` `{m,}` `{m,n}` (a `?` behind one is allowed and changes nothing), and the
/// escapes `\t` `\n` `\r` `\f` `\xHH` `\uHHHH` and `\` before punctuation. `^` and `$` are the
/// text's beginning and end, never a line's. A pattern is found anywhere in the text unless
/// anchored. The case of ASCII letters is ignored; `(?-i)` in front distinguishes it.
///
/// The text is UTF-8 and compared by Unicode scalars; each byte that is not UTF-8 counts as one
/// U+FFFD.
public struct Pattern: Sendable {
    public let text: String
    let matcher: PatternMatcher

    public static let textBytesMax = 1_000
    /// Of the compiled program; repeats are compiled as copies, so this bounds them too.
    public static let statesMax = 1_000
    public static let nestingMax = 50
    public static let repeatMax = 1_000

    /// - Parameter ignoringCase: of ASCII letters, where the text has no `(?i)` or `(?-i)` in front.
    public init(_ text: String, ignoringCase: Bool = true) throws(PatternError) {
        try self.init(text, ignoringCase: ignoringCase, limits: PatternTable.Limits())
    }

    /// For the tests: with limits of 0 there is no table, and the slow way is taken.
    init(_ text: String, ignoringCase: Bool = true, limits: PatternTable.Limits)
        throws(PatternError)
    {
        var parser = try PatternParser(text, ignoringCase: ignoringCase)
        let program = try PatternProgram(try parser.parse())
        self.text = text
        matcher = PatternMatcher(program, PatternTable(program, limits: limits))
    }

    /// Is the pattern found in the text? Allocates nothing, but for programs of hundreds of
    /// states that don't fit into a table.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var steps = 0
        return matcher.matches(bytes, steps: &steps)
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// How many states were looked at to find the answer.
    func steps(_ text: String) -> Int {
        var text = text
        var steps = 0
        text.withUTF8 { _ = matcher.matches(UnsafeRawBufferPointer($0), steps: &steps) }
        return steps
    }

    var isTabular: Bool { matcher.table != nil }
}

/// By text and case.
extension Pattern: Hashable {
    public static func == (left: Pattern, right: Pattern) -> Bool {
        left.text == right.text && left.matcher.ignoresCase == right.matcher.ignoresCase
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(matcher.ignoresCase)
    }
}

/// Why a text is no pattern.
public struct PatternError: Error, Hashable, Sendable {
    /// Continues a sentence that begins with the field's name: "has a group that is not closed".
    public let message: String

    init(_ message: String) { self.message = message }
}

/// Shared by the copies of a pattern.
final class PatternMatcher: Sendable {
    let program: PatternProgram
    let table: PatternTable?
    var ignoresCase: Bool { program.ignoresCase }

    init(_ program: PatternProgram, _ table: PatternTable?) {
        self.program = program
        self.table = table
    }

    func matches(_ bytes: UnsafeRawBufferPointer, steps: inout Int) -> Bool {
        if let table { return table.matches(bytes, program.classes, steps: &steps) }
        return program.matches(bytes, steps: &steps)
    }
}

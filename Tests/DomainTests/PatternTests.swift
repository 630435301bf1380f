import Foundation
import TestSupport
import Testing

@testable import Domain

@Suite struct PatternTests {
    private static let agents = [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "curl/8.4.0", "",
    ]
    private static let referrers = [
        "https://www.google.com/search?q=a", "http://google.de/", "https://notgoogle.com/",
        "https://example.com/?u=https://google.com/", "android-app://com.google", "",
    ]
    private static let words = [
        "", "a", "b", "ab", "aab", "abab", "cab", "AB", "xaby", "a b", "ba",
    ]
    private static let numbers = [
        "", "0", "7", "12", "123", "1234", "12a", "-5", "1.5", "1,5", "٣",
    ]

    /// Patterns, and texts that each is tried on.
    static let table: [(pattern: String, texts: [String])] = [
        ("iphone|ipad", agents), ("android [0-9]+", agents), ("^mozilla/5\\.0", agents),
        ("chrome/1[0-2]\\d\\.", agents), ("bot\\b", agents), ("\\bbot", agents),
        ("\\(.*;.*\\)", agents), ("mobile$", agents), ("^$", agents),
        ("SM-[A-Z]\\d{3}[A-Z]?", agents),
        ("(safari|chrome)/[\\d.]+( mobile)?$", agents), ("[^ -~]", agents),
        ("os \\d+_\\d+", agents),
        ("^https?://(www\\.)?google\\.", referrers), ("google\\.(com|de)/", referrers),
        ("^[a-z-]+://", referrers), ("[?&]q=a(&|$)", referrers), ("//[^/]*google[^/]*/", referrers),
        ("^(?:https|android-app)://", referrers), ("\\?.*=.*\\?", referrers), ("/$", referrers),
        ("a", words), ("^a", words), ("a$", words), ("^a$", words), ("ab|ba", words),
        ("^(ab)*$", words), ("^(ab)+$", words), ("^(ab)?$", words), ("^a*b*$", words),
        ("^a{2}b$", words), ("^a{1,2}b$", words), ("^a{2,}b$", words), ("a{0}b", words),
        ("^(a|b)*$", words), ("(a|)b", words), ("^(|a)+b$", words), ("a.b", words), ("^.b", words),
        ("^(a*)*$", words), ("(a+)+b$", words), ("^(a?){3}b", words), ("^[ab]+$", words),
        ("[^ab]", words), ("^[^c]*$", words), ("a\\sb", words), ("a\\Bb", words),
        ("\\bab\\b", words),
        ("\\Ba", words), ("a\\b", words), ("^\\b", words), ("\\b$", words), ("^\\B$", words),
        ("(?:a|b){2}", words), ("^(?:(?:a)(?:b))+?$", words), ("a*?b", words), ("a??b", words),
        ("^\\d+$", numbers.dropLast()), ("^-?\\d+([.,]\\d+)?$", numbers.dropLast()),
        ("^\\d{2,3}$", numbers.dropLast()), ("\\D", numbers.dropLast()),
        ("^[\\d.]+$", numbers.dropLast()),
        ("[\\D5]", numbers.dropLast()), ("^[^\\d]", numbers.dropLast()),
        ("^[0-35-9]+$", numbers.dropLast()),
        ("\\w\\W\\w", numbers.dropLast()), ("^\\S*$", numbers.dropLast()), ("[.,-]", numbers),
        ("[-.]", numbers), ("[+\\-]", numbers), ("^.$", numbers), ("^[^a]$", numbers),
        ("[٠-٩]", numbers), ("٣", numbers), ("\\u0663", numbers), ("\\x31\\x32", numbers),
        (
            "^\\.\\*\\+\\?\\[\\]\\(\\)\\{\\}\\|\\\\\\^\\$$",
            [".*+?[](){}|\\^$", ".*+?[](){}|\\^", "x"]
        ),
        ("[.*+?(){}|$^]", [".", "*", "^", "$", "x", "|", ""]),
        ("[\\]\\[\\\\]", ["[", "]", "\\", "a"]),
        ("a\\tb", ["a\tb", "atb", "a b"]), ("[\\t ]", ["\t", " ", "t"]), ("a/b", ["a/b", "a\\/b"]),
        ("^é+$", ["é", "éé", "e", ""]), ("^..$", ["éж", "日本", "日", "a🙂", "🙂🙂"]),
        ("^[а-я]+$", ["привет", "hello", ""]), ("^[^а-я]+$", ["привет", "hello", "🙂"]),
        ("日|本", ["日", "本", "木"]), ("🙂{2}", ["🙂🙂", "🙂"]),
    ]

    private func judge(_ pattern: String, _ text: String, ignoringCase: Bool = true) throws -> Bool
    {
        let expression = try NSRegularExpression(
            pattern: pattern, options: ignoringCase ? [.caseInsensitive] : [])
        let range = NSRange(location: 0, length: text.utf16.count)
        return expression.firstMatch(in: text, range: range) != nil
    }

    /// The pattern's answer, having checked that both ways of finding it agree.
    private func answer(_ pattern: String, _ text: String, ignoringCase: Bool = true) throws -> Bool
    {
        let slow = try Pattern(
            pattern, ignoringCase: ignoringCase, limits: .init(states: 0, cells: 0, steps: 0))
        let fast = try Pattern(pattern, ignoringCase: ignoringCase)
        #expect(!slow.isTabular)
        #expect(slow.matches(text) == fast.matches(text), "\(pattern) on \(text)")
        return fast.matches(text)
    }

    @Test(arguments: PatternTests.table.map(\.pattern))
    func `patterns mean what they mean to ICU`(pattern: String) throws {
        let texts = try #require(Self.table.first { $0.pattern == pattern }).texts
        for text in texts {
            #expect(try answer(pattern, text) == judge(pattern, text), "\(pattern) on \(text)")
            #expect(
                try answer(pattern, text, ignoringCase: false)
                    == judge(pattern, text, ignoringCase: false), "\(pattern) on \(text), by case")
        }
    }

    @Test func `the table is large`() {
        #expect(Self.table.reduce(0) { $0 + $1.texts.count } >= 150)
    }

    /// Nothing a Unicode engine sees otherwise (`\w` and `\b` are of ASCII here), and no lazy
    /// repeats: ICU leaves `(a*?)*?` too early, and says that `(((a*?)*)*?b)?` is not in "a".
    private func randomPattern(_ random: inout SeededRandom, depth: Int = 3) -> String {
        let atoms = [
            "a", "b", "B", "c", ".", "[ab]", "[^a]", "[a-c]", "[^bc]", "é", "[é-я]", "\\d", "1",
            " ",
            "^", "$",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            var atom: String
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3 where depth > 0:
                atom = "(" + randomPattern(&random, depth: depth - 1) + ")"
            case 3 where depth > 0:
                atom =
                    "(?:" + randomPattern(&random, depth: depth - 1) + "|"
                    + randomPattern(&random, depth: depth - 1) + ")"
            default: atom = atoms.randomElement(using: &random) ?? "a"
            }
            if atom != "^", atom != "$" {
                atom +=
                    ["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}"]
                    .randomElement(using: &random) ?? ""
            }
            text += atom
        }
        return text
    }

    @Test(arguments: 1...60) func `random patterns mean what they mean to ICU`(seed: UInt64) throws
    {
        var random = SeededRandom(seed)
        let alphabet = ["a", "b", "c", "A", "é", "ж", "1", " ", "日"]
        for _ in 0..<15 {
            let pattern = randomPattern(&random)
            let expression = try NSRegularExpression(pattern: pattern, options: [.caseInsensitive])
            let fast = try Pattern(pattern)
            let slow = try Pattern(pattern, limits: .init(states: 0, cells: 0, steps: 0))
            for _ in 0..<12 {
                let text = (0..<Int.random(in: 0...7, using: &random))
                    .map { _ in alphabet.randomElement(using: &random) ?? "a" }.joined()
                let range = NSRange(location: 0, length: text.utf16.count)
                let expected = expression.firstMatch(in: text, range: range) != nil
                #expect(fast.matches(text) == expected, "\(pattern) on \(text)")
                #expect(slow.matches(text) == expected, "\(pattern) on \(text), without a table")
            }
        }
    }

    @Test(arguments: 1...60) func `word boundaries mean what they mean to ICU`(seed: UInt64) throws
    {
        var random = SeededRandom(seed)
        let pieces = [
            "\\b", "\\B", "a", "\\w", "\\W", "-", ".", "(\\b|a)", "(?:\\Ba)*", "a?", "$", "^",
        ]
        for _ in 0..<10 {
            let pattern = (0..<Int.random(in: 1...5, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
            for _ in 0..<10 {
                let text = (0..<Int.random(in: 0...6, using: &random))
                    .map { _ in ["a", "_", "-", " ", "1"].randomElement(using: &random) ?? "a" }
                    .joined()
                #expect(try answer(pattern, text) == judge(pattern, text), "\(pattern) on \(text)")
            }
        }
    }

    @Test(arguments: 1...100) func `no text is a pattern that traps`(seed: UInt64) {
        var random = SeededRandom(seed)
        let pieces =
            Array("()[]{}|*+?^$\\.-,:=!<>abdwsxu019é\n").map(String.init) + ["(?:", "{2,", "[^"]
        for _ in 0..<200 {
            let text = (0..<Int.random(in: 0...20, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
            guard let pattern = try? Pattern(text) else { continue }  // refused is as good
            var bytes = Array(text.utf8)
            for index in bytes.indices where Bool.random(using: &random) {
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            let slow = try? Pattern(text, limits: .init(states: 0, cells: 0, steps: 0))
            bytes.withUnsafeBytes { buffer in
                #expect(slow?.matches(buffer) == pattern.matches(buffer), "\(text)")
            }
        }
    }

    // MARK: Cost

    @Test(arguments: [
        "(a+)+$", "(a|a)*$", "(a|aa)+$", "(a*)*b", "(.*a){20}", "(a?){100}a{100}", "a.{90}b.{90}c",
        "(x+x+)+y", "((((a*)*)*)*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?:a?){300}b",
    ]) func `evil patterns take steps in proportion to text and pattern`(pattern: String) throws {
        for limits in [PatternTable.Limits(), .init(states: 0, cells: 0, steps: 0)] {
            let pattern = try Pattern(pattern, limits: limits)
            for count in [10, 100, 1_000] {
                let text = String(repeating: "a", count: count) + "!"
                #expect(pattern.steps(text) <= (count + 2) * Pattern.statesMax)
            }
            // Once the first thousand characters have filled every state there is to fill.
            let steps = [1_000, 2_000, 3_000].map {
                pattern.steps(String(repeating: "a", count: $0) + "!")
            }
            #expect(steps[2] - steps[1] == steps[1] - steps[0])
        }
    }

    @Test(arguments: [
        "(x{1000}){1000}", "x{1000}", "(x{32}){32}", "((((((a{9}){9}){9}){9}){9}){9}){9}",
        "(((){1000}){1000}){1000}", "(a|b|c|d){100}", "((a{0,1000}){0,1000}){0,1000}",
    ]) func `a pattern that explodes is refused`(pattern: String) {
        #expect(
            throws: PatternError(
                "is too large: with its repeats written out it has more than 1000 characters")
        ) {
            try Pattern(pattern)
        }
    }

    @Test func `the largest program is taken and the next one is not`() throws {
        // The end takes a state too.
        #expect(try Pattern("x{999}").matches(String(repeating: "x", count: 999)))
        #expect(try !Pattern("x{999}").matches(String(repeating: "x", count: 998)))
        #expect(throws: PatternError.self) { try Pattern("x{1000}") }
        #expect(try Pattern(String(repeating: "x", count: 999)).matches("y") == false)
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "é", count: 501)) }
        let nested = String(repeating: "(", count: 50) + "a" + String(repeating: ")", count: 50)
        #expect(try Pattern(nested).matches("A"))
        #expect(throws: PatternError("has more than 50 groups inside one another")) {
            try Pattern("(" + nested + ")")
        }
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "(", count: 1_000)) }
    }

    @Test func `what people write gets a table, what explodes in one does without`() throws {
        for pattern in [
            "iphone|ipad|ipod", "^https?://(www\\.)?google\\.", "(android|linux).*mobile",
            "\\bbot\\b|crawl|spider|slurp", "chrome/1[0-2]\\d",
        ] {
            #expect(try Pattern(pattern).isTabular)
        }
        let pattern = try Pattern("a.{50}b")
        #expect(!pattern.isTabular)
        #expect(pattern.matches("xxa" + String(repeating: "-", count: 50) + "b"))
        #expect(!pattern.matches("xxa" + String(repeating: "-", count: 49) + "b"))
    }

    @Test func `an anchored pattern gives up early`() throws {
        let text = String(repeating: "x", count: 10_000)
        #expect(try Pattern("^https").steps(text) == 1)
    }

    // MARK: What differs from ICU, and what is refused

    @Test func `case is ignored for ASCII letters unless asked`() throws {
        #expect(try Pattern("iPhone").matches("IPHONE"))
        #expect(try Pattern("[a-c]x").matches("BX"))
        #expect(try !Pattern("[^a]").matches("A"))
        #expect(try !Pattern("é").matches("É"))
        #expect(try !Pattern("iPhone", ignoringCase: false).matches("iphone"))
        #expect(try !Pattern("(?-i)iPhone").matches("iphone"))
        #expect(try Pattern("(?-i)iPhone").matches("my iPhone"))
        #expect(try Pattern("(?i)iPhone", ignoringCase: false).matches("iphone"))
    }

    @Test func `any bytes are a text`() throws {
        func matches(_ pattern: String, _ bytes: [UInt8]) throws -> Bool {
            let pattern = try Pattern(pattern)
            return bytes.withUnsafeBytes { pattern.matches($0) }
        }
        #expect(try matches("^.$", [0xFF]))
        #expect(try matches("^..$", [0xC3, 0x28]))
        #expect(try matches("^.$", [0xC3, 0xA9]))
        #expect(try matches("^..$", [0xE6, 0x97]))
        #expect(try matches("^...$", [0xED, 0xA0, 0x80]))
        #expect(try matches("^....$", [0xF4, 0x90, 0x80, 0x80]))
        #expect(try matches("^..$", [0xC0, 0x80]))
        #expect(try matches("^a\\uFFFDb$", [0x61, 0x80, 0x62]))
        #expect(try matches("a.b", [0x61, 0, 0x62]))
        #expect(try !matches("a.b", [0x61, 0x0A, 0x62]))
        #expect(try matches("^$", []))
        #expect(try !matches("^a$", [0x61, 0x0A]))
        #expect(Pattern.matchesNothing(try Pattern("a")))
    }

    @Test(arguments: [
        ("", "must not be empty"), ("(a", "has a group that is not closed (at character 1)"),
        ("a)", "has a ) that closes no group (at character 2)"),
        ("[a", "has a [ that is not closed (at character 1)"),
        ("[]", "has a [ that is not closed (at character 1)"),
        ("*a", "has a * with nothing to repeat (at character 1)"),
        ("a|+", "has a + with nothing to repeat (at character 3)"),
        ("a**", "repeats a repeat: put the first into a group (at character 2)"),
        ("x{1000}{1000}", "repeats a repeat: put the first into a group (at character 2)"),
        ("a++", "has a possessive repeat, which is not supported (at character 2)"),
        ("^*", "repeats an anchor (at character 1)"),
        ("a{zone}", "has a { that begins no repeat such as {2,5}: write \\{ (at character 2)"),
        ("{zone}", "has a { with nothing to repeat: write \\{ for the character (at character 1)"),
        ("a{3,2}", "has a repeat whose first number is the greater one (at character 2)"),
        ("a{1001}", "repeats more than 1000 times (at character 2)"),
        ("a{99999999999999999999}", "repeats more than 1000 times (at character 2)"),
        ("(?=a)", "looks ahead or behind, which is not supported (at character 1)"),
        ("x(?<!a)", "looks ahead or behind, which is not supported (at character 2)"),
        ("(a)\\1", "refers back to a group, which is not supported (at character 4)"),
        ("(?<n>a)\\k<n>", "has a kind of group that is not supported: write (…) (at character 1)"),
        ("(?>a)", "has a kind of group that is not supported: write (…) (at character 1)"),
        ("a(?i)b", "may have (?i) or (?-i) at its very beginning only (at character 2)"),
        ("\\p{L}", "names a Unicode property, which is not supported (at character 1)"),
        ("\\q", "has the unknown escape \\q (at character 1)"),
        ("a\\", "ends in a lone \\ (at character 2)"),
        ("\\x4", "must have 2 hexadecimal digits in an escape (at character 1)"),
        ("[z-a]", "has a range whose end is before its beginning (at character 2)"),
        ("[a-\\d]", "has a range that ends with a class (at character 2)"),
        ("[\\d-z]", "has a range that begins with a class (at character 2)"),
        ("[[:alpha:]]", "has a class such as [:alpha:]: write \\d, \\w or a-z (at character 2)"),
    ]) func `what is no pattern is refused and said why`(text: String, message: String) {
        #expect(throws: PatternError(message)) { try Pattern(text) }
    }

    @Test func `equal texts are equal patterns`() throws {
        #expect(try Pattern("a|b") == Pattern("a|b"))
        #expect(try Pattern("a|b") != Pattern("b|a"))
        #expect(try Pattern("a") != Pattern("a", ignoringCase: false))
        #expect(try Set([Pattern("a"), Pattern("a"), Pattern("b")]).count == 2)
    }
}

extension Pattern {
    /// On a buffer without memory.
    fileprivate static func matchesNothing(_ pattern: Pattern) -> Bool {
        !pattern.matches(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

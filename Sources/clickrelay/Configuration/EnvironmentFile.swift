/// `KEY=value` lines as systemd's `EnvironmentFile=` reads them (systemd.exec(5) and
/// `src/basic/env-file.c` of systemd 252), so that one file serves systemd and `--config`.
///
/// Empty lines and lines that begin with `#` or `;` are skipped. A backslash at a line's end joins
/// the next one. White space around a value is dropped unless it is in quotes; single quotes keep
/// everything, double quotes take a backslash before `"`, `\`, `` ` `` and `$`.
struct EnvironmentFile {
    struct Line: Equatable {
        let name: String
        let value: String
        /// Where the assignment begins, from 1.
        let number: Int
    }

    private(set) var lines: [Line] = []
    /// Lines that are no assignment, and what is wrong with them.
    private(set) var problems: [(number: Int, message: String)] = []

    init(parsing bytes: [UInt8]) {
        var scanner = Scanner(text: Array(String(decoding: bytes, as: UTF8.self).unicodeScalars))
        while scanner.skipToAssignment() {
            let number = scanner.line
            guard let name = scanner.name() else {
                problems.append((number, "is not KEY=value"))
                scanner.skipLine()
                continue
            }
            if let word = name.split(separator: " ").first, name.contains(" ") {
                problems.append(
                    (number, word == "export" ? "must not begin with export" : "is not KEY=value"))
                scanner.skipLine()
                continue
            }
            guard let value = scanner.value() else {
                problems.append((number, "has a quote that is never closed"))
                return
            }
            lines.append(Line(name: name, value: value, number: number))
        }
    }

    private struct Scanner {
        let text: [Unicode.Scalar]
        var position = 0
        var line = 1

        private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

        private mutating func next() -> Unicode.Scalar? {
            guard position < text.count else { return nil }
            defer { position += 1 }
            if text[position] == "\n" { line += 1 }
            return text[position]
        }

        private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            scalar == " " || scalar == "\t" || scalar == "\r"
        }

        /// False at the end of the text.
        mutating func skipToAssignment() -> Bool {
            while let scalar = current {
                if scalar == "#" || scalar == ";" {
                    skipLine()
                } else if scalar == "\n" || scalar == "\u{feff}" || Self.isBlank(scalar) {
                    _ = next()
                } else {
                    return true
                }
            }
            return false
        }

        mutating func skipLine() {
            while let scalar = next(), scalar != "\n" {}
        }

        /// What stands before `=`; nil, and still on the line, if there is none.
        mutating func name() -> String? {
            var end = position
            while end < text.count, text[end] != "=", text[end] != "\n" { end += 1 }
            guard end < text.count, text[end] == "=" else { return nil }
            var name = text[position..<end]
            while let last = name.last, Self.isBlank(last) { name.removeLast() }
            guard !name.isEmpty else { return nil }
            position = end + 1
            return Self.string(name)
        }

        mutating func value() -> String? {
            var value: [Unicode.Scalar] = []
            /// How much of `value` stays whatever white space follows.
            var kept = 0
            var isAtStart = true
            while let scalar = next(), scalar != "\n" {
                if isAtStart, scalar == "'" || scalar == "\"" {
                    guard quoted(scalar, into: &value) else { return nil }
                    kept = value.count
                } else if scalar == "\\" {
                    isAtStart = false
                    guard let escaped = next() else { break }
                    if escaped != "\n" { value.append(escaped) }
                    kept = value.count
                } else if Self.isBlank(scalar) {
                    if !isAtStart { value.append(scalar) }
                } else {
                    isAtStart = false
                    value.append(scalar)
                    kept = value.count
                }
            }
            return Self.string(value[..<kept])
        }

        private mutating func quoted(
            _ quote: Unicode.Scalar, into value: inout [Unicode.Scalar]
        ) -> Bool {
            while let scalar = next() {
                if scalar == quote { return true }
                guard quote == "\"", scalar == "\\" else {
                    value.append(scalar)
                    continue
                }
                guard let escaped = next() else { return false }
                switch escaped {
                case "\n": break
                case "\"", "\\", "`", "$": value.append(escaped)
                default: value += [scalar, escaped]
                }
            }
            return false
        }

        private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return String(text)
        }
    }

    /// `value` as it has to stand in a file to be read back the same, quoted only where needed:
    /// Docker's `--env-file` knows no quotes.
    static func quote(_ value: String) -> String {
        let isPlain =
            value.unicodeScalars.allSatisfy { !"\\'\"`\n\r".unicodeScalars.contains($0) }
            && value.unicodeScalars.first.map { $0 != " " && $0 != "\t" } ?? true
            && value.unicodeScalars.last.map { $0 != " " && $0 != "\t" } ?? true
        if isPlain { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            if "\"\\`$".unicodeScalars.contains(scalar) { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

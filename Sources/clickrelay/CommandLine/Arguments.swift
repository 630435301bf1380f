internal import Domain

/// One `--name` of a command.
struct Flag: Sendable {
    /// Without the dashes.
    let name: String
    /// What stands for its value in usage texts; nil for a switch.
    let valueName: String?
    let summary: String

    init(_ name: String, _ valueName: String? = nil, _ summary: String) {
        self.name = name
        self.valueName = valueName
        self.summary = summary
    }

    init(_ setting: Setting) {
        self.init(setting.flagName, setting.valueName, setting.summary)
    }

    /// `--data-dir DIR`.
    var usage: String { "--\(name)" + (valueName.map { " \($0)" } ?? "") }
}

/// A command line taken apart: words, and flags that may stand anywhere between them.
///
/// `--name value` and `--name=value` are the same; `--` ends the flags; `-` alone is a word.
struct Arguments: Equatable, Sendable {
    struct Option: Equatable, Sendable {
        let name: String
        let value: String?
    }

    private(set) var words: [String] = []
    private(set) var options: [Option] = []
    /// Flags nobody knows, as they were written; the caller, who knows the command, says so.
    private(set) var unknown: [String] = []

    /// - Parameter takesValue: whether a flag is followed by a value; nil for an unknown flag.
    init(
        parsing arguments: some Sequence<String>, takesValue: (String) -> Bool?
    ) throws(CommandFailure) {
        var iterator = arguments.makeIterator()
        var isAfterFlags = false
        while let argument = iterator.next() {
            guard !isAfterFlags, argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            if argument == "--" {
                isAfterFlags = true
                continue
            }
            guard argument.hasPrefix("--") else {
                switch argument {
                case "-h": options.append(Option(name: "help", value: nil))
                case "-V": options.append(Option(name: "version", value: nil))
                default: unknown.append(argument)
                }
                continue
            }
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            switch takesValue(name) {
            case nil:
                unknown.append("--\(name)")
            case true?:
                if parts.count == 2 {
                    options.append(Option(name: name, value: String(parts[1])))
                } else if let value = iterator.next(), !value.hasPrefix("--") {
                    options.append(Option(name: name, value: value))
                } else {
                    throw .usage("--\(name) needs a value")
                }
            case false?:
                guard parts.count == 1 else { throw .usage("--\(name) takes no value") }
                options.append(Option(name: name, value: nil))
            }
        }
    }

    func has(_ name: String) -> Bool { options.contains { $0.name == name } }

    /// Every one given, of a flag that may be repeated.
    func values(_ name: String) -> [String] {
        options.filter { $0.name == name }.compactMap(\.value)
    }

    /// The last one given: whoever appends a flag to a script's line means it.
    func value(_ name: String) -> String? { options.last { $0.name == name }?.value }
}

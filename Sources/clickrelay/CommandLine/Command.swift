internal import Domain

/// One thing `clickrelay` can be asked to do.
struct Command: Sendable {
    enum Scope: Sendable {
        /// Reads no configuration.
        case none
        /// Reads the configuration; every setting is a flag.
        case settings
        /// Also talks to the API: of a server, of the data directory's server, or in-process.
        case api
    }

    /// `["token", "create"]`.
    let words: [String]
    /// What follows them, for usage texts: `NAME`.
    var operands = ""
    var operandCount: ClosedRange<Int> = 0...0
    let summary: String
    var flags: [Flag] = []
    var scope = Scope.none
    /// More than usage and flags can say, for `help`.
    var details = ""
    let run: @Sendable (Invocation) throws(CommandFailure) -> ExitCode

    var name: String { words.joined(separator: " ") }

    /// Its own flags and those of its scope.
    var allFlags: [Flag] {
        switch scope {
        case .none: flags
        case .settings:
            flags + [Command.configFlag]
                + Setting.allCases.filter { !$0.isForClients }.map { Flag($0) }
        case .api: flags + [Command.configFlag] + Setting.allCases.map { Flag($0) }
        }
    }

    static let configFlag = Flag("config", "FILE", "read settings from KEY=value lines")
    static let jsonFlag = Flag("json", nil, "print JSON instead of text")
    static let commonFlags = [
        Flag("help", nil, "explain the command"), Flag("version", nil, "print the version"),
    ]
}

/// A command with its operands, flags and environment: everything a run depends on.
struct Invocation: Sendable {
    let command: Command
    let operands: [String]
    let arguments: Arguments
    let environment: [String: String]

    var wantsJSON: Bool { arguments.has("json") }

    /// A flag's value as a whole number.
    func integer(_ flag: String, in range: ClosedRange<Int>) throws(CommandFailure) -> Int? {
        guard let text = arguments.value(flag) else { return nil }
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text),
            range.contains(number)
        else {
            throw .usage(
                "--\(flag) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

/// Finds the command that a command line means, and checks it against what the command takes.
struct CommandLineInterface {
    let commands: [Command]

    func run(_ arguments: [String], environment: [String: String]) -> ExitCode {
        do throws(CommandFailure) {
            let invocation = try interpret(arguments, environment)
            return try invocation.command.run(invocation)
        } catch {
            Terminal.talk("clickrelay: \(error.message)")
            return error.code
        }
    }

    private func interpret(
        _ list: [String], _ environment: [String: String]
    ) throws(CommandFailure) -> Invocation {
        let arguments = try Arguments(parsing: list, takesValue: takesValue)
        if arguments.has("version") {
            return try invocation(named: ["version"], arguments, environment)
        }
        let found = commands.first { arguments.words.starts(with: $0.words) }
        if arguments.has("help") {
            return Invocation(
                command: try command(["help"]), operands: found?.words ?? arguments.words,
                arguments: arguments, environment: environment)
        }
        guard let command = found else { throw unknownCommand(arguments.words) }
        try check(arguments, command)
        let operands = Array(arguments.words.dropFirst(command.words.count))
        // An empty word is a script's variable that was not set.
        guard command.operandCount.contains(operands.count), !operands.contains("") else {
            let problem =
                operands.count < command.operandCount.lowerBound || operands.contains("")
                ? "needs \(command.operands)" : "does not take \"\(operands.last ?? "")\""
            throw .usage("`\(command.name)` \(problem)\nusage: \(HelpText.usage(of: command))")
        }
        return Invocation(
            command: command, operands: operands, arguments: arguments, environment: environment)
    }

    private func command(_ words: [String]) throws(CommandFailure) -> Command {
        guard let command = commands.first(where: { $0.words == words }) else {
            throw unknownCommand(words)
        }
        return command
    }

    private func invocation(
        named words: [String], _ arguments: Arguments, _ environment: [String: String]
    ) throws(CommandFailure) -> Invocation {
        Invocation(
            command: try command(words), operands: [], arguments: arguments,
            environment: environment)
    }

    /// A flag takes a value or not, the same in every command.
    private func takesValue(_ name: String) -> Bool? {
        for flag in Command.commonFlags where flag.name == name { return flag.valueName != nil }
        for command in commands {
            for flag in command.allFlags where flag.name == name { return flag.valueName != nil }
        }
        return nil
    }

    private func check(_ arguments: Arguments, _ command: Command) throws(CommandFailure) {
        let known = (command.allFlags + Command.commonFlags).map(\.name)
        let wrong =
            arguments.unknown
            + arguments.options.filter { !known.contains($0.name) }.map { "--\($0.name)" }
        if wrong.isEmpty { return }
        let lines = wrong.map { flag in
            let hint = NearestName.suggestion(for: String(flag.drop { $0 == "-" }), among: known)
            return "`\(command.name)` has no flag \(flag)"
                + (hint.map { "; did you mean --\($0)?" } ?? "")
        }
        throw .usage(
            lines.joined(separator: "\n") + "\n`clickrelay help \(command.name)` lists them")
    }

    private func unknownCommand(_ words: [String]) -> CommandFailure {
        guard let first = words.first else {
            return .usage("say what to do\n\n" + HelpText.overview(commands))
        }
        let siblings = commands.filter { $0.words.count > 1 && $0.words.first == first }
        if !siblings.isEmpty {
            let names = siblings.compactMap { $0.words.dropFirst().first }
            let problem =
                words.count == 1
                ? "`\(first)` needs one of: \(names.joined(separator: ", "))"
                : unknown(words[1], "`\(first)` has no command", names)
            let usage = siblings.map { "  \(HelpText.usage(of: $0))" }.joined(separator: "\n")
            return .usage("\(problem)\nusage:\n\(usage)")
        }
        let names = commands.compactMap(\.words.first)
        return .usage(
            unknown(first, "there is no command", names)
                + "\nusage: clickrelay COMMAND …; `clickrelay help` lists the commands")
    }

    private func unknown(_ word: String, _ problem: String, _ names: [String]) -> String {
        let hint = NearestName.suggestion(for: word, among: names)
        return "\(problem) \"\(Printable.text(word))\""
            + (hint.map { "; did you mean \($0)?" } ?? "")
    }
}

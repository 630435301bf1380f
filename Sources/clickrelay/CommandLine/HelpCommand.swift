internal import Domain

/// `help [TOPIC]`.
enum HelpCommand {
    /// - Parameter commands: the whole table, asked for when help is wanted because this command is
    ///   part of it.
    static func commands(_ commands: @escaping @Sendable () -> [Command]) -> [Command] {
        [
            Command(
                words: ["help"], operands: "[TOPIC]", operandCount: 0...3,
                summary: "explain a command or a topic",
                run: { (invocation) throws(CommandFailure) in
                    try help(invocation.operands, commands())
                })
        ]
    }

    private static func help(_ topic: [String], _ commands: [Command]) throws(CommandFailure)
        -> ExitCode
    {
        Terminal.out(try text(topic, commands))
        return .done
    }

    private static let topicWords = [
        "bots", "config", "costs", "destinations", "domains", "landers", "postback", "redirects",
        "routing", "tokens",
    ]

    private static func text(_ topic: [String], _ commands: [Command]) throws(CommandFailure)
        -> String
    {
        guard let first = topic.first else { return HelpText.overview(commands) + "\n" }
        if let command = commands.first(where: { $0.words == topic }) {
            return HelpText.details(of: command)
        }
        switch topic {
        case ["bots"]: return HelpText.bots
        case ["config"]: return HelpText.configuration
        case ["costs"]: return HelpText.costs
        case ["destinations"]: return HelpText.destinations
        case ["domains"]: return HelpText.domains
        case ["landers"]: return HelpText.landers
        case ["postback"]: return HelpText.postback
        case ["redirects"]: return HelpText.redirects
        case ["routing"]: return HelpText.routing
        case ["tokens"]: return HelpText.tokens
        default: break
        }
        let family = commands.filter { $0.words.first == first }
        if !family.isEmpty {
            return TextTable.columns(
                family.map { [HelpText.usage(of: $0), $0.summary] }, indent: "")
        }
        let topics = Set(commands.compactMap(\.words.first) + topicWords)
        let hint = NearestName.suggestion(for: first, among: topics.sorted())
        throw .usage(
            "there is no topic \"\(Printable.text(first))\""
                + (hint.map { "; did you mean \($0)?" } ?? "")
                + "\ntopics: \(topics.sorted().joined(separator: ", "))")
    }
}

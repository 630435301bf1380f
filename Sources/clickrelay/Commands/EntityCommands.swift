internal import Domain

/// `source|network|offer|lander|flow|campaign|domain list|show|apply|archive`.
enum EntityCommands {
    static var commands: [Command] {
        EntityKind.allCases.flatMap(commands) + NetworkTemplateCommands.commands
            + SourceTemplateCommands.commands
            + PostbackKeyCommands.commands
    }

    private static func commands(_ kind: EntityKind) -> [Command] {
        [
            Command(
                words: [kind.rawValue, "list"], summary: "list the \(kind.meaning)s",
                flags: [
                    Flag("archived", nil, "the archived ones too"), Command.jsonFlag,
                ], scope: .api,
                run: { (invocation) throws(CommandFailure) in try list(invocation, kind) }),
            Command(
                words: [kind.rawValue, "show"], operands: "KEY", operandCount: 1...1,
                summary: "show one \(kind.meaning)", flags: [Command.jsonFlag], scope: .api,
                run: { (invocation) throws(CommandFailure) in
                    try ListOutput.show(
                        invocation, path: "\(kind.path)/\(API.encoded(invocation.operands[0]))")
                }),
            apply(kind),
            Command(
                words: [kind.rawValue, "archive"], operands: "KEY", operandCount: 1...1,
                summary: "archive one \(kind.meaning); what happened with it stays", scope: .api,
                run: { (invocation) throws(CommandFailure) in try archive(invocation, kind) }),
        ]
    }

    private static func apply(_ kind: EntityKind) -> Command {
        switch kind {
        case .network: NetworkTemplateCommands.apply
        case .source: SourceTemplateCommands.apply
        case .offer, .lander, .flow, .campaign, .domain: plainApply(kind)
        }
    }

    private static func plainApply(_ kind: EntityKind) -> Command {
        Command(
            words: [kind.rawValue, "apply"], operands: "FILE", operandCount: 1...1,
            summary: "make or replace \(kind.meaning)s from the API's JSON",
            flags: [Command.jsonFlag], scope: .api, details: applyDetails,
            run: { (invocation) throws(CommandFailure) in
                try EntityApply.run(invocation, kind)
            })
    }

    static let applyDetails = """
        FILE holds one object, an array of them, or what `list --json` prints; - is
        stdin. Each is made, or replaces the one with its key, so that applying a file
        twice changes nothing more. Exit 5: some were refused, the others are done.
        """

    private static func list(_ invocation: Invocation, _ kind: EntityKind) throws(CommandFailure)
        -> ExitCode
    {
        let page = try invocation.api().list(
            kind.path, query: invocation.arguments.has("archived") ? ["archived=1"] : [])
        if invocation.wantsJSON {
            Terminal.line(page.json.encoded(pretty: true))
        } else if page.items.isEmpty {
            Terminal.talk("no \(kind.meaning)s yet; `clickrelay \(kind.rawValue) apply FILE`")
        } else {
            Terminal.out(TextTable.data(kind.heading, page.items.map(kind.row)))
        }
        return .done
    }

    private static func archive(_ invocation: Invocation, _ kind: EntityKind)
        throws(CommandFailure) -> ExitCode
    {
        let key = invocation.operands[0]
        try invocation.api().call("DELETE", "\(kind.path)/\(API.encoded(key))")
        Terminal.talk("archived \(Printable.text(key))")
        return .done
    }
}

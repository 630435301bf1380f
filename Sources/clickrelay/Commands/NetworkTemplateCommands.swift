internal import Domain

/// `network templates` and `network apply --template`: networks whose own tokens are known.
enum NetworkTemplateCommands {
    static let commands = [
        Command(
            words: ["network", "templates"], operands: "[NAME]", operandCount: 0...1,
            summary: "the networks whose tokens are known, or all that is known of one",
            flags: [Command.jsonFlag], scope: .api,
            run: { (invocation) throws(CommandFailure) in
                guard let name = invocation.operands.first else { return try list(invocation) }
                return try ListOutput.show(invocation, path: "\(path)/\(API.encoded(name))")
            })
    ]

    static let apply = Command(
        words: ["network", "apply"], operands: "[FILE]", operandCount: 0...1,
        summary: "make or replace affiliate networks from the API's JSON or from a template",
        flags: [
            Flag("template", "NAME", "make one from what is known of this network"),
            Flag("key", "KEY", "with --template: its key here (NAME)"),
            Flag("name", "TEXT", "with --template: its name here"),
            Command.jsonFlag,
        ],
        scope: .api,
        details: EntityCommands.applyDetails + """


            --template NAME needs no FILE: it fills in the click ID's parameter, the network's words
            for our statuses and its parameter names, and prints the postback URL with the network's
            own tokens in place. A network that has the key already is replaced. In a FILE,
            "template" does the same for what an object leaves out. `clickrelay network templates`
            lists the names.
            """,
        run: { (invocation) throws(CommandFailure) in
            guard let template = invocation.arguments.value("template") else {
                for flag in ["key", "name"] where invocation.arguments.has(flag) {
                    throw .usage("--\(flag) goes with --template; a FILE holds its own")
                }
                guard !invocation.operands.isEmpty else {
                    throw .usage(
                        "`network apply` needs a FILE or --template NAME\n"
                            + "usage: \(HelpText.usage(of: invocation.command))")
                }
                return try EntityApply.run(invocation, .network)
            }
            guard invocation.operands.isEmpty else {
                throw .usage("`network apply` takes a FILE or --template NAME, not both")
            }
            return try applyTemplate(template, invocation)
        })

    private static let path = "/templates/networks"

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let page = try invocation.api().list(path)
        if invocation.wantsJSON {
            Terminal.line(page.json.encoded(pretty: true))
            return .done
        }
        let rows = page.items.map { template in
            ["key", "name", "click_id_param", "confidence"].map { Show.text(template[$0]) }
        }
        Terminal.out(TextTable.data(["TEMPLATE", "NAME", "CLICK ID", "CONFIDENCE"], rows))
        return .done
    }

    private static func applyTemplate(_ template: String, _ invocation: Invocation)
        throws(CommandFailure) -> ExitCode
    {
        let key = invocation.arguments.value("key") ?? template
        var members = [
            JSONMember(name: "key", value: .string(key)),
            JSONMember(name: "template", value: .string(template)),
        ]
        if let name = invocation.arguments.value("name") {
            members.append(JSONMember(name: "name", value: .string(name)))
        }
        let (result, network) = try EntityApply.apply(
            .object(members), key: key, .network, try invocation.api(mayCreate: true))
        let url = network["postback_url"] ?? .null
        if invocation.wantsJSON {
            Terminal.line(
                JSONValue.array([
                    [
                        "key": .string(key), "result": .string(result.rawValue),
                        "postback_url": url,
                        "postback_notes": network["postback_notes"] ?? .null,
                    ]
                ]).encoded(pretty: true))
            return .done
        }
        Terminal.line("\(result.rawValue) \(Printable.text(key))")
        Terminal.line(Printable.text(Show.text(url)))
        for note in network["postback_notes"]?.arrayValue ?? [] {
            Terminal.talk("note: \(Printable.text(Show.text(note)))")
        }
        return .done
    }
}

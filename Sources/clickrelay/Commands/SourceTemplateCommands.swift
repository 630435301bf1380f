internal import Domain

/// `source templates` and `source apply --template`: traffic sources whose macros are known.
enum SourceTemplateCommands {
    static let commands = [
        Command(
            words: ["source", "templates"], operands: "[NAME]", operandCount: 0...1,
            summary: "the traffic sources whose macros are known, or all that is known of one",
            flags: [Command.jsonFlag], scope: .api,
            run: { (invocation) throws(CommandFailure) in
                guard let name = invocation.operands.first else { return try list(invocation) }
                return try ListOutput.show(invocation, path: "\(path)/\(API.encoded(name))")
            })
    ]

    static let apply = Command(
        words: ["source", "apply"], operands: "[FILE]", operandCount: 0...1,
        summary: "make or replace traffic sources from the API's JSON or from a template",
        flags: [
            Flag("template", "NAME", "make one from what is known of this source"),
            Flag("set", "NAME=VALUE", "with --template: a value of your account; repeatable"),
            Flag("key", "KEY", "with --template: its key here (NAME)"),
            Flag("name", "TEXT", "with --template: its name here"),
            Command.jsonFlag,
        ],
        scope: .api,
        details: EntityCommands.applyDetails + """


            --template NAME needs no FILE: it fills in the parameters and the destination, prints
            the query to paste after the campaign URL, and lists the account values still needed.
            Until all are given by --set the destination is disabled; run it again with the missing
            ones to enable it, or with new values to change them. A source of the same template
            keeps everything else, and what was edited in the destination: there only secrets are
            exchanged. Another source that has the key is replaced. In a FILE, "template" and
            "account" do the same. `clickrelay source templates` lists the names.
            """,
        run: { (invocation) throws(CommandFailure) in
            guard let template = invocation.arguments.value("template") else {
                for flag in ["set", "key", "name"] where invocation.arguments.has(flag) {
                    throw .usage("--\(flag) goes with --template; a FILE holds its own")
                }
                guard !invocation.operands.isEmpty else {
                    throw .usage(
                        "`source apply` needs a FILE or --template NAME\n"
                            + "usage: \(HelpText.usage(of: invocation.command))")
                }
                return try EntityApply.run(invocation, .source)
            }
            guard invocation.operands.isEmpty else {
                throw .usage("`source apply` takes a FILE or --template NAME, not both")
            }
            return try applyTemplate(template, invocation)
        })

    private static let path = "/templates/sources"

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let page = try invocation.api().list(path)
        if invocation.wantsJSON {
            Terminal.line(page.json.encoded(pretty: true))
            return .done
        }
        let rows = page.items.map { template in
            let needs = (template["account_needs"]?.objectValue ?? []).map(\.name)
            return ["key", "name", "external_id_param", "confidence"].map {
                Show.text(template[$0])
            } + [needs.isEmpty ? "-" : needs.joined(separator: " ")]
        }
        Terminal.out(
            TextTable.data(["TEMPLATE", "NAME", "CLICK ID", "CONFIDENCE", "NEEDS"], rows))
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
        let account = try account(invocation)
        if !account.isEmpty { members.append(JSONMember(name: "account", value: .object(account))) }
        let (result, source) = try EntityApply.apply(
            .object(members), key: key, .source, try invocation.api(mayCreate: true),
            merging: { $0["template"]?.stringValue == template })
        if invocation.wantsJSON {
            let told = ["campaign_query", "account_needs", "template_notes"].map {
                JSONMember(name: $0, value: source[$0] ?? .null)
            }
            let head = [
                JSONMember(name: "key", value: .string(key)),
                JSONMember(name: "result", value: .string(result.rawValue)),
            ]
            Terminal.line(JSONValue.array([.object(head + told)]).encoded(pretty: true))
            return .done
        }
        Terminal.line("\(result.rawValue) \(Printable.text(key))")
        if let query = source["campaign_query"]?.stringValue {
            Terminal.line("?\(Printable.text(query))")
        }
        for need in source["account_needs"]?.objectValue ?? [] {
            let meaning = need.value.stringValue ?? ""
            Terminal.talk(
                Printable.text("needs: \(need.name)" + (meaning.isEmpty ? "" : ": \(meaning)")))
        }
        for note in source["template_notes"]?.arrayValue ?? [] {
            Terminal.talk("note: \(Printable.text(Show.text(note)))")
        }
        return .done
    }

    private static func account(_ invocation: Invocation) throws(CommandFailure) -> [JSONMember] {
        var account: [JSONMember] = []
        for text in invocation.arguments.values("set") {
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else {
                throw .usage("--set takes NAME=VALUE, as in --set PIXEL_ID=123")
            }
            let name = String(text[..<mark])
            account.removeAll { $0.name == name }
            account.append(
                JSONMember(name: name, value: .string(String(text[text.index(after: mark)...]))))
        }
        return account
    }
}

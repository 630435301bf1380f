internal import Domain

/// `cost …`: corrections of what clicks cost.
enum CostCommands {
    private static let listFilters = [
        Flag("campaign", "KEY", "of one campaign"), Flag("removed", nil, "the removed ones too"),
    ]

    static let commands = [
        Command(
            words: ["cost", "list"], summary: "list the corrections of costs, the topmost first",
            flags: listFilters + ListOutput.pageFlags, scope: .api, run: list),
        Command(
            words: ["cost", "show"], operands: "ID", operandCount: 1...1,
            summary: "show one correction and how many clicks it is about",
            flags: [Command.jsonFlag], scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try ListOutput.show(
                    invocation, path: "/costs/\(API.encoded(invocation.operands[0]))")
            }),
        Command(
            words: ["cost", "set"], operands: "CAMPAIGN AMOUNT", operandCount: 2...2,
            summary: "say what a campaign's clicks of some days cost",
            flags: [
                Flag("from", "DAY", "the first day, or the time it begins at (RFC 3339)"),
                Flag("to", "DAY", "the last day, or the time it ends at (the first day)"),
                Flag("tz", "ZONE", "whose days they are (UTC)"),
                Flag("as", "MODEL", "total, cpc or cpm (total)"),
                Flag("currency", "CODE", "of AMOUNT (the campaign's)"),
                Flag("where", "NAME=VALUE", "only such clicks; may be repeated"),
                Flag("note", "TEXT", "for whoever wonders"),
                Flag("dry-run", nil, "only show how many clicks it is about"), Command.jsonFlag,
            ], scope: .api, details: details, run: set),
        Command(
            words: ["cost", "add"], operands: "FILE", operandCount: 1...1,
            summary: "add corrections from the API's JSON",
            flags: [
                Flag("dry-run", nil, "only show how many clicks they are about"), Command.jsonFlag,
            ], scope: .api,
            details: """
                FILE holds one object or an array of at most 1000; - is stdin. All of them are added
                or none. Those that come later lie over those before.
                """,
            run: add),
        Command(
            words: ["cost", "import"], operands: "FILE", operandCount: 1...1,
            summary: "add the corrections of a CSV file, such as a source's report",
            flags: [
                Flag("campaign", "KEY", "whose costs they are, where no column says it"),
                Flag("tz", "ZONE", "whose days they are (UTC)"),
                Flag("currency", "CODE", "of the amounts (the campaign's)"),
                Flag("dry-run", nil, "only show how many clicks they are about"), Command.jsonFlag,
            ], scope: .api,
            details: """
                FILE is comma-separated (RFC 4180, UTF-8), - is stdin. Its first line names the
                columns: campaign, from (or date), to, time_zone, total (or cost, spend), cpc, cpm,
                currency, note; every other one narrows a row to clicks that have its value: var1,
                param:zone, offer. Amounts have a decimal point. Nothing is added when a row can't
                be read. A file that is imported again lies over itself and changes no figure.
                """,
            run: CostImport.run),
        Command(
            words: ["cost", "remove"], operands: "ID", operandCount: 1...1,
            summary: "undo a correction: every figure is as it was before it", scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try change(invocation, "DELETE", "", "removed")
            }),
        Command(
            words: ["cost", "restore"], operands: "ID", operandCount: 1...1,
            summary: "put a removed correction back in its place", scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try change(invocation, "POST", "/restore", "restored")
            }),
    ]

    private static let details = """
        A total is dealt out evenly over the clicks, to the last billionth. NAME is var1 … var20,
        param:NAME or offer; of one NAME given twice either VALUE will do, and an empty VALUE means
        clicks without one. Nothing that was recorded changes: `clickrelay cost remove ID` undoes it.
        Where corrections overlap, a click costs what the newest says.
        """

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/costs", filters: listFilters,
            heading: ["ID", "CAMPAIGN", "FROM", "TO", "ZONE", "WHERE", "COST", "NOTE"],
            row: { layer in
                [
                    Show.text(layer["id"])
                        + (layer["removed_at"]?.stringValue == nil ? "" : " (removed)"),
                    Show.text(layer["campaign"]), Show.text(layer["from"]), Show.text(layer["to"]),
                    Show.text(layer["time_zone"]), filter(layer["where"]), charge(layer),
                    Show.text(layer["note"]),
                ]
            })
    }

    private static func filter(_ filter: JSONValue?) -> String {
        let tests = (filter?.objectValue ?? []).map { member in
            let values = member.value.arrayValue ?? [member.value]
            return "\(member.name)=" + values.map { $0.stringValue ?? "" }.joined(separator: ",")
        }
        return tests.isEmpty ? "-" : Printable.text(tests.joined(separator: " "))
    }

    private static func charge(_ layer: JSONValue) -> String {
        let name = models.first { layer[$0] != nil } ?? ""
        return "\(name) \(Show.text(layer[name])) \(Show.text(layer["currency"]))"
    }

    private static let models = ["total", "cpc", "cpm"]

    private static func set(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let arguments = invocation.arguments
        let model = arguments.value("as") ?? "total"
        guard models.contains(model) else { throw .usage("--as must be total, cpc or cpm") }
        guard let from = arguments.value("from") else {
            throw .usage("--from is needed: the first day that AMOUNT is the cost of")
        }
        var members = [
            JSONMember(name: "campaign", value: .string(invocation.operands[0])),
            JSONMember(name: model, value: .string(invocation.operands[1])),
            JSONMember(name: "from", value: .string(from)),
            JSONMember(name: "where", value: try filter(arguments.values("where"))),
        ]
        for (flag, name) in [
            ("to", "to"), ("tz", "time_zone"), ("currency", "currency"), ("note", "note"),
        ] {
            guard let value = arguments.value(flag) else { continue }
            members.append(JSONMember(name: name, value: .string(value)))
        }
        return try send(.object(members), invocation)
    }

    private static func filter(_ texts: [String]) throws(CommandFailure) -> JSONValue {
        var tests: [JSONMember] = []
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw .usage("--where needs NAME=VALUE, such as var1=39485, not \(text)")
            }
            let value = JSONValue.string(String(parts[1]))
            if let index = tests.firstIndex(where: { $0.name.utf8.elementsEqual(parts[0].utf8) }) {
                tests[index].value = .array((tests[index].value.arrayValue ?? []) + [value])
            } else {
                tests.append(JSONMember(name: String(parts[0]), value: [value]))
            }
        }
        return .object(tests)
    }

    private static func add(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try send(try EntityApply.document(invocation.operands[0]), invocation)
    }

    private static func send(_ document: JSONValue, _ invocation: Invocation)
        throws(CommandFailure) -> ExitCode
    {
        let isDryRun = invocation.arguments.has("dry-run")
        let answer = try invocation.api().call(
            "POST", isDryRun ? "/costs?dry_run=1" : "/costs", body: document)
        if invocation.wantsJSON {
            Terminal.line(answer.encoded(pretty: true))
            return .done
        }
        for layer in answer.arrayValue ?? [answer] {
            let clicks = Show.count(layer["clicks"]?.int64Value ?? 0, "click")
            if isDryRun {
                Terminal.talk("\(charge(layer)) would be the cost of \(clicks) (--dry-run)")
            } else {
                Terminal.talk("\(charge(layer)) is the cost of \(clicks)")
                Terminal.line(Show.text(layer["id"]))
            }
        }
        return .done
    }

    private static func change(
        _ invocation: Invocation, _ method: String, _ path: String, _ done: String
    ) throws(CommandFailure) -> ExitCode {
        let id = invocation.operands[0]
        try invocation.api().call(method, "/costs/\(API.encoded(id))\(path)")
        Terminal.talk("\(done) cost layer \(Printable.text(id))")
        return .done
    }
}

internal import Domain

/// What the list commands have in common: flags that narrow a list, pages, tables.
enum ListOutput {
    static let pageFlags = [
        Flag("limit", "N", "how many at most (100)"),
        Flag("cursor", "CURSOR", "go on where a list ended"),
        Command.jsonFlag,
    ]

    /// Prints one list, newest first, as far as `--limit`.
    ///
    /// - Parameter filters: flags passed on as query parameters of the same name, with `_` for `-`.
    static func run(
        _ invocation: Invocation, path: String, filters: [Flag], heading: [String],
        right: Set<Int> = [], row: (JSONValue) -> [String]
    ) throws(CommandFailure) -> ExitCode {
        let count = try invocation.integer("limit", in: 1...1_000_000) ?? 100
        let page = try invocation.api().list(
            path, query: query(invocation, filters), count: count,
            cursor: invocation.arguments.value("cursor"))
        if invocation.wantsJSON {
            Terminal.line(page.json.encoded(pretty: true))
            return .done
        }
        if page.items.isEmpty {
            Terminal.talk("none")
            return .done
        }
        Terminal.out(TextTable.data(heading, page.items.map(row), right: right))
        if let cursor = page.nextCursor {
            Terminal.talk("there are more: --cursor \(Printable.text(cursor)), or --limit N")
        }
        return .done
    }

    static func query(_ invocation: Invocation, _ filters: [Flag]) -> [String] {
        filters.compactMap { flag in
            let name = String(flag.name.map { $0 == "-" ? "_" : $0 })
            if flag.valueName == nil {
                return invocation.arguments.has(flag.name) ? "\(name)=1" : nil
            }
            return invocation.arguments.value(flag.name).map { "\(name)=\(API.encoded($0))" }
        }
    }

    /// Prints one document: the API's JSON, or an outline.
    static func show(_ invocation: Invocation, path: String) throws(CommandFailure) -> ExitCode {
        let document = try invocation.api().call("GET", path)
        if invocation.wantsJSON {
            Terminal.line(document.encoded(pretty: true))
        } else {
            Terminal.out(Show.outline(document))
        }
        return .done
    }
}

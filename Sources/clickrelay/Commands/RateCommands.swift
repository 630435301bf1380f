internal import Domain
internal import Net

/// `rates …`: the reporting currency, the rates to it, and amounts converted anew by them.
enum RateCommands {
    private static let listFilters = [Flag("currency", "CODE", "of one currency")]
    private static let timeFilters = [
        Flag("from", "TIME", "converted at or after it (RFC 3339, or a day)"),
        Flag("to", "TIME", "converted before it"),
    ]

    static let commands = [
        Command(
            words: ["rates", "list"], summary: "list the exchange rates",
            flags: listFilters + ListOutput.pageFlags, scope: .api, run: list),
        Command(
            words: ["rates", "set"], operands: "CURRENCY RATE", operandCount: 2...2,
            summary: "set what one unit of a currency is worth, from a day on",
            flags: [Flag("date", "DAY", "the first UTC day it holds for (today)")], scope: .api,
            details: """
                RATE is units of the reporting currency for one unit of CURRENCY, with at most nine
                decimals: `rates set USD 0.9213` where amounts are reported in EUR. It holds until
                the next dated rate. What was recorded already keeps the rate it was converted by;
                `clickrelay rates recompute` changes that.
                """,
            run: set),
        Command(
            words: ["rates", "delete"], operands: "CURRENCY DAY", operandCount: 2...2,
            summary: "forget the rate of one day", scope: .api, run: delete),
        Command(
            words: ["rates", "import"], operands: "FILE", operandCount: 1...1,
            summary: "set exchange rates from a CSV file", scope: .api,
            details: """
                FILE is comma-separated (RFC 4180, UTF-8), - is stdin. Its first line names the
                columns currency, date and rate, in any order. Nothing is set when a line can't be
                read. A file may be imported again.
                """,
            run: RateImport.run),
        Command(
            words: ["rates", "currency"], operands: "[CODE|none]", operandCount: 0...1,
            summary: "print or set the reporting currency", scope: .api, run: currency),
        Command(
            words: ["rates", "recompute"],
            summary: "convert recorded amounts anew by the rates known now",
            flags: timeFilters + [
                Flag("dry-run", nil, "only show what would change"), Command.jsonFlag,
            ], scope: .api, run: recompute),
    ]

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/rates", filters: listFilters,
            heading: ["CURRENCY", "FROM", "RATE"], right: [2],
            row: { [Show.text($0["currency"]), Show.text($0["date"]), Show.text($0["rate"])] })
    }

    private static func set(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let date =
            invocation.arguments.value("date") ?? Instant(micros: Clock.wallMicros()).day.text
        let answer = try invocation.api().call(
            "PUT", "/rates",
            body: [
                [
                    "currency": .string(invocation.operands[0]),
                    "rate": .string(invocation.operands[1]), "date": .string(date),
                ]
            ])
        for item in answer["items"]?.arrayValue ?? [] {
            Terminal.talk(
                "from \(Show.text(item["date"])) on, 1 \(Show.text(item["currency"])) is "
                    + "\(Show.text(item["rate"])) \(Show.text(answer["reporting_currency"]))")
        }
        return .done
    }

    private static func delete(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let currency = API.encoded(invocation.operands[0])
        let day = API.encoded(invocation.operands[1])
        try invocation.api().call("DELETE", "/rates/\(currency)/\(day)")
        Terminal.talk(
            "deleted the rate of \(invocation.operands.map(Printable.text).joined(separator: " "))"
        )
        return .done
    }

    private static func currency(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let answer: JSONValue
        if let code = invocation.operands.first {
            answer = try invocation.api().call(
                "PUT", "/settings",
                body: ["reporting_currency": code.lowercased() == "none" ? .null : .string(code)])
        } else {
            answer = try invocation.api().call("GET", "/settings")
        }
        Terminal.line(answer["reporting_currency"]?.stringValue ?? "none")
        return .done
    }

    /// All of it, in as many requests as it takes.
    private static func recompute(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let isDryRun = invocation.arguments.has("dry-run")
        let api = try invocation.api()
        var pairs = ListOutput.query(invocation, timeFilters) + ["limit=1000"]
        if isDryRun { pairs.append("dry_run=1") }
        var cursor: String?
        var operations: [JSONValue] = []
        var items: [JSONValue] = []
        var examined: Int64 = 0
        repeat {
            let query = pairs + (cursor.map { ["cursor=\(API.encoded($0))"] } ?? [])
            let answer = try api.call("POST", "/rates/recompute?" + query.joined(separator: "&"))
            if let operation = answer["operation"] { operations.append(operation) }
            items += answer["items"]?.arrayValue ?? []
            examined += answer["operation"]?["examined"]?.int64Value ?? 0
            cursor = answer["next_cursor"]?.stringValue
            Terminal.progress("\(examined) conversions")
        } while cursor != nil
        Terminal.endProgress()
        if invocation.wantsJSON {
            let result: JSONValue = ["operations": .array(operations), "items": .array(items)]
            Terminal.line(result.encoded(pretty: true))
        } else if !items.isEmpty {
            Terminal.out(
                TextTable.data(
                    ["CONVERSION", "PAYOUT", "BEFORE", "AFTER", "RATE"],
                    items.map {
                        [
                            Show.text($0["conversion"]), Show.text($0["payout"]),
                            amount($0["before"]), amount($0["after"]),
                            Show.text($0["after"]?["rate"]),
                        ]
                    }))
        }
        Terminal.talk(
            "\(Show.count(examined, "conversion")) looked at, \(items.count) "
                + (isDryRun ? "would change (--dry-run)" : "changed"))
        return .done
    }

    private static func amount(_ reporting: JSONValue?) -> String {
        guard let amount = reporting?["amount"], let currency = reporting?["currency"] else {
            return "-"
        }
        return "\(Show.text(amount)) \(Show.text(currency))"
    }
}

internal import Domain

/// `deliveries list|show|destinations|retry|cancel`: what traffic sources were told.
enum DeliveryCommands {
    private static let filters = [
        Flag("state", "STATE", "waiting, delivered, dead or cancelled"),
        Flag("destination", "NAME", "to one destination, such as propellerads/main"),
        Flag("conversion", "ID", "of one conversion"),
        Flag("click-id", "ID", "of one click"),
        Flag("origin", "ORIGIN", "to one origin, such as https://source.example"),
        Flag("from", "TIME", "of conversions at or after it (RFC 3339, or a day)"),
        Flag("to", "TIME", "of conversions before it"),
    ]

    private static let destinationFilters = [
        Flag("destination", "NAME", "of one destination, such as propellerads/main"),
        Flag("days", "N", "whose acceptances P50 and P99 are of, today included (7)"),
    ]

    static let commands = [
        Command(
            words: ["deliveries", "list"], summary: "list outbound postbacks, newest first",
            flags: filters + ListOutput.pageFlags, scope: .api, run: list),
        Command(
            words: ["deliveries", "show"], operands: "ID", operandCount: 1...1,
            summary: "show one outbound postback with its attempts", flags: [Command.jsonFlag],
            scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try ListOutput.show(
                    invocation, path: "/deliveries/\(API.encoded(invocation.operands[0]))")
            }),
        Command(
            words: ["deliveries", "destinations"],
            summary: "numbers of each destination: what waits, and how long acceptance takes",
            flags: destinationFilters + ListOutput.pageFlags, scope: .api,
            details: """
                P50 and P99 are milliseconds from a conversion to its acceptance, of what was
                accepted today and on the days before: half of it and 99 % of it took no longer. They
                are at most 6.25 % too high.
                """,
            run: destinations),
        Command(
            words: ["deliveries", "retry"], operands: "[ID…]", operandCount: 0...10_000,
            summary: "send again now, dead ones too",
            flags: filters + [
                Flag("render", nil, "by the destination as it is today, not as it was rendered")
            ] + DeliveryChange.flags,
            scope: .api, details: DeliveryChange.details,
            run: { (invocation) throws(CommandFailure) in
                let renders = invocation.arguments.has("render")
                return try DeliveryChange(
                    action: "retry", parameters: renders ? ["render=1"] : [], done: "retried"
                ).run(invocation, filters)
            }),
        Command(
            words: ["deliveries", "cancel"], operands: "[ID…]", operandCount: 0...10_000,
            summary: "never send", flags: filters + DeliveryChange.flags, scope: .api,
            details: DeliveryChange.details,
            run: { (invocation) throws(CommandFailure) in
                try DeliveryChange(action: "cancel", parameters: [], done: "cancelled")
                    .run(invocation, filters)
            }),
    ]

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/deliveries", filters: filters,
            heading: [
                "ID", "STATE", "DESTINATION", "CONVERSION", "REVISION", "ATTEMPTS", "DUE", "REASON",
            ],
            right: [4, 5],
            row: { delivery in
                let attempts =
                    delivery["attempts"]?.arrayValue.map { "\($0.count)" }
                    ?? Show.text(delivery["attempt_count"])
                return [
                    Show.text(delivery["id"]), Show.text(delivery["state"]),
                    Show.text(delivery["destination"]), Show.text(delivery["conversion"]),
                    Show.text(delivery["revision"]), attempts,
                    delivery["state"]?.stringValue == "waiting"
                        ? Show.time(delivery["due_at"]) : "-",
                    delivery["paused"]?.objectValue == nil
                        ? Show.text(delivery["reason"])
                        : "paused: \(PauseCommands.summary(delivery["paused"]))",
                ]
            })
    }

    private static func destinations(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/destinations", filters: destinationFilters,
            heading: [
                "DESTINATION", "WAITING", "OLDEST DUE", "DELIVERED", "DEAD", "ACCEPTED", "P50",
                "P99", "PAUSED",
            ],
            right: [1, 3, 4, 5, 6, 7],
            row: { numbers in
                [
                    Show.text(numbers["destination"]), Show.text(numbers["waiting"]),
                    Show.time(numbers["oldest_due_at"]), Show.text(numbers["delivered"]),
                    Show.text(numbers["dead"]), Show.text(numbers["accepted"]),
                    Show.text(numbers["p50_ms"]), Show.text(numbers["p99_ms"]),
                    PauseCommands.summary(numbers["paused"]),
                ]
            })
    }
}

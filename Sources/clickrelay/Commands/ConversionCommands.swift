internal import Domain

/// `conversions list|show`.
enum ConversionCommands {
    private static let filters = [
        Flag("from", "TIME", "converted at or after it (RFC 3339, or a day)"),
        Flag("to", "TIME", "converted before it"),
        Flag("campaign", "KEY", "of one campaign"),
        Flag("network", "KEY", "of one network"),
        Flag("status", "STATUS", "pending, approved, rejected, trash or chargeback"),
        Flag("event", "EVENT", "of one event"),
        Flag("transaction-id", "ID", "with the network's own ID"),
        Flag("click-id", "ID", "of one click"),
    ]

    static let commands = [
        Command(
            words: ["conversions", "list"], summary: "list conversions, newest first",
            flags: filters + ListOutput.pageFlags, scope: .api, run: list),
        Command(
            words: ["conversions", "show"], operands: "ID", operandCount: 1...1,
            summary: "show one conversion with its revisions", flags: [Command.jsonFlag],
            scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try ListOutput.show(
                    invocation, path: "/conversions/\(API.encoded(invocation.operands[0]))")
            }),
    ]

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/conversions", filters: filters,
            heading: [
                "ID", "CONVERTED", "CAMPAIGN", "NETWORK", "EVENT", "STATUS", "PAYOUT",
                "TRANSACTION", "CLICK",
            ],
            row: {
                [
                    Show.text($0["id"]), Show.time($0["converted_at"]), Show.text($0["campaign"]),
                    Show.text($0["network"]), Show.text($0["event"]), Show.text($0["status"]),
                    Show.text($0["payout"]), Show.text($0["transaction_id"]),
                    Show.text($0["click_id"]),
                ]
            })
    }
}

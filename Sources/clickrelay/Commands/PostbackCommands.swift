internal import Domain

/// `postbacks list|show|assign|reject|replay`: what networks sent, with what was made of it.
enum PostbackCommands {
    private static let filters = [
        Flag("from", "TIME", "received at or after it (RFC 3339, or a day)"),
        Flag("to", "TIME", "received before it"),
        Flag("network", "KEY", "of one network"),
        Flag("verdict", "VERDICT", "with one verdict; `clickrelay help postback` lists them"),
        Flag("waiting", "1", "1: parked, and neither counted nor rejected yet"),
    ]

    static let commands = [
        Command(
            words: ["postbacks", "list"], summary: "list received calls, newest first",
            flags: filters + ListOutput.pageFlags, scope: .api, run: list),
        Command(
            words: ["postbacks", "show"], operands: "ID", operandCount: 1...1,
            summary: "show one received call as it came", flags: [Command.jsonFlag], scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try ListOutput.show(
                    invocation, path: "/postbacks/\(API.encoded(invocation.operands[0]))")
            }),
        Command(
            words: ["postbacks", "assign"], operands: "ID", operandCount: 1...1,
            summary: "count a parked call: past a limit, or for another click",
            flags: [
                Flag(
                    "click", "CLICK_ID", "the click that it belongs to; without: the one it names"),
                Flag("dry-run", nil, "only show what would change"), Command.jsonFlag,
            ], scope: .api,
            details: """
                A call is parked when its click is not stored, or when it came past the conversion
                window or a cap of its offer or campaign. Assigning counts it in spite of that; once
                only, however often it is assigned.
                """,
            run: { (invocation) throws(CommandFailure) in
                try ReplayCommand.assign(invocation)
            }),
        Command(
            words: ["postbacks", "reject"], operands: "ID", operandCount: 1...1,
            summary: "leave a parked call uncounted for good", scope: .api,
            run: { (invocation) throws(CommandFailure) in
                let id = invocation.operands[0]
                try invocation.api().call("POST", "/postbacks/\(API.encoded(id))/reject")
                Terminal.talk("rejected \(Printable.text(id))")
                return .done
            }),
        Command(
            words: ["postbacks", "replay"], operands: "[ID…]", operandCount: 0...10_000,
            summary: "judge received calls again, by today's rules",
            flags: filters + [
                Flag("dry-run", nil, "only show what would change"), Command.jsonFlag,
            ], scope: .api,
            details: """
                Name the calls by their IDs, or all that flags select, such as
                --verdict payout_ambiguous --network mylead; those that a replay has counted already
                are left out. A call that was counted is not counted again, and none undoes what a
                later call reported: replaying twice changes nothing.
                Exit 5: some could not be replayed, the others are done.
                """,
            run: { (invocation) throws(CommandFailure) in
                try ReplayCommand.run(invocation, filters: filters)
            }),
    ]

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try ListOutput.run(
            invocation, path: "/postbacks", filters: filters,
            heading: ["ID", "RECEIVED", "NETWORK", "SENDER", "VERDICT", "CONVERSION", "MESSAGE"],
            row: {
                [
                    Show.text($0["id"]), Show.time($0["received_at"]), Show.text($0["network"]),
                    Show.text($0["sender"]), Show.text($0["verdict"]),
                    Show.text($0["conversion"]), Show.text($0["message"]),
                ]
            })
    }
}

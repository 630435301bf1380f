internal import Domain

/// `deliveries pause|resume|pauses`: destinations and hosts that are not called for now.
enum PauseCommands {
    private static let scopeFlags = [
        Flag("destination", "KEY", "propellerads/main, or campaign:summer/extra"),
        Flag(
            "host", "HOST",
            "source.example: whatever its port; or one origin, https://source.example:8443"),
    ]

    static let commands = [
        Command(
            words: ["deliveries", "pause"],
            summary: "call a destination or a host no more for now",
            flags: scopeFlags + [Flag("reason", "TEXT", "for whoever wonders"), Command.jsonFlag],
            scope: .api,
            details: """
                Once this returns no further call begins; those in flight end by themselves. What is
                to be told waits, also over a restart, and the time is not counted for giving it up.
                """,
            run: pause),
        Command(
            words: ["deliveries", "resume"], operands: "[PAUSE]", operandCount: 0...1,
            summary: "end a pause: what waits is sent", flags: scopeFlags + [Command.jsonFlag],
            scope: .api, details: "PAUSE is the number of one in `deliveries pauses`.", run: resume),
        Command(
            words: ["deliveries", "pauses"], summary: "list the pauses that last",
            flags: ListOutput.pageFlags, scope: .api,
            run: { (invocation) throws(CommandFailure) in
                try ListOutput.run(
                    invocation, path: "/pauses", filters: [],
                    heading: ["ID", "DESTINATION", "HOST", "SINCE", "REASON"],
                    row: { pause in
                        [
                            Show.text(pause["id"]), Show.text(pause["destination"]),
                            Show.text(pause["host"]), Show.time(pause["paused_at"]),
                            Show.text(pause["reason"]),
                        ]
                    })
            }),
    ]

    /// One pause in a cell of a table.
    static func summary(_ pause: JSONValue?) -> String {
        guard pause?.objectValue != nil else { return "-" }
        let since = "since \(Show.time(pause?["paused_at"]))"
        guard let reason = pause?["reason"]?.stringValue else { return since }
        return "\(since), \(reason)"
    }

    /// What the flags name: the API's field, and its value.
    private static func scope(_ invocation: Invocation) throws(CommandFailure)
        -> (field: String, name: String)?
    {
        switch (invocation.arguments.value("destination"), invocation.arguments.value("host")) {
        case (nil, nil): return nil
        case (let name?, nil): return ("destination", name)
        case (nil, let name?): return ("host", name)
        case (.some, .some): throw .usage("give --destination or --host, not both")
        }
    }

    private static func pause(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        guard let (field, name) = try scope(invocation) else {
            throw .usage("`deliveries pause` needs --destination KEY or --host HOST")
        }
        var members = [JSONMember(name: field, value: .string(name))]
        if let reason = invocation.arguments.value("reason") {
            members.append(JSONMember(name: "reason", value: .string(reason)))
        }
        let made = try invocation.api().call("POST", "/pauses", body: .object(members))
        if invocation.wantsJSON {
            Terminal.line(made.encoded(pretty: true))
        } else {
            Terminal.talk("paused \(Printable.text(name)) (pause \(Show.text(made["id"])))")
        }
        return .done
    }

    private static func resume(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let api = try invocation.api()
        let id: String
        switch (invocation.operands.first, try scope(invocation)) {
        case (let number?, nil): id = number
        case (nil, let (field, name)?):
            let lasting = try api.list("/pauses", query: [], count: Pauses.lastingMax, cursor: nil)
            // As the server writes it: in lower case, without a port that goes without saying.
            let host = Pause.Scope(host: name)
            let found = lasting.items.first { pause in
                guard let text = pause[field]?.stringValue else { return false }
                return text == name || field == "host" && host == .host(text)
            }
            guard let number = Show.id(found?["id"]) else {
                throw CommandFailure(.notFound, "\(Printable.text(name)) is not paused")
            }
            id = number
        case (nil, nil), (.some, .some):
            throw .usage(
                "`deliveries resume` needs one of --destination KEY, --host HOST and a pause's "
                    + "number")
        }
        let ended = try api.call("DELETE", "/pauses/\(API.encoded(id))")
        if invocation.wantsJSON {
            Terminal.line(ended.encoded(pretty: true))
        } else {
            let name = ended["destination"]?.stringValue ?? ended["host"]?.stringValue ?? id
            Terminal.talk("resumed \(Printable.text(name))")
        }
        return .done
    }
}

internal import Domain

/// `token create|list|revoke`: who may use the API from elsewhere.
enum TokenCommands {
    static let commands = [
        Command(
            words: ["token", "create"], operands: "NAME", operandCount: 1...1,
            summary: "make an API token and print it; it is shown this once",
            flags: [Command.jsonFlag], scope: .api,
            details: "NAME is for you, to know later what to revoke.", run: create),
        Command(
            words: ["token", "list"], summary: "list the API tokens, without the tokens themselves",
            flags: [Command.jsonFlag], scope: .api, run: list),
        Command(
            words: ["token", "revoke"], operands: "NAME", operandCount: 1...1,
            summary: "refuse a token from now on, by its name or ID", scope: .api, run: revoke),
    ]

    private static func create(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let answer = try invocation.api(mayCreate: true).call(
            "POST", "/tokens", body: ["name": .string(invocation.operands[0])])
        guard let token = answer["token"]?.stringValue else {
            throw CommandFailure(.failed, "the server made no token")
        }
        Terminal.line(invocation.wantsJSON ? answer.encoded(pretty: true) : token)
        return .done
    }

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let page = try invocation.api().list("/tokens")
        if invocation.wantsJSON {
            Terminal.line(page.json.encoded(pretty: true))
            return .done
        }
        Terminal.out(
            TextTable.data(
                ["NAME", "ID", "CREATED", "REVOKED"],
                page.items.map {
                    [
                        Show.text($0["name"]), Show.text($0["id"]), Show.time($0["created_at"]),
                        Show.time($0["revoked_at"]),
                    ]
                }))
        return .done
    }

    private static func revoke(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try invocation.api().call("DELETE", "/tokens/\(API.encoded(invocation.operands[0]))")
        Terminal.talk("revoked \(Printable.text(invocation.operands[0]))")
        return .done
    }
}

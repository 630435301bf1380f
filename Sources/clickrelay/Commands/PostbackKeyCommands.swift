internal import Domain

/// `network rotate-key|revoke-key`: a postback URL is exchanged without losing a call.
enum PostbackKeyCommands {
    static let commands = [
        Command(
            words: ["network", "rotate-key"], operands: "KEY", operandCount: 1...1,
            summary: "issue a new postback URL for a network; the old one stays valid",
            flags: [Command.jsonFlag], scope: .api,
            details: """
                Prints the new URL. Once the network calls it, refuse the old one with
                `clickrelay network revoke-key KEY OLD`. Two are valid at most.
                """,
            run: rotate),
        Command(
            words: ["network", "revoke-key"], operands: "KEY POSTBACK_KEY", operandCount: 2...2,
            summary: "refuse one of a network's two postback keys from now on", scope: .api,
            run: revoke),
    ]

    private static func rotate(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let network = API.encoded(invocation.operands[0])
        let key = try invocation.api().call("POST", "/networks/\(network)/postback-keys")
        Terminal.line(
            invocation.wantsJSON
                ? key.encoded(pretty: true) : Printable.text(Show.text(key["url"])))
        return .done
    }

    private static func revoke(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let network = API.encoded(invocation.operands[0])
        let key = API.encoded(invocation.operands[1])
        try invocation.api().call("DELETE", "/networks/\(network)/postback-keys/\(key)")
        Terminal.talk("revoked \(Printable.text(invocation.operands[1]))")
        return .done
    }
}

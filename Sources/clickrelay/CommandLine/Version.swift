internal import Domain

/// What this binary calls itself.
enum Version {
    static let text = "0.1.0"

    static let commands = [
        Command(
            words: ["version"], summary: "print the version", flags: [Command.jsonFlag],
            run: { invocation in
                Terminal.line(
                    invocation.wantsJSON
                        ? JSONValue.object(["version": .string(text)]).encoded()
                        : "clickrelay \(text)")
                return .done
            })
    ]
}

internal import Domain

/// `config print`: what the server would run with, and where each value comes from.
enum ConfigCommand {
    static let commands = [
        Command(
            words: ["config", "print"],
            summary: "print the effective settings; the output is a valid --config file",
            flags: [Command.jsonFlag], scope: .settings, run: print)
    ]

    private static func print(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let reader = try invocation.readConfiguration()
        Terminal.out(
            invocation.wantsJSON
                ? json(reader.values).encoded(pretty: true) + "\n" : lines(reader.values))
        return .done
    }

    private static func lines(_ values: [Setting: ConfigurationReader.Value]) -> String {
        var text = ""
        for setting in Setting.allCases {
            guard let value = values[setting], !setting.isForClients || !value.text.isEmpty else {
                continue
            }
            if value.origin != .builtIn { text += "# from: \(Printable.text(value.origin.text))\n" }
            text +=
                setting.isSecret
                ? "# \(setting.variable) is set and not shown\n"
                : "\(setting.variable)=\(EnvironmentFile.quote(value.text))\n"
        }
        return text
    }

    private static func json(_ values: [Setting: ConfigurationReader.Value]) -> JSONValue {
        var members: [JSONMember] = []
        for setting in Setting.allCases where !setting.isSecret {
            guard let value = values[setting] else { continue }
            members.append(
                JSONMember(
                    name: setting.rawValue,
                    value: [
                        "value": value.text.isEmpty ? .null : .string(value.text),
                        "origin": .string(value.origin.text),
                    ]))
        }
        return .object(members)
    }
}

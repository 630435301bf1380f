internal import Domain
internal import SQLite

extension Invocation {
    /// The validated configuration of this run.
    ///
    /// Warnings are told on stderr. Problems end the command with all of them at once.
    func configuration() throws(CommandFailure) -> Configuration {
        try readConfiguration().configuration
    }

    func readConfiguration() throws(CommandFailure) -> ConfigurationReader {
        var file: (path: String, contents: EnvironmentFile)?
        if let path = arguments.value(Command.configFlag.name) {
            do {
                let bytes = try FileSystem.read(path, bytesMax: 1 << 20)
                file = (path, EnvironmentFile(parsing: bytes))
            } catch {
                throw .usage(error.description)
            }
        }
        let flags = arguments.options.compactMap { option -> (Setting, String)? in
            guard let value = option.value,
                let setting = Setting.allCases.first(where: { $0.flagName == option.name })
            else { return nil }
            return (setting, value)
        }
        let reader = ConfigurationReader(
            file: file, environment: environment, flags: flags, coreCount: Machine.coreCount())
        for warning in reader.warnings { Terminal.talk("clickrelay: warning: \(warning.text)") }
        guard reader.problems.isEmpty else {
            let count = reader.problems.count
            throw .usage(
                (["\(count) problem\(count == 1 ? "" : "s") in the configuration"]
                    + reader.problems.map { "  \($0.text)" }).joined(separator: "\n"))
        }
        return reader
    }
}

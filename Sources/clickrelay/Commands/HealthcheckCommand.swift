internal import Domain

/// `healthcheck`: for a container's HEALTHCHECK, where only 0 and 1 have a meaning.
enum HealthcheckCommand {
    static let commands = [
        Command(
            words: ["healthcheck"], summary: "exit 0 if the server can record a click now, else 1",
            scope: .api, run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        do throws(CommandFailure) {
            let transport =
                if let server = configuration.server {
                    try HTTPTransport(server: server, token: configuration.token)
                } else {
                    HTTPTransport(controlSocket: configuration.controlSocketPath)
                }
            let (status, text) = try transport.text("GET", "/readyz")
            if status == 200 { return .done }
            throw CommandFailure(.failed, "not ready (\(status)): \(Printable.text(text))")
        } catch {
            throw CommandFailure(.failed, error.message)
        }
    }
}

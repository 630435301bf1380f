internal import Domain

/// `serve`: runs the tracker until it is told to stop.
enum ServeCommand {
    static let commands = [
        Command(
            words: ["serve"], summary: "run the tracker on its data directory", scope: .settings,
            details: """
                Runs in the foreground and logs to stderr, where one line says "listening on" once
                requests are accepted. SIGTERM or Ctrl-C lets requests in flight finish, commits and
                exits 0; a second one ends it at once. Commands given the same --data-dir talk to it
                through control.sock there.

                With TLS_CERT_FILE and TLS_KEY_FILE every LISTEN address speaks TLS 1.2 and 1.3, and
                nothing else. Both may repeat, or hold a list with commas: a visitor is shown the
                first certificate that names the host, else the first with a wildcard for it, else
                the first of all. SIGHUP reads the files again: new connections get the new
                certificates, open ones go on; if one can't be used, the old ones stay and the log
                says why. The location files in geo/ of the data directory are read again too (see
                `clickrelay help geo update`), and BOTS_FILE (see help bots).

                  clickrelay serve --data-dir /srv/clickrelay --listen 0.0.0.0:8080 \\
                      --public-url https://track.example.com
                  clickrelay serve --listen 0.0.0.0:8443 \\
                      --tls-cert-file fullchain.pem --tls-key-file privkey.pem
                  clickrelay serve --listen 0.0.0.0:8443 \\
                      --tls-cert-file a/fullchain.pem --tls-key-file a/privkey.pem \\
                      --tls-cert-file b/fullchain.pem --tls-key-file b/privkey.pem
                """,
            run: serve)
    ]

    private static func serve(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        let log = configuration.log
        Signals.prepare()
        let tracker = try Tracker.start(configuration)
        log.ready(version: Version.text, addresses: tracker.addresses)
        while Signals.wait() != .stop { tracker.reload() }
        log.info("stopping", ["grace_ms": .integer(configuration.shutdownGraceMilliseconds)])
        Signals.exitOnNext()
        guard tracker.stop(graceMilliseconds: configuration.shutdownGraceMilliseconds) else {
            // The store has said how many clicks the disk did not take.
            return .failed
        }
        log.info("stopped")
        return .done
    }
}

internal import Domain
internal import HTTP
internal import Net
internal import Synchronization

/// `demo`: the real server, everybody around it as fakes on loopback, and one visitor's walk.
enum DemoCommand {
    static let commands = [
        Command(
            words: ["demo"], summary: "see the whole chain work, on this machine only",
            flags: [
                Flag("port", "N", "the tracker's port (8080, or any that is free)"),
                Flag("once", nil, "exit after the walk: 0 if every hop happened, else 1"),
            ], scope: .settings,
            details: """
                Starts a tracker with a sample source, network, offer and campaign in a temporary
                directory (or a fresh --data-dir), and beside it a fake offer page, network and
                traffic source. Walks one visitor through, tells every hop, and stays up for you
                to try until Ctrl-C.
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let reader = try invocation.readConfiguration()
        let isOnce = invocation.arguments.has("once")
        let port = try invocation.integer("port", in: 0...65_535)
        let directory = try DemoDirectory(
            named: reader.values[.dataDir]?.origin == .flag
                ? reader.configuration.dataDirectory : nil)
        defer { directory.remove() }

        var configuration = reader.configuration
        configuration.dataDirectory = directory.path
        // Somebody's real settings must not lead out of this machine's demo.
        configuration.publicURL = nil
        configuration.trustedProxies = []
        configuration.certificate = nil

        Signals.prepare()
        let narrator = DemoNarrator()
        let tracker: Tracker
        if reader.values[.listen]?.origin == .flag, port == nil {
            tracker = try Tracker.start(configuration)
        } else {
            tracker = try start(configuration, port: port, isOnce: isOnce)
        }
        defer { tracker.stop(graceMilliseconds: 2_000) }
        let world = try DemoWorld(narrator)
        defer { world.stop() }

        guard let address = tracker.addresses.first else { return .failed }
        narrator.lines(
            "Clickrelay \(Version.text) demo, on this machine only; data in \(directory.path)\n"
                + "  tracker         \(address)\n  offer page      \(world.offerPage.url)\n"
                + "  network         \(world.network.url)\n  traffic source  \(world.source.url)\n")
        let token = try makeToken(configuration)
        let api = API(transport: try transport(address, token))
        let key = try DemoEntities.make(world, api)
        world.state.postbackURL.withLock { $0 = "\(address)/postback/\(key)" }

        let journey = DemoJourney(tracker: address, world: world, api: api, narrator: narrator)
        let clickID = try journey.run()
        if isOnce { return .done }

        world.state.isLive.store(true, ordering: .relaxed)
        invite(narrator, address, directory.path, world, token: token, clickID: clickID)
        _ = Signals.wait()
        Signals.exitOnNext()
        narrator.lines("\nstopping\n")
        return .done
    }

    /// Port 8080 is the one to remember; where it is taken, any other will do.
    private static func start(_ configuration: Configuration, port: Int?, isOnce: Bool)
        throws(CommandFailure) -> Tracker
    {
        var configuration = configuration
        func listening(at port: Int) throws(CommandFailure) -> Configuration {
            guard let address = SocketAddress.parse("127.0.0.1:\(port)") else {
                throw .usage("--port \(port) is no port")
            }
            configuration.listen = [address]
            return configuration
        }
        if let port { return try Tracker.start(listening(at: port)) }
        if isOnce { return try Tracker.start(listening(at: 0)) }
        do throws(CommandFailure) {
            return try Tracker.start(listening(at: 8080))
        } catch {
            return try Tracker.start(listening(at: 0))
        }
    }

    /// As an operator makes one: through the control socket, which needs none itself.
    private static func makeToken(_ configuration: Configuration) throws(CommandFailure) -> String {
        let control = API(
            transport: HTTPTransport(controlSocket: configuration.controlSocketPath))
        let made = try control.call("POST", "/tokens", body: ["name": "demo"])
        guard let token = made["token"]?.stringValue else {
            throw CommandFailure(.failed, "the server made no token")
        }
        return token
    }

    private static func transport(_ address: String, _ token: String) throws(CommandFailure)
        -> HTTPTransport
    {
        let url: URL
        do {
            url = try URL(address)
        } catch {
            throw CommandFailure(
                .failed, "the demo needs a TCP address to listen at: \(address) \(error.text)")
        }
        return try HTTPTransport(server: url, token: token)
    }

    private static func invite(
        _ narrator: DemoNarrator, _ address: String, _ directory: String, _ world: DemoWorld,
        token: String, clickID: String
    ) {
        let visit = address + DemoEntities.visit(externalID: "MY-CLICK-1")
        let program = CommandLine.arguments.first ?? "clickrelay"
        narrator.title("Now you")
        narrator.hint("be a visitor in a browser, and press Convert:", visit)
        narrator.hint("or with curl, which shows the redirect:", "curl -i '\(visit)'")
        narrator.hint("what the traffic source was told:", "\(world.source.url)/")
        narrator.hint(
            "the API:",
            "curl -H 'Authorization: Bearer \(token)' \(address)/api/v1/clicks/\(clickID)")
        narrator.hint(
            "the command line, in another terminal:",
            "\(program) report --data-dir \(directory)")
        narrator.lines("\nEverything that happens is shown here. Ctrl-C stops the demo.\n")
    }
}

internal import Domain
internal import HTTP
internal import Net
internal import Outbound
internal import Store

/// The dispatcher on a loop and a thread of its own.
final class OutboundThread: Sendable {
    /// What the rest of the program holds before there is a dispatcher.
    final class Handle: Sendable {
        fileprivate let dispatcher = SetOnce<Dispatcher>()

        /// Before the dispatcher starts nothing is lost: it begins with a look at the whole table.
        func wake(_ origins: Set<String>) { dispatcher.value?.wake(origins) }
        func probe(_ origins: Set<String>) { dispatcher.value?.probe(origins) }
        func forget(_ deliveries: Set<DeliveryID>) { dispatcher.value?.forget(deliveries) }
        /// Before the dispatcher starts nothing is lost: it begins with the ledger's.
        func setPauses(_ pauses: Pauses) { dispatcher.value?.setPauses(pauses) }

        func test(
            _ delivery: Delivery,
            _ answer: @escaping @Sendable (Result<JSONValue, StoreError>) -> Void
        ) {
            guard let tester = dispatcher.value?.tester else {
                return answer(.failure(.conflict("the server is starting")))
            }
            OutboundThread.test(delivery, by: tester, answer)
        }

        var statusMembers: [JSONMember] {
            guard let status = dispatcher.value?.status else { return [] }
            return [
                JSONMember(name: "failure", value: .string(orNull: status.failure)),
                JSONMember(name: "in_memory", value: .integer(status.waitingInMemory)),
                JSONMember(name: "origins", value: .integer(status.origins)),
                JSONMember(name: "in_flight", value: .integer(status.inFlight)),
                JSONMember(name: "unrecorded", value: .integer(status.unrecorded)),
                JSONMember(
                    name: "open_breaker_count", value: .integer(status.openBreakerCount)),
                JSONMember(
                    name: "open_breakers",
                    value: .array(
                        status.openBreakers.map { breaker in
                            [
                                "origin": .string(breaker.origin),
                                "since": .string(breaker.since.rfc3339),
                                "last_error": .string(breaker.lastError),
                                "pause_seconds": .integer(breaker.pauseSeconds),
                            ]
                        })),
            ]
        }
    }

    private let loop: EventLoop
    private let thread: LoopThread
    private let dispatcher: Dispatcher
    private let readers: Readers

    /// Starts to send what waits.
    init(_ installation: Installation, listening: [SocketAddress], _ handle: Handle) throws {
        let settings = Self.settings(installation.configuration)
        var hooks = Self.hooks(installation)
        hooks.isOwnAddress = { ip, port in OwnAddress.is(ip, port, among: listening) }
        let loop = try EventLoop(name: "outbound")
        self.loop = loop
        let client = Client(
            loop: loop, resolver: Resolver(), tls: try TLSContext.client(trust: .system),
            limits: settings.clientLimits)
        // A pool of its own: behind people's reports deliveries would wait.
        readers = Readers(installation.directory, threads: 1)
        dispatcher = Dispatcher(
            settings: settings, loop: LoopHandle(loop), client: client,
            ledger: installation.ledger, readers: readers, hooks: hooks)
        do {
            thread = try LoopThread.running(loop)
        } catch {
            readers.stop()
            throw error
        }
        handle.dispatcher.set(dispatcher)
        // On the ledger's thread, where it tells of changes: none comes between.
        let dispatcher = dispatcher
        let ledger = installation.ledger
        ledger.perform({ _ in }) { _ in
            dispatcher.setPauses(ledger.catalog.pauses)
            dispatcher.start()
        }
    }

    private static func settings(_ configuration: Configuration) -> Dispatcher.Settings {
        var settings = Dispatcher.Settings()
        settings.concurrency = configuration.outboundConcurrency
        settings.perHost = configuration.outboundPerHost
        settings.timeoutMilliseconds = configuration.outboundTimeoutMilliseconds
        settings.giveUpAfter = .seconds(configuration.outboundGiveUpHours * 3600)
        settings.userAgent = "Clickrelay/\(Version.text)"
        return settings
    }

    private static func hooks(_ installation: Installation) -> Dispatcher.Hooks {
        let log = installation.log
        let ledger = installation.ledger
        var hooks = Dispatcher.Hooks()
        hooks.log = { log.warn($0, ["detail": .string($1)]) }
        hooks.auth = { (delivery) throws(Unsendable) in
            try SendingAuth(for: delivery, in: ledger)
        }
        return hooks
    }

    /// Makes one test call on the calling thread, where no server runs.
    static func test(_ delivery: Delivery, _ installation: Installation)
        -> Result<JSONValue, StoreError>
    {
        let loop: EventLoop
        let client: Client
        do {
            loop = try EventLoop(name: "clickrelay")
            client = Client(
                loop: loop, resolver: Resolver(threadsMax: 2),
                tls: try TLSContext.client(trust: .system))
        } catch {
            return .failure(.conflict("\(error)"))
        }
        let tester = CallTester(
            settings: settings(installation.configuration), loop: LoopHandle(loop), client: client,
            hooks: hooks(installation))
        let result = SetOnce<Result<JSONValue, StoreError>>()
        test(delivery, by: tester) {
            result.set($0)
            loop.stop()
        }
        loop.run()
        client.close()
        return result.value ?? .failure(.conflict("the call did not end"))
    }

    private static func test(
        _ delivery: Delivery, by tester: CallTester,
        _ answer: @escaping @Sendable (Result<JSONValue, StoreError>) -> Void
    ) {
        tester.test(delivery) { seen in
            answer(
                seen.map { .success($0) }
                    ?? .failure(.conflict("other test calls are under way; wait for them")))
        }
    }

    func stop(
        graceMilliseconds: Int, endMilliseconds: Int, _ done: @escaping @Sendable () -> Void
    ) {
        dispatcher.stop(
            graceMilliseconds: graceMilliseconds, endMilliseconds: endMilliseconds, done)
    }

    func join() {
        loop.stop()
        thread.join()
        readers.stop()
    }
}

/// Whether a destination's address is one that this tracker listens at: a destination that calls
/// ourselves would feed on its own conversions.
enum OwnAddress {
    static func `is`(_ ip: UInt128, _ port: UInt16, among listening: [SocketAddress]) -> Bool {
        listening.contains { own in
            guard own.port == port, let ownIP = own.ipBytes else { return false }
            if ownIP == ip { return true }
            // 0.0.0.0 and :: stand for every address of this machine.
            let isUnspecified = ownIP == 0 || ownIP == 0xffff_0000_0000
            return isUnspecified && MachineAddresses.contains(ip)
        }
    }
}

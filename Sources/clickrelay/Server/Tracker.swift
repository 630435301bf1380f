internal import Admin
internal import Clicks
internal import Crypto
internal import Domain
internal import Glibc
internal import HTTP
internal import Net
internal import Postbacks
internal import Store
internal import Synchronization
internal import Visitors

/// A running tracker: its files, its threads and its listening sockets. One per data directory.
// Unchecked: everything is set before `start` returns; `stop` is called once.
final class Tracker: @unchecked Sendable {
    /// Where it listens, ports as the kernel gave them: `http://127.0.0.1:8080`.
    let addresses: [String]
    private let services: Services
    private let loops: [ServingLoop]
    private let outbound: OutboundThread

    /// What all loops share.
    struct Services: Sendable {
        let configuration: Configuration
        let installation: Installation
        let clickStore: ClickStore
        let clickLookUps: ClickLookUps
        let routing: Routing
        let visitors: VisitorMemory
        let rowIDs: ClickRowIDs
        let visitRules: SharedVisitRules
        let postbacks: PostbackIntake
        let api: AdminAPI

        /// What can't be recorded now and why, a line each; empty when all can.
        var unreadiness: [String] {
            [
                clickStore.failure.map { "can't record clicks: \($0)" },
                installation.ledger.failure.map {
                    "can't record postbacks and changes (clickrelay.db): \($0)"
                },
            ].compactMap { $0 }
        }
    }

    private struct ServingLoop {
        let loop: EventLoop
        let server: Server
        /// All but the control socket's do, where there is a certificate.
        let speaksTLS: Bool
        var thread: LoopThread?
    }

    /// Opens the data directory and serves. When it returns, requests are accepted and
    /// `GET /readyz` answers 200.
    static func start(_ configuration: Configuration) throws(CommandFailure) -> Tracker {
        // Before anything is opened or made.
        let tls = try certificate(configuration)
        let visitRules = try visitRules(configuration)
        let counters = TrafficCounters(
            DataDirectory(path: configuration.dataDirectory), now: Installation.now
        ) { [log = configuration.log] in log.error($0, ["detail": .string($1)]) }
        let routing = Routing(
            Catalog(), alwaysServed: configuration.publicHost.map { [$0] } ?? [],
            counters: counters)
        let outbound = OutboundThread.Handle()
        var observers = Ledger.Observers()
        observers.catalogChanged = {
            routing.publish($0)
            outbound.setPauses($0.pauses)
        }
        observers.conversionsCounted = { conversions in
            if let conversions { counters.count(conversions) } else { counters.countAnew() }
        }
        observers.deliveriesQueued = { outbound.wake($0) }
        observers.originsProbed = { outbound.probe($0) }
        observers.deliveriesCancelled = { outbound.forget($0) }
        let installation = try Installation(configuration, observers: observers)
        do {
            return try Tracker(installation, routing, counters, outbound, tls, visitRules)
        } catch let failure as CommandFailure {
            installation.close()
            throw failure
        } catch {
            installation.close()
            throw .failed("\(error)")
        }
    }

    private init(
        _ installation: Installation, _ routing: Routing, _ counters: TrafficCounters,
        _ outboundHandle: OutboundThread.Handle, _ tls: TLSContext?, _ visitRules: VisitRules
    ) throws {
        let configuration = installation.configuration
        let log = installation.log
        let now = Installation.now()
        routing.publish(installation.ledger.catalog)
        installation.geo.load(checks: false)
        Self.logGeoFiles(installation)
        var clickOptions = ClickStore.Options()
        clickOptions.isFullyDurable = configuration.databaseSync == .full
        clickOptions.redirectsOnFailure = configuration.onStorageFailure == .redirect
        clickOptions.retentionDays = configuration.retentionClickDays
        let memory = Machine.memoryBytes()
        clickOptions.heldBytesMax = min(clickOptions.heldBytesMax, memory / 8)
        clickOptions.queuedBytesMax = min(clickOptions.queuedBytesMax, memory / 16)
        clickOptions.keepLate = { [ledger = installation.ledger] landerClicks, finished in
            ledger.perform { tx throws(StoreError) in
                // Whether the day's file has others of the click nobody can say now.
                for late in landerClicks { try tx.insertLate(late, isFirst: true) }
            } finished: { result in
                switch result {
                case .success: finished(true)
                case .failure: finished(false)
                }
            }
        }
        clickOptions.mayDelete = { [installation] in
            installation.ledger.hasClickSums(of: $0) && installation.mayDeleteByClock
        }
        let rowIDs = ClickRowIDs(
            node: UInt8(configuration.nodeID),
            newestStored: try ClickStore.newestRowIDs(installation.directory, today: now.day),
            now: now)
        let clickStore = try ClickStore(
            installation.directory, options: clickOptions, now: Installation.now
        ) { [incidents = installation.incidents] in
            incidents.report($0, $1)
        }

        // Sockets first: the addresses they got are part of what the API shows.
        let publicURL = SetOnce<String>()
        var api = installation.adminServices(publicURL: "", startedAt: now)
        if configuration.publicURL == nil { api.publicURL = { publicURL.value ?? "" } }
        api.clickDepth = { clickStore.depth }
        api.clickCache = { clickStore.cache }
        api.clickFailure = { clickStore.failure }
        api.capUsage = { counters.usage(of: $0, at: Installation.now()) }
        let sharedRules = SharedVisitRules(visitRules)
        let visitors = VisitorMemory()
        let simulator = VisitSimulator(
            settings: ClickHandler.Settings(configuration, sharedRules, installation.geo),
            counters: counters, visitors: visitors, clickIDs: installation.clickIDs,
            alwaysServed: configuration.publicHost.map { [$0] } ?? [])
        api.simulate = { (sample, campaign, catalog, now) throws(StoreError) in
            try simulator.simulate(sample, campaign, catalog, now: now)
        }
        api.outboundStatus = { outboundHandle.statusMembers }
        api.testCall = { outboundHandle.test($0, $1) }
        services = Services(
            configuration: configuration, installation: installation, clickStore: clickStore,
            clickLookUps: ClickLookUps(installation.directory) {
                [incidents = installation.incidents] in
                incidents.report($0, $1)
            },
            routing: routing, visitors: visitors, rowIDs: rowIDs, visitRules: sharedRules,
            postbacks: PostbackIntake(
                ledger: installation.ledger, clickIDs: installation.clickIDs, limiter: api.limiter,
                log: { [incidents = installation.incidents] in incidents.report($0, $1) }),
            api: AdminAPI(
                ledger: installation.ledger, readers: installation.readers,
                quickReaders: installation.quickReaders, services: api))

        let firstOfRun = rowIDs.next(micros: now.micros)
        let connectionsMax = Self.connectionsMax(configuration)
        var listen = configuration.listen
        var loops: [ServingLoop] = []
        do {
            for address in listen { try Listener.checkFree(address) }
            for number in 1...configuration.loops {
                let loop = try Self.serve(
                    name: "loop-\(number)", services, tls, connectionsMax: connectionsMax,
                    isTrusted: false)
                // The first loop learns the ports that the kernel picked, the others share them.
                for index in listen.indices {
                    listen[index] = try loop.server.listen(listen[index])
                }
                loops.append(loop)
            }
            let control = try Self.serve(
                name: "control", services, nil, connectionsMax: connectionsMax, isTrusted: true)
            guard let address = SocketAddress(path: configuration.controlSocketPath) else {
                throw CommandFailure.failed("the path of control.sock is too long")
            }
            try control.server.listen(address)
            let loop = control.loop
            VisitorHistory(
                services.visitors, routing: routing, readers: installation.readers,
                end: firstOfRun,
                later: { work in
                    loop.post { _ = loop.schedule(afterNanos: 1_000_000_000, work) }
                }
            ) { log.error($0, ["detail": .string($1)]) }.restore()
            ParkedCalls(control.loop, installation).start()
            if configuration.retentionClickDays != nil {
                CostNotes(control.loop, installation).start()
            }
            loops.append(control)
            Server.shareDescriptors(loops.map(\.server))
            addresses = listen.map { "\(configuration.scheme)://\($0.text)" }
            publicURL.set(addresses[0])
            for index in loops.indices {
                loops[index].thread = try LoopThread.running(loops[index].loop)
            }
            self.loops = loops
            // Last: what has begun to make calls is not to be torn down by a failure of the others.
            outbound = try OutboundThread(installation, listening: listen, outboundHandle)
        } catch {
            for running in loops {
                running.loop.stop()
                running.thread?.join()
            }
            services.clickLookUps.stop()
            clickStore.stop()
            throw error
        }
    }

    /// Accepts nothing more, lets requests in flight finish, commits, and ends, all within the
    /// grace: what is still in flight shortly before its end is cut off, to leave time to commit.
    ///
    /// - Returns: whether everything was committed. While the disk takes nothing, clicks that are
    ///   held in memory are tried again until the grace ends.
    @discardableResult
    func stop(graceMilliseconds: Int) -> Bool {
        let end = Clock.monotonicNanos() + UInt64(max(0, graceMilliseconds)) * 1_000_000
        let cutOffMilliseconds = graceMilliseconds - min(1000, graceMilliseconds / 5)
        let ended = Countdown(loops.count + 1)
        for running in loops {
            running.server.drain(deadlineMilliseconds: cutOffMilliseconds) { ended.countDown() }
        }
        outbound.stop(graceMilliseconds: cutOffMilliseconds, endMilliseconds: graceMilliseconds) {
            ended.countDown()
        }
        ended.wait()
        for running in loops { running.loop.stop() }
        for running in loops { running.thread?.join() }
        outbound.join()
        while services.clickStore.depth.held > 0, Clock.monotonicNanos() < end {
            // The writer's own thread tries once a second; there is nothing to wait on but time.
            usleep(50_000)
        }
        services.clickLookUps.stop()
        services.clickStore.stop()
        services.installation.close()
        return services.clickStore.depth.held == 0
    }

    // MARK: What SIGHUP reads again

    /// The certificate's files, the bot list and the location files.
    func reload() {
        reloadCertificate()
        reloadVisitRules()
        services.installation.geo.load(checks: true)
        Self.logGeoFiles(services.installation)
    }

    private static func logGeoFiles(_ installation: Installation) {
        for file in installation.geo.files {
            guard let problem = file.problem else {
                installation.log.info(
                    "location_file_in_use",
                    ["file": .string(file.name), "type": .string(file.type)])
                continue
            }
            installation.log.warn(
                "location_file_has_a_problem",
                [
                    "file": .string(file.name), "in_use": .bool(file.isInUse),
                    "detail": .string(problem),
                ])
        }
    }

    /// A list that is no good leaves the one in use that was loaded before.
    private func reloadVisitRules() {
        let configuration = services.configuration
        guard configuration.visitRules.listPath != nil else { return }
        let log = services.installation.log
        do throws(VisitRulesError) {
            services.visitRules.publish(try configuration.visitRules.load(log))
        } catch {
            log.error(
                "bots_not_reloaded",
                ["detail": .string(error.text), "in_use": "the list loaded before"])
        }
    }

    private static func visitRules(_ configuration: Configuration) throws(CommandFailure)
        -> VisitRules
    {
        do throws(VisitRulesError) {
            return try configuration.visitRules.load(configuration.log)
        } catch {
            throw .failed("BOTS_FILE can't be used: \(error.text)")
        }
    }

    /// What the operator is to know of a SIGHUP is logged, and nothing else comes of a failure:
    /// open connections and, when the files are no good, the old certificate stay in use.
    private func reloadCertificate() {
        let configuration = services.configuration
        let log = services.installation.log
        guard let files = configuration.certificate else {
            if configuration.visitRules.listPath == nil, services.installation.geo.files.isEmpty {
                log.info(
                    "nothing_to_reload", ["detail": "neither TLS_CERT_FILE nor BOTS_FILE is set"])
            }
            return
        }
        do throws(TLSError) {
            let tls = try files.load(log, now: Installation.now())
            let secure = loops.filter(\.speaksTLS)
            let replaced = Countdown(secure.count)
            for loop in secure { loop.server.replaceTLS(tls) { replaced.countDown() } }
            replaced.wait()
            let names = files.pairs.map(\.certificateFile).joined(separator: ", ")
            log.info("certificate_reloaded", ["file": .string(names)])
        } catch {
            log.error(
                "certificate_not_reloaded",
                ["detail": .string(error.text), "in_use": "the one loaded before"])
        }
    }

    private static func certificate(_ configuration: Configuration) throws(CommandFailure)
        -> TLSContext?
    {
        guard let files = configuration.certificate else { return nil }
        do throws(TLSError) {
            return try files.load(configuration.log, now: Installation.now())
        } catch {
            throw .failed("TLS_CERT_FILE and TLS_KEY_FILE can't be used: \(error.text)")
        }
    }

    /// Connections leave descriptors to files, which postbacks and landers are answered from, and to
    /// outbound calls: clients that only keep theirs open could take them all.
    private static func connectionsMax(_ configuration: Configuration) -> Int {
        let descriptors = Machine.raiseDescriptorLimit()
        let others = min(
            descriptors / 2, configuration.outboundConcurrency + 128 + 4 * configuration.loops)
        let left = descriptors - others
        guard left < configuration.maxConnections else { return configuration.maxConnections }
        configuration.log.warn(
            "max_connections_lowered",
            [
                "from": .integer(configuration.maxConnections), "to": .integer(left),
                "detail": .string(
                    "\(descriptors) files and sockets may be open: raise LimitNOFILE (ulimit -n)"),
            ])
        return left
    }

    private static func serve(
        name: String, _ services: Services, _ tls: TLSContext?, connectionsMax: Int,
        isTrusted: Bool
    ) throws -> ServingLoop {
        let configuration = services.configuration
        var limits = ServerLimits()
        limits.headerBytesMax = configuration.maxHeaderBytes
        limits.bodyBytesMax = configuration.maxBodyBytes
        limits.headMilliseconds = configuration.requestTimeoutMilliseconds
        limits.connectionsMax = max(16, connectionsMax / configuration.loops)
        // Long lists come over the control socket too, and only from ourselves.
        if !isTrusted {
            limits.bufferedBytesMax = min(
                limits.bufferedBytesMax,
                // An eighth of the memory for all loops; but enough for long lists, for some of the
                // largest bodies, and for what clients that don't read hold.
                max(
                    max(Machine.memoryBytes() / 8, 64 << 20) / configuration.loops, 48 << 20,
                    4 * configuration.maxBodyBytes, limits.connectionsMax << 14))
        }
        let loop = try EventLoop(name: name)
        let handler = try LoopHandler(LoopHandle(loop), services, isTrusted: isTrusted)
        return ServingLoop(
            loop: loop, server: Server(loop: loop, limits: limits, tls: tls) { _ in handler },
            speaksTLS: tls != nil, thread: nil)
    }
}

/// A value that becomes known later, once.
final class SetOnce<Value: Sendable>: Sendable {
    private let slot = Mutex<Value?>(nil)

    var value: Value? { slot.withLock { $0 } }

    func set(_ value: Value) { slot.withLock { $0 = value } }
}

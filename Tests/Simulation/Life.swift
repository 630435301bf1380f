import Clicks
import Crypto
import Domain
import HTTP
import Net
import Outbound
import Postbacks
import SimulatedMachine
import Store
import TestSupport

/// One run of the tracker, from its start to its end: its parts, put together as the server puts them
/// together, but with nobody to run them but whoever calls `turn` of this and that.
// Unchecked: the simulation has one thread.
final class Life: @unchecked Sendable {
    let ledger: Ledger
    let clicks: ClickStore
    let lookUps: ClickLookUps
    /// For reports.
    let readers: Readers
    /// The dispatcher's.
    let outboundReaders: Readers
    let front: EventLoop
    let outbound: EventLoop
    let dispatcher: Dispatcher
    let keys: ClickIDKeys
    private let server: Server
    private let client: Client
    private let recorder: PostbackRecorder
    private var parkedCursor: PostbackID?

    struct Settings {
        var redirectsOnFailure = true
        var retentionDays: Int?
        var concurrency = 8
        var windowMax = 8
    }

    private final class Handler: RequestHandler {
        let clicks: ClickHandler
        let landers: LanderClickHandler
        let postbacks: PostbackHandler

        init(_ clicks: ClickHandler, _ landers: LanderClickHandler, _ postbacks: PostbackHandler) {
            self.clicks = clicks
            self.landers = landers
            self.postbacks = postbacks
        }

        func handle(_ request: borrowing Request, _ responder: Responder) {
            if PostbackHandler.takes(path: request.path) {
                postbacks.handle(request, responder)
            } else if LanderClickHandler.takes(path: request.path) {
                landers.handle(request, responder)
            } else {
                clicks.handle(
                    request, key: UnsafeRawBufferPointer(rebasing: request.path.dropFirst(3)),
                    responder)
            }
        }

        func turnEnded() { clicks.turnEnded() }
    }

    /// - Parameters:
    ///   - socket: the path where it listens.
    ///   - jitter: in 0...1, for its retries.
    init(
        _ directory: DataDirectory, socket: String, resolver: any NameResolver,
        settings: Settings, jitter: @escaping @Sendable () -> Double,
        log: @escaping @Sendable (String, String) -> Void
    ) throws {
        let now: @Sendable () -> Instant = { Machine.wall }
        let late = Locked<Dispatcher?>(nil)
        let counters = TrafficCounters(directory, now: now, log: log)
        let routing = Routing(Catalog(), counters: counters)
        var observers = Ledger.Observers()
        observers.catalogChanged = {
            routing.publish($0)
            late.current?.setPauses($0.pauses)
        }
        observers.conversionsCounted = { conversions in
            if let conversions { counters.count(conversions) } else { counters.countAnew() }
        }
        observers.deliveriesQueued = { late.current?.wake($0) }
        observers.originsProbed = { late.current?.probe($0) }
        observers.deliveriesCancelled = { late.current?.forget($0) }
        observers.log = log
        var options = Ledger.Options()
        options.isDriven = true
        options.sumsClicksBefore = { Machine.wall.day.advanced(by: -1) }
        try ClickStore.recover(directory, now: now(), log: log)
        let ledger = try Ledger(directory, options: options, observers: observers)
        self.ledger = ledger
        keys = try ClickIDKeys([Template.clickKey])
        readers = Readers(directory, threads: 0)
        outboundReaders = Readers(directory, threads: 0)
        routing.publish(ledger.catalog)
        var clickOptions = ClickStore.Options()
        clickOptions.isDriven = true
        clickOptions.redirectsOnFailure = settings.redirectsOnFailure
        clickOptions.retentionDays = settings.retentionDays
        clickOptions.keepLate = { landerClicks, finished in
            ledger.perform { tx throws(StoreError) in
                for late in landerClicks { try tx.insertLate(late, isFirst: true) }
            } finished: { result in
                switch result {
                case .success: finished(true)
                case .failure: finished(false)
                }
            }
        }
        clickOptions.mayDelete = { ledger.hasClickSums(of: $0) }
        let rowIDs = ClickRowIDs(
            node: 0, newestStored: try ClickStore.newestRowIDs(directory, today: now().day),
            now: now())
        clicks = try ClickStore(directory, options: clickOptions, now: now, log: log)
        lookUps = ClickLookUps(directory, isDriven: true, log: log)
        front = try EventLoop(name: "front")
        outbound = try EventLoop(name: "outbound")

        let intake = PostbackIntake(ledger: ledger, clickIDs: keys, log: log)
        recorder = PostbackRecorder(clickIDs: keys)
        let loop = LoopHandle(front)
        let clickHandler = try ClickHandler(
            loop: loop, store: clicks, routing: routing, visitors: VisitorMemory(),
            rowIDs: rowIDs, clickIDs: keys, settings: ClickHandler.Settings())
        let landers = LanderClickHandler(
            clickHandler, lookUps: lookUps, clickIDs: keys, ledger: ledger,
            redirectsOnFailure: settings.redirectsOnFailure)
        let postbacks = PostbackHandler(intake: intake, loop: loop, sender: { _ in nil })
        let handler = Handler(clickHandler, landers, postbacks)
        guard let address = SocketAddress(path: socket) else { throw Violation("no \(socket)") }
        server = Server(loop: front, limits: ServerLimits()) { _ in handler }
        try server.listen(address)

        var outboundSettings = Dispatcher.Settings()
        outboundSettings.concurrency = settings.concurrency
        outboundSettings.windowMax = settings.windowMax
        var hooks = Dispatcher.Hooks()
        hooks.log = log
        hooks.random = jitter
        client = Client(
            loop: outbound, resolver: resolver, tls: nil, limits: outboundSettings.clientLimits)
        let dispatcher = Dispatcher(
            settings: outboundSettings, loop: LoopHandle(outbound), client: client, ledger: ledger,
            readers: outboundReaders, hooks: hooks)
        self.dispatcher = dispatcher
        late.with { $0 = dispatcher }
        ledger.perform({ _ in }) { _ in
            dispatcher.setPauses(ledger.catalog.pauses)
            dispatcher.start()
        }
    }

    /// Looks whether clicks have appeared that parked calls wait for.
    func sweepParked() {
        ledger.perform { [recorder, parkedCursor] (tx) throws(StoreError) in
            try recorder.matchParked(after: parkedCursor, in: tx, now: Machine.wall)
        } finished: { [self] result in
            if case .success(let sweep) = result { parkedCursor = sweep.next }
        }
    }

    /// Reads at once.
    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        let answer = Locked<Result<Value, StoreError>?>(nil)
        readers.read(work) { result in answer.with { $0 = result } }
        while answer.current == nil, readers.turn() {}
        guard let answer = answer.current else { throw Violation("a read was not answered") }
        return try answer.get()
    }

    /// The process is gone. What it has open is closed, which must be after the machine knows of its
    /// death: closing would tidy up.
    func end() {
        precondition(Machine.isDead, "a living process ends")
        client.close()
        server.drain(deadlineMilliseconds: 0) {}
        for _ in 1...3 {
            front.turn(timeout: 0)
            machine_advance(1_000_000)
        }
        lookUps.stop()
        clicks.stop()
        ledger.stop()
        readers.stop()
        outboundReaders.stop()
    }
}

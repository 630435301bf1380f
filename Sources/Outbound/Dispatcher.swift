public import Domain
public import HTTP
public import Store
internal import Synchronization

/// Sends the waiting deliveries: reads them from the ledger's table, calls their receivers, and
/// records each attempt.
///
/// At least once: a delivery is called again only when its last result is on disk, or after a
/// crash that lost it; every attempt carries the same `Idempotency-Key`.
///
/// Everything but the methods marked so is confined to the loop's thread.
// Unchecked because of that confinement; what other threads read is behind a mutex.
public final class Dispatcher: @unchecked Sendable {
    let settings: Settings
    let hooks: Hooks
    let loop: LoopHandle
    let caller: Caller
    let judge: AttemptJudge
    let table: Table
    /// For single calls beside the deliveries, through the same client.
    public let tester: CallTester

    let plan: DeliveryPlan
    var results = ResultQueue()
    var calls: [DeliveryID: CallInFlight] = [:]
    /// A timer will look at the results that gather.
    var isGathering = false

    var giveUps = GiveUpQueue()

    private(set) var isRunning = false
    private var isPumpWanted = false
    private var isHooked = false
    private var tickTimer: (id: LoopTimer, nanos: UInt64)?
    private var stops: [@Sendable () -> Void] = []
    private(set) var isStopping = false
    /// Why results can't be recorded.
    var storageFailure: String?
    /// Why the newest look at the table failed.
    private var readFailure: String?
    /// Why the newest call was not made: for want of descriptors or memory.
    var shortage: String?
    private var breakers: [OpenBreaker] = []
    private var breakersVersion = 0
    /// When they may be listed again.
    private var nextListNanos: UInt64 = 0
    private var isListTimerSet = false
    private var isScanning = false
    private var scanTimer: (id: LoopTimer, nanos: UInt64)?
    private var nextFullScanNanos: UInt64 = 0
    private let published = Mutex(Status())
    /// What holds from the moment on at which whoever ordered it is told so.
    private struct Orders {
        var pauses = Pauses()
        /// What the plan has not been told of.
        var cancelled: Set<DeliveryID> = []
    }
    private let ordered = Mutex(Orders())
    /// Grows with every change of `ordered`.
    private let orderedVersion = Atomic<Int>(0)
    /// What the plan knows of them.
    private(set) var pauses = Pauses()
    private var appliedVersion = 0

    /// - Parameters:
    ///   - loop: the loop that `client` belongs to.
    ///   - client: used by nobody else, with `settings.clientLimits`.
    ///   - readers: best a pool of its own: behind other people's reports deliveries would wait.
    public convenience init(
        settings: Settings, loop: LoopHandle, client: Client, ledger: Ledger, readers: Readers,
        hooks: Hooks = Hooks()
    ) {
        self.init(
            settings: settings, loop: loop, client: client, table: Table(ledger, readers),
            hooks: hooks)
    }

    init(settings: Settings, loop: LoopHandle, client: Client, table: Table, hooks: Hooks) {
        self.settings = settings
        self.hooks = hooks
        self.loop = loop
        self.table = table
        let gate = AddressGate(isOwnAddress: hooks.isOwnAddress)
        let tokens = AccessTokens(settings: settings, loop: loop, client: client, gate: gate)
        caller = Caller(
            settings: settings, loop: loop, client: client, gate: gate, tokens: tokens,
            auth: hooks.auth)
        judge = AttemptJudge(settings: settings)
        tester = CallTester(caller, hooks)
        plan = DeliveryPlan(limits: settings.planLimits)
    }

    // MARK: From any thread

    /// Begins to send what waits. Call it once.
    public func start() {
        loop.post { [self] in
            guard !isStopping else { return }
            isRunning = true
            workAtTurnEnds()
            scan()
        }
    }

    /// Deliveries to these origins are waiting now: the ledger's `deliveriesQueued`.
    public func wake(_ origins: Set<String>) {
        loop.post { [self] in
            // Before the start nothing is lost: it looks through the whole table.
            guard isRunning else { return }
            plan.wake(origins, at: now)
            pump()
        }
    }

    /// Somebody wants these origins called now, though they may have failed lately: the ledger's
    /// `originsProbed`, after `wake`.
    public func probe(_ origins: Set<String>) {
        loop.post { [self] in
            plan.probe(origins, at: now)
            pump()
        }
    }

    /// These deliveries were cancelled: when this returns, no call of them begins but at most one that
    /// is just beginning, and it is not called again.
    public func forget(_ deliveries: Set<DeliveryID>) {
        ordered.withLock { ordered in
            ordered.cancelled.formUnion(deliveries)
            orderedVersion.add(1, ordering: .releasing)
        }
        loop.post { [self] in pump() }
    }

    /// These are the pauses from now on: when this returns, no call begins that one of them holds,
    /// but at most one that is just beginning.
    public func setPauses(_ pauses: Pauses) {
        ordered.withLock { ordered in
            guard ordered.pauses != pauses else { return }
            ordered.pauses = pauses
            orderedVersion.add(1, ordering: .releasing)
        }
        loop.post { [self] in pump() }
    }

    /// As of the loop's last turn with a change.
    public var status: Status { published.withLock(\.self) }

    /// Starts no more calls, waits for those in flight, and then for their results to be recorded.
    ///
    /// Calls that take longer than the grace are cut off; they count as not made and are due again
    /// at the next start. So may be those whose results can't be recorded by the end.
    ///
    /// - Parameters:
    ///   - endMilliseconds: when `done` is called at the latest; not before the grace is over.
    ///   - done: called on the loop.
    public func stop(
        graceMilliseconds: Int, endMilliseconds: Int, _ done: @escaping @Sendable () -> Void
    ) {
        loop.post { [self] in
            stops.append(done)
            guard !isStopping else { return }
            isStopping = true
            isRunning = false
            workAtTurnEnds()
            if let tickTimer { loop.cancel(tickTimer.id) }
            tickTimer = nil
            if let scanTimer { loop.cancel(scanTimer.id) }
            scanTimer = nil
            _ = loop.schedule(afterMilliseconds: graceMilliseconds) { [self] in
                for call in calls.values { call.handle.cancel() }
                finishStopping()
            }
            _ = loop.schedule(afterMilliseconds: endMilliseconds) { [self] in answerStops() }
            pump()
        }
    }

    // MARK: On the loop

    var now: Moment {
        Moment(
            wall: Instant(micros: hooks.wallMicros.map { $0() } ?? loop.wallMicros),
            nanos: loop.nowNanos)
    }

    /// Does whatever can be done now, at the end of the loop's turn. Called after every event, of
    /// which a turn has many.
    func pump() { isPumpWanted = true }

    private func workAtTurnEnds() {
        guard !isHooked else { return }
        isHooked = true
        // The loop keeps the hook for as long as it lives.
        loop.atTurnEnd { [weak self] in
            guard let self, isPumpWanted else { return }
            isPumpWanted = false
            work()
        }
    }

    private func work() {
        if isStopping {
            recordResults()
            finishStopping()
        } else if isRunning {
            let now = now
            applyOrders()
            while let start = plan.next(at: now) {
                begin(start)
                applyOrders()
            }
            while let order = plan.nextRead(at: now) { read(order) }
            recordResults()
            armTick()
            if plan.hasLeftOrigins { scan(afterMilliseconds: Self.leftScanMilliseconds) }
        }
        publish()
    }

    /// Whether a call may still be made that was begun, and has waited for an access token since.
    func mayCall(_ start: DeliveryPlan.Start) -> Bool {
        applyOrders()
        return plan.mayCall(start)
    }

    /// Before each call: whoever ordered a pause, or cancelled something, has been told that it holds.
    private func applyOrders() {
        let version = orderedVersion.load(ordering: .acquiring)
        guard version != appliedVersion else { return }
        appliedVersion = version
        let orders = ordered.withLock { ordered in
            defer { ordered.cancelled = [] }
            return ordered
        }
        if !orders.cancelled.isEmpty { plan.forget(orders.cancelled, at: now) }
        let before = pauses
        guard orders.pauses != before else { return }
        pauses = orders.pauses
        plan.setPauses(pauses, at: now)
        // What was held may be on disk only.
        if before.lasting.contains(where: { !pauses.lasting.contains($0) }) { lookAgain() }
    }

    private func lookAgain() {
        table.scan { [self] result in
            loop.post { [self] in
                guard isRunning else { return }
                switch result {
                case .success(let origins): plan.scanned(origins, at: now)
                case .failure:
                    _ = loop.schedule(afterMilliseconds: 1000) { [self] in
                        if isRunning { lookAgain() }
                    }
                }
                pump()
            }
        }
    }

    /// How soon the table is looked through for origins that there was no room for.
    private static let leftScanMilliseconds = 5000

    /// Looks through the table then, unless that happens sooner anyway.
    private func scan(afterMilliseconds milliseconds: Int) {
        guard !isScanning else { return }
        let nanos = loop.nowNanos &+ UInt64(max(1, milliseconds)) &* 1_000_000
        if let scanTimer {
            guard nanos < scanTimer.nanos else { return }
            loop.cancel(scanTimer.id)
        }
        let id = loop.schedule(afterMilliseconds: milliseconds) { [self] in
            scanTimer = nil
            scan()
        }
        scanTimer = (id, nanos)
    }

    private func scan() {
        guard isRunning, !isScanning else { return }
        isScanning = true
        table.scan { [self] result in
            loop.post { [self] in scanned(result) }
        }
    }

    private func scanned(_ result: Result<[String], StoreError>) {
        isScanning = false
        guard isRunning else { return }
        var pause = settings.scanMilliseconds
        switch result {
        case .success(let origins):
            let now = now
            // Rows that nobody woke us for are rare, and looking for them is a read for each origin.
            if now.nanos >= nextFullScanNanos {
                nextFullScanNanos = now.nanos &+ UInt64(settings.scanMilliseconds) &* 1_000_000
                plan.scanned(origins, at: now)
            } else {
                plan.admit(origins, at: now)
            }
            if plan.hasLeftOrigins { pause = min(pause, Self.leftScanMilliseconds) }
            noteRead(nil)
        case .failure(let error):
            noteRead(error)
            pause = min(pause, 1000)
        }
        scan(afterMilliseconds: pause)
        pump()
    }

    private func read(_ order: DeliveryPlan.ReadOrder) {
        let carried = Unchecked(order)
        table.read(order.window) { [self] result in
            loop.post { [self] in
                switch result {
                case .success(let window):
                    noteRead(nil)
                    plan.finish(carried.value, window, at: now)
                case .failure(let error):
                    noteRead(error)
                    plan.fail(carried.value, at: now)
                }
                pump()
            }
        }
    }

    /// Each origin's window is a read, and they all fail alike: the first failure is logged.
    private func noteRead(_ error: StoreError?) {
        if let error {
            if readFailure == nil { hooks.log("outbound_read_failed", "reason=\"\(error)\"") }
        } else if readFailure != nil {
            hooks.log("outbound_read_works", "")
        }
        readFailure = error?.description
    }

    private func armTick() {
        let nanos = plan.nextTickNanos
        if let tickTimer {
            // One that comes too early does no harm.
            guard nanos < tickTimer.nanos else { return }
            loop.cancel(tickTimer.id)
        }
        guard nanos != .max else {
            tickTimer = nil
            return
        }
        let now = loop.nowNanos
        let milliseconds = nanos > now ? Int(clamping: (nanos - now) / 1_000_000 + 1) : 1
        let id = loop.schedule(afterMilliseconds: milliseconds) { [self] in
            tickTimer = nil
            plan.tick(at: self.now)
            pump()
        }
        tickTimer = (id, nanos)
    }

    private func finishStopping() {
        if isStopping, calls.isEmpty, results.isEmpty { answerStops() }
    }

    private func answerStops() {
        let done = stops
        stops = []
        for done in done { done() }
    }

    /// Thousands of hosts that fail are not sorted after each call.
    private func listBreakers() {
        let now = loop.nowNanos
        guard breakersVersion != plan.openBreakersVersion else { return }
        guard plan.openBreakers.count <= 64 || now >= nextListNanos else {
            if !isListTimerSet {
                isListTimerSet = true
                _ = loop.schedule(afterMilliseconds: 1000) { [self] in
                    isListTimerSet = false
                    publish()
                }
            }
            return
        }
        nextListNanos = now &+ 1_000_000_000
        breakersVersion = plan.openBreakersVersion
        breakers = plan.openBreakers.sorted { $0.key < $1.key }.prefix(Status.openBreakersMax)
            .map { origin, open in
                OpenBreaker(
                    origin: origin, since: open.since, lastError: open.lastError,
                    pauseSeconds: Int(clamping: open.pauseSeconds))
            }
    }

    private func publish() {
        listBreakers()
        var status = Status()
        status.waitingInMemory = plan.waitingInMemory
        status.inFlight = plan.inFlight
        status.unrecorded = plan.unrecorded
        status.origins = plan.originCount
        status.failure = storageFailure ?? readFailure ?? (plan.isHeld ? shortage : nil)
        status.openBreakers = breakers
        status.openBreakerCount = plan.openBreakers.count
        published.withLock { $0 = status }
    }
}

/// Takes a loop-confined value through closures that run on other threads and don't look at it.
struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

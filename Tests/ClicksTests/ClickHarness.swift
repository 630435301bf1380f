import Clicks
import Crypto
import Domain
import HTTP
import Net
import Store
import TestSupport

/// A click handler on a real loop and socket, with a real store, and nothing else of the tracker.
// Unchecked: set up before the loop runs, taken down after it ended.
final class ClickHarness: @unchecked Sendable {
    let directory: TemporaryDirectory
    let keys: ClickIDKeys
    let ledger: Ledger
    private let loop: EventLoop
    private let thread: LoopThread
    let store: ClickStore
    private let lookUps: ClickLookUps
    let port: UInt16
    let events = Locked<[String]>([])
    let counters: TrafficCounters
    let visitors = VisitorMemory()

    private final class Handler: RequestHandler {
        let clicks: ClickHandler
        let onward: OnwardHandler
        let landers: LanderClickHandler
        init(_ clicks: ClickHandler, _ onward: OnwardHandler, _ landers: LanderClickHandler) {
            self.clicks = clicks
            self.onward = onward
            self.landers = landers
        }
        func handle(_ request: borrowing Request, _ responder: Responder) {
            if OnwardHandler.takes(path: request.path) {
                return onward.handle(request, responder)
            }
            if LanderClickHandler.takes(path: request.path) {
                return landers.handle(request, responder)
            }
            clicks.handle(
                request, key: UnsafeRawBufferPointer(rebasing: request.path.dropFirst(3)), responder
            )
        }
        func turnEnded() { clicks.turnEnded() }
    }

    /// - Parameter newest: what an earlier run has stored, by a clock that may have been ahead.
    init(
        options: ClickStore.Options = ClickStore.Options(), newest: [ClickRowID] = []
    ) throws {
        directory = try TemporaryDirectory()
        let data = DataDirectory(path: directory.path)
        try data.create()
        counters = TrafficCounters(data, now: { Instant(micros: Clock.wallMicros()) })
        let routing = Routing(Catalog(), counters: counters)
        var observers = Ledger.Observers()
        observers.catalogChanged = { routing.publish($0) }
        observers.conversionsCounted = { [counters] in counters.count($0 ?? []) }
        ledger = try Ledger(data, options: Ledger.Options(), observers: observers)
        keys = try ClickIDKeys([SecureRandom.bytes(16)])
        let events = self.events
        store = try ClickStore(
            data, options: options, now: { Instant(micros: Clock.wallMicros()) },
            log: { event, _ in events.with { $0.append(event) } })
        loop = try EventLoop(name: "test")
        let rowIDs = ClickRowIDs(
            node: 0, newestStored: newest, now: Instant(micros: Clock.wallMicros()))
        let clicks = try ClickHandler(
            loop: LoopHandle(loop), store: store, routing: routing, visitors: visitors,
            rowIDs: rowIDs, clickIDs: keys, settings: ClickHandler.Settings())
        let onward = OnwardHandler(OnwardSigner(keys))
        lookUps = ClickLookUps(data) { _, _ in }
        let landers = LanderClickHandler(
            clicks, lookUps: lookUps, clickIDs: keys, ledger: ledger,
            redirectsOnFailure: options.redirectsOnFailure)
        let server = Server(loop: loop, limits: ServerLimits()) { _ in
            Handler(clicks, onward, landers)
        }
        guard let any = SocketAddress.parse("127.0.0.1:0") else { throw TestFailure("no address") }
        port = try server.listen(any).port
        thread = try LoopThread.running(loop)
    }

    func stop() {
        loop.stop()
        thread.join()
        lookUps.stop()
        store.stop()
        ledger.stop()
    }

    /// Runs a job and waits for its commit.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value {
        let result = Locked<Result<Value, StoreError>?>(nil)
        ledger.perform(work) { outcome in result.with { $0 = outcome } }
        try eventually("the job ended") { result.current != nil }
        guard let outcome = result.current else { throw TestFailure("no outcome") }
        return try outcome.get()
    }

    /// A source `src` (external ID in `subid`, cost in `cost`, `zone` as var1), a network `net`
    /// (`s2`), one offer for each URL (`offer1`, …) and a campaign `summer` that leads to them.
    /// - Parameter campaign: more members of the campaign.
    func set(
        offers urls: [String], cost: JSONValue = ["model": "none"],
        costCurrencyParameter: String? = nil, campaign more: [JSONMember] = []
    ) throws {
        let source = try Source(document: [
            "key": "src", "external_id_param": "subid", "cost_param": "cost",
            "cost_currency_param": .string(orNull: costCurrencyParameter),
            "params": ["zone": "var1"],
        ])
        let network = try Network(document: ["key": "net", "click_id_param": "s2"])
        let offers = try urls.enumerated().map { index, url in
            try Offer(document: [
                "key": .string("offer\(index + 1)"), "network": "net", "url": .string(url),
            ])
        }
        let flow: JSONValue = [
            "paths": [["offers": .array(offers.map { ["offer": .string($0.key.text)] })]]
        ]
        let campaign = try Campaign(
            document: .object(
                [
                    JSONMember(name: "key", value: "summer"),
                    JSONMember(name: "source", value: "src"),
                    JSONMember(name: "cost", value: cost), JSONMember(name: "flow", value: flow),
                ] + more))
        _ = try perform { transaction throws(StoreError) in
            let now = Instant(micros: Clock.wallMicros())
            _ = try transaction.put(source, at: now)
            _ = try transaction.put(network, newPostbackKey: "k1", at: now)
            for offer in offers { _ = try transaction.put(offer, at: now) }
            return try transaction.put(campaign, at: now).id
        }
    }

    func put(offer document: JSONValue) throws {
        let offer = try Offer(document: document)
        _ = try perform { transaction throws(StoreError) in
            try transaction.put(offer, at: Instant(micros: Clock.wallMicros()))
        }
    }

    func put(campaign document: JSONValue) throws {
        let campaign = try Campaign(document: document)
        _ = try perform { transaction throws(StoreError) in
            try transaction.put(campaign, at: Instant(micros: Clock.wallMicros()))
        }
    }

    func get(_ target: String, method: String = "GET", fields: HTTPFields = [:]) throws
        -> HTTPResponse
    {
        try HTTPConnection(port: port).request(method, target, fields: fields)
    }

    /// The click that a redirect's `s2` names, as it lies on disk.
    func click(of response: HTTPResponse) throws -> Click? {
        guard let text = response.locationParameter("s2"), let clickID = ClickID(text),
            let identity = keys.open(clickID)
        else { return nil }
        return try ClickReader(DataDirectory(path: directory.path)).click(identity.rowID)
    }

    /// Rows on disk, by the sums that are written with them.
    func storedCount() throws -> Int64 {
        let data = DataDirectory(path: directory.path)
        let reader = ClickReader(data)
        return try data.clickDays().reduce(0) { sum, day in
            try sum
                + reader.totals(on: day, from: Instant(micros: 0), to: Instant(micros: .max / 2))
                .reduce(0) { $0 + $1.clicks }
        }
    }
}

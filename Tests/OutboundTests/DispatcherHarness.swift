import Domain
import HTTP
import Net
import Store
import TestSupport

@testable import Outbound

/// A dispatcher on a loop of its own, over a real ledger in a directory of its own.
final class DispatcherHarness: Sendable {
    let directory: TemporaryDirectory
    let ledger: Ledger
    let readers: Readers
    let dispatcher: Dispatcher
    let loop: EventLoop
    private let client: Client
    private let thread: LoopThread
    private let isClosed = Locked(false)

    /// - Parameter directory: nil for a new one; another harness's to go on where that was closed.
    init(
        directory: TemporaryDirectory? = nil,
        settings change: (inout Dispatcher.Settings) -> Void = { _ in },
        hooks: Dispatcher.Hooks = Dispatcher.Hooks(),
        table changeTable: (inout Dispatcher.Table) -> Void = { _ in }
    ) throws {
        var settings = Dispatcher.Settings()
        change(&settings)
        self.directory = try directory ?? TemporaryDirectory()
        let data = DataDirectory(path: self.directory.path)
        try data.create()
        let late = Locked<Dispatcher?>(nil)
        var observers = Ledger.Observers()
        observers.deliveriesQueued = { origins in late.current?.wake(origins) }
        observers.deliveriesCancelled = { ids in late.current?.forget(ids) }
        observers.originsProbed = { origins in late.current?.probe(origins) }
        observers.catalogChanged = { catalog in late.current?.setPauses(catalog.pauses) }
        var options = Ledger.Options()
        options.isFullyDurable = false
        ledger = try Ledger(data, options: options, observers: observers)
        readers = Readers(data, threads: 1)
        loop = try EventLoop(name: "outbound")
        client = Client(
            loop: loop, resolver: Resolver(threadsMax: 2), tls: nil, limits: settings.clientLimits)
        var table = Dispatcher.Table(ledger, readers)
        changeTable(&table)
        let dispatcher = Dispatcher(
            settings: settings, loop: LoopHandle(loop), client: client, table: table, hooks: hooks)
        self.dispatcher = dispatcher
        late.with { $0 = dispatcher }
        dispatcher.setPauses(ledger.catalog.pauses)
        thread = try LoopThread.running(loop)
    }

    deinit { close() }

    /// Ends everything, as a server does; the directory stays.
    func close(graceMilliseconds: Int = 0) {
        guard
            isClosed.with({ isClosed in
                defer { isClosed = true }
                return !isClosed
            })
        else { return }
        let isDone = Locked(false)
        dispatcher.stop(
            graceMilliseconds: graceMilliseconds, endMilliseconds: graceMilliseconds + 2000
        ) { isDone.with { $0 = true } }
        // Nobody to tell: the test has its result, and the deadline is the dispatcher's own.
        try? eventually("the dispatcher stops") { isDone.current }
        loop.post { [client] in client.close() }
        loop.stop()
        thread.join()
        ledger.stop()
        readers.stop()
    }

    // MARK: Deliveries

    static func now() -> Instant { Instant(micros: Clock.wallMicros()) }

    static func request(
        _ url: String, method: Destination.Method = .get,
        headers: [OutboundRequest.Header] = [], body: [UInt8]? = nil,
        success: SuccessRule = SuccessRule(), allowsPrivate: Bool = true,
        auth: OutboundRequest.Auth = .none
    ) -> OutboundRequest {
        let origin = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            .prefix(3).joined(separator: "/")
        return OutboundRequest(
            origin: origin, method: method, url: url, headers: headers, body: body,
            success: success, allowsPrivate: allowsPrivate, auth: auth)
    }

    /// Queues the requests as deliveries of one new conversion.
    @discardableResult
    func queue(_ requests: [OutboundRequest], at now: Instant = DispatcherHarness.now()) throws
        -> [DeliveryID]
    {
        let conversionID = try perform { transaction throws(StoreError) in
            let conversion = try transaction.insertConversion(Self.conversion(at: now))
            for (index, request) in requests.enumerated() {
                try transaction.insert(
                    NewDelivery(destination: "test/\(index)", request: request, deadReason: nil),
                    of: conversion, at: now)
            }
            return conversion.id
        }
        var filter = DeliveryFilter()
        filter.conversionID = conversionID
        let (found, count) = (filter, requests.count)
        return try read { reader throws(StoreError) in
            try reader.deliveries(found, limit: count, cursor: nil).items.map(\.id).reversed()
        }
    }

    func queue(_ request: OutboundRequest) throws -> DeliveryID { try queue([request])[0] }

    /// Queues a delivery of a new conversion for each request, all to one destination.
    func queue(
        _ requests: [OutboundRequest], to destination: String,
        at now: Instant = DispatcherHarness.now()
    ) throws {
        try perform { transaction throws(StoreError) in
            for request in requests {
                let conversion = try transaction.insertConversion(Self.conversion(at: now))
                try transaction.insert(
                    NewDelivery(destination: destination, request: request, deadReason: nil),
                    of: conversion, at: now)
            }
        }
    }

    func pause(_ scope: Pause.Scope) throws -> Pause {
        try perform { transaction throws(StoreError) in
            try transaction.pause(scope, reason: "", at: Self.now())
        }
    }

    func resume(_ pause: Pause) throws {
        _ = try perform { transaction throws(StoreError) in
            try transaction.resume(pause.id, at: Self.now())
        }
    }

    func delivery(_ id: DeliveryID) throws -> Delivery {
        let found = try read { reader throws(StoreError) in try reader.delivery(id) }
        guard let found else { throw TestFailure("no delivery \(id)") }
        return found
    }

    func attempts(_ id: DeliveryID) throws -> [Attempt] {
        try read { reader throws(StoreError) in try reader.attempts(of: id) }
    }

    func count(_ state: Delivery.State) throws -> Int {
        var filter = DeliveryFilter()
        filter.states = [state]
        let found = filter
        return try read { reader throws(StoreError) in
            try reader.deliveries(found, limit: 100_000, cursor: nil).items.count
        }
    }

    /// Waits until the delivery has had so many attempts, and returns it with them.
    func await(_ id: DeliveryID, attempts count: Int) throws -> (Delivery, [Attempt]) {
        try eventually("\(count) attempts of \(id)") { try attempts(id).count >= count }
        return (try delivery(id), try attempts(id))
    }

    func await(_ id: DeliveryID, _ state: Delivery.State) throws {
        try eventually("\(id) is \(state)") { try delivery(id).state == state }
    }

    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value {
        let answer = Locked<Result<Value, StoreError>?>(nil)
        ledger.perform(work) { result in answer.with { $0 = result } }
        return try eventually("the ledger answers") { answer.current }.get()
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        let answer = Locked<Result<Value, StoreError>?>(nil)
        readers.read(work) { result in answer.with { $0 = result } }
        return try eventually("a reader answers") { answer.current }.get()
    }

    private static let clicks = Locked<Int64>(0)

    private static func conversion(at now: Instant) -> Conversion {
        let number = clicks.with { clicks in
            clicks += 1
            return clicks
        }
        guard let rowID = ClickRowID(rawValue: number), let currency = Currency("USD") else {
            preconditionFailure("click \(number)")
        }
        return Conversion(
            id: ConversionID(0),
            click: Click(
                rowID: rowID, campaignID: CampaignID(1), externalID: nil, cost: nil,
                parameters: [], ip: nil, userAgent: [], referrer: [], path: 1, offerVersion: 1),
            sourceID: SourceID(1), networkID: NetworkID(1), offerID: OfferID(1), event: "sale",
            transactionID: "", ordinal: 0, status: .approved, networkStatus: nil,
            payout: Money(nanos: 0, currency: currency), extras: [], convertedAt: now,
            isTest: false, revision: 1)
    }
}

import Domain
import Foundation
import Store
import TestSupport

/// A data directory with a ledger on it, and shorthands to run jobs and reads to their end.
final class StoreBench: Sendable {
    static let noon = Instant(rfc3339: "2026-11-20T12:00:00Z") ?? Instant(micros: 0)

    let directory: TemporaryDirectory
    let data: DataDirectory
    let ledger: Ledger
    let readers: Readers
    let events = Locked<[String]>([])
    /// The catalogs that were published, and the origins with new deliveries.
    let catalogs = Locked<[Catalog]>([])
    let origins = Locked<[Set<String>]>([])

    init(_ directory: TemporaryDirectory? = nil, queuedMax: Int = 1000) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        data = DataDirectory(path: directory.path)
        try data.create()
        var options = Ledger.Options()
        options.isFullyDurable = false
        options.queuedMax = queuedMax
        var observers = Ledger.Observers()
        let (events, catalogs, origins) = (self.events, self.catalogs, self.origins)
        observers.log = { event, _ in events.with { $0.append(event) } }
        observers.catalogChanged = { catalog in catalogs.with { $0.append(catalog) } }
        observers.deliveriesQueued = { set in origins.with { $0.append(set) } }
        ledger = try Ledger(data, options: options, observers: observers)
        readers = Readers(data, threads: 1)
    }

    deinit {
        ledger.stop()
        readers.stop()
    }

    func submit<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) -> Pending<Value> {
        let pending = Pending<Value>()
        ledger.perform(work) { pending.finish($0) }
        return pending
    }

    @discardableResult
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value { try submit(work).value() }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        let pending = Pending<Value>()
        readers.read(work) { pending.finish($0) }
        return try pending.value()
    }

    /// Source `src`, network `net` under the postback key `k1`, offer `fit`, campaign `summer`.
    func install() throws {
        let source = try Source(document: ["key": "src"])
        let network = try Network(document: ["key": "net", "click_id_param": "s2"])
        let offer = try Offer(
            document: ["key": "fit", "network": "net", "url": "https://o.example/"])
        let campaign = try Self.campaign()
        try perform { (tx) throws(StoreError) in
            _ = try tx.put(source, at: Self.noon)
            _ = try tx.put(network, newPostbackKey: "k1", at: Self.noon)
            _ = try tx.put(offer, at: Self.noon)
            _ = try tx.put(campaign, at: Self.noon)
        }
    }

    static func campaign(key: String = "summer", name: String = "Summer") throws -> Campaign {
        try Campaign(
            document: [
                "key": .string(key), "name": .string(name), "source": "src",
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
    }

    static func postback(_ target: String = "/postback/k1?cid=x", at: Instant = noon) -> Postback {
        Postback(
            receivedAt: at, sender: IPAddress("2001:db8::1"), method: "POST",
            target: Array(target.utf8),
            headers: [
                .init(name: "Host", value: Array("t.example".utf8)),
                .init(name: "X-Odd", value: [255, 0, 10]),
            ], body: [0, 255, 13, 10])
    }

    static func conversion(
        click number: Int, campaign: Int64 = 1, transaction: String = "", nanos: Int64 = 1,
        status: ConversionStatus = .approved, currency: Currency = .usDollar, isTest: Bool = false,
        ordinal: Int = 0
    ) -> Conversion {
        let milliseconds = noon.milliseconds - ClickRowID.epochMilliseconds
        let click = Click(
            rowID: ClickRowID(milliseconds: milliseconds, node: 1, sequence: number),
            campaignID: CampaignID(campaign), externalID: [0, 255, 65],
            cost: Money(nanos: 5, currency: .usDollar),
            parameters: [.init(name: "zone", value: Array("7".utf8)), .init(name: "", value: [])],
            ip: IPAddress("198.51.100.7"), userAgent: Array("UA".utf8), referrer: [], path: 2,
            offerVersion: 1)
        return Conversion(
            id: ConversionID(0), click: click, sourceID: SourceID(1), networkID: NetworkID(1),
            offerID: OfferID(1), event: "sale", transactionID: transaction, ordinal: ordinal,
            status: status, networkStatus: "word", payout: Money(nanos: nanos, currency: currency),
            extras: ["a", nil], convertedAt: noon, isTest: isTest, revision: 1)
    }

    static func delivery(_ destination: String = "src/d", origin: String = "https://a.example")
        -> NewDelivery
    {
        NewDelivery(
            destination: destination,
            request: OutboundRequest(
                origin: origin, method: .post, url: origin + "/x",
                headers: [.init(name: "X", value: "é\"")], body: [0, 255],
                success: SuccessRule(statuses: 200...204, bodyContains: "OK"), allowsPrivate: true),
            deadReason: nil)
    }

    /// A call, its conversion with one revision, and one delivery.
    static func record(
        _ conversion: Conversion, deliveries: [NewDelivery] = [delivery()],
        in tx: LedgerTransaction
    ) throws(StoreError) -> Conversion {
        let made = try tx.insertConversion(conversion)
        let id = try tx.insert(
            postback(), networkID: NetworkID(1), clickRowID: made.click.rowID,
            conversionID: made.id, verdict: .accepted, message: "m")
        try tx.insertRevision(of: made, at: noon, by: id)
        for delivery in deliveries { try tx.insert(delivery, of: made, at: noon) }
        return made
    }
}

/// What a job or a read on another thread comes to.
final class Pending<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, StoreError>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func finish(_ value: Result<Value, StoreError>) {
        result.with { $0 = value }
        done.signal()
    }

    func value() throws -> Value {
        guard done.wait(timeout: .now() + 30) == .success, let result = result.current else {
            throw TestFailure("nothing came back")
        }
        done.signal()
        return try result.get()
    }
}

extension LedgerTransaction {
    /// Keeps a single attempt.
    func record(_ attempt: Attempt, of id: DeliveryID, outcome: AttemptOutcome) throws(StoreError) {
        try record([DeliveryResult(of: try delivery(id), attempt, outcome: outcome)])
    }
}

import Crypto
import Domain
import Foundation
import Postbacks
import Store
import StoreSupport
import TestSupport

/// A real ledger and a real click store in a directory of their own, without a server: one source,
/// network, offer and campaign, and calls that are recorded as the server's would be.
final class PostbackBench: Sendable {
    typealias Answer = Postbacks.PostbackAnswer

    static let start = Instant(rfc3339: "2026-11-20T12:00:00Z") ?? Instant(micros: 0)

    let directory: TemporaryDirectory
    let data: DataDirectory
    let ledger: Ledger
    let clicks: ClickStore
    let readers: Readers
    let keys: ClickIDKeys
    let intake: PostbackIntake
    let logged = Locked<[String]>([])
    let campaign: CampaignID
    let offerVersion: Int64
    private let rowIDs: ClickRowIDs
    private let clock = Locked(PostbackBench.start)

    /// What differs from the usual set-up, by member.
    struct Setup {
        var network: [String: JSONValue] = [:]
        var source: [String: JSONValue] = [:]
        var offer: [String: JSONValue] = [:]
        var campaign: [String: JSONValue] = [:]

        static let echo: JSONValue = [
            [
                "key": "all",
                "url": """
                https://s.example/c?id={external_id}&v={payout}&c={currency}&s={status}\
                &e={event}&t={txid}&r={revision}
                """,
            ]
        ]
    }

    init(_ setup: Setup = Setup()) throws {
        directory = try TemporaryDirectory()
        data = DataDirectory(path: directory.file("data"))
        try data.create()
        var options = Ledger.Options()
        options.isFullyDurable = false
        ledger = try Ledger(data, options: options, observers: Ledger.Observers())
        var clickOptions = ClickStore.Options()
        clickOptions.isFullyDurable = false
        clicks = try ClickStore(data, options: clickOptions, now: { PostbackBench.start }) { _, _ in
        }
        readers = Readers(data, threads: 1)
        keys = try ClickIDKeys([Array(1...16)])
        let logged = self.logged
        intake = PostbackIntake(ledger: ledger, clickIDs: keys) { event, _ in
            logged.with { $0.append(event) }
        }
        rowIDs = ClickRowIDs(node: 3, newestStored: [], now: PostbackBench.start)
        let made = try Self.install(setup, ledger)
        campaign = made.campaign
        offerVersion = made.version
    }

    static let postbackKey = "k1"

    private static func install(_ setup: Setup, _ ledger: Ledger) throws -> (
        campaign: CampaignID, version: Int64
    ) {
        let network = try Network(document: document(["key": "net"], setup.network))
        let source = try Source(
            document: document(
                ["key": "push", "external_id_param": "subid", "destinations": Setup.echo],
                setup.source))
        let offer = try Offer(
            document: document(
                [
                    "key": "fit", "network": .string(network.key.text),
                    "url": "https://o.example/?s2={click_id}",
                ], setup.offer))
        let campaign = try Campaign(
            document: document(
                [
                    "key": "summer", "source": .string(source.key.text),
                    "flow": ["paths": [["offers": [["offer": .string(offer.key.text)]]]]],
                ], setup.campaign))
        return try perform(ledger) { (tx) throws(StoreError) in
            _ = try tx.put(source, at: start)
            _ = try tx.put(network, newPostbackKey: postbackKey, at: start)
            let offer = try tx.put(offer, at: start)
            let stored = try tx.put(campaign, at: start)
            return (stored.id, tx.catalog.currentVersions[offer.id]?.id ?? 0)
        }
    }

    private static func document(_ base: [String: JSONValue], _ own: [String: JSONValue])
        -> JSONValue
    {
        .object(
            base.merging(own) { $1 }.sorted { $0.key < $1.key }
                .map { JSONMember(name: $0.key, value: $0.value) })
    }

    deinit {
        ledger.stop()
        clicks.stop()
        readers.stop()
    }

    // MARK: Doing

    static func perform<Value: Sendable>(
        _ ledger: Ledger,
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value {
        let result = Locked<Result<Value, StoreError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        ledger.perform(work) {
            let value = $0
            result.with { $0 = value }
            done.signal()
        }
        done.wait()
        guard let result = result.current else { throw TestFailure("no result") }
        return try result.get()
    }

    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value { try Self.perform(ledger, work) }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        let result = Locked<Result<Value, StoreError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        readers.read(work) {
            let value = $0
            result.with { $0 = value }
            done.signal()
        }
        done.wait()
        guard let result = result.current else { throw TestFailure("no result") }
        return try result.get()
    }

    /// A click ID of ours whose click was never stored.
    func lostClick() -> ClickID {
        keys.seal(
            ClickIdentity(rowID: rowIDs.next(micros: Self.start.micros), campaignID: campaign))
    }

    /// Stores a click.
    func click(
        externalID: String? = "EXT", parameters: [(String, String)] = [],
        offerVersion: Int64? = nil, costNanos: Int64? = 12_000_000,
        campaign: CampaignID? = nil, as id: ClickID? = nil
    ) throws -> ClickID {
        let rowID =
            id.flatMap { keys.open($0)?.rowID } ?? rowIDs.next(micros: Self.start.micros)
        var batch = ClickBatch()
        func keep(_ text: String) -> NewClick.Bytes {
            Array(text.utf8).withUnsafeBytes { batch.keep($0) }
        }
        let external = keep(externalID ?? "")
        let agent = keep("Browser/1")
        let referrer = keep("")
        let kept = batch.keep(parameters.map { (name: $0.0, value: Array($0.1.utf8)) })
        batch.rows.append(
            NewClick(
                rowID: rowID, campaignID: campaign ?? self.campaign, flowVersion: 1, rule: 0,
                path: 1, landerVersion: nil,
                offerVersion: offerVersion ?? self.offerVersion, costNanos: costNanos,
                currency: .usDollar, externalID: external, ip: IPAddress("198.51.100.7"),
                userAgent: agent, referrer: referrer, parameterNames: kept.names,
                parameterValues: kept.values))
        let outcome = Locked<ClickOutcome?>(nil)
        let done = DispatchSemaphore(value: 0)
        clicks.store(batch) {
            let stored = $0
            outcome.with { $0 = stored }
            done.signal()
        }
        done.wait()
        guard outcome.current == .stored else { throw TestFailure("the click was not stored") }
        return keys.seal(ClickIdentity(rowID: rowID, campaignID: campaign ?? self.campaign))
    }

    /// One call a second.
    func postback(
        _ query: String, method: String = "GET", key: String = PostbackBench.postbackKey,
        type: String? = nil, body: String = "", sender: String? = "203.0.113.9"
    ) -> Postback {
        let at = clock.with { now in
            now = now.advanced(by: .seconds(1))
            return now
        }
        var headers = [Postback.Header(name: "Host", value: Array("t.example".utf8))]
        if let type { headers.append(.init(name: "Content-Type", value: Array(type.utf8))) }
        return Postback(
            receivedAt: at, sender: sender.flatMap { IPAddress($0) }, method: method,
            target: Array("/postback/\(key)\(query.isEmpty ? "" : "?")\(query)".utf8),
            headers: headers, body: Array(body.utf8))
    }

    func send(_ call: Postback, key: String = PostbackBench.postbackKey) -> Answer {
        let answer = Locked<Answer?>(nil)
        let done = DispatchSemaphore(value: 0)
        intake.submit(call, key: key) {
            let given = $0
            answer.with { $0 = given }
            done.signal()
        }
        done.wait()
        return answer.current ?? .storageUnavailable
    }

    @discardableResult
    func call(_ query: String) -> Answer { send(postback(query)) }

    // MARK: Looking

    func conversions() throws -> [Conversion] {
        try read { (reader) throws(StoreError) in
            try reader.conversions(ConversionFilter(), limit: 1000, cursor: nil).items
        }.reversed()
    }

    func revisions(of conversion: Conversion) throws -> [ConversionRevision] {
        try read { (reader) throws(StoreError) in try reader.revisions(of: conversion.id) }
    }

    func deliveries() throws -> [Delivery] {
        try read { (reader) throws(StoreError) in
            try reader.deliveries(DeliveryFilter(), limit: 1000, cursor: nil).items
        }.reversed()
    }

    func postbacks() throws -> [StoredPostback] {
        try read { (reader) throws(StoreError) in
            try reader.postbacks(PostbackFilter(), limit: 1000, cursor: nil).items
        }.reversed()
    }
}

import Admin
import Clicks
import Crypto
import Dispatch
import Domain
import Postbacks
import Store
import Synchronization
import TestSupport

/// The API over a real ledger and real day files in a directory of its own, without a server.
final class Bench: Sendable {
    let files: TemporaryDirectory
    let directory: DataDirectory
    let ledger: Ledger
    let readers: Readers
    let quickReaders: Readers
    let clickStore: ClickStore
    let api: AdminAPI
    let clock: TestClock
    let clickIDs = PlainClickIDs()

    init() throws {
        files = try TemporaryDirectory()
        directory = DataDirectory(path: files.file("data"))
        try directory.create()
        var options = Ledger.Options()
        options.isFullyDurable = false
        ledger = try Ledger(directory, options: options, observers: Ledger.Observers())
        readers = Readers(directory, threads: 2)
        quickReaders = Readers(directory, threads: 1)
        let clock = TestClock()
        self.clock = clock
        var clickOptions = ClickStore.Options()
        clickOptions.isFullyDurable = false
        clickStore = try ClickStore(
            directory, options: clickOptions, now: { clock.now }, log: { _, _ in })
        let counter = SharedCounter()
        var services = Services(
            clickIDs: clickIDs, rules: PostbackRecorder(clickIDs: clickIDs),
            sha256: Bench.sha256,
            sha256Hex: { Array("hex(".utf8) + Array($0) + Array(")".utf8) },
            newToken: { "secret-\(counter.next())" },
            newPostbackKey: { "key-\(counter.next())" },
            newWebhookSecret: {
                WebhookSecret.text(of: [UInt8](repeating: UInt8(counter.next() & 255), count: 32))
            },
            now: { clock.now }, publicURL: { "https://t.example/" },
            directory: directory, version: "0.0-test", startedAt: clock.now)
        services.clickDepth = { (7, 8) }
        services.clickFailure = { "full" }
        services.clickCache = { CacheUse(bytes: 3, bytesMax: 4) }
        // As it would be sent.
        services.testCall = { delivery, answer in
            answer(
                .success([
                    "destination": .string(delivery.destination),
                    "request": ["url": .string(delivery.request.url)],
                ]))
        }
        let simulator = VisitSimulator(
            settings: ClickHandler.Settings(), counters: TrafficCounters(),
            visitors: VisitorMemory(), clickIDs: try ClickIDKeys([[UInt8](repeating: 7, count: 16)])
        )
        services.simulate = { (sample, campaign, catalog, now) throws(StoreError) in
            try simulator.simulate(sample, campaign, catalog, now: now)
        }
        services.outboundStatus = { [JSONMember(name: "in_flight", value: 3)] }
        api = AdminAPI(
            ledger: ledger, readers: readers, quickReaders: quickReaders, services: services)
    }

    deinit {
        clickStore.stop()
        readers.stop()
        quickReaders.stop()
        ledger.stop()
    }

    /// Stands in for the hash: what matters here is that the secret itself is not what is kept.
    static let sha256: @Sendable ([UInt8]) -> [UInt8] = { bytes in
        Array("digest of ".utf8) + bytes.reversed()
    }

    struct Answer {
        let response: APIResponse
        let json: JSONValue

        var status: Int { response.status }

        func header(_ name: String) -> String? {
            response.headers.first { $0.0.lowercased() == name.lowercased() }?.1
        }

        subscript(name: String) -> JSONValue? { json[name] }
        var items: [JSONValue] { json["items"]?.arrayValue ?? [] }
        /// Fields named by a problem.
        var fields: [String] {
            (json["errors"]?.arrayValue ?? []).compactMap { $0["field"]?.stringValue }
        }
    }

    @discardableResult
    func call(_ method: String, _ target: String, _ body: JSONValue) throws -> Answer {
        try call(method, target, text: body.encoded())
    }

    /// - Parameter target: path below `/api/v1` and query.
    @discardableResult
    func call(_ method: String, _ target: String, text: String = "") throws -> Answer {
        let parts = target.split(separator: "?", maxSplits: 1)
        let request = APIRequest(
            method: method, path: "/api/v1" + parts[0],
            query: parts.count > 1 ? QueryParameters(parsing: String(parts[1])) : .init(),
            body: Array(text.utf8))
        let response = try Waiting<APIResponse>.value { done in
            api.handle(request, completion: done)
        }
        return Answer(
            response: response,
            json: response.body.isEmpty ? .null : try JSONValue(parsing: response.body))
    }

    func write<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) throws -> Value {
        try Waiting<Result<Value, StoreError>>.value { done in
            ledger.perform(work, finished: done)
        }.get()
    }
}

extension Bench {
    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        try Waiting<Result<Value, StoreError>>.value { done in
            readers.read(work, finished: done)
        }.get()
    }
}

/// The clock of one test.
final class TestClock: Sendable {
    private let micros = Atomic<Int64>(1_795_000_000_000_000)

    var now: Instant {
        get { Instant(micros: micros.load(ordering: .relaxed)) }
        set { micros.store(newValue.micros, ordering: .relaxed) }
    }
}

final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

/// Click IDs that are their own plain block, with a bit set that says they are ours.
struct PlainClickIDs: ClickIDSealing {
    private static let ours = UInt128(1) << 127

    func seal(_ identity: ClickIdentity) -> ClickID {
        ClickID(block: identity.plainBlock | Self.ours)
    }

    func open(_ clickID: ClickID) -> ClickIdentity? {
        guard clickID.block & Self.ours != 0 else { return nil }
        return ClickIdentity(plainBlock: clickID.block & ~Self.ours)
    }
}

/// Waits for a callback from another thread.
enum Waiting<Value: Sendable> {
    static func value(_ start: (@escaping @Sendable (Value) -> Void) -> Void) throws -> Value {
        let box = Locked<Value?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        start { value in
            box.with { $0 = value }
            isDone.signal()
        }
        guard isDone.wait(timeout: .now() + 20) == .success, let value = box.current else {
            throw TestFailure("no answer came within 20 s")
        }
        return value
    }
}

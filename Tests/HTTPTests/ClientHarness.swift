import Net
import Synchronization
import TestSupport
import Testing

@testable import HTTP

/// A client on a loop of its own, used from the test's thread.
final class ClientHarness: Sendable {
    typealias Answer = Result<ClientResponse, ClientError>

    let loop: EventLoop
    let client: Client
    private let thread: LoopThread

    init(
        tls: TLSContext? = nil, resolver: any NameResolver = Resolver(),
        _ change: (inout Client.Limits) -> Void = { _ in }
    ) throws {
        var limits = Client.Limits()
        change(&limits)
        loop = try EventLoop(name: "client")
        client = Client(loop: loop, resolver: resolver, tls: tls, limits: limits)
        thread = try .running(loop)
    }

    deinit {
        let (client, loop) = (client, loop)
        loop.post {
            client.close()
            loop.stop()
        }
        thread.join()
    }

    /// A request under way.
    final class Pending: Sendable {
        private let answer = Locked<Answer?>(nil)
        fileprivate let call = Locked<ClientCall?>(nil)

        fileprivate func complete(_ result: Answer) {
            answer.with { previous in
                if previous != nil { Issue.record("answered twice") }
                previous = result
            }
        }

        var isComplete: Bool { answer.current != nil }

        func wait() throws -> Answer {
            try eventually(within: 60, "the request is answered") { answer.current }
        }
    }

    func start(
        _ request: ClientRequest,
        check: @escaping @Sendable (UInt128, UInt16) -> String? = { _, _ in nil },
        report: CallReport? = nil
    ) -> Pending {
        let pending = Pending()
        let client = client
        loop.post {
            let call = client.send(request, addressCheck: check, report: report) {
                pending.complete($0)
            }
            if pending.isComplete { Issue.record("answered before send returned") }
            pending.call.with { $0 = call }
        }
        return pending
    }

    func cancel(_ pending: Pending) {
        loop.post { pending.call.current?.cancel() }
    }

    func send(
        _ request: ClientRequest,
        check: @escaping @Sendable (UInt128, UInt16) -> String? = { _, _ in nil },
        report: CallReport? = nil
    ) throws -> Answer {
        try start(request, check: check, report: report).wait()
    }

    func get(_ url: String, _ change: (inout ClientRequest.Options) -> Void = { _ in }) throws
        -> Answer
    {
        try send(Self.request("GET", url, change))
    }

    static func request(
        _ method: String, _ url: String, body: String? = nil,
        _ change: (inout ClientRequest.Options) -> Void = { _ in }
    ) throws -> ClientRequest {
        var options = ClientRequest.Options()
        change(&options)
        return try ClientRequest(
            method, URL(url), body: body.map { Array($0.utf8) }, options: options)
    }

    /// Runs `body` on the loop.
    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (Client) -> Value) throws -> Value {
        let value = Locked<Value?>(nil)
        let client = client
        loop.post {
            let result = body(client)
            value.with { $0 = result }
        }
        return try eventually("the loop runs") { value.current }
    }

    var openConnections: Int { get throws { try onLoop { $0.openConnectionCount } } }
    var idleConnections: Int { get throws { try onLoop { $0.idleConnectionCount } } }
}

/// Answers from a table; a name that isn't in it never gets an answer.
final class TableResolver: NameResolver {
    let table: [String: Result<[UInt128], ResolverError>]
    let lookUpCount = Counter()

    init(_ table: [String: Result<[UInt128], ResolverError>]) { self.table = table }

    func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void
    ) {
        lookUpCount.increment()
        guard let answer = table[host] else { return }
        loop.post { done(answer) }
    }
}

/// 127.0.0.1 and others in the form that checks see.
enum Address {
    static let loopback: UInt128 = 0xffff_7f00_0001
    static let loopback2: UInt128 = 0xffff_7f00_0002
    /// 192.0.2.1 (TEST-NET-1), which stands for a public address.
    static let `public`: UInt128 = 0xffff_c000_0201
}

extension ClientHarness.Answer {
    var body: String? { try? String(decoding: get().body, as: UTF8.self) }
    var error: ClientError? {
        if case .failure(let error) = self { return error }
        return nil
    }
}

/// Something that has happened, or not yet. (An `Atomic` can't stand in an `#expect`.)
final class Flag: Sendable {
    private let state = Atomic<Bool>(false)
    var isSet: Bool { state.load(ordering: .acquiring) }
    func set() { state.store(true, ordering: .releasing) }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

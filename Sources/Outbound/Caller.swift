internal import Domain
internal import HTTP

/// Makes the calls of deliveries, each with what proves it to be ours. Confined to the client's
/// loop.
struct Caller {
    var settings: Dispatcher.Settings
    let loop: LoopHandle
    let client: Client
    let gate: AddressGate
    let tokens: AccessTokens
    let auth: @Sendable (Delivery) throws(Unsendable) -> SendingAuth

    /// A call under way.
    enum Handle {
        case call(ClientCall)
        case authorized(AuthorizedCall)

        /// Its end is `.cancelled` then.
        func cancel() {
            switch self {
            case .call(let call): call.cancel()
            case .authorized(let call): call.cancel()
            }
        }
    }

    /// What there was to see of a call; of the last one, when it was made again.
    final class Watch {
        var headers: [(name: String, value: String)] = []
        var report: CallReport?
    }

    /// - Parameters:
    ///   - server: that of the delivery's origin; nil when it isn't known.
    ///   - isWanted: whether the receiver is still to be called, when something else was asked first.
    ///     If not, the call ends as `.cancelled`.
    ///   - done: called once, on the loop, after this has returned.
    func call(
        _ delivery: Delivery, at now: Instant, server: ClientServer? = nil, watch: Watch? = nil,
        isWanted: @escaping () -> Bool = { true }, _ done: @escaping (CallEnd) -> Void
    ) throws(Unsendable) -> Handle {
        let auth = try auth(delivery)
        switch auth {
        case .none:
            return .call(try send(delivery, at: server, [], watch) { done(CallEnd($0)) })
        case .webhook:
            let fields = auth.headers(
                id: delivery.idempotencyKey, at: now, body: delivery.request.body ?? [])
            return .call(try send(delivery, at: server, fields, watch) { done(CallEnd($0)) })
        case .oauth(let credential):
            let call = AuthorizedCall(
                credential, tokens, loop, isWanted: isWanted,
                send: { (fields, done) throws(Unsendable) in
                    try send(delivery, at: server, fields, watch, done)
                }, done: done)
            call.start()
            return .authorized(call)
        }
    }

    private func send(
        _ delivery: Delivery, at server: ClientServer?,
        _ fields: [(name: String, value: String)], _ watch: Watch?,
        _ done: @escaping (Result<ClientResponse, ClientError>) -> Void
    ) throws(Unsendable) -> ClientCall {
        let request = try OutboundCall.request(delivery, settings, fields, at: server)
        if let watch {
            watch.headers = request.headers
            watch.report = CallReport()
        }
        let proofs = Self.proofs(delivery.request.headers.map { ($0.name, $0.value) } + fields)
        return client.send(
            request, addressCheck: gate.check(for: delivery.request), report: watch?.report,
            completion: proofs.isEmpty ? done : { done($0.map { $0.blanking(proofs) }) })
    }

    /// What an answer may repeat and is not to be kept or shown. A short one could be a part of
    /// anything.
    private static func proofs(_ fields: [(name: String, value: String)]) -> [[UInt8]] {
        fields.flatMap { SecretHeader.proofs($0.name, $0.value) }
            .filter { $0.utf8.count >= proofBytesMin }
            .map { Array($0.utf8) }
    }

    private static let proofBytesMin = 8
}

public import Domain
public import HTTP
internal import Store
internal import Synchronization

/// Answers `/api/v1/…` of one server: checks the token and hands the call to `AdminAPI`.
public final class AdminHandler: Sendable {
    private let api: AdminAPI
    private let isTrusted: Bool
    private let sender: @Sendable (borrowing Request) -> IPAddress?
    private let waiting = WaitingBytes()

    /// Bytes of bodies that wait to be parsed; beyond it a call is answered 503.
    static let waitingBytesMax = 16 << 20

    /// An `Atomic` that closures can share.
    private final class WaitingBytes: Sendable {
        let count = Atomic<Int>(0)
    }

    /// - Parameters:
    ///   - isTrusted: true for the control socket, whose file only the owner can open: calls then
    ///     need no token.
    ///   - sender: whose call it is: the connection's other end, or who a trusted proxy says it is.
    public init(
        _ api: AdminAPI, isTrusted: Bool,
        sender: @escaping @Sendable (borrowing Request) -> IPAddress?
    ) {
        self.api = api
        self.isTrusted = isTrusted
        self.sender = sender
    }

    /// Answers later, from the readers' and the ledger's threads through the responder's loop.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        let call = APIRequest(
            method: String(decoding: request.methodBytes, as: UTF8.self),
            path: String(decoding: request.path, as: UTF8.self),
            query: QueryParameters(parsing: request.query), body: Array(request.body))
        let respond: @Sendable (APIResponse) -> Void = { response in
            responder.loop.post {
                responder.respond(
                    response.status, headers: response.headers + Self.headers,
                    body: response.body)
            }
        }
        let token = request.header("authorization").flatMap { Self.bearer($0) }
        let isTrusted = isTrusted
        let api = api
        guard isTrusted || token != nil else {
            return respond(Self.unauthorized(token).response)
        }
        // As of the newest commit, so a revoked one is refused at once. A flood of wrong ones keeps no
        // thread from right ones.
        if !isTrusted, let token, !api.ledger.hasToken(sha256: api.services.sha256(token)) {
            let isHeard = api.services.limiter.admits(
                sender(request), nowNanos: responder.loop.nowNanos)
            return respond((isHeard ? Self.unauthorized(token) : Self.rateLimited).response)
        }
        let size = call.body.count
        let waiting = waiting
        guard waiting.count.add(size, ordering: .relaxed).newValue <= Self.waitingBytesMax else {
            waiting.count.subtract(size, ordering: .relaxed)
            return respond(Problem(StoreError.storage("too many calls are waiting")).response)
        }
        // Bodies are parsed there: a loop has visitors waiting.
        api.quickReaders.read { _ in
        } finished: { result in
            waiting.count.subtract(size, ordering: .relaxed)
            switch result {
            case .success: api.handle(call, completion: respond)
            case .failure(let error): respond(Problem(error).response)
            }
        }
    }

    private static let headers = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
    ]

    private static func unauthorized(_ token: [UInt8]?) -> Problem {
        Problem(
            .unauthorized,
            token == nil
                ? "send \"Authorization: Bearer\" and a token that `clickrelay token create` made"
                : "the token is not known or was revoked")
    }

    private static let rateLimited = Problem(
        .rateLimited, "too many calls from this address had a token that is not known")

    /// The token of `Bearer <token>`; the scheme's name is compared without case (RFC 9110, 11.1).
    private static func bearer(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
        let scheme = Array("bearer ".utf8)
        guard value.count > scheme.count,
            zip(value, scheme).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 })
        else { return nil }
        let token = value[scheme.count...].drop { $0 == UInt8(ascii: " ") }
        return token.isEmpty ? nil : Array(token)
    }
}

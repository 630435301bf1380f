internal import Net

/// Why a request got no answer. `text` is for the operator and is kept with the attempt.
public enum ClientError: Error, Equatable, Sendable {
    /// What the request was waiting for when its time was up.
    public enum Phase: String, Equatable, Sendable {
        /// For one of the client's connections to be free.
        case connection
        case resolve
        case connect
        case handshake
        case answer
    }

    /// The name has no address; the resolver's words.
    case resolve(String)
    /// An address of the name may not be called; the address check's words.
    case refusedAddress(String)
    /// No address could be connected to; of the last one, the kernel's words and `errno`.
    case connect(String, code: Int32)
    /// The certificate or the protocol was refused, by us or by the server.
    case tls(String)
    case timeout(Phase)
    /// The connection ended before the answer did. The server may have acted on the request.
    case closed(String)
    /// What came back is not an HTTP/1 answer.
    case malformed(String)
    /// By the caller, or because the client was closed.
    case cancelled
    /// As many requests as the client's limits allow are waiting for a connection.
    case tooManyPending

    /// The call was not made because this process or machine had no descriptor or no memory for it:
    /// no other call would have been made either.
    public var isShortageOfOurs: Bool {
        switch self {
        case .connect(_, let code): NetError.isShortage(code)
        case .resolve, .refusedAddress, .tls, .timeout, .closed, .malformed, .cancelled,
            .tooManyPending:
            false
        }
    }

    public var text: String {
        switch self {
        case .resolve(let reason): "the name can't be resolved: \(reason)"
        case .refusedAddress(let reason): "the address may not be called: \(reason)"
        case .connect(let reason, _): reason
        case .tls(let reason): "TLS: \(reason)"
        case .timeout(.connection): "timed out waiting for a free connection"
        case .timeout(.resolve): "timed out resolving the name"
        case .timeout(.connect): "timed out connecting"
        case .timeout(.handshake): "timed out in the TLS handshake"
        case .timeout(.answer): "timed out waiting for the answer"
        case .closed(let reason): reason
        case .malformed(let reason): "not a valid HTTP answer: \(reason)"
        case .cancelled: "cancelled"
        case .tooManyPending: "too many requests are waiting for a connection"
        }
    }
}

internal import Crypto
public import Domain

/// How a destination's calls are proved to be ours. It's added when an attempt is made: deliveries
/// are kept and shown without it, and the newest secret counts for those that wait.
public enum SendingAuth: Sendable, Equatable {
    case none
    /// Signed by each of the secrets, so that a receiver may change over from one to the other.
    case webhook([WebhookSecret])
    /// With an access token that this gets.
    case oauth(OAuthCredential)

    /// The header fields of one attempt that don't have to be asked for.
    ///
    /// - Parameter id: the same for every attempt of a delivery.
    func headers(id: String, at now: Instant, body: [UInt8]) -> [(name: String, value: String)] {
        switch self {
        case .none, .oauth: return []
        case .webhook(let secrets):
            let seconds = String(now.micros / 1_000_000)
            let signed = Array("\(id).\(seconds).".utf8) + body
            let signatures = secrets.map {
                "v1,\(Base64.encode(HMACSHA256.code(key: $0.bytes, signed)))"
            }
            return [
                ("webhook-id", id), ("webhook-timestamp", seconds),
                ("webhook-signature", signatures.joined(separator: " ")),
            ]
        }
    }
}

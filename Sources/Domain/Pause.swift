/// Somebody's order that a destination or a host be called no more for now: what is to be told to it
/// waits.
public struct Pause: Sendable, Equatable {
    public enum Scope: Hashable, Sendable {
        /// As deliveries name it: `SOURCE/DESTINATION` or `campaign:CAMPAIGN/DESTINATION`.
        case destination(String)
        /// A host name or address with any scheme and port, or one origin: `https://host:port`.
        case host(String)

        /// One with a host or an origin as they are compared: in lower case, without the port that
        /// its scheme has anyway. Nil for what is neither.
        public init?(host text: String) {
            let lower = text.lowercased()
            guard lower.contains("://") else {
                let isBracketed = lower.hasPrefix("[") && lower.hasSuffix("]")
                let host = isBracketed ? String(lower.dropFirst().dropLast()) : lower
                // Whether it could stand in a URL, as a name or in brackets.
                let isAddress = host.contains(":") && IPAddress(host) != nil
                guard
                    (try? URLTemplate(isAddress ? "https://[\(host)]" : "https://\(host)")) != nil,
                    isAddress || !host.contains(where: { "/:?#".contains($0) })
                else { return nil }
                self = .host(host)
                return
            }
            // Why it is none is said by whoever asked.
            guard let template = try? URLTemplate(lower), template.origin == lower else {
                return nil
            }
            self = .host(Origin.normalized(lower))
        }
    }

    public let id: Int64
    public let scope: Scope
    /// For people; may be empty.
    public let reason: String
    public let pausedAt: Instant
    /// Nil while it lasts.
    public let resumedAt: Instant?

    public static let reasonMax = 500

    public init(id: Int64, scope: Scope, reason: String, pausedAt: Instant, resumedAt: Instant?) {
        self.id = id
        self.scope = scope
        self.reason = reason
        self.pausedAt = pausedAt
        self.resumedAt = resumedAt
    }
}

/// `https://host:port` as a delivery has it.
enum Origin {
    /// Without the port that its scheme has anyway.
    static func normalized(_ origin: String) -> String {
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")]
        where origin.hasPrefix(scheme) && origin.hasSuffix(port) {
            // What ends an IPv6 address is a bracket, so that these digits are a port.
            return String(origin.dropLast(port.count))
        }
        return origin
    }

    /// Without scheme, port and brackets.
    static func host(_ origin: String) -> Substring {
        var rest = origin[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            return rest[rest.index(after: rest.startIndex)..<end]
        }
        return rest.prefix { $0 != ":" }
    }
}

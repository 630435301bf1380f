/// Whose address a request has, where trusted proxies stand before us.
public struct ClientAddress: Sendable {
    private let trustedProxies: [IPNetwork]

    public init(trustedProxies: [IPNetwork]) { self.trustedProxies = trustedProxies }

    /// Whether any proxy is trusted at all: else the header need not be looked up.
    public var usesForwardedFor: Bool { !trustedProxies.isEmpty }

    /// The newest address of `X-Forwarded-For` that is no trusted proxy's, reading from the end,
    /// which the nearest proxy wrote; without a trusted peer the header counts for nothing, since
    /// anybody can send it.
    ///
    /// - Parameter forwardedFor: every field of that name in the order of the request. They are one
    ///   list: HAProxy, for one, writes a field of its own behind those that the visitor sent.
    public func client(peer: IPAddress?, forwardedFor: [UnsafeRawBufferPointer]) -> IPAddress? {
        guard let peer, isTrusted(peer) else { return peer }
        var client = peer
        for field in forwardedFor.reversed() {
            let text = String(decoding: field, as: UTF8.self)
            for item in text.split(separator: ",").reversed() {
                guard let address = Self.address(String(item).trimmed) else { return client }
                client = address
                if !isTrusted(address) { return address }
            }
        }
        return client
    }

    /// Some proxies write the port too: `203.0.113.9:51234`, `[2001:db8::1]:443`.
    private static func address(_ text: String) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        if text.hasPrefix("[") {
            let parts = text.dropFirst().split(
                separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].isEmpty || isPort(parts[1]) else { return nil }
            return IPAddress(String(parts[0]))
        }
        guard let colon = text.lastIndex(of: ":"), isPort(text[colon...]) else { return nil }
        let address = IPAddress(String(text[..<colon]))
        return address?.isIPv4 == true ? address : nil
    }

    /// `:443`.
    private static func isPort(_ text: Substring) -> Bool {
        (2...6).contains(text.utf8.count) && text.hasPrefix(":")
            && text.utf8.dropFirst().allSatisfy { ASCII.digit($0) != nil }
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }
}

/// How much of a visitor's address is kept.
public enum IPPolicy: String, CaseIterable, Sendable {
    case full
    /// The last 8 bits of an IPv4 address and the last 80 of an IPv6 address are cleared.
    case truncate
    case none

    public func apply(to address: IPAddress?) -> IPAddress? {
        guard let address else { return nil }
        switch self {
        case .full: return address
        case .none: return nil
        case .truncate:
            let cleared: UInt128 = address.isIPv4 ? 0xff : 1 << 80 - 1
            return IPAddress(bits: address.bits & ~cleared)
        }
    }
}

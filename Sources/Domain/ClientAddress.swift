/// Whose address a request has, where trusted proxies stand before us.
public struct ClientAddress: Sendable {
    private let trustedProxies: [IPNetwork]

    public init(trustedProxies: [IPNetwork]) { self.trustedProxies = trustedProxies }

    /// The newest address of `X-Forwarded-For` that is no trusted proxy's, reading from the end,
    /// which the nearest proxy wrote; without a trusted peer the header counts for nothing, since
    /// anybody can send it.
    ///
    /// - Parameters:
    ///   - fields: how many header fields the request has.
    ///   - forwardedFor: the value of the one with that number, from 0, if that is its name. All of
    ///     them are one list: HAProxy, for one, writes a field of its own behind those that the
    ///     visitor sent.
    public func client(
        peer: IPAddress?, fields: Int, forwardedFor: (Int) -> UnsafeRawBufferPointer?
    ) -> IPAddress? {
        guard let peer, isTrusted(peer) else { return peer }
        var client = peer
        for index in (0..<fields).reversed() {
            guard let field = forwardedFor(index) else { continue }
            var rest = field[...]
            while let item = Self.takeLast(from: &rest) {
                // RFC 9110 section 5.6.1.2: empty elements of a list count for nothing.
                if item.isEmpty { continue }
                guard let address = Self.address(item) else { return client }
                client = address
                if !isTrusted(address) { return address }
            }
        }
        return client
    }

    /// The last item of a list without the white space around it; nil after the first.
    private static func takeLast(
        from list: inout Slice<UnsafeRawBufferPointer>
    ) -> UnsafeRawBufferPointer? {
        guard !list.isEmpty else { return nil }
        var item = list
        if let comma = list.lastIndex(of: UInt8(ascii: ",")) {
            item = list[(comma + 1)...]
            list = list[..<comma]
        } else {
            list = list[..<list.startIndex]
        }
        while let last = item.last, isSpace(last) { item.removeLast() }
        while let first = item.first, isSpace(first) { item.removeFirst() }
        return UnsafeRawBufferPointer(rebasing: item)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Some proxies write the port too: `203.0.113.9:51234`, `[2001:db8::1]:443`.
    private static func address(_ text: UnsafeRawBufferPointer) -> IPAddress? {
        if let address = IPAddress(text: text) { return address }
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")),
                bracket + 1 == text.endIndex || isPort(text[(bracket + 1)...])
            else { return nil }
            return IPAddress(text: UnsafeRawBufferPointer(rebasing: text[1..<bracket]))
        }
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")), isPort(text[colon...]) else {
            return nil
        }
        let address = IPAddress(text: UnsafeRawBufferPointer(rebasing: text[..<colon]))
        return address?.isIPv4 == true ? address : nil
    }

    /// `:443`.
    private static func isPort(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        (2...6).contains(text.count) && text.first == UInt8(ascii: ":")
            && text.dropFirst().allSatisfy { ASCII.digit($0) != nil }
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

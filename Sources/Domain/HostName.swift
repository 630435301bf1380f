/// The name of a host as it is compared: in lower case, without a port and without the dot that may
/// end a complete name.
public struct HostName: Hashable, Sendable {
    public let text: String

    public static let rule =
        "must be a host name such as track.example.com, without a scheme or a port"

    /// DNS's bound (RFC 1035 section 2.3.4).
    static let lengthMax = 253

    /// Nil for anything but letters, digits, `-` and `_` in labels of at most 63, which an IPv4
    /// address is too, or an IPv6 address in brackets. Other alphabets are written in Punycode
    /// (`xn--…`), as browsers send them.
    public init?(_ text: String) {
        var text = text.lowercased()
        if text.hasSuffix(".") { text.removeLast() }
        guard !text.isEmpty, text.utf8.count <= Self.lengthMax else { return nil }
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), let address = IPAddress(String(text.dropFirst().dropLast())),
                !address.isIPv4
            else { return nil }
        } else {
            let labels = text.utf8.split(
                separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard
                labels.allSatisfy({ (1...63).contains($0.count) && $0.allSatisfy(Self.isLabelByte) }
                )
            else { return nil }
        }
        self.text = text
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    /// The part of a `Host` field that names the host: no port (RFC 9110 section 7.2), no dot at the
    /// end. In whatever case it was sent.
    public static func bare(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = host.count
        if host.first == UInt8(ascii: "[") {
            end = host.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? end
        } else {
            end = host.firstIndex(of: UInt8(ascii: ":")) ?? end
            if end > 0, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
        }
        return UnsafeRawBufferPointer(rebasing: host[..<end])
    }
}

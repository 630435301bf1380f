/// An IPv4 or IPv6 address as 128 bits; IPv4 is `::ffff:a.b.c.d`, so that one client has one
/// address whichever socket it came through.
public struct IPAddress: Hashable, Sendable {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    public init(ipv4: UInt32) { bits = IPAddress.ipv4Prefix | UInt128(ipv4) }

    static let ipv4Prefix: UInt128 = 0xFFFF_0000_0000

    /// Reads what `init(text:)` does.
    public init?(_ text: some StringProtocol) {
        let bytes = [UInt8](text.utf8.prefix(IPAddress.textBytesMax + 1))
        guard let address = bytes.withUnsafeBytes({ IPAddress(text: $0) }) else { return nil }
        self = address
    }

    public var isIPv4: Bool { bits >> 32 == IPAddress.ipv4Prefix >> 32 }

    /// Itself, or of IPv6 the network that a household gets: browsers change the lower half of their
    /// addresses every day (RFC 8981).
    public var household: IPAddress {
        isIPv4 ? self : IPAddress(bits: bits & ~UInt128(UInt64.max))
    }

    /// The IPv4 address, should it be one.
    public var ipv4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: bits) : nil }

    /// Dotted decimal for IPv4, RFC 5952 for IPv6.
    public var text: String {
        if let ipv4 { return IPAddress.dotted(ipv4) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        let gap = IPAddress.longestZeroRun(in: groups)
        var text = ""
        for (index, group) in groups.enumerated() {
            if gap.contains(index) {
                if index == gap.lowerBound { text += "::" }
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { text += ":" }
            text += String(group, radix: 16)
        }
        return text
    }

    static func dotted(_ ipv4: UInt32) -> String {
        "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255)"
    }

    /// RFC 5952 section 4.2: the first of the longest runs, of two groups at least.
    private static func longestZeroRun(in groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 {
                start = index + 1
            } else if index + 1 - start > max(longest.count, 1) {
                longest = start..<index + 1
            }
        }
        return longest
    }
}

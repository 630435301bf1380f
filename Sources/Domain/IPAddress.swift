/// An IPv4 or IPv6 address as 128 bits; IPv4 is `::ffff:a.b.c.d`, so that one client has one
/// address whichever socket it came through.
public struct IPAddress: Hashable, Sendable {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    public init(ipv4: UInt32) { bits = IPAddress.ipv4Prefix | UInt128(ipv4) }

    static let ipv4Prefix: UInt128 = 0xFFFF_0000_0000

    /// Reads dotted decimal (four numbers, no leading zeros: some readers take them for octal)
    /// and RFC 4291 section 2.2, with an IPv4 address at its end or not. Zone IDs, brackets,
    /// ports and space are refused.
    public init?(_ text: some StringProtocol) {
        guard var cursor = ByteCursor(text, bytesMax: 45) else { return nil }
        if cursor.bytes.contains(UInt8(ascii: ":")) {
            guard let bits = IPAddress.readIPv6(&cursor) else { return nil }
            self.init(bits: bits)
        } else {
            guard let ipv4 = IPAddress.readIPv4(&cursor) else { return nil }
            self.init(ipv4: ipv4)
        }
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

    private static func readIPv4(_ cursor: inout ByteCursor) -> UInt32? {
        var value: UInt32 = 0
        for part in 0..<4 {
            guard part == 0 || cursor.take(UInt8(ascii: ".")), let number = readOctet(&cursor)
            else { return nil }
            value = value << 8 | number
        }
        return cursor.isAtEnd ? value : nil
    }

    private static func readOctet(_ cursor: inout ByteCursor) -> UInt32? {
        guard let first = cursor.next().flatMap(ASCII.digit) else { return nil }
        var value = first
        while let digit = cursor.peek.flatMap(ASCII.digit) {
            _ = cursor.next()
            value = value * 10 + digit
            guard first != 0, value <= 255 else { return nil }
        }
        return UInt32(value)
    }

    private static func readIPv6(_ cursor: inout ByteCursor) -> UInt128? {
        var groups: [UInt16] = []
        var gap: Int?
        if cursor.take(UInt8(ascii: ":")) {
            guard cursor.take(UInt8(ascii: ":")) else { return nil }
            gap = 0
        }
        while !cursor.isAtEnd {
            guard groups.count < 8 else { return nil }
            if groups.count <= 6, let ipv4 = readTrailingIPv4(cursor) {
                groups.append(UInt16(truncatingIfNeeded: ipv4 >> 16))
                groups.append(UInt16(truncatingIfNeeded: ipv4))
                break
            }
            guard let group = readGroup(&cursor) else { return nil }
            groups.append(group)
            if cursor.isAtEnd { break }
            guard cursor.take(UInt8(ascii: ":")) else { return nil }
            if cursor.take(UInt8(ascii: ":")) {
                guard gap == nil else { return nil }
                gap = groups.count
            } else if cursor.isAtEnd {
                return nil
            }
        }
        guard gap == nil ? groups.count == 8 : groups.count < 8 else { return nil }
        groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap ?? 8)
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func readTrailingIPv4(_ cursor: ByteCursor) -> UInt32? {
        var attempt = cursor
        return readIPv4(&attempt)
    }

    private static func readGroup(_ cursor: inout ByteCursor) -> UInt16? {
        var value: UInt16 = 0
        var count = 0
        while let digit = cursor.peek.flatMap(ASCII.hexDigit) {
            _ = cursor.next()
            count += 1
            guard count <= 4 else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return count > 0 ? value : nil
    }
}

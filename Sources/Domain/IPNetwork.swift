/// A block of addresses in CIDR notation, RFC 4632 section 3.1 and RFC 4291 section 2.3.
public struct IPNetwork: Hashable, Sendable {
    /// The block's lowest address.
    public let first: IPAddress
    /// How many leading bits of the 128 are fixed; an IPv4 block's `/8` is 104 here.
    public let prefixLength: Int

    /// `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a block of one. Bits behind
    /// the prefix may be set and are dropped, as firewalls and proxies do.
    public init?(_ cidr: some StringProtocol) {
        guard cidr.utf8.count <= 49 else { return nil }
        let parts = cidr.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let addressText = parts.first, let address = IPAddress(addressText) else {
            return nil
        }
        // `::ffff:10.0.0.0/104` is IPv6 notation and counts its prefix from the first bit.
        let isDotted = !addressText.utf8.contains(UInt8(ascii: ":"))
        let lengthMax = isDotted ? 32 : 128
        guard let length = parts.count == 1 ? lengthMax : IPNetwork.length(parts[1], lengthMax)
        else { return nil }
        self.init(address, prefixLength: length + 128 - lengthMax)
    }

    /// - Parameter prefixLength: 0...128; beyond that, the nearest of these.
    init(_ address: IPAddress, prefixLength: Int) {
        self.prefixLength = min(max(prefixLength, 0), 128)
        first = IPAddress(bits: address.bits & IPNetwork.mask(self.prefixLength))
    }

    /// An IPv4 address is in IPv4 blocks only: `::/0` means every IPv6 address.
    public func contains(_ address: IPAddress) -> Bool {
        if address.isIPv4, prefixLength < 96 { return false }
        return address.bits & IPNetwork.mask(prefixLength) == first.bits
    }

    public var text: String {
        "\(first.text)/\(first.isIPv4 && prefixLength >= 96 ? prefixLength - 96 : prefixLength)"
    }

    /// Shifting by 128 gives zero: Swift's `<<` is a smart shift.
    private static func mask(_ prefixLength: Int) -> UInt128 {
        UInt128.max << UInt128(128 - prefixLength)
    }

    private static func length(_ text: some StringProtocol, _ lengthMax: Int) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ ASCII.digit($0) != nil }),
            text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0"),
            let value = Int(text), value <= lengthMax
        else { return nil }
        return value
    }
}

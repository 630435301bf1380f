/// Which addresses an outbound postback may be sent to: public unicast ones only, so that a
/// destination's URL can't make the tracker call into the network it stands in.
///
/// After the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), read
/// in 2026. What IANA marks globally reachable inside those blocks (a few anycast services) is
/// refused too: no traffic source lives there.
public enum AddressPolicy {
    /// Nil when `address` may be called; otherwise a sentence that says why not:
    /// "127.0.0.1 is a loopback address".
    ///
    /// An IPv4-mapped address is judged, and written, as its IPv4 address. A NAT64 (RFC 6052) or
    /// 6to4 (RFC 3056) address is refused when the IPv4 address inside is, for a translator on
    /// the way would take the call there.
    public static func refusal(of address: IPAddress) -> String? {
        if address.isIPv4 {
            return kind(of: address, in: ipv4Blocks).map { "\(address.text) is \($0)" }
        }
        if let kind = kind(of: address, in: ipv6Blocks) { return "\(address.text) is \(kind)" }
        for (block, shift) in embeddings where block.contains(address) {
            let inner = IPAddress(ipv4: UInt32(truncatingIfNeeded: address.bits >> shift))
            guard let kind = kind(of: inner, in: ipv4Blocks) else { return nil }
            return "\(address.text) leads to \(inner.text), \(kind)"
        }
        // RFC 4291 section 2.4 and IANA's IPv6 address space registry: unicast that routes is here.
        return globalUnicast.contains(address)
            ? nil : "\(address.text) is outside the global unicast range"
    }

    private typealias Block = (network: IPNetwork, kind: String)

    private static func kind(of address: IPAddress, in blocks: [Block]) -> String? {
        blocks.first { $0.network.contains(address) }?.kind
    }

    /// A table's text is ours; one that doesn't parse is a typing error every test would meet.
    private static func network(_ cidr: String) -> IPNetwork {
        guard let network = IPNetwork(cidr) else { preconditionFailure("no block: \(cidr)") }
        return network
    }

    private static let ipv4Blocks: [Block] = [
        (network("0.0.0.0/32"), "the unspecified address"),  // RFC 1122 section 3.2.1.3
        (network("0.0.0.0/8"), "an address of \"this network\""),  // RFC 791 section 3.2
        (network("10.0.0.0/8"), "a private address"),  // RFC 1918
        (network("100.64.0.0/10"), "a shared (carrier-grade NAT) address"),  // RFC 6598
        (network("127.0.0.0/8"), "a loopback address"),  // RFC 1122 section 3.2.1.3
        (network("169.254.0.0/16"), "a link-local address"),  // RFC 3927
        (network("172.16.0.0/12"), "a private address"),  // RFC 1918
        (network("192.0.0.0/24"), "an address reserved for protocols"),  // RFC 6890 section 2.1
        (network("192.0.2.0/24"), "an address for documentation"),  // RFC 5737
        (network("192.88.99.0/24"), "a 6to4 relay address"),  // RFC 7526
        (network("192.168.0.0/16"), "a private address"),  // RFC 1918
        (network("198.18.0.0/15"), "an address for benchmarks"),  // RFC 2544
        (network("198.51.100.0/24"), "an address for documentation"),  // RFC 5737
        (network("203.0.113.0/24"), "an address for documentation"),  // RFC 5737
        (network("224.0.0.0/4"), "a multicast address"),  // RFC 5771
        (network("255.255.255.255/32"), "the broadcast address"),  // RFC 919 section 7
        (network("240.0.0.0/4"), "a reserved address"),  // RFC 1112 section 4
    ]

    private static let ipv6Blocks: [Block] = [
        (network("::/128"), "the unspecified address"),  // RFC 4291 section 2.5.2
        (network("::1/128"), "a loopback address"),  // RFC 4291 section 2.5.3
        (network("::/96"), "an IPv4-compatible address"),  // RFC 4291 section 2.5.5.1, deprecated
        (network("::ffff:0:0:0/96"), "an IPv4-translated address"),  // RFC 2765 section 2.1
        (network("64:ff9b:1::/48"), "a local NAT64 address"),  // RFC 8215
        (network("100::/64"), "a discard-only address"),  // RFC 6666
        (network("100:0:0:1::/64"), "a dummy address"),  // RFC 9780
        (network("2001::/32"), "a Teredo address"),  // RFC 4380
        (network("2001::/23"), "an address reserved for protocols"),  // RFC 2928
        (network("2001:db8::/32"), "an address for documentation"),  // RFC 3849
        (network("3fff::/20"), "an address for documentation"),  // RFC 9637
        (network("5f00::/16"), "a segment routing address"),  // RFC 9602
        (network("fc00::/7"), "a private (unique local) address"),  // RFC 4193
        (network("fe80::/10"), "a link-local address"),  // RFC 4291 section 2.5.6
        (network("fec0::/10"), "a site-local address"),  // RFC 3879
        (network("ff00::/8"), "a multicast address"),  // RFC 4291 section 2.7
    ]

    /// Blocks with an IPv4 address inside, and how far it is from the right.
    private static let embeddings: [(block: IPNetwork, shift: UInt128)] = [
        (network("64:ff9b::/96"), 0),  // NAT64, RFC 6052 section 2.1
        (network("2002::/16"), 80),  // 6to4, RFC 3056 section 2
    ]

    private static let globalUnicast = network("2000::/3")
}

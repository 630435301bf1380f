import Domain
import Glibc
import TestSupport
import Testing

@Suite struct IPAddressTests {
    /// What the C library makes of the same text, an IPv4 address in its mapped form.
    private func systemBits(_ text: String) -> UInt128? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            return IPAddress(ipv4: UInt32(bigEndian: v4.s_addr)).bits
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return withUnsafeBytes(of: &v6) { $0.reduce(0) { $0 << 8 | UInt128($1) } }
    }

    private func systemText(_ bits: UInt128) -> String {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            for index in 0..<16 {
                bytes[index] = UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * index))
            }
        }
        var buffer = [CChar](repeating: 0, count: 64)
        inet_ntop(AF_INET6, &address, &buffer, 64)
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("1.2.3.4", "1.2.3.4"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("0:0:0:0:0:0:0:0", "::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("0001:0203:0000::00ff", "1:203::ff"), ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::ffff:102:304", "1.2.3.4"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("fe80::1:0:0:0", "fe80::1:0:0:0"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"), ("::1.2.3.4", "::102:304"),
    ]) func `an address is read and written in its one form`(text: String, canonical: String) {
        #expect(IPAddress(text)?.text == canonical)
        #expect(IPAddress(canonical) == IPAddress(text))
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "1..2.3", "01.2.3.4", "1.2.3.04",
        "1.2.3.256", "1.2.3.1000", "1.2.3.99999999999999999999", "0x1.2.3.4", "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.-4", "1.2.3.4/8", "16909060", ":", ":::", "1:::2", "::1::", "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8", ":1::2",
        "1::2:", "12345::", "g::", "fe80::1%eth0", "fe80::1%25", "[::1]", "::1.2.3", "::1.2.3.4.5",
        "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.256",
        "1:2:3:4:5:6:7:8:", "：：1",
    ]) func `what isn't an address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: 1...100) func `addresses agree with the C library`(seed: UInt64) {
        var random = SeededRandom(seed)
        let alphabet = Array("::::0012ff.9a")
        for _ in 0..<100 {
            // Many zero groups, so that runs of them meet in every way.
            let bits = (0..<8).reduce(UInt128(0)) { bits, _ in
                let group = UInt128(UInt16(truncatingIfNeeded: random.next()) >> 7)
                return bits << 16 | (Bool.random(using: &random) ? group : 0)
            }
            let address = IPAddress(bits: bits)
            #expect(IPAddress(address.text) == address)
            // The library writes the deprecated ::a.b.c.d with dots; RFC 5952 asks for none.
            if bits >> 32 != 0, !address.isIPv4 { #expect(address.text == systemText(bits)) }

            let count = Int.random(in: 0...20, using: &random)
            let text = String(
                (0..<count).map { _ in alphabet.randomElement(using: &random) ?? ":" })
            #expect(IPAddress(text)?.bits == systemBits(text), "\(text)")

            var mutated = Array(address.text)
            mutated[Int.random(in: mutated.indices, using: &random)] =
                alphabet.randomElement(using: &random) ?? ":"
            #expect(IPAddress(String(mutated))?.bits == systemBits(String(mutated)))
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"), ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"), ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "255.255.255.255", "::1"), ("::/0", "2001:db8::1", "1.2.3.4"),
        ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"), ("::1", "::1", "::2"),
        ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ("8000::/1", "ffff::", "7fff::"),
    ]) func `a network contains its addresses and not the next one`(
        cidr: String, inside: String, outside: String
    ) throws {
        let network = try #require(IPNetwork(cidr))
        #expect(try network.contains(#require(IPAddress(inside))))
        #expect(try !network.contains(#require(IPAddress(outside))))
        #expect(IPNetwork(network.text) == network)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/+8",
        "10.0.0.0/8/8", "10.0.0/8", "::/129", "::/1280", "10.0.0.0/8 ", "::/ 1", "10.0.0.0/٣",
    ]) func `what isn't a network is refused`(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
        "203.0.114.0", "223.255.255.255", "1.0.0.0", "::ffff:8.8.8.8", "2606:4700::1111",
        "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "3ffe::", "3fff:1000::",
        "2a00:1450::1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2000::",
    ]) func `a public address may be called`(text: String) throws {
        #expect(try AddressPolicy.refusal(of: #require(IPAddress(text))) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1 is a loopback address"),
        ("127.255.255.255", "127.255.255.255 is a loopback address"),
        ("0.0.0.0", "0.0.0.0 is the unspecified address"),
        ("0.255.255.255", "0.255.255.255 is an address of \"this network\""),
        ("10.0.0.0", "10.0.0.0 is a private address"),
        ("10.255.255.255", "10.255.255.255 is a private address"),
        ("172.16.0.0", "172.16.0.0 is a private address"),
        ("172.31.255.255", "172.31.255.255 is a private address"),
        ("192.168.0.0", "192.168.0.0 is a private address"),
        ("192.168.255.255", "192.168.255.255 is a private address"),
        ("169.254.169.254", "169.254.169.254 is a link-local address"),
        ("100.64.0.0", "100.64.0.0 is a shared (carrier-grade NAT) address"),
        ("100.127.255.255", "100.127.255.255 is a shared (carrier-grade NAT) address"),
        ("224.0.0.0", "224.0.0.0 is a multicast address"),
        ("239.255.255.255", "239.255.255.255 is a multicast address"),
        ("240.0.0.0", "240.0.0.0 is a reserved address"),
        ("255.255.255.254", "255.255.255.254 is a reserved address"),
        ("255.255.255.255", "255.255.255.255 is the broadcast address"),
        ("192.0.0.8", "192.0.0.8 is an address reserved for protocols"),
        ("192.0.2.255", "192.0.2.255 is an address for documentation"),
        ("198.18.0.0", "198.18.0.0 is an address for benchmarks"),
        ("198.19.255.255", "198.19.255.255 is an address for benchmarks"),
        ("198.51.100.0", "198.51.100.0 is an address for documentation"),
        ("203.0.113.255", "203.0.113.255 is an address for documentation"),
        ("::ffff:127.0.0.1", "127.0.0.1 is a loopback address"),
        ("::ffff:a00:1", "10.0.0.1 is a private address"),
        ("::", ":: is the unspecified address"), ("::1", "::1 is a loopback address"),
        ("::127.0.0.1", "::7f00:1 is an IPv4-compatible address"),
        ("::8.8.8.8", "::808:808 is an IPv4-compatible address"),
        ("::ffff:0:8.8.8.8", "::ffff:0:808:808 is an IPv4-translated address"),
        ("64:ff9b::127.0.0.1", "64:ff9b::7f00:1 leads to 127.0.0.1, a loopback address"),
        ("2002:a00:1::5", "2002:a00:1::5 leads to 10.0.0.1, a private address"),
        ("64:ff9b:1::8.8.8.8", "64:ff9b:1::808:808 is a local NAT64 address"),
        ("64:ff9b:1:ffff::", "64:ff9b:1:ffff:: is a local NAT64 address"),
        ("64:ff9b:2::", "64:ff9b:2:: is outside the global unicast range"),
        ("100::", "100:: is a discard-only address"),
        ("2001::1", "2001::1 is a Teredo address"),
        ("2001:0:ffff::", "2001:0:ffff:: is a Teredo address"),
        ("2001:1ff::", "2001:1ff:: is an address reserved for protocols"),
        ("2001:db8::1", "2001:db8::1 is an address for documentation"),
        ("3fff:fff::", "3fff:fff:: is an address for documentation"),
        ("fc00::", "fc00:: is a private (unique local) address"),
        ("fdff::1", "fdff::1 is a private (unique local) address"),
        ("fe80::", "fe80:: is a link-local address"),
        ("febf::1", "febf::1 is a link-local address"),
        ("fec0::", "fec0:: is a site-local address"), ("ff00::", "ff00:: is a multicast address"),
        ("ff02::1", "ff02::1 is a multicast address"),
        ("1fff::", "1fff:: is outside the global unicast range"),
        ("4000::", "4000:: is outside the global unicast range"),
    ]) func `any other address is refused with its kind`(text: String, refusal: String) throws {
        #expect(try AddressPolicy.refusal(of: #require(IPAddress(text))) == refusal)
    }
}

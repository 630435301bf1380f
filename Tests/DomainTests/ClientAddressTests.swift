import Domain
import Testing

@Suite struct ClientAddressTests {
    /// - Parameter header: a line for each field.
    private func client(peer: String, _ header: String?, trusted: [String]) -> String? {
        let address = ClientAddress(trustedProxies: trusted.compactMap { IPNetwork($0) })
        return Array((header ?? "").utf8).withUnsafeBytes { bytes in
            let fields = bytes.split(separator: 10).map { UnsafeRawBufferPointer(rebasing: $0) }
            return address.client(peer: IPAddress(peer), fields: fields.count) { fields[$0] }?.text
        }
    }

    @Test(
        arguments: [
            ("203.0.113.9", nil, [], "203.0.113.9"),
            // Anybody can send the header: without a trusted peer it counts for nothing.
            ("203.0.113.9", "198.51.100.1", ["10.0.0.0/8"], "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4, 198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, 10.0.0.7", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.7", ["10.0.0.0/8"], "10.0.0.7"),
            ("10.0.0.1", "garbage", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, garbage, 10.0.0.9", ["10.0.0.0/8"], "10.0.0.9"),
            ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
            // The visitor's own field, then the proxy's.
            ("10.0.0.1", "1.2.3.4\n198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4, 198.51.100.1\n10.0.0.7", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "2001:db8::1", ["10.0.0.0/8"], "2001:db8::1"),
            // White space and empty elements count for nothing.
            ("10.0.0.1", ", 198.51.100.1\t ,, ,", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1\n , ", ["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1\u{a0}", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "198.51 100.1", ["10.0.0.0/8"], "10.0.0.1"),
            // With the port, as some proxies write.
            ("10.0.0.1", "203.0.113.9:51234", ["10.0.0.0/8"], "203.0.113.9"),
            ("10.0.0.1", "[2001:db8::1]:443, 10.0.0.7:80", ["10.0.0.0/8"], "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]", ["10.0.0.0/8"], "2001:db8::1"),
            ("10.0.0.1", "203.0.113.9:", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "203.0.113.9:http", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1]443", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "[", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "[]", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", ":80", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1]:", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "203.0.113.9:512345", ["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", "2001:db8::1:443", ["10.0.0.0/8"], "2001:db8::1:443"),
        ] as [(String, String?, [String], String)])
    func `the nearest address that is no trusted proxy is the client's`(
        peer: String, header: String?, trusted: [String], expected: String
    ) {
        #expect(client(peer: peer, header, trusted: trusted) == expected)
    }

    @Test func `the policy decides how much of an address is kept`() {
        let four = IPAddress("203.0.113.9")
        let six = IPAddress("2001:db8:1:2:3:4:5:6")
        #expect(IPPolicy.full.apply(to: four) == four)
        #expect(IPPolicy.none.apply(to: four) == nil)
        #expect(IPPolicy.truncate.apply(to: four)?.text == "203.0.113.0")
        #expect(IPPolicy.truncate.apply(to: six)?.text == "2001:db8:1::")
        #expect(IPPolicy.truncate.apply(to: nil) == nil)
    }
}

import Testing

@testable import Net

@Suite struct SocketAddressTests {
    @Test(arguments: [
        "127.0.0.1:8080", "0.0.0.0:0", "[::1]:443", "[2001:db8::1]:65535", "unix:/run/a.sock",
    ])
    func `an address is written as it is read`(text: String) throws {
        let address = try #require(SocketAddress.parse(text))
        #expect(address.text == text)
        let again = address.withSockaddr { pointer, length in
            SocketAddress(sockaddr: UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        }
        #expect(again == address)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:+80", "127.0.0.1:65536", "127.0.0.1:080000",
        "localhost:80", "::1:80", "[::1]", "[::1:80", "[]:80", "unix:", "127.0.0.1:-1",
        "127.0.0.1: 80", "256.0.0.1:80",
    ])
    func `anything else is refused`(text: String) {
        #expect(SocketAddress.parse(text) == nil)
    }

    @Test func `an IPv4 address has its mapped IPv6 form`() {
        let address = SocketAddress.parse("203.0.113.9:1")
        #expect(address?.ipBytes == 0xffff_cb00_7109)
        #expect(address?.isIPv4 == true)
        #expect(SocketAddress.parse("[::ffff:203.0.113.9]:1") == address)
    }

    @Test(arguments: [(107, true), (108, false)])
    func `a unix path is bounded by the kernel's structure`(length: Int, fits: Bool) {
        let path = "/" + String(repeating: "a", count: length - 1)
        #expect((SocketAddress(path: path) != nil) == fits)
    }
}

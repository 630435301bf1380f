import Glibc
import HTTP
import Net
import TestSupport
import Testing

/// Which addresses may be called, and that no other one is.
@Suite struct ClientAddressTests {
    private func echo() throws -> ClientTestPeer {
        try ClientTestPeer { connection in
            while try connection.readHead() != nil { try connection.answer("here") }
        }
    }

    /// As the address policy does it, for two addresses.
    @Sendable private static func onlyPublic(_ address: UInt128, _ port: UInt16) -> String? {
        address == Address.public ? nil : "\(SocketAddress.text(ip: address)) is private"
    }

    private func harness(_ addresses: [UInt128]) throws -> (ClientHarness, TableResolver) {
        let resolver = TableResolver(["name.test": .success(addresses)])
        return (try ClientHarness(resolver: resolver), resolver)
    }

    @Test(arguments: [
        [Address.loopback], [Address.public, Address.loopback], [Address.loopback, Address.public],
    ])
    func `one address that may not be called refuses the name`(addresses: [UInt128]) throws {
        let peer = try echo()
        let (harness, _) = try harness(addresses)
        let request = try ClientHarness.request("GET", "http://name.test:\(peer.port)")
        #expect(
            try harness.send(request, check: Self.onlyPublic).error
                == .refusedAddress("127.0.0.1 is private"))
        #expect(peer.accepted == 0)
        #expect(try harness.openConnections == 0)
    }

    @Test(arguments: ["http://127.0.0.1", "http://[::ffff:127.0.0.1]", "http://127.1"])
    func `an address in the URL is checked like a name's`(url: String) throws {
        let peer = try echo()
        let harness = try ClientHarness()
        let request = try ClientHarness.request("GET", "\(url):\(peer.port)")
        #expect(
            try harness.send(request, check: Self.onlyPublic).error
                == .refusedAddress("127.0.0.1 is private"))
        #expect(try harness.send(request).body == "here")
        #expect(peer.accepted == 1)
    }

    @Test func `the check sees every address and the port`() throws {
        let (harness, _) = try harness([Address.public, Address.loopback2])
        let seen = Locked<[String]>([])
        let request = try ClientHarness.request("GET", "http://name.test:81")
        let answer = try harness.send(request) { address, port in
            seen.with { $0.append("\(SocketAddress.text(ip: address)) \(port)") }
            return address == Address.loopback2 ? "no" : nil
        }
        #expect(answer.error == .refusedAddress("no"))
        #expect(seen.current == ["192.0.2.1 81", "127.0.0.2 81"])
    }

    @Test func `a connection made under another check is not lent to who may not have it`() throws {
        let peer = try echo()
        let (harness, resolver) = try harness([Address.loopback, Address.loopback2])
        let request = try ClientHarness.request("GET", "http://name.test:\(peer.port)")
        #expect(try harness.send(request).body == "here")
        #expect(try harness.send(request).body == "here")
        #expect(peer.accepted == 1)
        #expect(resolver.lookUpCount.value == 1)
        // It goes to an address that this one allows, but its name had one that it does not.
        let answer = try harness.send(request) { address, _ in
            address == Address.loopback2 ? "not that one" : nil
        }
        #expect(answer.error == .refusedAddress("not that one"))
        #expect(try harness.send(request).body == "here")
        #expect(peer.accepted == 1)
    }

    @Test func `the next address is tried when one refuses`() throws {
        let peer = try echo()
        // Nobody listens on this port of 127.0.0.2.
        let (harness, _) = try harness([Address.loopback2, Address.loopback])
        let request = try ClientHarness.request("GET", "http://name.test:\(peer.port)")
        let answer = try harness.send(request)
        #expect(answer.body == "here")
        #expect(try answer.get().remoteAddress == "127.0.0.1:\(peer.port)")
    }

    @Test func `each new connection resolves its name again`() throws {
        let peer = try echo()
        let (harness, resolver) = try harness([Address.loopback])
        let request = try ClientHarness.request("GET", "http://name.test:\(peer.port)") {
            $0.usesOwnConnection = true
        }
        for _ in 0..<3 { #expect(try harness.send(request).body == "here") }
        #expect(resolver.lookUpCount.value == 3)
    }

    @Test func `a name without address and a resolver without answer are told apart`() throws {
        let resolver = TableResolver([
            "none.test": .failure(ResolverError("Name or service not known")),
            "empty.test": .success([]),
            "short.test": .failure(
                ResolverError("failure", shortage: NetError("socket", code: EMFILE))),
        ])
        let harness = try ClientHarness(resolver: resolver)
        #expect(
            try harness.get("http://short.test").error
                == .connect("socket: Too many open files", code: EMFILE))
        #expect(
            try harness.get("http://none.test").error == .resolve("Name or service not known"))
        #expect(try harness.get("http://empty.test").error == .resolve("no address"))
        #expect(
            try harness.get("http://silent.test") { $0.connectTimeoutMilliseconds = 20 }.error
                == .timeout(.resolve))
        #expect(
            try harness.get("http://silent.test") { $0.timeoutMilliseconds = 20 }.error
                == .timeout(.resolve))
        #expect(try harness.openConnections == 0)
    }
}

import HTTP
import Net
import TestSupport
import Testing

/// TLS over real sockets; certificates in all variations are in Net's own tests.
@Suite struct ClientTLSTests {
    private func peer(
        _ pair: KeyPath<TestCertificates, TestCertificates.Pair> = \.good,
        _ script: @escaping @Sendable (ClientTestPeer.Connection) throws -> Void = { connection in
            while try connection.readHead() != nil { try connection.answer("\(connection.number)") }
        }
    ) throws -> ClientTestPeer {
        let pair = try TestCertificates.shared.get()[keyPath: pair]
        let context = try TLSContext.server(
            certificateFile: pair.certificateFile, keyFile: pair.keyFile)
        return try ClientTestPeer(tls: context, script)
    }

    private func harness() throws -> ClientHarness {
        let authority = try TestCertificates.shared.get().authorityFile
        return try ClientHarness(tls: .client(trust: .systemAnd(file: authority)))
    }

    @Test(arguments: ["127.0.0.1", "name"])
    func `a certificate of a given authority is accepted and its connection kept`(host: String)
        throws
    {
        let authority = try TestCertificates.shared.get().authorityFile
        let harness = try ClientHarness(
            tls: .client(trust: .only(file: authority)),
            resolver: TableResolver(["localhost": .success([Address.loopback])]))
        let peer = try peer()
        let url = "https://\(host == "name" ? "localhost" : host):\(peer.port)/"
        for count in 1...3 {
            let answer = try harness.get(url)
            #expect(answer.body == "1")
            #expect(try answer.get().usedKeptConnection == (count > 1))
        }
        #expect(try harness.openConnections == 1)
    }

    @Test func `a certificate for another name is refused`() throws {
        let peer = try peer(\.wrongName)
        let harness = try harness()
        #expect(
            try harness.get("https://127.0.0.1:\(peer.port)/").error == .tls("IP address mismatch"))
        #expect(try harness.openConnections == 0)
        // The server hears why.
        try eventually("the server notices") { peer.failures.contains { $0.contains("alert") } }
    }

    @Test func `an expired certificate is refused`() throws {
        let peer = try peer(\.expired)
        #expect(
            try harness().get("https://127.0.0.1:\(peer.port)/").error
                == .tls("certificate has expired"))
    }

    @Test func `an unknown authority is refused`() throws {
        let peer = try peer()
        let harness = try ClientHarness(tls: .client())
        #expect(
            try harness.get("https://127.0.0.1:\(peer.port)/").error
                == .tls("unable to get local issuer certificate"))
    }

    @Test func `a server that speaks plain HTTP is named as such`() throws {
        let peer = try ClientTestPeer { connection in
            try connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            try connection.waitForClose()
        }
        let error = try harness().get("https://127.0.0.1:\(peer.port)/").error
        #expect(error?.text.contains("doesn't speak TLS on this port") == true)
    }

    @Test func `a server that closes in the handshake is named`() throws {
        let peer = try ClientTestPeer { _ in }
        guard case .tls(let reason) = try harness().get("https://127.0.0.1:\(peer.port)/").error
        else {
            Issue.record("no TLS error")
            return
        }
        #expect(reason.hasSuffix("during the handshake"))
    }

    @Test func `a server that never shakes hands runs into the connect time-out`() throws {
        let peer = try ClientTestPeer { try $0.waitForClose() }
        let harness = try harness()
        let answer = try harness.get("https://127.0.0.1:\(peer.port)/") {
            $0.connectTimeoutMilliseconds = 1000
        }
        #expect(answer.error == .timeout(.handshake))
        try eventually("the connection is closed") { peer.open == 0 }
    }

    @Test func `without TLS set up a request for it fails`() throws {
        let peer = try ClientTestPeer { try $0.waitForClose() }
        let harness = try ClientHarness()
        #expect(
            try harness.get("https://127.0.0.1:\(peer.port)/").error == .tls("not set up"))
    }

    @Test func `large bodies pass both ways`() throws {
        let body = String(repeating: "0123456789", count: 100_000)
        let peer = try peer { connection in
            _ = try connection.readHead()
            try connection.answer(try connection.readBody(1_000_000))
            try connection.waitForClose()
        }
        let harness = try harness()
        let request = try ClientHarness.request(
            "POST", "https://127.0.0.1:\(peer.port)/", body: body
        ) {
            $0.bodyReadMax = 2_000_000
            $0.bodyKeptMax = 2_000_000
        }
        #expect(try harness.send(request).body == body)
        #expect(try harness.idleConnections == 1)
    }

    @Test func `an end without goodbye leaves a body without length in doubt`() throws {
        let peer = try peer { connection in
            _ = try connection.readHead()
            let isPolite = connection.number == 1
            try connection.send("HTTP/1.1 200 OK\r\n\r\nhello")
            if !isPolite { connection.closeAbruptly() }
        }
        let harness = try harness()
        let url = "https://127.0.0.1:\(peer.port)/"
        let polite = try harness.get(url).get()
        #expect(polite.body == Array("hello".utf8))
        #expect(!polite.isTruncated)
        let abrupt = try harness.get(url).get()
        #expect(abrupt.body == Array("hello".utf8))
        #expect(abrupt.isTruncated)
    }

    @Test func `bytes behind an answer are nobody's answer, in a record of their own too`() throws {
        let peer = try peer { connection in
            _ = try connection.readHead()
            try connection.sendRecordsTogether([
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
            ])
            try connection.waitForClose()
        }
        let harness = try harness()
        let url = "https://127.0.0.1:\(peer.port)/"
        #expect(try harness.get(url).body == "a")
        #expect(try harness.get(url).body == "a")
        #expect(peer.accepted == 2)
    }

    @Test func `a kept connection that the server closed is replaced`() throws {
        let peer = try peer { connection in
            _ = try connection.readHead()
            try connection.answer("\(connection.number)")
        }
        let harness = try harness()
        let url = "https://127.0.0.1:\(peer.port)/"
        #expect(try harness.get(url).body == "1")
        #expect(try harness.get(url).body == "2")
    }
}

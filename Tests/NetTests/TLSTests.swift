import TestSupport
import Testing

@testable import Net

/// The engine, both ends in one test and no socket between them.
@Suite struct TLSTests {
    /// Moves bytes between two sessions until neither has any left.
    private struct Wire {
        let client: TLSSession
        let server: TLSSession

        /// Both handshakes, as far as they go.
        func shakeHands() throws {
            for _ in 0..<10 {
                let isClientDone = try client.handshake()
                try carry(from: client, to: server)
                let isServerDone = try server.handshake()
                try carry(from: server, to: client)
                if isClientDone, isServerDone { return }
            }
            throw TestFailure("ten round trips and no end")
        }

        func carry(from sender: TLSSession, to receiver: TLSSession) throws {
            var bytes: [UInt8] = []
            sender.drain(into: &bytes)
            bytes.withUnsafeBytes { receiver.feed($0) }
        }

        func clientReads() throws -> [UInt8] {
            try carry(from: server, to: client)
            return try Wire.readAll(client)
        }

        func serverReads() throws -> [UInt8] {
            try carry(from: client, to: server)
            return try Wire.readAll(server)
        }

        static func readAll(_ session: TLSSession) throws -> [UInt8] {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1000)
            while case .bytes(let count) = try buffer.withUnsafeMutableBytes({
                try session.read(into: $0)
            }) {
                text += buffer[..<count]
            }
            return text
        }
    }

    private func wire(
        _ pair: (TestCertificates) -> TestCertificates.Pair, client: TLSContext? = nil,
        name: String = "localhost"
    ) throws -> Wire {
        let certificates = try TestCertificates.shared.get()
        let pair = pair(certificates)
        let server = try TLSContext.server(
            certificateFile: pair.certificateFile, keyFile: pair.keyFile)
        let client = try client ?? .client(trust: .only(file: certificates.authorityFile))
        return Wire(
            client: try client.connect(serverName: name, port: 443), server: try server.accept())
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `text arrives as sent under a certificate for the name`(name: String) throws {
        let wire = try wire(\.good, name: name)
        try wire.shakeHands()
        #expect(!wire.client.isResumed)
        let text = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try wire.client.write(text)
        #expect(try wire.serverReads() == text)
        try wire.server.write(text)
        #expect(try wire.clientReads() == text)
    }

    @Test func `the end of sending is told apart from silence`() throws {
        let wire = try wire(\.good)
        try wire.shakeHands()
        var buffer = [UInt8](repeating: 0, count: 10)
        func read() throws -> TLSSession.ReadResult {
            try buffer.withUnsafeMutableBytes { try wire.client.read(into: $0) }
        }
        #expect(try read() == .needsInput)
        wire.server.close()
        try wire.carry(from: wire.server, to: wire.client)
        #expect(try read() == .closed)
    }

    @Test(arguments: [
        ("elsewhere.example", "hostname mismatch"), ("127.0.0.2", "IP address mismatch"),
    ])
    func `a certificate for another name is refused`(name: String, reason: String) throws {
        let wire = try wire(\.good, name: name)
        #expect(throws: TLSError(reason)) { try wire.shakeHands() }
    }

    @Test func `an expired certificate is refused`() throws {
        let wire = try wire(\.expired)
        #expect(throws: TLSError("certificate has expired")) { try wire.shakeHands() }
    }

    @Test func `an observed session tells what certificate it was shown, refused or not`() throws {
        let certificates = try TestCertificates.shared.get()
        let trust = TLSContext.Trust.only(file: certificates.authorityFile)
        for (pair, isGood) in [(certificates.good, true), (certificates.expired, false)] {
            let server = try TLSContext.server(
                certificateFile: pair.certificateFile, keyFile: pair.keyFile)
            let wire = Wire(
                client: try TLSContext.client(trust: trust).connect(
                    serverName: "localhost", port: 443, isObserved: true),
                server: try server.accept())
            do {
                try wire.shakeHands()
                #expect(isGood && wire.client.version == "TLSv1.3")
                #expect(wire.client.cipher?.hasPrefix("TLS_") == true)
            } catch let error as TLSError {
                #expect(!isGood && error == TLSError("certificate has expired"))
            }
            let shown = try #require(wire.client.peerCertificate)
            #expect(shown.names == ["DNS:localhost", "IP Address:127.0.0.1"])
            #expect(shown.subject == "CN=\(isGood ? "good" : "expired")")
            #expect(shown.issuer == "CN=Clickrelay test authority ca")
            #expect(shown.validity == server.certificateValidities[0] && shown.validity != nil)
        }
        let wire = try wire(\.good)
        try wire.shakeHands()
        #expect(wire.client.peerCertificate == nil)
    }

    @Test func `an observed session resumes nothing and leaves nothing to resume`() throws {
        let certificates = try TestCertificates.shared.get()
        let client = try TLSContext.client(trust: .only(file: certificates.authorityFile))
        let server = try TLSContext.server(
            certificateFile: certificates.good.certificateFile,
            keyFile: certificates.good.keyFile)
        for isObserved in [true, false, true] {
            let wire = Wire(
                client: try client.connect(
                    serverName: "localhost", port: 443, isObserved: isObserved),
                server: try server.accept())
            try wire.shakeHands()
            try wire.server.write([1])
            #expect(try wire.clientReads() == [1])
            #expect(!wire.client.isResumed)
        }
    }

    @Test func `an authority that is not trusted is refused`() throws {
        let wire = try wire(\.good, client: .client())
        #expect(throws: TLSError("unable to get local issuer certificate")) {
            try wire.shakeHands()
        }
    }

    @Test func `a server that speaks plain text is named as such`() throws {
        let wire = try wire(\.good)
        #expect(try !wire.client.handshake())
        "HTTP/1.1 400 Bad Request\r\n\r\n".utf8CString.withUnsafeBytes {
            wire.client.feed($0)
        }
        let error = #expect(throws: TLSError.self) { try wire.client.handshake() }
        #expect(error?.text.hasPrefix("the server doesn't speak TLS on this port") == true)
    }

    @Test func `a second connection resumes the first one's session, another name's does not`()
        throws
    {
        let certificates = try TestCertificates.shared.get()
        let client = try TLSContext.client(trust: .only(file: certificates.authorityFile))
        let server = try TLSContext.server(
            certificateFile: certificates.good.certificateFile,
            keyFile: certificates.good.keyFile)
        func connect(_ name: String) throws -> Bool {
            let wire = Wire(
                client: try client.connect(serverName: name, port: 443),
                server: try server.accept())
            try wire.shakeHands()
            try wire.server.write([1])
            #expect(try wire.clientReads() == [1])
            return wire.client.isResumed
        }
        #expect(try !connect("localhost"))
        #expect(try connect("localhost"))
        #expect(try connect("localhost"))
        #expect(try !connect("127.0.0.1"))
    }

    @Test func `bytes changed on the way end the connection`() throws {
        let wire = try wire(\.good)
        try wire.shakeHands()
        #expect(try wire.clientReads() == [])
        try wire.server.write(Array("secret".utf8))
        var bytes: [UInt8] = []
        wire.server.drain(into: &bytes)
        bytes[bytes.count - 1] ^= 1
        bytes.withUnsafeBytes { wire.client.feed($0) }
        #expect(throws: TLSError.self) { try Wire.readAll(wire.client) }
    }

    @Test func `files that are no certificates are named`() throws {
        let certificates = try TestCertificates.shared.get()
        let error = #expect(throws: TLSError.self) {
            try TLSContext.client(trust: .only(file: "/nowhere/ca.pem"))
        }
        #expect(error?.text.hasPrefix("/nowhere/ca.pem: ") == true)
        #expect(throws: TLSError.self) {
            try TLSContext.server(
                certificateFile: certificates.good.certificateFile,
                keyFile: certificates.expired.keyFile)
        }
        #expect(throws: TLSError.self) {
            try TLSContext.client(trust: .only(file: certificates.good.keyFile))
        }
    }

    @Test func `a name that can't be verified is no name`() throws {
        let client = try TLSContext.client()
        #expect(throws: TLSError.self) { try client.connect(serverName: "", port: 443) }
        #expect(throws: TLSError.self) {
            try client.connect(serverName: "good\0.evil", port: 443)
        }
    }

    // MARK: Several certificates

    private func several(_ pairs: [TestCertificates.Pair]) throws -> TLSContext {
        try .server(pairs.map { .init(certificateFile: $0.certificateFile, keyFile: $0.keyFile) })
    }

    /// The subject that a client is shown who asks for `name`.
    private func subject(_ server: TLSContext, _ name: String) throws -> String? {
        let authority = try TestCertificates.shared.get().authorityFile
        let client = try TLSContext.client(trust: .only(file: authority))
            .connect(serverName: name, port: 443, isObserved: true)
        let wire = Wire(client: client, server: try server.accept())
        // What is refused is not what's asked here.
        _ = try? wire.shakeHands()
        return client.peerCertificate?.subject
    }

    @Test func `who asks for a name is shown the certificate that names it, else the first`() throws
    {
        let certificates = try TestCertificates.shared.get()
        let server = try several([
            certificates.good,
            certificates.make("wild", for: ["*.example.test", "both.test"]),
            certificates.make("exact", for: ["a.example.test", "Upper.test", "both.test"]),
            certificates.make("other", for: ["other.test", "*.other.test"]),
        ])
        for (name, shown) in [
            ("localhost", "good"), ("127.0.0.1", "good"), ("nobody.test", "good"),
            ("a.example.test", "exact"), ("A.EXAMPLE.test", "exact"), ("b.example.test", "wild"),
            ("a.b.example.test", "good"), ("example.test", "good"), ("upper.test", "exact"),
            ("both.test", "wild"), ("other.test", "other"), ("x.other.test", "other"),
            ("test", "good"), (String(repeating: "a.", count: 120) + "test", "good"),
        ] {
            #expect(try subject(server, name) == "CN=\(shown)", "\(name)")
        }
        #expect(server.certificateValidities.count == 4)
        #expect(server.certificateValidities.allSatisfy { $0 != nil })
    }

    @Test func `a connection to one of several names goes on and is resumed`() throws {
        let certificates = try TestCertificates.shared.get()
        let server = try several([
            certificates.good, certificates.make("resumed", for: ["resumed.test"]),
        ])
        let context = try TLSContext.client(trust: .only(file: certificates.authorityFile))
        for isResumed in [false, true] {
            let wire = Wire(
                client: try context.connect(serverName: "resumed.test", port: 443),
                server: try server.accept())
            try wire.shakeHands()
            #expect(wire.client.isResumed == isResumed)
            try wire.server.write(Array("text".utf8))
            #expect(try wire.clientReads() == Array("text".utf8))
        }
    }
}

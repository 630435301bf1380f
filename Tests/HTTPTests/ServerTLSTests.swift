import Glibc
import Net
import TestSupport
import Testing

@testable import HTTP

/// Everything else that a server does is tested without TLS; here is what TLS could break of it.
@Suite struct ServerTLSTests {
    static func context(_ pair: KeyPath<TestCertificates, TestCertificates.Pair> = \.good) throws
        -> TLSContext
    {
        let pair = try TestCertificates.shared.get()[keyPath: pair]
        return try .server(certificateFile: pair.certificateFile, keyFile: pair.keyFile)
    }

    private func serve(_ change: (inout ServerLimits) -> Void = { _ in }) throws -> TestServer {
        try TestServer(change, tls: Self.context())
    }

    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    // MARK: Requests

    @Test func `a request in one segment with the handshake's last message is answered`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port)
        try client.shakeHands(first: "GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receiveText().contains("path=/first"))
        #expect(try client.get("/second").contains("path=/second"))
    }

    @Test func `handshake and request come byte by byte`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port)
        try client.shakeHands(first: Self.get, pieceBytes: 1)
        #expect(try client.receiveText().contains("path=/"))
        try client.sendRecords([Self.get], pieceBytes: 1)
        #expect(try client.receiveText().contains("path=/"))
    }

    @Test func `a request in records of one byte is put together`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        let request =
            "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        try client.sendRecords(request.map { String($0) })
        #expect(try client.receiveText().hasSuffix("body=abcde"))
        #expect(try client.get("/next").contains("path=/next"))
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `pipelined requests are answered in order`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        // More than are let wait for answers, in one record and in many.
        let requests = (0..<100).map { "GET /hold\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }
        try client.send(requests[..<50].joined())
        try client.sendRecords(Array(requests[50...]))
        for index in 0..<100 {
            try server.answer("/hold\(index)", "answer \(index)")
            #expect(try client.receiveText() == "answer \(index)")
        }
    }

    @Test(arguments: [16_383, 16_384, 16_385, 1_000_000])
    func `a large body arrives as sent and goes back`(count: Int) throws {
        // Made before: a connection that says nothing for ten seconds is closed.
        let body = String((0..<count).map { _ in "abcdefghij".randomElement() ?? "a" })
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n\(body)")
        #expect(try client.receiveText().hasSuffix("body=" + body))
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `a large answer reaches a client that reads slowly`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port, receiveBufferBytes: 4096).shakeHands()
        try client.send("GET /big/20000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try eventually("handled") { !server.handler.handled.current.isEmpty }
        let answer = try client.receive()
        #expect(answer.body.count == 20_000_000)
        #expect(answer.body.allSatisfy { $0 == 120 })
        // The goodbye went with the last record.
        #expect(try client.receiveToEnd() == [])
        #expect(client.wasToldGoodbye)
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `many clients are served at once`() throws {
        let server = try serve()
        let (port, context) = (server.port, try TLSTestClient.trusting())
        try concurrently(8) { number in
            for round in 0..<5 {
                let client = try TLSTestClient(port: port, context).shakeHands()
                for index in 0..<10 {
                    let path = "/\(number)/\(round)/\(index)"
                    #expect(try client.get(path).contains("path=\(path)\n"))
                }
            }
        }
    }

    @Test func `our own client is served on one connection`() throws {
        let server = try serve()
        let authority = try TestCertificates.shared.get().authorityFile
        let harness = try ClientHarness(tls: .client(trust: .only(file: authority)))
        for _ in 0..<3 {
            #expect(try harness.get("https://127.0.0.1:\(server.port)/x").get().status == 200)
        }
        #expect(try harness.openConnections == 1)
    }

    @Test func `a later connection resumes the session`() throws {
        let server = try serve()
        let context = try TLSTestClient.trusting()
        let first = try TLSTestClient(port: server.port, context).shakeHands()
        #expect(try !first.get("/").isEmpty && !first.isResumed)
        let second = try TLSTestClient(port: server.port, context).shakeHands()
        #expect(try !second.get("/").isEmpty && second.isResumed)
    }

    // MARK: Ends

    @Test func `a refused request is answered, and the goodbye follows`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands(first: "nonsense\r\n\r\n")
        #expect(try client.receive().head.hasPrefix("HTTP/1.1 400 "))
        #expect(try client.receiveToEnd() == [])
        #expect(client.wasToldGoodbye)
    }

    @Test(arguments: [true, false])
    func `a client that has said goodbye gets the answers it is owed`(isPolite: Bool) throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        try client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        if isPolite { try client.sayGoodbye() }
        client.finishSending()
        try server.answer("/hold", "at last")
        #expect(try client.receiveText() == "at last")
        #expect(try client.receiveToEnd() == [])
        #expect(client.wasToldGoodbye)
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `a goodbye in one segment with a request is heard after it`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        try client.send(Self.get)
        try client.sayGoodbye()
        #expect(try client.receiveText().contains("path=/"))
        #expect(try client.receiveToEnd() == [])
        // The socket is still open on the client's side.
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `an idle connection is told goodbye`() throws {
        let server = try serve { $0.idleMilliseconds = 1500 }
        let client = try TLSTestClient(port: server.port).shakeHands()
        #expect(try !client.get("/").isEmpty)
        #expect(try client.receiveToEnd() == [])
        #expect(client.wasToldGoodbye)
    }

    @Test func `a broken record ends the connection`() throws {
        let server = try serve()
        let client = try TLSTestClient(port: server.port).shakeHands()
        #expect(try !client.get("/").isEmpty)
        // A record of application data, of the right form and without sense.
        try client.sendAll([23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32))
        #expect(throws: TLSError.self) { try client.receiveToEnd() }
        client.finishSending()
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `a client that does not read is closed, and its memory given back`() throws {
        let server = try serve { $0.writeMilliseconds = 150 }
        let client = try TLSTestClient(port: server.port, receiveBufferBytes: 4096).shakeHands()
        try client.send("GET /big/20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try eventually("handled") { !server.handler.handled.current.isEmpty }
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
        withExtendedLifetime(client) {}
    }

    @Test func `draining finishes what is in flight`() throws {
        let server = try serve()
        let idle = try TLSTestClient(port: server.port).shakeHands()
        #expect(try !idle.get("/").isEmpty)
        let busy = try TLSTestClient(port: server.port).shakeHands()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        // In the middle of their handshakes.
        let late = try TLSTestClient(port: server.port)
        let silent = try TLSTestClient(port: server.port)
        for client in [late, silent] { try client.sendAll(Array(client.nextFlight().prefix(10))) }
        try eventually("accepted") { try server.onLoop { $0.openConnections } == 4 }

        let isDone = Locked(false)
        server.server.drain(deadlineMilliseconds: 10_000) { isDone.with { $0 = true } }
        #expect(try idle.receiveToEnd() == [] && idle.wasToldGoodbye)
        silent.finishSending()
        try server.answer("/hold", "finished")
        let last = try busy.receive()
        #expect(last.head.contains("Connection: close") && last.body == Array("finished".utf8))
        #expect(try busy.receiveToEnd() == [] && busy.wasToldGoodbye)
        #expect(!isDone.current)
        late.finishSending()
        try eventually("drained") { isDone.current }
    }

    @Test func `draining doesn't wait for a client that has not said a word`() throws {
        let server = try serve {
            $0.headMilliseconds = 600_000
            $0.idleMilliseconds = 600_000
        }
        let silent = try TLSTestClient(port: server.port)
        try eventually("accepted") { try server.onLoop { $0.openConnections } == 1 }
        let isDone = Locked(false)
        server.server.drain(deadlineMilliseconds: 600_000) { isDone.with { $0 = true } }
        try eventually("drained") { isDone.current }
        #expect(try receiveRaw(silent) == [])
    }

    @Test func `a handshake that ends while draining may bring one request`() throws {
        let server = try serve()
        let clients = try (0..<2).map { _ in try TLSTestClient(port: server.port) }
        var rests: [[UInt8]] = []
        for client in clients {
            let hello = try client.nextFlight()
            try client.sendAll(Array(hello.prefix(10)))
            rests.append(Array(hello.dropFirst(10)))
        }
        try eventually("accepted") { try server.onLoop { $0.openConnections } == 2 }
        let isDone = Locked(false)
        server.server.drain(deadlineMilliseconds: 600_000) { isDone.with { $0 = true } }
        _ = try server.onLoop { $0.openConnections }
        for (client, rest) in zip(clients, rests) { try client.sendAll(rest) }
        try clients[0].shakeHands(first: Self.get)
        #expect(try clients[0].receive().head.contains("Connection: close"))
        #expect(try clients[0].receiveToEnd() == [])
        // Without a request it is idle, and closed as such.
        try clients[1].shakeHands()
        #expect(try clients[1].receiveToEnd() == [] && clients[1].wasToldGoodbye)
        try eventually("drained") { isDone.current }
    }

    // MARK: Handshakes that come to nothing

    @Test(arguments: [1, 5, 100])
    func `a handshake that stops is closed at the head's deadline, without a word`(count: Int)
        throws
    {
        let server = try serve { $0.headMilliseconds = 500 }
        let client = try TLSTestClient(port: server.port)
        let hello = try client.nextFlight()
        let start = monotonicNanos()
        try client.sendAll(Array(hello.prefix(count)))
        #expect(try receiveRaw(client) == [])
        #expect(monotonicNanos() - start >= 490_000_000)
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `a client that never begins is closed as any idle one`() throws {
        let server = try serve { $0.idleMilliseconds = 150 }
        let client = try TLSTestClient(port: server.port)
        #expect(try receiveRaw(client) == [])
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `a handshake that drips is closed by the time of its start`() throws {
        let server = try serve { $0.headMilliseconds = 200 }
        let client = try TLSTestClient(port: server.port)
        let hello = try client.nextFlight()
        #expect(throws: TestFailure.self) {
            for byte in hello.dropLast() {
                try client.sendAll([byte])
                usleep(50_000)
            }
        }
    }

    @Test func `plain HTTP is told to use https`() throws {
        let server = try serve()
        let connection = try server.connect()
        let answer = try connection.request("GET", "/")
        #expect(answer.status == 400 && answer.text.contains("https://"))
        #expect(try connection.receiveToEnd() == [])
        #expect(server.handler.handled.current.isEmpty)
    }

    @Test(arguments: [[0, 1, 2], [22, 3], [128, 46, 1, 3, 1], Array("\r\n".utf8)] as [[UInt8]])
    func `bytes that are neither close the connection`(bytes: [UInt8]) throws {
        let server = try serve { $0.headMilliseconds = 200 }
        let connection = try server.connect()
        try connection.send(bytes)
        #expect(try connection.receiveToEnd() == [])
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `nonsense in a record is answered by an alert and no more`() throws {
        let server = try serve()
        let connection = try server.connect()
        try connection.send([22, 3, 1, 0, 8] + [UInt8](repeating: 9, count: 8))
        let answer = try connection.receiveToEnd()
        // One record of type alert, level fatal.
        #expect(answer.count == 7 && answer.first == 21 && answer[5] == 2)
        connection.finishSending()
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `a handshake that goes on for ever is cut`() throws {
        let server = try serve {
            $0.headMilliseconds = 600_000
            $0.idleMilliseconds = 600_000
        }
        let client = try TLSTestClient(port: server.port)
        // A client hello of 120,000 bytes, which OpenSSL would wait for: its last one isn't sent.
        var hello: [UInt8] = [1, 1, 0xd4, 0xc0]
        hello += [UInt8](repeating: 3, count: 119_999)
        for start in stride(from: 0, to: hello.count, by: 4000) {
            let piece = hello[start..<min(start + 4000, hello.count)]
            let length = UInt16(piece.count)
            // Fails once the connection is cut, unless the kernel takes it all before that.
            try? client.sendAll([22, 3, 1, UInt8(length >> 8), UInt8(length & 255)] + piece)
        }
        _ = try receiveRaw(client)
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    // MARK: Certificates

    @Test func `a new certificate is for new connections`() throws {
        let server = try serve()
        let kept = try TLSTestClient(port: server.port).shakeHands()
        #expect(try kept.get("/1").contains("path=/1"))
        let isReplaced = Locked(false)
        server.server.replaceTLS(try Self.context(\.wrongName)) { isReplaced.with { $0 = true } }
        try eventually("replaced") { isReplaced.current }
        #expect(throws: TLSError("hostname mismatch")) {
            try TLSTestClient(port: server.port).shakeHands()
        }
        #expect(try kept.get("/2").contains("path=/2"))
    }

    /// What comes below TLS until the end; a reset is an end.
    private func receiveRaw(_ client: TLSTestClient) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            switch buffer.withUnsafeMutableBytes({ Net.Socket.read(client.descriptor, into: $0) }) {
            case .bytes(let count): all += buffer[..<count]
            case .wouldBlock: throw TestFailure("nothing came")
            case .end, .failed: return all
            }
        }
    }
}

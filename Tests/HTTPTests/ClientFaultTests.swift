import Glibc
import HTTP
import Net
import TestSupport
import Testing

/// Servers that misbehave.
@Suite struct ClientFaultTests {
    /// Reads one request and runs `script`.
    private func peer(_ script: @escaping @Sendable (ClientTestPeer.Connection) throws -> Void)
        throws -> ClientTestPeer
    {
        try ClientTestPeer { connection in
            _ = try connection.readHead()
            try script(connection)
        }
    }

    private func url(_ peer: ClientTestPeer) -> String { "http://127.0.0.1:\(peer.port)/" }

    @Test func `a refused connection is named`() throws {
        let harness = try ClientHarness()
        // Port 1 of loopback: nobody but root could listen there.
        #expect(
            try harness.get("http://127.0.0.1:1/").error
                == .connect("connect 127.0.0.1:1: Connection refused", code: ECONNREFUSED))
        #expect(try harness.openConnections == 0)
    }

    @Test func `a server that never accepts runs into the connect time-out`() throws {
        // A backlog of 0 holds one connection; the next one's SYN is left unanswered.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var loopback = sockaddr_in()
        loopback.sin_family = sa_family_t(AF_INET)
        loopback.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let bound = withUnsafePointer(to: &loopback) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(bound == 0 && listen(listener, 0) == 0)
        let port = try #require(Socket.localAddress(listener)?.port)
        let harness = try ClientHarness()
        let url = "http://127.0.0.1:\(port)/"
        let errors = try (0..<4).map { _ in
            harness.start(
                try ClientHarness.request("GET", url) {
                    $0.connectTimeoutMilliseconds = 50
                    $0.timeoutMilliseconds = 100
                })
        }.map { try $0.wait().error }
        #expect(errors.contains(.timeout(.connect)))
        #expect(errors.allSatisfy { $0 == .timeout(.connect) || $0 == .timeout(.answer) })
        #expect(try harness.openConnections == 0)
    }

    @Test func `a server that accepts and never answers runs into the time-out`() throws {
        let peer = try peer { try $0.waitForClose() }
        let harness = try ClientHarness()
        #expect(
            try harness.get(url(peer)) { $0.timeoutMilliseconds = 1000 }.error == .timeout(.answer))
        try eventually("the connection is closed") { peer.open == 0 }
    }

    @Test func `a call whose time was over before its connection was ready is not made`() throws {
        let heard = Flag()
        let peer = try peer { connection in
            if try connection.readHead() != nil { heard.set() }
        }
        let harness = try ClientHarness()
        let request = try ClientHarness.request("GET", url(peer)) { $0.timeoutMilliseconds = 30 }
        let answer = Locked<ClientHarness.Answer?>(nil)
        let client = harness.client
        harness.loop.post {
            client.send(request) { result in answer.with { $0 = result } }
            // As when the machine sleeps: the connection is made, and nobody looks.
            usleep(60_000)
        }
        try eventually("the call ends") { answer.current != nil }
        #expect(answer.current?.error == .timeout(.connect))
        try eventually("the connection is closed") { peer.accepted == 1 && peer.open == 0 }
        #expect(!heard.isSet)
    }

    @Test func `a byte now and then does not extend the time`() throws {
        let peer = try peer { connection in
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n".utf8 {
                try connection.sendAll([byte])
                usleep(100_000)
            }
        }
        let harness = try ClientHarness()
        let start = Clock.monotonicNanos()
        #expect(
            try harness.get(url(peer)) { $0.timeoutMilliseconds = 1000 }.error == .timeout(.answer))
        #expect(Clock.monotonicNanos() - start < 20_000_000_000)
    }

    @Test func `an answer that comes byte by byte in time is an answer`() throws {
        let peer = try peer { connection in
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8 {
                try connection.sendAll([byte])
                usleep(500)
            }
        }
        #expect(try ClientHarness().get(url(peer)).body == "ok")
    }

    @Test func `a reset in the middle of an answer is named`() throws {
        let isRead = Flag()
        let peer = try peer { connection in
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            // A reset overtakes what was sent before it unless the client has read that.
            try eventually("the client has read it") { isRead.isSet }
            connection.reset()
        }
        let harness = try ClientHarness()
        let pending = harness.start(try ClientHarness.request("GET", url(peer)))
        try eventually("the request is there") { peer.accepted == 1 }
        usleep(20_000)
        isRead.set()
        let error = try pending.wait().error
        #expect(error?.text.contains("Connection reset by peer") == true)
        #expect(
            error?.text.hasSuffix("the answer") == true
                || error?.text.hasSuffix("an answer") == true)
    }

    @Test func `an end in the middle of an answer is named`() throws {
        let peer = try peer { try $0.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") }
        #expect(
            try ClientHarness().get(url(peer)).error
                == .closed("the server closed the connection in the middle of the answer"))
    }

    @Test func `an HTTP 1_0 answer ends with its connection`() throws {
        let peer = try peer { try $0.send("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello") }
        let harness = try ClientHarness()
        let answer = try harness.get(url(peer)).get()
        #expect(answer.body == Array("hello".utf8))
        #expect(!answer.isTruncated)
        #expect(try harness.openConnections == 0)
    }

    @Test func `garbage is called garbage at once`() throws {
        let peer = try peer { connection in
            try connection.send("SSH-2.0-OpenSSH_9.2p1 Debian\r\n")
            try connection.waitForClose()
        }
        let harness = try ClientHarness()
        #expect(
            try harness.get(url(peer)).error
                == .malformed("it begins with \"SSH-2.0-OpenSSH_9.2p1 Debian..\""))
        try eventually("the connection is closed") { peer.open == 0 }
    }

    @Test(arguments: [false, true])
    func `of 10 MB no more is read than asked for`(isChunked: Bool) throws {
        let peer = try peer { connection in
            let block = String(repeating: "x", count: 100_000)
            try connection.send(
                "HTTP/1.1 200 OK\r\n"
                    + (isChunked
                        ? "Transfer-Encoding: chunked\r\n\r\n989680\r\n"
                        : "Content-Length: 10000000\r\n\r\n"))
            for _ in 0..<100 { try connection.send(block) }
        }
        let harness = try ClientHarness()
        let answer = try harness.get(url(peer)) { $0.bodyKeptMax = 2048 }.get()
        #expect(answer.isTruncated)
        #expect(answer.bodyBytesRead == 65536)
        #expect(answer.body == Array(repeating: UInt8(ascii: "x"), count: 2048))
        try eventually("the connection is closed") { peer.open == 0 }
        #expect(try harness.openConnections == 0)
        #expect(!peer.failures.isEmpty, "the server could not send it all")
    }

    @Test func `10 MB are read when asked for`() throws {
        let peer = try peer { connection in
            let block = String(repeating: "x", count: 100_000)
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
            for _ in 0..<100 { try connection.send(block) }
            try connection.waitForClose()
        }
        let harness = try ClientHarness()
        let answer = try harness.get(url(peer)) {
            $0.bodyReadMax = 10_000_000
            $0.bodyKeptMax = 10_000_000
        }.get()
        #expect(answer.body.count == 10_000_000)
        #expect(!answer.isTruncated)
        #expect(try harness.idleConnections == 1)
    }

    @Test func `an answer before the whole request was taken counts`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            usleep(20_000)
        }
        let harness = try ClientHarness()
        let body = String(repeating: "x", count: 8_000_000)
        let answer = try harness.send(ClientHarness.request("POST", url(peer), body: body))
        #expect(try answer.get().status == 413)
        #expect(try harness.openConnections == 0)
    }

    @Test func `a large request arrives whole`() throws {
        let body = String((0..<3_000_000).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
        let isSame = Flag()
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            if try connection.readBody(body.utf8.count) == body { isSame.set() }
            try connection.answer("ok")
        }
        let harness = try ClientHarness()
        let request = try ClientHarness.request("POST", url(peer), body: body)
        #expect(try harness.send(request).body == "ok")
        #expect(isSame.isSet)
    }

    @Test func `bytes behind an answer are nobody's answer`() throws {
        let peer = try peer { connection in
            try connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")
            try connection.waitForClose()
        }
        let harness = try ClientHarness()
        for count in 1...2 {
            #expect(try harness.get(url(peer)).body == "a")
            #expect(peer.accepted == count)
        }
    }

    @Test func `bytes on an idle connection close it`() throws {
        let isIdle = Flag()
        let peer = try peer { connection in
            try connection.answer("a")
            try eventually("it idles") { isIdle.isSet }
            try connection.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            try connection.waitForClose()
        }
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "a")
        #expect(try harness.idleConnections == 1)
        isIdle.set()
        try eventually("it is closed") { peer.open == 0 }
        #expect(try harness.openConnections == 0)
        #expect(try harness.idleConnections == 0)
    }

    @Test func `no descriptor is left behind by thousands of failures`() throws {
        let harness = try ClientHarness { $0.waitingMax = 5000 }
        let closing = try peer { _ in }
        let before = openDescriptors()
        let requests = try [
            ClientHarness.request("GET", "http://127.0.0.1:1/"),
            ClientHarness.request("GET", url(closing)),
        ]
        for request in requests {
            let pending = (0..<1500).map { _ in harness.start(request) }
            for waiting in pending { #expect(try waiting.wait().error != nil) }
        }
        #expect(try harness.openConnections == 0)
        // Other tests run at the same time and have theirs, but not a thousand.
        #expect(openDescriptors() < before + 1000)
    }

    private func openDescriptors() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}

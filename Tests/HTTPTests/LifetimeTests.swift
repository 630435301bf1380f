import Foundation
import Glibc
@testable import Net
import TestSupport
import Testing

@testable import HTTP

@Suite struct DeadlineTests {
    @Test func `a head that drips is refused by the time of its first byte`() throws {
        let server = try TestServer { $0.headMilliseconds = 1000 }
        let connection = try server.connect()
        let start = monotonicNanos()
        let drip = Locked(false)
        try concurrently(2) { index in
            if index == 0 {
                try connection.send("GET / HTTP/1.1\r\n")
                while !drip.current {
                    try connection.send("X: 1\r\n")
                    usleep(20_000)
                }
            } else {
                defer { drip.with { $0 = true } }
                #expect(try connection.receive().status == 408)
            }
        }
        #expect(monotonicNanos() - start >= 1_000_000_000)
    }

    @Test func `a head that comes in time is answered`() throws {
        let server = try TestServer { $0.headMilliseconds = 10_000 }
        let connection = try server.connect()
        for piece in ["GET / HT", "TP/1.1\r\nHo", "st: a\r\n", "\r\n"] {
            try connection.send(piece)
            usleep(20_000)
        }
        #expect(try connection.receive().status == 200)
    }

    @Test func `an idle connection is closed without a word`() throws {
        let server = try TestServer { $0.idleMilliseconds = 1000 }
        let fresh = try server.connect()
        let used = try server.connect()
        // Before it is idle: the answer may be read long after it was sent.
        let start = monotonicNanos()
        #expect(try used.request("GET", "/").status == 200)
        #expect(try used.receiveToEnd() == [])
        #expect(monotonicNanos() - start >= 990_000_000)
        #expect(try fresh.receiveToEnd() == [])
    }

    @Test func `a connection that stays silent is closed when a head would be late`() throws {
        let server = try TestServer { $0.headMilliseconds = 1000 }
        let silent = try server.connect()
        let used = try server.connect()
        #expect(try used.request("GET", "/").status == 200)
        #expect(try silent.receiveToEnd() == [])
        #expect(try used.request("GET", "/").status == 200)
    }

    @Test func `a request that waits for our answer is not idle`() throws {
        let server = try TestServer {
            $0.idleMilliseconds = 1000
            $0.headMilliseconds = 1000
        }
        let connection = try server.connect()
        try connection.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(1_500_000)
        try server.answer("/hold", "at last")
        #expect(try connection.receive().text == "at last")
    }

    @Test func `time in which reading paused is not counted against the client`() throws {
        let server = try TestServer {
            $0.headMilliseconds = 4000
            $0.pipelinedMax = 32
        }
        let connection = try server.connect()
        let requests = (0..<32).map { "GET /hold\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        try connection.send(requests + "GET /last HT")
        _ = try eventually("held") { server.handler.held.current["/hold31"] }
        usleep(4_200_000)
        for index in 0..<32 { try server.answer("/hold\(index)", "\(index)") }
        for index in 0..<32 { #expect(try connection.receive().text == "\(index)") }
        // Long enough for a sweep to find a deadline that was not moved.
        usleep(700_000)
        try connection.send("TP/1.1\r\nHost: a\r\n\r\n")
        #expect(try connection.receive().status == 200)
    }

    @Test func `a body that is too slow is refused`() throws {
        let server = try TestServer {
            $0.bodyMilliseconds = 100
            $0.bodyBytesPerSecondMin = 1000
        }
        let connection = try server.connect()
        let start = monotonicNanos()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
        // 200 bytes buy 200 ms; at once, since time runs from the head on.
        try connection.send(Array(head.utf8) + [UInt8](repeating: 98, count: 200))
        #expect(try connection.receive().status == 408)
        #expect(monotonicNanos() - start >= 290_000_000)
    }

    @Test func `a body at the least rate is waited for`() throws {
        let server = try TestServer {
            $0.bodyMilliseconds = 1000
            $0.bodyBytesPerSecondMin = 1
        }
        let connection = try server.connect()
        try connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nab")
        for _ in 0..<5 {
            usleep(300_000)
            try connection.send("ab")
        }
        #expect(try connection.receive().text.hasSuffix("body=abababababab"))
    }

    @Test func `a body that came but for its end saves up no more time than an idle client has`()
        throws
    {
        let server = try TestServer {
            $0.bodyMilliseconds = 100
            $0.idleMilliseconds = 1500
            $0.bodyBytesPerSecondMin = 1
        }
        let connection = try server.connect()
        let start = monotonicNanos()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
        // 99 bytes would buy 99 s.
        try connection.send(Array(head.utf8) + [UInt8](repeating: 98, count: 99))
        #expect(try connection.receive().status == 408)
        #expect(monotonicNanos() - start >= 1_490_000_000)
    }

    @Test func `a client that does not read its answer is closed`() throws {
        let server = try TestServer { $0.writeMilliseconds = 150 }
        let connection = try server.connect()
        try connection.send("GET /big/20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try eventually("handled") { server.handler.handled.current.count == 1 }
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `a client that leaves a small answer with the kernel is closed`() throws {
        // Idle it might be for half a minute.
        let server = try TestServer { $0.writeMilliseconds = 200 }
        let connection = try HTTPConnection(port: server.port, receiveBufferBytes: 2048)
        try connection.send("GET /big/10000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try eventually("handled") { server.handler.handled.current.count == 1 }
        try eventually("given to the kernel") { try server.onLoop { $0.bufferedBytes } == 0 }
        try eventually(within: 10, "closed") { try server.onLoop { $0.openConnections } == 0 }
        // What was left is gone, and the client knows.
        #expect(throws: TestFailure.self) { try connection.receive(count: 10_000) }
    }

    @Test func `a small answer that is taken slowly arrives`() throws {
        let server = try TestServer {
            $0.writeMilliseconds = 3000
            $0.idleMilliseconds = 1500
        }
        let connection = try HTTPConnection(port: server.port, receiveBufferBytes: 2048)
        try connection.send("GET /big/10000 HTTP/1.1\r\nHost: a\r\n\r\n")
        // For longer than a second look takes to come.
        for _ in 0..<20 {
            usleep(200_000)
            #expect(try connection.receive(count: 500).count == 500)
        }
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `an answer that is taken late brings no earlier look at an idle client`() throws {
        let server = try SteppedServer {
            $0.idleMilliseconds = 60_000
            $0.writeMilliseconds = 40
        }
        try server.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let connections = server.server.connections
        let slot = try #require(connections.indices.first { connections[$0] != nil })
        let first = connections.deadline(of: slot)
        // The kernel has nothing left to send: the client may be idle for its minute.
        try eventually("looked at") {
            server.turn()
            return connections.deadline(of: slot) > first &+ 50_000_000_000
        }
        let last = connections.deadline(of: slot)
        // Reading makes the socket writable, which is told.
        #expect(!server.receive().isEmpty)
        server.turn()
        #expect(connections.deadline(of: slot) == last)
    }

    @Test func `what the kernel holds for a client that does not read goes with it`() throws {
        let server = try TestServer { $0.writeMilliseconds = 150 }
        let connection = try server.connect()
        // It's read whole: nothing unread would reset the connection anyway.
        try connection.send("GET /big/20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try eventually("handled") { server.handler.handled.current.count == 1 }
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        // Of the server's end; listening is 0A.
        let digits = String(server.port, radix: 16, uppercase: true)
        let end = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        let sockets = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
        var left: [Substring] = []
        for line in sockets.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 3, fields[1].hasSuffix(end), fields[3] != "0A" { left.append(line) }
        }
        #expect(left.isEmpty, "\(left)")
        withExtendedLifetime(connection) {}
    }

    @Test func `thousands that are late together leave turns to others`() throws {
        let loop = try EventLoop(name: "late")
        var limits = ServerLimits()
        limits.headMilliseconds = 200
        limits.lingerMilliseconds = 60_000
        let server = Server(loop: loop, limits: limits) { _ in ScriptedHandler() }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        var clients: [Int32] = []
        defer { for client in clients { close(client) } }
        for _ in 0..<100 {
            var ends: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
            clients.append(ends[0])
            server.accepted(ends[1], from: nil)
            try #require(send(ends[0], "GET ", 4, 0) == 4)
        }
        loop.turn(timeout: 0)
        usleep(250_000)
        var byte: UInt8 = 0
        func refused() -> Int {
            clients.count { recv($0, &byte, 1, Int32(MSG_PEEK)) == 1 }
        }
        while refused() == 0 {
            usleep(10_000)
            loop.turn(timeout: 0)
        }
        #expect(refused() <= 12)
        for _ in 0..<30 { loop.turn(timeout: 0) }
        #expect(refused() == 100)
    }

    @Test func `a refused client that stays is left after the lingering time`() throws {
        let server = try TestServer { $0.lingerMilliseconds = 100 }
        let connection = try server.connect()
        try connection.send("nonsense\r\n\r\n")
        #expect(try connection.receive().status == 400)
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        withExtendedLifetime(connection) {}
    }
}

@Suite struct ConnectionTests {
    @Test func `an idle connection holds no buffer`() throws {
        let server = try TestServer()
        let connections = try (0..<20).map { _ in try server.connect() }
        for connection in connections {
            #expect(try connection.request("POST", "/", body: [1, 2, 3]).status == 200)
        }
        #expect(try server.onLoop { $0.openConnections } == 20)
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `at the cap the longest idle connection makes room`() throws {
        let server = try TestServer { $0.connectionsMax = 3 }
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let older = try server.connect()
        #expect(try older.request("GET", "/").status == 200)
        let newer = try server.connect()
        #expect(try newer.request("GET", "/").status == 200)
        // `older` is used again, so `newer` is idle for longer.
        usleep(5000)
        #expect(try older.request("GET", "/").status == 200)
        let fourth = try server.connect()
        #expect(try fourth.request("GET", "/").status == 200)
        #expect(try newer.receiveToEnd() == [])
        #expect(try older.request("GET", "/").status == 200)
        try server.answer("/hold", "kept")
        #expect(try busy.receive().text == "kept")
        #expect(try server.onLoop { $0.openConnections } == 3)
    }

    @Test func `at the cap an incomplete request makes room when nobody is idle`() throws {
        let server = try TestServer { $0.connectionsMax = 2 }
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let partial = try server.connect()
        try partial.send("GET / HT")
        try eventually("read") { try server.onLoop { $0.bufferedBytes } > 0 }
        for _ in 0..<100 { #expect(try server.connect().request("GET", "/").status == 200) }
        #expect(try partial.receiveToEnd() == [])
        try server.answer("/hold", "kept")
        #expect(try busy.receive().text == "kept")
    }

    @Test func `at the cap a client that does not take its answer makes room`() throws {
        let server = try TestServer {
            $0.connectionsMax = 2
            $0.stuckMilliseconds = 50
            $0.writeMilliseconds = 600_000
        }
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let stuck = try server.connect()
        try stuck.send("GET /big/20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        try eventually("handled") { server.handler.handled.current.count == 2 }
        // Closed while the other one has its time.
        let next = try eventually("there is room") { () -> HTTPConnection? in
            let connection = try server.connect()
            // What is closed under the request fails it.
            return (try? connection.request("GET", "/").status) == 200 ? connection : nil
        }
        #expect(try server.onLoop { $0.openConnections } == 2)
        #expect(try next.request("GET", "/").status == 200)
        try server.answer("/hold", "kept")
        #expect(try busy.receive().text == "kept")
        withExtendedLifetime(stuck) {}
    }

    @Test func `without memory for another request the largest unfinished one gives way`() throws {
        // Requests may take 200,001 bytes of it.
        let server = try TestServer { $0.bufferedBytesMax = 266_667 }
        func begin(_ count: Int, of total: Int) throws -> HTTPConnection {
            let connection = try server.connect()
            let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n"
            // At once: a second read would look for room once more.
            try connection.send(Array(head.utf8) + Array(repeating: 98, count: count))
            return connection
        }
        func inUse() throws -> Int { try server.onLoop { $0.bufferedBytes } }
        let sizes = [60_000, 61_000, 59_000]
        var large: [HTTPConnection] = []
        for (index, size) in sizes.enumerated() {
            large.append(try begin(size, of: size + 1))
            try eventually("kept") { try inUse() == (index + 1) * 65_536 }
        }
        let small = try begin(1, of: 2)
        try eventually("kept") { try inUse() == 3 * 65_536 + 4096 }
        let next = try begin(1, of: 2)
        #expect(try large[1].receive().status == 503)
        for connection in [small, next, large[0], large[2]] {
            try connection.send("b")
            #expect(try connection.receive().status == 200)
        }
        try eventually("given back") { try inUse() == 0 }
    }

    @Test func `a large request's memory is not kept by the first byte of the next`() throws {
        let server = try SteppedServer()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
        try server.send(Array(head.utf8) + Array(repeating: 98, count: 60_000) + [71])
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect((1...4096).contains(server.server.bufferedBytes))
        try server.send("ET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(server.server.bufferedBytes == 0)
    }

    @Test func `at the cap those that come are read before they make room for others`() throws {
        let server = try SteppedServer { $0.connectionsMax = 71 }
        var ends: [Int32] = []
        defer { for end in ends { close(end) } }
        func connect(_ text: String) throws {
            let end = try server.accept()
            ends.append(end)
            #expect(Glibc.send(end, text, text.utf8.count, 0) == text.utf8.count)
        }
        for _ in 0..<70 { try connect("GET / HT") }
        server.turn()
        // More than are looked for at once, and all before the first of them is read.
        for _ in 0..<66 { try connect("GET /new HTTP/1.1\r\nHost: a\r\n\r\n") }
        server.turn()
        #expect(server.handler.handled.current.count == 66)
    }

    private static let shortage = NetError("accept", code: EMFILE)

    /// The times after which it may be closed, and whether it is.
    private static let fresh: [(piece: String, silent: Int, begun: Int, isClosed: Bool)] = [
        ("", 600_000, 0, false), ("", 0, 600_000, true),
        ("GET / HT", 0, 600_000, false), ("GET / HT", 600_000, 0, true),
    ]

    @Test(arguments: fresh)
    func `without descriptors one that just came keeps its own`(
        piece: String, silent: Int, begun: Int, isClosed: Bool
    ) throws {
        let server = try SteppedServer {
            $0.silentMilliseconds = silent
            $0.begunMilliseconds = begun
        }
        try server.send(piece.utf8)
        #expect(server.server.exhausted(Self.shortage) == isClosed)
        server.turn()
        #expect(server.server.openConnections == (isClosed ? 0 : 1))
    }

    @Test func `without descriptors one that says nothing goes before one that has begun`() throws {
        let server = try SteppedServer {
            $0.silentMilliseconds = 0
            $0.begunMilliseconds = 600_000
        }
        try server.send("GET / HT".utf8)
        let silent = try server.accept()
        defer { close(silent) }
        server.turn()
        #expect(server.server.exhausted(Self.shortage))
        #expect(!server.server.exhausted(Self.shortage))
        server.turn()
        var byte: UInt8 = 0
        #expect(recv(silent, &byte, 1, 0) == 0)
        try server.send("TP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func `without descriptors another server closes one for each that waits`() throws {
        let short = try SteppedServer(isConnected: false)
        let others = try (0..<2).map { _ in try SteppedServer() }
        for other in others {
            try other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        }
        let all = [short] + others
        Server.shareDescriptors(all.map(\.server))
        for server in all { server.turn() }
        func open() -> [Int] { others.map(\.server.openConnections) }
        #expect(open() == [1, 1])
        #expect(!short.server.exhausted(Self.shortage))
        for server in all { server.turn() }
        #expect(open().reduce(0, +) == 1)
        #expect(!short.server.exhausted(Self.shortage))
        for server in all { server.turn() }
        #expect(open() == [0, 0])
    }

    @Test func `at the cap with every connection busy the new one is closed`() throws {
        let server = try TestServer { $0.connectionsMax = 2 }
        let busy = try (0..<2).map { index in
            let connection = try server.connect()
            try connection.send("GET /hold\(index) HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try eventually("held") { server.handler.held.current["/hold\(index)"] }
            return connection
        }
        let third = try server.connect()
        #expect(try third.receiveToEnd() == [])
        for index in 0..<2 {
            try server.answer("/hold\(index)", "kept")
            #expect(try busy[index].receive().text == "kept")
        }
    }

    @Test func `at the cap a refused client that stays makes room first`() throws {
        let server = try TestServer {
            $0.connectionsMax = 3
            $0.lingerMilliseconds = 600_000
        }
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let idle = try server.connect()
        #expect(try idle.request("GET", "/").status == 200)
        let refused = try (0..<5).map { _ in
            let connection = try server.connect()
            try connection.send("nonsense\r\n\r\n")
            #expect(try connection.receive().status == 400)
            return connection
        }
        let next = try server.connect()
        #expect(try next.request("GET", "/").status == 200)
        #expect(try idle.request("GET", "/").status == 200)
        try server.answer("/hold", "kept")
        #expect(try busy.receive().text == "kept")
        withExtendedLifetime(refused) {}
    }

    @Test func `draining finishes what is in flight and closes the idle at once`() throws {
        let server = try TestServer()
        let idle = try server.connect()
        #expect(try idle.request("GET", "/").status == 200)
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let partial = try server.connect()
        try partial.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        try eventually("read") { try server.onLoop { $0.bufferedBytes } > 0 }

        let isDone = Locked(false)
        server.server.drain(deadlineMilliseconds: 600_000) { isDone.with { $0 = true } }
        #expect(try idle.receiveToEnd() == [])
        #expect(throws: (any Error).self) { try server.connect().request("GET", "/") }
        try partial.send("cd")
        let response = try partial.receive()
        #expect(response.text.hasSuffix("body=abcd"))
        #expect(response.fields["connection"] == "close")
        #expect(!isDone.current)
        try server.answer("/hold", "finished")
        let last = try busy.receive()
        #expect(last.text == "finished")
        #expect(last.fields["connection"] == "close")
        #expect(try busy.receiveToEnd() == [])
        try eventually("drained") { isDone.current }
        #expect(try server.onLoop { $0.openConnections } == 0)
    }

    @Test func `draining with a deadline closes what is left`() throws {
        let server = try TestServer()
        let busy = try server.connect()
        try busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        let isDone = Locked(false)
        server.server.drain(deadlineMilliseconds: 100) { isDone.with { $0 = true } }
        try eventually("drained") { isDone.current }
        #expect(try busy.receiveToEnd() == [])
        // Its answer comes too late, and harms nobody.
        try server.answer("/hold", "late")
        #expect(try server.onLoop { $0.openConnections } == 0)
    }

    @Test func `answers come back from another thread`() throws {
        let server = try TestServer()
        let responders = server.handler.held
        try concurrently(4) { client in
            let connection = try server.connect()
            for index in 0..<50 {
                let path = "/hold/\(client)/\(index)"
                try connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let responder = try eventually("held") { responders.current[path] }
                responder.loop.post { responder.respond(200, headers: [], body: Array(path.utf8)) }
                #expect(try connection.receive().text == path)
            }
        }
    }
}

@Suite struct ListenTests {
    @Test func `a unix socket is private and replaces a stale file`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("control.sock")
        do {
            let server = try TestServer(address: "unix:\(path)")
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(status.st_mode & S_IFMT == S_IFSOCK)
            // Somebody listens: not stale.
            #expect(throws: NetError.self) { try TestServer(address: "unix:\(path)") }
            withExtendedLifetime(server) {}
        }
        // A file of another kind is never removed.
        let file = try directory.write("precious", to: "file")
        #expect(throws: NetError.self) { try TestServer(address: "unix:\(file)") }
        #expect(directory.entries().contains("file"))

        // Left behind by a process that was killed.
        let stale = directory.file("stale.sock")
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let address = try #require(SocketAddress(path: stale))
        #expect(address.withSockaddr { bind(descriptor, $0, $1) } == 0)
        close(descriptor)
        let server = try TestServer(address: "unix:\(stale)")
        let client = try Net.Socket.connect(to: address)
        defer { Net.Socket.close(client) }
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(request.withUnsafeBytes { Net.Socket.write(client, $0) } == .bytes(request.count))
        try eventually("handled") { server.handler.handled.current == ["/"] }
        // Closing removes it.
        server.server.drain(deadlineMilliseconds: 600_000) {}
        try eventually("removed") { !directory.entries().contains("stale.sock") }
    }

    @Test func `loops share a port and another process's port is noticed`() throws {
        let first = try TestServer()
        let second = try TestServer(address: "127.0.0.1:\(first.port)")
        #expect(second.port == first.port)
        let address = try #require(SocketAddress.parse("127.0.0.1:\(first.port)"))
        #expect(throws: NetError.self) { try Listener.checkFree(address) }
        for _ in 0..<10 { #expect(try first.connect().request("GET", "/").status == 200) }
    }

    @Test(.enabled(if: hasIPv6Loopback, "this machine has no ::1"))
    func `an IPv6 address is listened on and the peer's address known`() throws {
        let seen = Locked<[UInt128?]>([])
        final class Peers: RequestHandler {
            let seen: Locked<[UInt128?]>
            init(_ seen: Locked<[UInt128?]>) { self.seen = seen }
            func handle(_ request: borrowing Request, _ responder: Responder) {
                let peer = request.peerAddress
                seen.with { $0.append(peer) }
                responder.respond(204, headers: [], body: [])
            }
            func turnEnded() {}
        }
        let loop = try EventLoop(name: "peers")
        let server = Server(loop: loop, limits: ServerLimits()) { _ in Peers(seen) }
        let v6 = try #require(SocketAddress.parse("[::1]:0"))
        let v4 = try #require(SocketAddress.parse("127.0.0.1:0"))
        let addresses = [try server.listen(v6), try server.listen(v4)]
        let thread = try LoopThread.running(loop)
        for address in addresses {
            let client = try Net.Socket.connect(to: address)
            try eventually("answered") {
                let text = "GET / HTTP/1.0\r\n\r\n"
                var bytes = [UInt8](repeating: 0, count: 100)
                _ = Array(text.utf8).withUnsafeBytes { Net.Socket.write(client, $0) }
                return bytes.withUnsafeMutableBytes { Net.Socket.read(client, into: $0) }
                    != .wouldBlock
            }
            Net.Socket.close(client)
        }
        loop.stop()
        thread.join()
        #expect(Set(seen.current) == [1, 0xffff_7f00_0001])
    }
}

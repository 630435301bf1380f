import Glibc
import TestSupport
import Testing

@testable import HTTP
@testable import Net

@Suite struct PipeliningTests {
    private func bodies(_ bytes: [UInt8]) -> [String] {
        withoutDates(bytes).components("\r\n\r\n").dropFirst().map {
            String($0.prefix { !"H".contains($0) })
        }
    }

    @Test func `answers given out of order are sent in order`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        try connection.send(
            (0..<5).map { "GET /hold\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for index in [3, 1, 4, 0, 2] { try server.answer("/hold\(index)", "answer \(index)") }
        for index in 0..<5 { #expect(try connection.receive().text == "answer \(index)") }
    }

    @Test func `a request answered at once waits for the one before it`() throws {
        let server = try SteppedServer()
        try server.send(
            "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /now HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(server.handler.handled.current == ["/hold", "/now"])
        #expect(server.receive().isEmpty)
        server.handler.held.current["/hold"]?.respond(200, headers: [], body: Array("held".utf8))
        server.turn()
        let text = withoutDates(server.receive())
        #expect(
            text.hasPrefix("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheldHTTP/1.1 200 OK\r\n"))
    }

    @Test func `the ninth unanswered request waits until one is answered`() throws {
        let server = try SteppedServer()
        let requests = (0..<40).map { "GET /hold\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        try server.send(requests.utf8)
        #expect(server.handler.handled.current.count == 8)
        // A second one is not even read, and answering out of order opens nothing.
        let held = server.handler.held
        held.current["/hold5"]?.respond(200, headers: [], body: [])
        server.turn()
        #expect(server.handler.handled.current.count == 8)
        held.current["/hold0"]?.respond(200, headers: [], body: [])
        server.turn()
        #expect(server.handler.handled.current.count == 9)
        for index in 1..<40 {
            if index != 5 { held.current["/hold\(index)"]?.respond(200, headers: [], body: []) }
            server.turn()
        }
        #expect(server.handler.handled.current == (0..<40).map { "/hold\($0)" })
        #expect(bodies(server.receive()).count == 40)
        #expect(server.server.bufferedBytes == 0)
    }

    @Test(arguments: 1...30) func `any order of answers gives the order of the requests`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let server = try SteppedServer()
        let count = 100
        let requests = (0..<count).map { "GET /hold\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        var rest = Array(requests.utf8)[...]
        var answered: Set<String> = []
        var received: [UInt8] = []
        // Far more turns than it takes: a server that gets stuck must fail, not hang, the test.
        for _ in 0..<5000 where answered.count < count {
            if !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...200, using: &random))
                rest = rest.dropFirst(piece.count)
                try server.send(piece)
            }
            let held = server.handler.held.current
            let open = held.keys.filter { !answered.contains($0) }.sorted()
            if let path = open.randomElement(using: &random) {
                answered.insert(path)
                held[path]?.respond(200, headers: [], body: Array(path.utf8))
                server.turn()
            }
            received += server.receive()
        }
        received += server.receive()
        let text = withoutDates(received)
        let order = text.components("/hold").dropFirst().compactMap { part in
            Int(part.prefix { $0.isNumber })
        }
        #expect(order == Array(0..<count))
    }

    @Test func `a second answer to one request does nothing`() throws {
        let server = try SteppedServer()
        try server.send(
            "GET /twice HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let text = withoutDates(server.receive())
        #expect(text.contains("first"))
        #expect(!text.contains("second"))
        #expect(text.contains("path=/x"))
        // Also while it waits for its turn.
        try server.send(
            "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /twice HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        server.handler.held.current["/hold"]?.respond(200, headers: [], body: Array("0".utf8))
        server.turn()
        let second = withoutDates(server.receive())
        #expect(second.contains("first") && !second.contains("second"))
    }

    @Test func `an answer to a connection that is gone does nothing`() throws {
        let server = try TestServer()
        var connection: HTTPConnection? = try server.connect()
        try connection?.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        let responder = try eventually("held") { server.handler.held.current["/hold"] }
        // The reset is sent when the last reference closes the socket.
        connection?.reset()
        connection = nil
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
        // The next connection gets the same slot, and must not get the other's answer.
        let next = try server.connect()
        try next.send("GET /hold2 HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold2"] }
        _ = try server.onLoop { _ in responder.respond(200, headers: [], body: Array("old".utf8)) }
        try server.answer("/hold2", "new")
        #expect(try next.receive().text == "new")
    }

    @Test func `whoever asks for more waits for those that ask for one`() throws {
        let loop = try EventLoop(name: "fair")
        let handler = ScriptedHandler()
        let server = Server(loop: loop, limits: ServerLimits()) { _ in handler }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        var clients: [Int32] = []
        defer { for client in clients { close(client) } }
        func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }
        for number in 0..<41 {
            var ends: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
            clients.append(ends[0])
            server.accepted(ends[1], from: nil)
            let text =
                number < 40
                ? request("/first") + String(repeating: request("/more"), count: 30)
                : request("/one")
            try #require(send(ends[0], text, text.utf8.count, 0) == text.utf8.count)
        }
        loop.turn(timeout: 0)
        let handled = handler.handled.current
        #expect(Set(handled.prefix(41)) == ["/first", "/one"])
        // And then some of them go on, for a while each.
        #expect(handled.count > 41 && handled.count <= 41 + 4 * 8)
        for _ in 0..<50 { loop.turn(timeout: 0) }
        #expect(handler.handled.current.count == 40 * 31 + 1)
    }

    @Test func `what was asked for before the client's end is answered, however much it is`() throws
    {
        let server = try SteppedServer()
        let requests = String(repeating: "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", count: 40)
        try server.send(requests.utf8)
        server.finishSending()
        for _ in 0..<20 { server.turn() }
        #expect(server.handler.handled.current.count == 40)
        let text = withoutDates(server.receive())
        #expect(text.components("HTTP/1.1 200").count == 41)
        #expect(server.server.openConnections == 0)
    }

    @Test func `a close request ends the pipeline`() throws {
        let server = try SteppedServer()
        try server.send(
            ("GET /a HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"
                + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
        #expect(server.handler.handled.current == ["/a"])
        #expect(withoutDates(server.receive()).contains("\r\nConnection: close\r\n"))
    }
}

extension String {
    func components(_ separator: String) -> [String] {
        var parts: [String] = []
        var rest = Array(utf8)[...]
        let wanted = Array(separator.utf8)
        var part: [UInt8] = []
        while !rest.isEmpty {
            if rest.starts(with: wanted) {
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                rest = rest.dropFirst(wanted.count)
            } else {
                part.append(rest.removeFirst())
            }
        }
        return parts + [String(decoding: part, as: UTF8.self)]
    }
}

import Glibc
import TestSupport
import Testing

@testable import HTTP
@testable import Net

@Suite struct AnswerTests {
    private func exchange(_ text: String) throws -> String {
        let server = try SteppedServer()
        try server.send(text.utf8)
        return withoutDates(server.receive())
    }

    @Test func `an answer has status, date, length and body`() throws {
        let server = try SteppedServer()
        try server.send("GET /status/404 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let text = String(decoding: server.receive(), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 404 Not Found\r\nDate: "))
        #expect(text.hasSuffix(" GMT\r\nContent-Length: 4\r\n\r\nbody"))
    }

    @Test func `HEAD is answered with the length and no body`() throws {
        let answer = try exchange(
            "HEAD /status/200 HTTP/1.1\r\nHost: a\r\n\r\nGET /status/201 HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        #expect(
            answer == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                + "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nbody")
    }

    @Test(arguments: [204, 304]) func `an answer that has no body has no length either`(
        status: Int
    ) throws {
        let answer = try exchange("GET /status/\(status) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(!answer.contains("Content-Length") && answer.hasSuffix("\r\n\r\n"))
    }

    @Test func `a status nobody knows is still a status line`() throws {
        #expect(
            try exchange("GET /status/299 HTTP/1.1\r\nHost: a\r\n\r\n").hasPrefix(
                "HTTP/1.1 299 \r\n"))
        #expect(
            try exchange("GET /status/9999 HTTP/1.1\r\nHost: a\r\n\r\n").hasPrefix("HTTP/1.1 500 "))
    }

    @Test func `HTTP 1_0 closes unless it asks to stay`() throws {
        let closing = try SteppedServer()
        try closing.send("GET / HTTP/1.0\r\n\r\n".utf8)
        #expect(withoutDates(closing.receive()).contains("\r\nConnection: close\r\n"))
        #expect(closing.server.openConnections == 0)
        let staying = try SteppedServer()
        try staying.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n".utf8)
        #expect(withoutDates(staying.receive()).contains("\r\nConnection: keep-alive\r\n"))
        #expect(staying.server.openConnections == 1)
    }

    @Test func `no header value can start another line`() throws {
        final class Careless: RequestHandler {
            func handle(_ request: borrowing Request, _ responder: Responder) {
                responder.respond(200, headers: [("X", "a\r\nY: b\0\n"), ("Z\r\n", "1")], body: [])
            }
            func turnEnded() {}
        }
        let loop = try EventLoop(name: "careless")
        let server = Server(loop: loop, limits: ServerLimits()) { _ in Careless() }
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        server.accepted(ends[1], from: nil)
        let text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        #expect(send(ends[0], text, text.utf8.count, 0) == text.utf8.count)
        for _ in 0..<3 { loop.turn(timeout: 0) }
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = recv(ends[0], &bytes, 1000, 0)
        #expect(withoutDates(Array(bytes[..<max(0, count)])).contains("\r\nX: aY: b\r\nZ: 1\r\n"))
        close(ends[0])
    }

    @Test func `100 Continue is sent when the body is waited for`() throws {
        let server = try SteppedServer()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
        try server.send(head.utf8)
        #expect(withoutDates(server.receive()) == "HTTP/1.1 100 Continue\r\n\r\n")
        try server.send("hello".utf8)
        #expect(withoutDates(server.receive()).hasSuffix("body=hello"))
        // With the body already there it would only cost a packet.
        try server.send((head + "hello").utf8)
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func `100 Continue stands after the answers before it`() throws {
        let server = try SteppedServer()
        try server.send(
            ("GET /hold HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n"
                + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n").utf8)
        #expect(server.receive().isEmpty)
        server.handler.held.current["/hold"]?.respond(204, headers: [], body: [])
        server.turn()
        #expect(
            withoutDates(server.receive())
                == "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func `a body that is too large is refused without 100 Continue`() throws {
        let answer = try exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func `a client that has finished sending gets its answers`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        try connection.send(
            "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.finishSending()
        try server.answer("/hold", "late")
        #expect(try connection.receive().text.contains("path=/a"))
        let last = try connection.receive()
        #expect(last.text == "late")
        #expect(last.fields["connection"] == "close")
        #expect(try connection.receiveToEnd() == [])
    }

    @Test func `a client that ends in the middle of a request is told so`() throws {
        let server = try SteppedServer()
        try server.send("GET / HTTP/1.1\r\nHos".utf8)
        server.finishSending()
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 400 "))
        #expect(server.server.openConnections == 0)
    }

    @Test(arguments: [
        ("GET /\(String(repeating: "a", count: 20480)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, 0),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n", 413, 2_097_152),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n", 413,
            2_097_152
        ),
    ])
    func `the answer to a request that is too large can be read`(
        head: String, status: Int, bodyBytes: Int
    ) throws {
        let server = try TestServer()
        for _ in 0..<5 {
            let connection = try server.connect()
            // Everything is sent before the answer is read: a reset would destroy it.
            try connection.send(head)
            try connection.send([UInt8](repeating: 98, count: bodyBytes))
            let response = try connection.receive()
            #expect(response.status == status)
            #expect(try connection.receiveToEnd() == [])
        }
    }

    @Test func `bytes after the last request do not destroy its answer`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        try connection.send("GET /hold HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        _ = try eventually("held") { server.handler.held.current["/hold"] }
        try connection.send([UInt8](repeating: 98, count: 10_000))
        try server.answer("/hold", "whole")
        // Two round trips through the loop: the answer is written, and a close would be done. It
        // would send RST, upon which some systems (not Linux) forget what they have received.
        for _ in 0..<2 { #expect(try server.onLoop { $0.openConnections } == 1) }
        #expect(try connection.receive().text == "whole")
        #expect(try connection.receiveToEnd() == [])
        connection.finishSending()
        try eventually("closed") { try server.onLoop { $0.openConnections } == 0 }
    }

    @Test func `a request is handled though its sender has gone`() throws {
        let server = try SteppedServer()
        try server.sendAndClose("GET /forget HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.handler.handled.current == ["/forget"])
        #expect(server.server.openConnections == 0)
        let held = try SteppedServer()
        try held.sendAndClose("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(held.handler.handled.current == ["/hold"])
        #expect(held.server.openConnections == 0)
    }

    @Test func `a large answer reaches a client that reads`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        for count in [1, 4096, 300_000, 5_000_000] {
            #expect(try connection.request("GET", "/big/\(count)").body.count == count)
        }
        #expect(try server.onLoop { $0.bufferedBytes } == 0)
    }

    @Test func `a client that pipelines and does not read stops being read`() throws {
        let server = try SteppedServer { $0.outputBytesMax = 100_000 }
        let request = Array("GET /big/50000 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for _ in 0..<60 { try server.send(request) }
        // What the socket's own buffer takes is beside the limit.
        let handled = server.handler.handled.current.count
        #expect(handled < 30)
        var received = 0
        while server.handler.handled.current.count < 60 || received < 60 * 50000 {
            let count = server.receive().count
            received += count
            server.turn()
            if count == 0 { break }
        }
        #expect(server.handler.handled.current.count == 60)
        #expect(received > 60 * 50000)
    }

    @Test func `a client that asks without end and does not read holds ten kilobytes`() throws {
        let server = try SteppedServer()
        let request = "GET /big/300 HTTP/1.1\r\nHost: a\r\n\r\n"
        let requests = Array(String(repeating: request, count: 200).utf8)
        var isFull = false
        while !isFull {
            // Until the server has stopped reading and the socket takes no more.
            do { try server.send(requests) } catch { isFull = true }
        }
        #expect(server.server.bufferedBytes > 0)
        #expect(server.server.bufferedBytes <= 10_000)
        while !server.receive().isEmpty { server.turn() }
        #expect(server.server.bufferedBytes <= 4096)
    }

    @Test func `answers that wait for their turn are held back like those that are not read`()
        throws
    {
        let server = try SteppedServer()
        let big = String(repeating: "GET /big/5000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 30)
        try server.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n\(big)".utf8)
        #expect(server.handler.handled.current == ["/hold", "/big/5000"])
        #expect(server.server.bufferedBytes <= 8192 + 4096)
        server.handler.held.current["/hold"]?.respond(200, headers: [], body: [])
        server.turn()
        #expect(bodyBytes(server) == 150_000)
        #expect(server.server.bufferedBytes == 0)
    }

    @Test func `a client that does not read large answers holds ten kilobytes`() throws {
        let server = try SteppedServer()
        let request = Array("GET /big/5000 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        var isFull = false
        while !isFull { do { try server.send(request + request) } catch { isFull = true } }
        #expect((1...8192).contains(server.server.bufferedBytes))
        let handled = server.handler.handled.current.count
        #expect(bodyBytes(server) >= 5000 * handled)
    }

    private func bodyBytes(_ server: SteppedServer) -> Int {
        var count = 0
        for _ in 0..<200 {
            count += server.receive().count { $0 == 120 }
            server.turn()
        }
        return count
    }

    @Test func `answers that nobody takes give way to others', the largest first`() throws {
        let server = try TestServer { $0.bufferedBytesMax = 34_000_000 }
        let hogs = try [8_000_000, 4_000_000, 8_000_000, 8_000_000].map { count in
            let hog = try server.connect()
            try hog.send("GET /big/\(count) HTTP/1.1\r\nHost: a\r\n\r\n")
            return hog
        }
        // The kernel takes some megabytes of each.
        try eventually("they wait") { try server.onLoop { $0.bufferedBytes } > 28_000_000 }
        #expect(try server.connect().request("GET", "/big/7000000").body.count == 7_000_000)
        // One had to go, and it wasn't the smallest.
        let taken = hogs.map { hog in (try? hog.receive())?.body.count }
        #expect(taken[1] == 4_000_000 && taken.count { $0 == nil } == 1, "\(taken)")
    }

    @Test func `requests that take all the memory they may leave room for others' answers`() throws
    {
        let server = try TestServer { $0.bufferedBytesMax = 400_000 }
        let hogs = try (0..<20).map { _ in try server.connect() }
        for hog in hogs {
            try hog.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
            try hog.send(Array(repeating: 120, count: 29_000))
        }
        // Of 300,000 bytes, from which the largest of them give way by steps.
        try eventually("they have what they may") {
            try server.onLoop { $0.bufferedBytes } > 200_000
        }
        #expect(try server.connect().request("GET", "/big/60000").body.count == 60_000)
        withExtendedLifetime(hogs) {}
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
        (1_795_214_736, "Fri, 20 Nov 2026 22:45:36 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
    func `a date has the form of RFC 9110`(second: Int64, text: String) {
        #expect(HTTPDate.text(second) == text)
    }
}

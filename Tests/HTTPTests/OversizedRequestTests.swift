import TestSupport
import Testing

@testable import HTTP

/// What a handler is given of a request that is too long, instead of the server's own refusal.
@Suite struct OversizedRequestTests {
    static func server() throws -> TestServer {
        try TestServer {
            $0.bodyBytesMax = 10
            $0.requestLineBytesMax = 100
        }
    }

    @Test(arguments: [("abcdefghij", 10, 200), ("abcdefghijk", 11, 400)])
    func `a body at the limit is handled, one byte more is too long`(
        body: String, length: Int, status: Int
    ) throws {
        let server = try Self.server()
        let connection = try server.connect()
        let response = try connection.request("POST", "/long?a=1", body: Array(body.utf8))
        #expect(response.status == status)
        #expect(response.text.contains("POST") && response.text.contains("query=a=1"))
        #expect(response.text.contains("host=tracker.test"))
        #expect(response.text.hasSuffix("body=\(body)"))
        #expect((response.fields["connection"] == "close") == (status == 400))
        #expect(
            server.handler.oversized.current
                == (status == 400 ? [.body(declared: length, max: 10)] : []))
    }

    @Test func `nothing of a long body need have come`() throws {
        let server = try Self.server()
        let connection = try server.connect()
        try connection.send(
            "POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n"
                + "Expect: 100-continue\r\n\r\n")
        let response = try connection.receive()
        #expect(response.status == 400 && response.text.hasSuffix("body="))
        #expect(try connection.receiveToEnd() == [])
    }

    @Test func `of a chunked body it is what came before the limit, without its framing`() throws {
        let server = try Self.server()
        let connection = try server.connect()
        try connection.send(
            "POST /long HTTP/1.1\r\nHost: a\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\nabcd\r\n4\r\nefgh\r\n3\r\nijk\r\n0\r\n\r\n")
        let response = try connection.receive()
        #expect(response.status == 400 && response.text.hasSuffix("body=abcdefgh"))
        #expect(response.text.contains("X-A=<b>"))
        #expect(server.handler.oversized.current == [.body(declared: nil, max: 10)])
        #expect(try connection.receiveToEnd() == [])
    }

    @Test(arguments: [1, 7, 4096])
    func `of a long request line it is the target's beginning, however its bytes come`(piece: Int)
        throws
    {
        for end in [" HTTP/1.1\r\nHost: a\r\n\r\n", ""] {
            let server = try SteppedServer { $0.requestLineBytesMax = 100 }
            let line = "GET /long?a=" + String(repeating: "x", count: 200) + end
            var rest = Array(line.utf8)[...]
            while !rest.isEmpty {
                try server.send(rest.prefix(piece))
                rest = rest.dropFirst(piece)
            }
            let answer = withoutDates(server.receive())
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("Connection: close"))
            #expect(answer.contains("target=/long?a=x"))
            // No more than the limit, whatever had come by then.
            let kept = answer.split(separator: "query=a=").last?.prefix { $0 == "x" }.count ?? 0
            #expect((80...100).contains(kept), "\(kept)")
            #expect(server.handler.oversized.current == [.requestLine(max: 100)])
        }
    }

    @Test func `the longest request line that is taken ends at the limit`() throws {
        let server = try Self.server()
        // "GET /long? HTTP/1.1" has 19 bytes.
        for (count, status) in [(81, 200), (82, 400)] {
            let response = try server.connect().request(
                "GET", "/long?" + String(repeating: "x", count: count))
            #expect(response.status == status)
            #expect(response.text.contains("query=" + String(repeating: "x", count: count)))
        }
    }

    @Test func `an answer that comes later keeps its turn, and ends the connection`() throws {
        let server = try Self.server()
        let connection = try server.connect()
        try connection.send("GET", "/hold")
        try connection.send("POST", "/long/hold", body: Array(repeating: 120, count: 11))
        try connection.send("GET", "/canary")
        _ = try eventually("the long request is held") {
            server.handler.held.current["/long/hold"]
        }
        try server.answer("/long/hold", "second")
        try server.answer("/hold", "first")
        #expect(try connection.receive().text == "first")
        let last = try connection.receive()
        #expect(last.text == "second" && last.fields["connection"] == "close")
        #expect(try connection.receiveToEnd() == [])
        #expect(!server.handler.handled.current.contains("/canary"))
    }

    @Test func `what no handler wants is refused as ever`() throws {
        let server = try Self.server()
        let body = try server.connect().request("POST", "/", body: Array(repeating: 0, count: 11))
        #expect(body.status == 413)
        let line = try server.connect().request("GET", "/" + String(repeating: "x", count: 200))
        #expect(line.status == 414)
        // A target that can't be one is nobody's call.
        let odd = try server.connect()
        try odd.send("GET long" + String(repeating: "x", count: 200) + " HTTP/1.1\r\n\r\n")
        #expect(try odd.receive().status == 414)
    }

    @Test func `an answer to HEAD has no body`() throws {
        let server = try Self.server()
        let connection = try server.connect()
        let response = try connection.request(
            "HEAD", "/long", fields: [:], body: Array(repeating: 0, count: 11))
        #expect(response.status == 400)
        #expect(try connection.receiveToEnd() == [])
    }
}

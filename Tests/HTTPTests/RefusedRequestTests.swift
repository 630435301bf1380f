import TestSupport
import Testing

@testable import HTTP

/// A request that must be refused. `\r\n` ends are written out where they matter.
struct BadRequest: Sendable, CustomTestStringConvertible {
    let status: Int
    let bytes: [UInt8]
    let testDescription: String

    init(_ status: Int, _ name: String, _ text: String) {
        self.init(status, name, Array(text.utf8))
    }

    init(_ status: Int, _ name: String, _ bytes: [UInt8]) {
        self.status = status
        self.bytes = bytes
        testDescription = "\(status) \(name)"
    }

    /// With a well-formed request line and Host, and these header lines.
    static func fields(_ status: Int, _ name: String, _ lines: String) -> BadRequest {
        BadRequest(status, name, "POST / HTTP/1.1\r\nHost: a.test\r\n\(lines)\r\n\r\n")
    }

    static func line(_ status: Int, _ name: String, _ line: String) -> BadRequest {
        BadRequest(status, name, "\(line)\r\nHost: a.test\r\n\r\n")
    }

    static func host(_ value: String) -> BadRequest {
        BadRequest(400, "Host: \(value)", "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n")
    }

    static func chunks(_ status: Int, _ name: String, _ body: String) -> BadRequest {
        BadRequest(
            status, name,
            "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
    }
}

@Suite struct RefusedRequestTests {
    static let lengths: [BadRequest] = [
        .fields(400, "both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        .fields(400, "both, other order", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        .fields(400, "two different lengths", "Content-Length: 5\r\nContent-Length: 6"),
        .fields(400, "two equal lengths", "Content-Length: 5\r\nContent-Length: 5"),
        .fields(400, "a list of lengths", "Content-Length: 5, 5"),
        .fields(400, "a signed length", "Content-Length: +5"),
        .fields(400, "a negative length", "Content-Length: -5"),
        .fields(400, "a hexadecimal length", "Content-Length: 0x5"),
        .fields(400, "an empty length", "Content-Length:"),
        .fields(400, "a length with a space", "Content-Length: 1 0"),
        .fields(400, "a length with a point", "Content-Length: 5.0"),
        .fields(400, "a length beyond 64 bits", "Content-Length: 18446744073709551621"),
        .fields(413, "a length beyond the limit", "Content-Length: 999999999999"),
        .fields(400, "chunked in a space", "Transfer-Encoding: chun ked"),
        .fields(400, "an unknown coding last", "Transfer-Encoding: chunked, gzip"),
        .fields(400, "chunked twice", "Transfer-Encoding: chunked, chunked"),
        .fields(
            400, "chunked on two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        .fields(
            400, "identity after chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        .fields(400, "identity", "Transfer-Encoding: identity"),
        .fields(400, "xchunked", "Transfer-Encoding: xchunked"),
        .fields(400, "quoted chunked", "Transfer-Encoding: \"chunked\""),
        .fields(400, "chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
        .fields(400, "chunked after a vertical tab", "Transfer-Encoding: \u{b}chunked"),
        .fields(400, "an empty coding", "Transfer-Encoding:"),
        .fields(501, "gzip before chunked", "Transfer-Encoding: gzip, chunked"),
        .fields(
            501, "gzip and chunked on two lines",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
        BadRequest(
            400, "chunked in HTTP/1.0",
            "POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        .fields(417, "an unknown expectation", "Expect: 200-ok"),
    ]

    static let fields: [BadRequest] = [
        .fields(400, "a space before the colon", "X : 1"),
        .fields(400, "a tab before the colon", "X\t: 1"),
        .fields(400, "a length with a space before its colon", "Content-Length : 5"),
        .fields(400, "a folded line", "X: 1\r\n 2"),
        .fields(400, "a folded line with a tab", "X: 1\r\n\t2"),
        .fields(400, "a line without a colon", "nonsense"),
        .fields(400, "an empty name", ": 1"),
        .fields(400, "a name with a bracket", "X[1]: 1"),
        .fields(400, "a name with a non-ASCII letter", "Xé: 1"),
        .fields(400, "a NUL in a value", "X: a\0b"),
        .fields(400, "a NUL in a name", "X\0: a"),
        .fields(400, "an escape in a value", "X: a\u{1b}b"),
        .fields(400, "a DEL in a value", "X: a\u{7f}b"),
        .fields(400, "a bare CR in a value", "X: a\rb"),
        .fields(400, "a bare CR before the end", "X: a\r\r"),
        BadRequest(
            400, "a bare LF after a field", "GET / HTTP/1.1\r\nHost: a.test\nX: 1\r\n\r\n"),
        BadRequest(400, "a bare LF as the end", "GET / HTTP/1.1\r\nHost: a.test\r\n\n"),
        BadRequest(
            400, "a folded line before all fields", "GET / HTTP/1.1\r\n Host: a.test\r\n\r\n"),
    ]

    static let hosts: [BadRequest] = [
        BadRequest(400, "no Host", "GET / HTTP/1.1\r\nX: 1\r\n\r\n"),
        BadRequest(400, "two Hosts", "GET / HTTP/1.1\r\nHost: a.test\r\nhost: a.test\r\n\r\n"),
        BadRequest(400, "two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        .host(""), .host("a b"), .host("a/b"), .host("a@b"), .host("a,b"), .host("a?b"),
        .host("a#b"), .host("a\\b"), .host("a:b"), .host("a:80:80"), .host("a:123456"),
        .host(":80"), .host("é.test"), .host("[::1"), .host("::1"), .host("[]"), .host("[::1]x"),
        .host("[g::1]"), .host("a\tb"), .host("<script>"), .host("a%00b"),
    ]

    static let requestLines: [BadRequest] = [
        .line(400, "HTTP/1.10", "GET / HTTP/1.10"),
        .line(400, "HTTP/1", "GET / HTTP/1"),
        .line(400, "HTTP/1.1 and a space", "GET / HTTP/1.1 "),
        .line(400, "http/1.1", "GET / http/1.1"),
        .line(400, "HTTP/a.1", "GET / HTTP/a.1"),
        .line(400, "HTTP/01.1", "GET / HTTP/01.1"),
        .line(400, "HTTPS/1.1", "GET / HTTPS/1.1"),
        .line(400, "no version", "GET /"),
        .line(505, "HTTP/2.0", "GET / HTTP/2.0"),
        .line(505, "HTTP/0.9", "GET / HTTP/0.9"),
        .line(400, "two spaces before the target", "GET  / HTTP/1.1"),
        .line(400, "two spaces before the version", "GET /  HTTP/1.1"),
        .line(400, "a tab as separator", "GET\t/ HTTP/1.1"),
        .line(400, "a space in the target", "GET /a b HTTP/1.1"),
        .line(400, "a NUL in the target", "GET /a\0b HTTP/1.1"),
        .line(400, "a CR in the target", "GET /a\rb HTTP/1.1"),
        .line(400, "a DEL in the target", "GET /a\u{7f}b HTTP/1.1"),
        .line(400, "a leading space", " GET / HTTP/1.1"),
        .line(400, "no method", "/ HTTP/1.1"),
        .line(400, "a method that is no token", "G(T / HTTP/1.1"),
        .line(400, "a target without a slash", "GET index HTTP/1.1"),
        .line(400, "an asterisk for GET", "GET * HTTP/1.1"),
        .line(400, "an authority", "CONNECT a.test:443 HTTP/1.1"),
        .line(400, "a URL of another host", "GET http://b.test/ HTTP/1.1"),
        .line(400, "a URL with a user", "GET http://u@a.test/ HTTP/1.1"),
        .line(400, "a URL of another scheme", "GET ftp://a.test/ HTTP/1.1"),
        .line(400, "a URL without a host", "GET http:///x HTTP/1.1"),
        BadRequest(400, "a bare LF", "GET / HTTP/1.1\nHost: a.test\r\n\r\n"),
        BadRequest(400, "two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        BadRequest(400, "a bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        BadRequest(400, "HTTP/0.9", "GET /\r\n"),
        BadRequest(
            400, "a TLS hello with a line feed", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 10, 3, 3]),
        BadRequest(414, "20 KiB", "GET /\(String(repeating: "a", count: 20480)) HTTP/1.1\r\n\r\n"),
        BadRequest(414, "20 KiB without an end", String(repeating: "a", count: 20480)),
    ]

    static let chunked: [BadRequest] = [
        .chunks(400, "a bare LF after the size", "5\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a bare LF after the data", "5\r\nhello\n0\r\n\r\n"),
        .chunks(400, "a bare LF at the end", "5\r\nhello\r\n0\r\n\n"),
        .chunks(400, "a bare CR after the size", "5\rhello\r\n0\r\n\r\n"),
        .chunks(400, "data longer than its size", "4\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "data shorter than its size", "6\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a size of many zeros", "0000000000000000005\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a signed size", "+5\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a size with a space", "5 \r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a space before the size", " 5\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "an empty size", "\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "no hexadecimal size", "g\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a control in an extension", "5;a=\u{1}\r\nhello\r\n0\r\n\r\n"),
        .chunks(400, "a CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        .chunks(
            400, "a long extension", "5;\(String(repeating: "a", count: 300))\r\nhello\r\n0\r\n\r\n"
        ),
        .chunks(
            400, "many extensions",
            String(repeating: "1;\(String(repeating: "a", count: 200))\r\nx\r\n", count: 30)),
        .chunks(400, "a trailer without a colon", "0\r\nnonsense\r\n\r\n"),
        .chunks(400, "a folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n"),
        .chunks(400, "a NUL in a trailer", "0\r\nX: \0\r\n\r\n"),
        .chunks(400, "a bare LF in a trailer", "0\r\nX: 1\n\r\n"),
        .chunks(431, "a long trailer", "0\r\nX: \(String(repeating: "a", count: 5000))\r\n\r\n"),
        .chunks(431, "many trailers", "0\r\n" + String(repeating: "X: 12345678\r\n", count: 400)),
        .chunks(413, "a chunk beyond the limit", "100001\r\n"),
    ]

    static let all = lengths + fields + hosts + requestLines + chunked

    @Test func `the table is as long as it should be`() { #expect(Self.all.count >= 60) }

    /// One server for all: a refusal must not disturb other connections either.
    private static let server = Result { try TestServer() }

    @Test(arguments: all) func `a malformed request is refused and the connection closed`(
        request: BadRequest
    ) throws {
        let server = try Self.server.get()
        let canary = "/canary-\(UInt64.random(in: 0 ... .max))"
        let connection = try server.connect()
        // What follows a request that can be read in two ways must never become a request.
        try connection.send(request.bytes + Array("GET \(canary) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        let response = try connection.receive()
        #expect(response.status == request.status)
        #expect(response.fields["connection"] == "close")
        #expect(!response.body.isEmpty)
        #expect(try connection.receiveToEnd() == [])
        #expect(!server.handler.handled.current.contains(canary))
    }

    @Test(arguments: all) func `it is refused alike when its bytes come one by one`(
        request: BadRequest
    ) throws {
        // A 20 KiB line byte by byte takes the debug build too long and shows nothing new.
        let whole = try SteppedServer()
        try whole.send(request.bytes)
        whole.finishSending()
        let bytewise = try SteppedServer()
        let slow = request.bytes.count > 2000 ? 511 : 1
        var rest = request.bytes[...]
        while !rest.isEmpty {
            try bytewise.send(rest.prefix(slow))
            rest = rest.dropFirst(slow)
        }
        bytewise.finishSending()
        let answer = withoutDates(whole.receive())
        #expect(answer.hasPrefix("HTTP/1.1 \(request.status) "))
        #expect(withoutDates(bytewise.receive()) == answer)
    }
}

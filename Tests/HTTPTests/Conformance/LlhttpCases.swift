/// Every payload of github.com/nodejs/llhttp, test/request and test/url.md: what its strict parser
/// refuses, this server refuses too, and more: folded lines, HTTP/0.9, codings before chunked, a URL
/// without a path, CONNECT, a second empty line. What is read leniently there on demand is refused
/// here as ever, and has a row where its bytes are no other row's. Nothing is upgraded, so what
/// follows such a request is the next one.
enum LlhttpCases {
    static let all: [ConformanceCase] =
        invalid + framing + chunks + samples + methods + connections + stops + lenient

    static func row(
        _ name: String, _ text: String, _ requests: [String] = [],
        _ end: ConformanceCase.End = .refused(400)
    ) -> ConformanceCase { OutsideCases.row("llhttp", name, text, requests, end) }

    static let get = "GET / HTTP/1.1\r\nHost: a\r\n"
    static let put = "PUT /url HTTP/1.1\r\nHost: a\r\n"

    private static let invalid: [ConformanceCase] = [
        row("ICE protocol and GET method", "GET /music ICE/1.0\r\nHost: example.com\r\n\r\n"),
        row("ICE protocol, but not really", "GET /music IHTTP/1.0\r\nHost: example.com\r\n\r\n"),
        row("RTSP protocol and PUT method", "PUT /music RTSP/1.0\r\nHost: example.com\r\n\r\n"),
        row("headers separated by CR", get + "Foo: 1\rBar: 2\r\n\r\n"),
        row(
            "headers separated by LF",
            get + "x:x\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n"),
        row(
            "headers separated by dummy characters",
            "GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\rZGET /evil: HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        row(
            "empty headers separated by CR",
            get + "x:\rTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n"),
        row(
            "empty headers separated by LF",
            get + "x:\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n"),
        row("invalid header token #1", get + "Fo@: Failure\r\n\r\n"),
        row("invalid header token #2", get + "Foo\u{1}\test: Bar\r\n\r\n"),
        row("invalid header token #3", get + ": Bar\r\n\r\n"),
        row("illegal header field name line folding", get + "name\r\n : value\r\n\r\n"),
        row("corrupted Connection header", get + "Connection\r\u{1b}\u{35}\u{d5}eep-Alive\r\n\r\n"),
        row("corrupted header name", get + "X-Some-Header\r\u{1b}\u{35}\u{d5}eep-Alive\r\n\r\n"),
        row(
            "missing CR between headers",
            get + "Dummy: x\nContent-Length: 23\r\n\r\nGET / HTTP/1.1\r\n"),
        row("invalid HTTP version", "GET / HTTP/5.6\r\n", [], .refused(505)),
        row("invalid space after start line", "GET / HTTP/1.1\r\n Host: foo\r\n"),
        row(
            "only LFs present",
            "POST / HTTP/1.1\nTransfer-Encoding: chunked\nFoo: abc\n\n1\nA\n0\n\n"),
        row("spaces before headers", get + "Foo: bar\r\n Content-Length: 38\r\n\r\n"),
        row("space in URI", "GET /foo bar/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        row("underscore in hostname", "CONNECT home_0.netscape.com:443 HTTP/1.0\r\n\r\n"),
        row("no HTTP version", "GET /\r\n\r\n"),
        row(
            "line folding in header value with CRLF", get + "Line1:   abc\r\n\tdef\r\n ghi\r\n\r\n"),
        row("line folding in header value with LF", get + "Line1:   abc\n\tdef\n ghi\n\n"),
        row(
            "multiple tokens with folding",
            get + "Connection: Something,\r\n Upgrade, ,Keep-Alive\r\n\r\n"),
    ]

    private static let framing: [ConformanceCase] = [
        row(
            "Content-Length with zeroes", put + "Content-Length: 003\r\n\r\nabc",
            ["PUT /url → abc"], .open),
        row(
            "Content-Length with follow-up headers",
            put + "Content-Length: 003\r\nOhai: world\r\n\r\nabc",
            ["PUT /url → abc"], .open),
        row(
            "error on Content-Length overflow",
            put + "Content-Length: 1000000000000000000000\r\n\r\n"),
        row(
            "error on duplicate Content-Length",
            put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        row(
            "error on simultaneous Content-Length and Transfer-Encoding: identity",
            put + "Content-Length: 1\r\nTransfer-Encoding: identity\r\n\r\n"),
        row(
            "funky Content-Length with body",
            "GET /hello HTTP/1.0\r\nconTENT-Length: 5\r\n\r\nHELLO",
            ["GET /hello → HELLO"], .closed),
        row(
            "spaces in Content-Length (surrounding)", put + "Content-Length:  42 \r\n\r\n", [],
            .waiting),
        row("spaces in Content-Length #2", put + "Content-Length: 4 2\r\n\r\n"),
        row("spaces in Content-Length #3", put + "Content-Length: 13 37\r\n\r\n"),
        row("empty Content-Length", put + "Content-Length:\r\n\r\n"),
        row("Content-Length with CR instead of dash", put + "Content\rLength: 003\r\n\r\nabc"),
        row(
            "empty Transfer-Encoding with Content-Length",
            put + "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello"),
        row("parsing and setting flag", put + "Transfer-Encoding: chunked\r\n\r\n", [], .waiting),
        row("ignoring pigeons", put + "Transfer-Encoding: pigeons\r\n\r\n"),
        row(
            "POST with Transfer-Encoding and Content-Length",
            put + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nWorld"),
        row(
            "POST with empty Transfer-Encoding and Content-Length",
            put
                + "Content-Length: 10\r\nTransfer-Encoding:\r\nTransfer-Encoding:\r\n\r\n2\r\nAA\r\n0\r\n"
        ),
        row(
            "chunked before other transfer coding names",
            put + "Transfer-Encoding: chunked, deflate\r\n\r\nWorld"),
        row(
            "chunked and duplicate transfer-encoding",
            put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: deflate\r\n\r\nWorld"),
        row(
            "chunked as last transfer-encoding (stricter: no other coding is known)",
            put + "Transfer-Encoding: deflate, chunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n", [],
            .refused(501)),
        row(
            "chunked as last transfer-encoding, multiple headers (stricter)",
            put
                + "Transfer-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n",
            [], .refused(501)),
        row(
            "chunkedchunked",
            put + "Transfer-Encoding: chunkedchunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n"),
    ]

    private static func chunked(
        _ name: String, _ body: String, _ decoded: String? = nil
    ) -> ConformanceCase {
        row(
            name, put + "Transfer-Encoding: chunked\r\n\r\n" + body,
            decoded.map { ["PUT /url → \($0)"] } ?? [], decoded == nil ? .refused(400) : .open)
    }

    private static let chunks: [ConformanceCase] = [
        chunked("parse chunks with lowercase size", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunked("parse chunks with uppercase size", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunked(
            "POST with Transfer-Encoding: chunked",
            "1e\r\nall your base are belong to us\r\n0\r\n\r\n", "all your base are belong to us"),
        chunked(
            "two chunks and triple zero prefixed end chunk",
            "5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world"),
        chunked(
            "trailing headers",
            "5\r\nhello\r\n6\r\n world\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n",
            "hello world"),
        chunked(
            "chunk extensions",
            "5;ilovew3;somuchlove=aretheseparametersfor;another=withvalue\r\nhello\r\n"
                + "6;blahblah;blah\r\n world\r\n0\r\n\r\n", "hello world"),
        chunked(
            "parameters after chunk length (stricter: blanks)",
            "5; ilovew3;somuchlove=aretheseparametersfor\r\nhello\r\n"
                + "6; blahblah; blah\r\n world\r\n0\r\n"),
        chunked("no semicolon before chunk extensions", "2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n"),
        chunked("no extension after semicolon", "2;\r\naa\r\n0\r\n\r\n"),
        chunked(
            "chunk extensions quoting",
            "5;ilovew3=\"I \\\"love\\\"; \\\\extensions\\\\\";somuchlove=\"aretheseparametersfor\";"
                + "blah;foo=bar\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n", "hello world"),
        chunked(
            "unbalanced chunk extensions quoting",
            "5;ilovew3=\"abc\";somuchlove=\"def; ghi\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n"
        ),
        chunked("missing last-chunk", "3\r\nfoo\r\n\r\n"),
        chunked("validate chunk parameters", "3 \n  \r\nfoo\r\n\r\n"),
        chunked("chunk header not terminated by CRLF", "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"),
        chunked("chunk data not terminated by CRLF", "5\r\nABCDE0\r\n\r\n"),
        chunked("space after chunk header", "a \r\n0123456789\r\n0\r\n\r\n"),
    ]

    private static let samples: [ConformanceCase] = [
        row(
            "simple request",
            "OPTIONS /url HTTP/1.1\r\nHost: a\r\nHeader1: Value1\r\nHeader2:\t Value2\r\n\r\n",
            ["OPTIONS /url"], .open),
        row(
            "request with method starting with H", "HEAD /url HTTP/1.1\r\nHost: a\r\n\r\n",
            ["HEAD /url"], .open),
        row(
            "curl GET (stricter: that Host is none)",
            "GET /test HTTP/1.1\r\nHost: 0.0.0.0=5000\r\n\r\n"),
        row("DUMBPACK", get + "aaaaaaaaaaaaa:++++++++++\r\n\r\n", ["GET /"], .open),
        row("no headers and no body (stricter: no Host)", "GET /world HTTP/1.1\r\n\r\n"),
        row(
            "Apache bench GET",
            "GET /test HTTP/1.0\r\nHost: 0.0.0.0:5000\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n",
            ["GET /test"], .closed),
        row(
            "Firefox GET (stricter: that Host is none)",
            "GET /favicon.ico HTTP/1.1\r\nHost: 0.0.0.0=5000\r\nAccept: text/html,*/*;q=0.8\r\n"
                + "Keep-Alive: 300\r\nConnection: keep-alive\r\n\r\n"),
        row(
            "one header and no body (stricter: no Host)",
            "GET /get_one_header_no_body HTTP/1.1\r\nAccept: */*\r\n\r\n"),
        row("prefix newline", "\r\n" + get + "\r\n", ["GET /"], .open),
        row(
            "request starting with CRLF",
            "\r\nGET /url HTTP/1.1\r\nHost: a\r\nHeader1: Value1\r\n\r\n", ["GET /url"], .open),
        row("no LF after CR", "GET / HTTP/1.1\rLine: 1\r\n"),
        row(
            "X-SSL-Nonsense (stricter: folded)",
            get + "X-SSL-Nonsense:   -----BEGIN CERTIFICATE-----\r\n"
                + "\tMIIFbTCCBFWgAwIBAgICH4cwDQYJKoZIhvcNAQEFBQAwcDELMAkGA1UEBhMCVUsx\r\n"
                + "\tRA==\r\n\t-----END CERTIFICATE-----\r\n\r\n"),
        row("extended characters", get + "Test: D\u{c3}\u{bc}sseldorf\r\n\r\n", ["GET /"], .open),
        row("255 ASCII in header value", get + "Header2: \u{ff}Value2\r\n\r\n", ["GET /"], .open),
        row(
            "quotes in URI",
            "GET /with_\"lovely\"_quotes?foo=\\\"bar\\\" HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /with_\"lovely\"_quotes?foo=\\\"bar\\\""], .open),
        row(
            "query URL with question mark", "GET /test.cgi?foo=bar?baz HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /test.cgi?foo=bar?baz"], .open),
        row(
            "host terminated by a query string (stricter: no path)",
            "GET http://hypnotoad.test?hail=all HTTP/1.1\r\nHost: hypnotoad.test\r\n\r\n"),
        row(
            "host:port terminated by a query string (stricter: no path)",
            "GET http://hypnotoad.test:1234?hail=all HTTP/1.1\r\nHost: hypnotoad.test:1234\r\n\r\n"),
        row(
            "host:port terminated by a space",
            "GET http://hypnotoad.test:1234 HTTP/1.1\r\nHost: hypnotoad.test:1234\r\n\r\n",
            ["GET /"], .open),
        row(
            "query URL with vertical bar character",
            "GET /test.cgi?query=| HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /test.cgi?query=|"], .open),
        row(
            "host:port and basic auth (stricter: no user)",
            "GET http://a%12:b!&*$@hypnotoad.test:1234/toto HTTP/1.1\r\nHost: hypnotoad.test:1234\r\n\r\n"
        ),
        // Laxer here alone: macros that a network leaves unreplaced and raw UTF-8 come in paths, too.
        row(
            "disallow UTF-8 in URI path in strict mode (taken)",
            "GET /\u{ce}\u{b4}/pope?q=1#narf HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /δ/pope?q=1#narf"],
            .open),
        row(
            "fragment in URI", "GET /forums?page=1#posts-17408 HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /forums?page=1#posts-17408"], .open),
    ]
}

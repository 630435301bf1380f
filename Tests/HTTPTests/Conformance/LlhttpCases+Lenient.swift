/// The lenient-*.md files, and what is lenient elsewhere with bytes of its own: there is no such mode
/// here.
extension LlhttpCases {
    static let lenient: [ConformanceCase] = [
        row("header value with lenient", url + "Header1: \u{c}\r\n\r\n"),
        row(
            "second request header value with lenient",
            url + "Header1: Okay\r\n\r\n\r\n" + url + "Header1: \u{c}\r\n\r\n",
            ["GET /url"], .refused(400)),
        row("header value without lenient", url + "Header1: \u{c}\r\n\r\n\r\n"),
        row("control char in header value (relaxed)", url + "Header1: hello\u{c}world\r\n\r\n"),
        row(
            "space after start line must still fail",
            "GET /url HTTP/1.1\r\n Header1: value\r\n\r\n"),
        row(
            "invalid HTTP version with lenient", "GET / HTTP/5.6\r\nHost: a\r\n\r\n", [],
            .refused(505)),
        row(
            "multiple host headers (relaxed)",
            "GET / HTTP/1.1\r\nhost: www.python.org\r\nhost: llhttp.org\r\n\r\n"),
        row(
            "no error on simultaneous Content-Length and Transfer-Encoding: identity (lenient)",
            put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        row(
            "POST with Transfer-Encoding and Content-Length (lenient)",
            put + "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nWorld"),
        row(
            "invalid OBS fold after chunked value",
            put + "Transfer-Encoding: chunked\r\n  abc\r\n\r\n5\r\nWorld\r\n0\r\n\r\n"),
        row(
            "chunk header not terminated by CRLF (lenient)",
            get + "Connection: close \r\nTransfer-Encoding: chunked \r\n\r\n"
                + "6\r\r;ABCD\r\n33\r\nE\r\n0\r\n\r\n"
                + "GET / HTTP/1.1 \r\nHost: a\r\nContent-Length: 5\r\n0\r\n\r\n"),
    ]

    private static let url = "GET /url HTTP/1.1\r\nHost: a\r\n"
}

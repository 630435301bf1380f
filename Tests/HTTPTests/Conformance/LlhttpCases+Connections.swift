/// connection.md, finish.md, pausing.md and pipelining.md: what follows a request, or doesn't.
extension LlhttpCases {
    static let connections: [ConformanceCase] = [
        row(
            "no restart when keep-alive is off (1.0)", "PUT /url HTTP/1.0\r\n\r\n" + put + "\r\n",
            ["PUT /url"], .closed),
        row(
            "restarting when keep-alive is explicitly",
            put + "Connection: keep-alive\r\n\r\n" + put + "Connection: keep-alive\r\n\r\n",
            ["PUT /url", "PUT /url"], .open),
        row(
            "CRLF between requests, implicit keep-alive",
            put + "Content-Length: 4\r\n\r\nq=42\r\n" + get + "\r\n", ["PUT /url → q=42", "GET /"],
            .open),
        row(
            "CRLF between requests, explicit close",
            put + "Content-Length: 4\r\nConnection: close\r\n\r\nq=42\r\n" + get + "\r\n",
            ["PUT /url → q=42"], .closed),
        row(
            "parsing multiple tokens",
            put + "Connection: close, token, upgrade, token, keep-alive\r\n\r\n",
            ["PUT /url"], .closed),
        row(
            "emitting part of body and pausing (stricter: nothing is upgraded)",
            put + "Connection: upgrade\r\nContent-Length: 4\r\nUpgrade: ws\r\n\r\nabcdefgh\r\n",
            ["PUT /url → abcd"], .refused(400)),
        row(
            "CRLF between requests, implicit keep-alive (stricter: there are two)",
            "POST / HTTP/1.1\r\nHost: www.example.com\r\n" + form
                + "\r\nq=42\r\n\r\nGET / HTTP/1.1\r\n",
            ["POST / → q=42"], .refused(400)),
        row(
            "CRLF between requests, explicit close, both of them",
            "POST / HTTP/1.1\r\nHost: www.example.com\r\n" + form
                + "Connection: close\r\n\r\nq=42\r\n\r\nGET / HTTP/1.1\r\n",
            ["POST / → q=42"], .closed),
        row("not treating \\r as -", put + "Connection: keep\ralive\r\n\r\n"),
        row("setting flag", put + "Connection: keep-alive\r\n\r\n", ["PUT /url"], .open),
        row("setting flag on close", put + "Connection: close\r\n\r\n", ["PUT /url"], .closed),
        row(
            "resetting flags when keep-alive is off (1.0, lenient)",
            "PUT /url HTTP/1.0\r\nContent-Length: 0\r\n\r\n" + put
                + "Transfer-Encoding: chunked\r\n\r\n",
            ["PUT /url"], .closed),
        row(
            "multiple tokens with folding and LWS",
            "GET /demo HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade\r\n"
                + "Upgrade: WebSocket\r\n\r\nHot diggity dogg",
            ["GET /demo"], .waiting),
        row(
            "multiple tokens with folding, LWS, and CRLF (stricter: folded)",
            "GET /demo HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, \r\n upgrade\r\n"
                + "Upgrade: WebSocket\r\n\r\nHot diggity dogg"),
        row(
            "invalid whitespace token with Connection header field",
            put + "Connection : upgrade\r\nContent-Length: 4\r\nUpgrade: ws\r\n\r\nabcdefgh"),
        row(
            "setting a flag and pausing", put + "Connection: upgrade\r\nUpgrade: ws\r\n\r\n",
            ["PUT /url"], .open),
        row("Upgrade GET request", webSocket, ["GET /demo"], .waiting),
        row(
            "Upgrade POST request",
            "POST /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n"
                + "Upgrade: HTTP/2.0\r\nContent-Length: 15\r\n\r\nsweet post bodyHot diggity dogg",
            ["POST /demo → sweet post body"], .waiting),
    ]

    private static let webSocket: String =
        "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nSec-WebSocket-Protocol: sample\r\n"
        + "Upgrade: WebSocket\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
        + "Origin: http://example.com\r\n\r\nHot diggity dogg"

    private static let form =
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n"

    /// The pauses there are at ten callbacks of two requests; here bytes may stop coming anywhere.
    static let stops: [ConformanceCase] = [
        row("it should be safe to finish after GET request", get + "\r\n", ["GET /"], .open),
        row(
            "it should be unsafe to finish after incomplete PUT request",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n", [], .waiting),
        row(
            "it should be unsafe to finish inside of the header",
            "PUT / HTTP/1.1\r\nContent-Leng", [], .waiting),
        row(
            "pausing on_message_begin to on_headers_complete",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", ["POST / → abc"], .open),
        row(
            "pausing on_chunk_header and on_chunk_complete",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "a\r\n0123456789\r\n0\r\n\r\n",
            ["PUT / → 0123456789"], .open),
        row(
            "pipelining: should parse multiple events (the last body lacks a byte)",
            "POST /aaa HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nAAA\r\n"
                + "PUT /bbb HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nBBBB\r\n"
                + "PATCH /ccc HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nCCCC",
            ["POST /aaa → AAA", "PUT /bbb → BBBB"], .waiting),
    ]
}

/// What must be understood, and what more than one request over a connection comes to.
enum TakenCases {
    static let all: [ConformanceCase] = single + bodies + sequences + unfinished

    static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    static let single: [ConformanceCase] = [
        .good(get, ["GET /"]),
        .good("\r\n" + get, ["GET /"], "an empty line first"),
        .good("get / HTTP/1.1\r\nHost: a\r\n\r\n", ["get /"]),
        .good("!#$%&'*+-.^_`|~09AZaz / HTTP/1.1\r\nHost: a\r\n\r\n", ["!#$%&'*+-.^_`|~09AZaz /"]),
        .good("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ["OPTIONS *"]),
        .good("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", ["TRACE /"]),
        .good("CONNECTS / HTTP/1.1\r\nHost: a\r\n\r\n", ["CONNECTS /"]),
        .good("GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /x?y"], "a URL"),
        .good("GET HTTP://A HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /"], "a URL in capitals"),
        .good("GET https://a:1/ HTTP/1.1\r\nHost: a:1\r\n\r\n", ["GET /"], "a URL with a port"),
        .good("GET //a//b HTTP/1.1\r\nHost: a\r\n\r\n", ["GET //a//b"]),
        .good("GET /../a/./b HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /../a/./b"]),
        .good("GET /%00%0d%0a?%zz HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /%00%0d%0a?%zz"]),
        // Networks leave macros unreplaced and browsers send raw UTF-8: refusing those would lose
        // clicks and conversions, and no two parsers read them differently.
        .good(
            "GET /?a=#s2#&b={c}|\"<>\\^` HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /?a=#s2#&b={c}|\"<>\\^`"]),
        .good(
            "GET /?a=\u{c3}\u{a9} HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /?a=é"],
            "raw UTF-8 in a query"),
        .good("GET / HTTP/1.2\r\nHost: a\r\n\r\n", ["GET /"], "a later minor version"),
        .good("GET / HTTP/1.0\r\n\r\n", ["GET /"], "HTTP/1.0", .closed),
        .good(
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ["GET /"], "HTTP/1.0 kept alive"),
        .good("GET http://a/b HTTP/1.0\r\n\r\n", ["GET /b"], "a URL in HTTP/1.0", .closed),
        .good(
            "GET / HTTP/1.1\r\nhoSt:\ta \t\r\nempty:\r\nX: a\tb\u{e9}\r\n\r\n", ["GET /"],
            "blanks, nothing and high bytes in values"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: 1\r\n\r\n", ["GET /"],
            "a name of all marks"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ["GET /"], "close", .closed),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE,\r\n\r\n", ["GET /"],
            "close in a list", .closed),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", ["GET /"],
            "close wins", .closed),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", ["GET /"],
            "closed isn't close"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", ["GET /"],
            "an upgrade nobody offers"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n",
            ["GET /"], "names with underscores mean nothing"),
        .goodHost("a"), .goodHost("A-1_b~.Test."), .goodHost("a:"), .goodHost("a:0"),
        .goodHost("a:65535"), .goodHost("127.0.0.1:80"), .goodHost("[::]"), .goodHost("[::1]"),
        .goodHost("[::1]:80"), .goodHost("[::1]:"), .goodHost("[1:2:3:4:5:6:7:8]"),
        .goodHost("[1:2:3:4:5:6:7::]"), .goodHost("[::2:3:4:5:6:7:8]"), .goodHost("[FE80::a:B]"),
        .goodHost("[::ffff:1.2.3.4]"), .goodHost("[1:2:3:4:5:6:255.0.10.9]"),
    ]

    static func post(_ fields: String, _ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    static let bodies: [ConformanceCase] = [
        .good(post("Content-Length: 5", "hello"), ["POST / → hello"], "a length"),
        .good(post("Content-Length: 0", ""), ["POST /"], "an empty body"),
        .good(post("Content-Length:\t 005 ", "hello"), ["POST / → hello"], "blanks and zeros"),
        .good(post("cOnTeNt-LeNgTh:5", "hello"), ["POST / → hello"], "a length in any case"),
        .good(post("X: 1", ""), ["POST /"], "no body"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", ["GET / → abc"],
            "a body of GET"),
        .good(
            "GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\nHELLO", ["GET / → HELLO"],
            "a body in HTTP/1.0", .closed),
        .good(
            post("Content-Length: 6", "\r\n\r\nGE"), ["POST / → \r\n\r\nGE"],
            "a body that begins like the next request"),
        .goodChunks("0\r\n\r\n", "", "no chunk"),
        .goodChunks("5\r\nhello\r\n0\r\n\r\n", "hello", "one chunk"),
        .goodChunks("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world", "two chunks"),
        .goodChunks("00a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "a size with zeros"),
        .goodChunks("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "a size in capitals"),
        .goodChunks("000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "as many digits as may be"),
        .goodChunks("5;a\r\nhello\r\n0;b\r\n\r\n", "hello", "extensions"),
        .goodChunks(
            "5;a=b;c;d=\"e;\\\"f\\\\\u{e9}\"\r\nhello\r\n0\r\n\r\n", "hello", "quoted ones"),
        .goodChunks("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", "line ends as data"),
        .goodChunks("5\r\nhello\r\n0\r\nVary: *\r\nX:\r\n\r\n", "hello", "trailers"),
        .goodChunks(
            "0\r\nContent-Length: 9\r\nHost: b\r\nTransfer-Encoding: x\r\n\r\n", "",
            "trailers that would change the framing"),
        .good(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\t CHUNKED \r\n\r\n0\r\n\r\n",
            ["POST / → "], "chunked in capitals"),
    ]

    static let sequences: [ConformanceCase] = [
        .good(get + get + get, ["GET /", "GET /", "GET /"], "three requests"),
        .good(get + "\r\n" + get, ["GET /", "GET /"], "an empty line between"),
        .good(
            post("Content-Length: 5", "hello") + get, ["POST / → hello", "GET /"],
            "a body and a request"),
        .good(
            post("Content-Length: 5", "hello\r\n") + get, ["POST / → hello", "GET /"],
            "a body, an empty line and a request"),
        .good(
            post("Content-Length: 0\r\nid: 0", "") + post("Content-Length: 3\r\nid: 1", "abc")
                + get, ["POST /", "POST / → abc", "GET /"], "an empty body is no body of the next"),
        .good(
            ConformanceCase.chunkedHead + "5\r\nhello\r\n0\r\n\r\n" + get,
            ["POST / → hello", "GET /"], "chunks and a request"),
        .good(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get, ["GET /"],
            "nothing is read behind close", .closed),
        .good(
            "GET / HTTP/1.0\r\n\r\n" + get, ["GET /"], "nothing is read behind HTTP/1.0", .closed),
        ConformanceCase(
            "a request and garbage", get + "Invalid\r\n\r\n", requests: ["GET /"], .refused(400)),
        ConformanceCase(
            "a request and two empty lines", get + "\r\n\r\n" + get, requests: ["GET /"],
            .refused(400)),
        ConformanceCase(
            "a request and a NUL", get + "\0\r\n", requests: ["GET /"], .refused(400)),
        ConformanceCase(
            "a body longer than its length", post("Content-Length: 4", "hell\"") + get,
            requests: ["POST / → hell"], .refused(400)),
        ConformanceCase(
            "chunks and a byte", ConformanceCase.chunkedHead + "0\r\n\r\n\0\r\n",
            requests: ["POST / → "], .refused(400)),
        ConformanceCase(
            "a smuggled request behind a conflict",
            post("Content-Length: 4\r\nTransfer-Encoding: chunked", "1\r\nZ\r\nQ\r\n\r\n") + get,
            .refused(400)),
        ConformanceCase(
            "three requests and a conflict",
            get + get + get + post("Content-Length: 1\r\nContent-Length: 2", "ab") + get,
            requests: ["GET /", "GET /", "GET /"], .refused(400)),
    ]

    /// Nothing is concluded before it is certain: as h1spec's fragments.
    static let unfinished: [ConformanceCase] = {
        let whole = [
            get, post("Content-Length: 5", "hello"),
            ConformanceCase.chunkedHead + "5;a=\"b\"\r\nhello\r\n0\r\nX: 1\r\n\r\n",
        ]
        return whole.flatMap { text in
            (1..<text.unicodeScalars.count).map { count in
                let part = String(String.UnicodeScalarView(text.unicodeScalars.prefix(count)))
                return ConformanceCase(
                    "the first \(count) bytes of \(text.prefix(4))…", part, .waiting)
            }
        }
    }()
}

/// Every payload of github.com/nodejs/llhttp, test/response: what its strict parser refuses is
/// refused here too, but for faults that leave no doubt where the answer ends, which cost the
/// connection alone; stricter is what stands before `HTTP/1.` and a switch of protocols.
enum OutsideResponseCases {
    static let all: [ResponseCase] = samples + invalid + connections + lengths + codings

    static func row(
        _ name: String, _ text: String, _ answer: String, _ end: ResponseCase.End,
        headers: [String]? = nil, isHead: Bool = false
    ) -> ResponseCase {
        ResponseCase("llhttp: \(name)", text, answer, end, headers: headers, isHead: isHead)
    }

    private static func bad(_ name: String, _ text: String, _ problem: String) -> ResponseCase {
        row(name, text, "", .refused(problem))
    }

    static let ok = "HTTP/1.1 200 OK\r\n"

    private static let notHTTP = "it begins with"

    private static let google: String =
        "HTTP/1.1 301 Moved Permanently\r\nLocation: http://www.google.com/\r\n"
        + "X-$PrototypeBI-Version: 1.6.0.3\r\nContent-Length:  219  \r\n\r\n"
        + "<HTML><HEAD><meta http-equiv=content-type content=text/html;charset=utf-8>\n"
        + "<TITLE>301 Moved</TITLE></HEAD><BODY>\n<H1>301 Moved</H1>\n"
        + "The document has moved\n<A HREF=\"http://www.google.com/\">here</A>.\r\n</BODY></HTML>"

    private static let plaxo: String =
        ok + "Expires: Mon, 26 Jul 1997 05:00:00 GMT\r\n"
        + ".et-Cookie: PlaxoCS=1274804622353690521; path=/; domain=.plaxo.com\r\n"
        + "_eep-Alive: timeout=45\r\n_onnection: Keep-Alive\r\n"
        + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"

    private static let samples: [ResponseCase] = [
        row(
            "simple response",
            ok + "Header1: Value1\r\nHeader2:\t Value2\r\nContent-Length: 0\r\n\r\n",
            "200 OK", .kept, headers: ["Header1=Value1", "Header2=Value2", "Content-Length=0"]),
        bad("RTSP response (stricter)", "RTSP/1.1 200 OK\r\n\r\n", notHTTP),
        bad("ICE response (stricter)", "ICE/1.1 200 OK\r\n\r\n", notHTTP),
        bad("error on invalid response start", "HTTPER/1.1 200 OK\r\n\r\n", notHTTP),
        row(
            "empty body should not trigger spurious span callbacks", ok + "\r\n", "200 OK",
            .atClose,
            headers: []),
        row(
            "Google 301 (the body lacks six bytes)",
            google, "", .broken),
        row(
            "amazon.com",
            "HTTP/1.1 301 MovedPermanently\r\nx-amz-id-1: 0GPHKXSJQ826RK7GZEB2\r\n"
                + "p3p: policyref=\"http://www.amazon.com/w3c/p3p.xml\",CP=\"CAO DSP LAW \"\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
            "301 MovedPermanently → \n", .kept,
            headers: [
                "x-amz-id-1=0GPHKXSJQ826RK7GZEB2",
                "p3p=policyref=\"http://www.amazon.com/w3c/p3p.xml\",CP=\"CAO DSP LAW \"",
                "Transfer-Encoding=chunked",
            ]),
        row(
            "no headers and no body", "HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found", .atClose,
            headers: []),
        row("no reason phrase", "HTTP/1.1 301\r\n\r\n", "301 ", .atClose),
        row("empty reason phrase after space", "HTTP/1.1 200 \r\n\r\n", "200 ", .atClose),
        row(
            "no carriage ret (lenient)",
            "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\nConnection: close\n\n"
                + "these headers are from http://news.ycombinator.com/",
            "200 OK → these headers are from http://news.ycombinator.com/", .atClose),
        row(
            "underscore in header key",
            ok + "Content-Length: 0\r\n"
                + "DCLK_imp: v7;x;114750856;0-0;0;17820020;0/0;21603567/21621457/1;;~okv=;\r\n\r\n",
            "200 OK", .kept,
            headers: [
                "Content-Length=0",
                "DCLK_imp=v7;x;114750856;0-0;0;17820020;0/0;21603567/21621457/1;;~okv=;",
            ]),
        row(
            "bonjourmadame.fr",
            "HTTP/1.0 301 Moved Permanently\r\nPragma: \r\nLocation: http://www.bonjourmadame.fr/\r\n"
                + "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n",
            "301 Moved Permanently", .kept,
            headers: [
                "Pragma=", "Location=http://www.bonjourmadame.fr/", "Content-Length=0",
                "Connection=keep-alive",
            ]),
        row(
            "spaces in header value",
            plaxo, "200 OK", .spent,
            headers: [
                "Expires=Mon, 26 Jul 1997 05:00:00 GMT",
                ".et-Cookie=PlaxoCS=1274804622353690521; path=/; domain=.plaxo.com",
                "_eep-Alive=timeout=45", "_onnection=Keep-Alive", "Transfer-Encoding=chunked",
                "Connection=close",
            ]),
        bad(
            "spaces in header name",
            ok + "X-Powered-By: ASP.NET\r\nen-US Content-Type: text/xml\r\n"
                + "Content-Length: 16\r\n\r\n<xml>hello</xml>", "a bad header name"),
        row(
            "non ASCII in status line",
            "HTTP/1.1 500 Ori\u{c3}\u{ab}ntatieprobleem\r\nContent-Length: 0\r\n"
                + "Connection: close\r\n\r\n",
            "500 Oriëntatieprobleem", .spent),
        bad("HTTP version 0.9 (stricter)", "HTTP/0.9 200 OK\r\n\r\n", notHTTP),
        row(
            "no Content-Length, no Transfer-Encoding",
            ok + "Content-Type: text/plain\r\n\r\nhello world", "200 OK → hello world", .atClose),
        bad(
            "response starting with CRLF (stricter: it's a request that may)",
            "\r\n" + ok + "Header1: Value1\r\nContent-Length: 0\r\n\r\n", notHTTP),
        row(
            "it should be safe to finish with cb after empty response", ok + "\r\n", "200 OK",
            .atClose),
        row(
            "pausing on_message_begin to on_headers_complete", ok + "Content-Length: 3\r\n\r\nabc",
            "200 OK → abc", .kept),
        row(
            "pausing on_chunk_header and on_chunk_complete",
            ok + "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            "200 OK → 0123456789", .kept),
    ]

    private static let invalid: [ResponseCase] = [
        bad("incomplete HTTP protocol", "HTP/1.1 200 OK\r\n\r\n", notHTTP),
        bad("extra digit in HTTP major version", "HTTP/01.1 200 OK\r\n\r\n", notHTTP),
        bad("extra digit in HTTP major version #2", "HTTP/11.1 200 OK\r\n\r\n", notHTTP),
        bad("extra digit in HTTP minor version", "HTTP/1.01 200 OK\r\n\r\n", "bad status line"),
        bad("tab after HTTP version", "HTTP/1.1\t200 OK\r\n\r\n", "bad status line"),
        bad(
            "CR before response and tab after HTTP version", "\rHTTP/1.1\t200 OK\r\n\r\n", notHTTP),
        bad(
            "headers separated by CR", ok + "Foo: 1\rBar: 2\r\n\r\n",
            "control character in a header"),
        bad("invalid HTTP version", "HTTP/5.6 200 OK\r\n\r\n", notHTTP),
        bad(
            "invalid space after start line", ok + " Host: foo\r\n\r\n",
            "the first header line is indented"),
        bad(
            "extra space between HTTP version and status code", "HTTP/1.1  200 OK\r\n\r\n",
            "bad status line"),
        row(
            "extra space between status code and reason", "HTTP/1.1 200  OK\r\n\r\n", "200  OK",
            .atClose),
        bad("one-digit status code", "HTTP/1.1 2 OK\r\n\r\n", "bad status line"),
        row(
            "only LFs present and no body (lenient)", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "200 OK", .spent),
        row(
            "only LFs present (lenient)", "HTTP/1.1 200 OK\nFoo: abc\nBar: def\n\nBODY\n",
            "200 OK → BODY\n", .atClose, headers: ["Foo=abc", "Bar=def"]),
    ]
}

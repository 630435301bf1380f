/// The payloads of github.com/narfindustries/http-garden's list of findings that are HTTP/1, by the
/// server and number that they are listed under: each was read in two ways by somebody.
enum GardenCases {
    static let all: [ConformanceCase] = fields + lengths + chunks

    private static func bad(_ name: String, _ text: String, _ status: Int = 400) -> ConformanceCase
    {
        OutsideCases.row("http-garden", name, text, [], .refused(status))
    }

    private static func head(_ name: String, _ lines: String, _ status: Int = 400)
        -> ConformanceCase
    {
        bad(name, "GET / HTTP/1.1\r\nHost: a\r\n" + lines, status)
    }

    private static func body(_ name: String, _ body: String, _ status: Int = 400) -> ConformanceCase
    {
        bad(name, ConformanceCase.chunkedHead + body, status)
    }

    private static let fields: [ConformanceCase] = [
        head("AIOHTTP 2", "Header: v\n\0\ralue\r\n\r\n"),
        head("AIOHTTP 3", "Content-Length : 34\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("AIOHTTP 4", "GET / HTTP/1.1\r\n\tContent-Length: 1\r\nHost: a\r\n\r\nX"),
        bad("AIOHTTP 5", "GET /test HTTP/1.32\r\nHost: a\r\n\r\n"),
        bad("AIOHTTP 6", "G=\":<>(e),[T];?\" /get HTTP/1.1\r\nHost: a\r\n\r\n"),
        bad("AIOHTTP 7", "GET ! HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("AIOHTTP 8", "\u{ff}oo: bar\r\n\r\n"),
        bad("AIOHTTP 9", "GET /\nHTTP/1.1\r\nHost: a\r\n\r\n"),
        head("Apache Traffic Server 3", "Header\u{85}: value\r\n\r\n"),
        bad("Bun 2", "GET / HTTP/1.1\r\n\r\n"),
        head("CPython http.server 2", "Visible: :/\rSmuggled: :)\r\n\r\n"),
        bad("Go net/http 3", "GET / HTTP/1.1\r\n: ignored\r\nHost: a\r\n\r\n"),
        head("Google Cloud 1", "Invalid-Header: this\rvalue\ris\rinvalid\r\n\r\n"),
        head("Gunicorn 2", "Useless:\n\nGET / HTTP/1.1\r\n\r\n"),
        head("Gunicorn 3", "Content-Length\u{85}: 10\r\n\r\n0123456789"),
        head("Gunicorn 5", "Test: x\n\r\0\r\n\r\n"),
        head("Gunicorn 7", ": a\r\n\r\n"),
        bad(
            "H2O 1, 2, Envoy 1, Varnish 1",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0\0\0E\u{1}\u{5}\0\0\0\u{1}\0\n",
            505),
        bad("HAProxy 2", "GET / HTTP/1.1\r\nHost: google.test\0.evil.test\r\n\r\n"),
        bad("Libevent 1", "GET / HTTP/4294967295.255\r\nHost: a\r\n\r\n"),
        head("Mongoose 2", ":\r\nI: am chopped off\r\n\r\n"),
        head("Mongoose 3", "Whatever: whatever\rContent-Length: 10\r\n\r\n0123456789"),
        head("Mongoose 4", "Content-Length 10\r\n\r\n0123456789"),
        head("Mongoose 5", "\"(),/;<=>?@[/]{}\u{c0}\u{ef}: yep\r\n\r\n"),
        bad(
            "Node.js 1",
            "GET / HTTP/1.1\r\nHost: a\r\n\rZGET /evil: HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("Node.js 3", ":\r\n\r\n"),
        head("OpenLiteSpeed 4", "Content-Length : 1\r\n\r\nZ"),
        head("OpenLiteSpeed 5", "Hea\0der: value\r\n\r\n"),
        head("OpenLiteSpeed 6", "Header: va\rlue\r\n\r\n"),
        head("OpenLiteSpeed 9", "Test: test\0THESE BYTES GET DROPPED\r\nConnection: close\r\n\r\n"),
        head("OpenLiteSpeed 10", "Test\r\nConnection: close\r\n\r\n"),
        head("OpenLiteSpeed 11", "Test: t\n\0st\r\nConnection: close\r\n\r\n"),
        head("OpenLiteSpeed 12", "Te\nst: test\r\nConnection: close\r\n\r\n"),
        bad("OpenLiteSpeed 14", "GET / HTTP/1.1\nHost: a\nConnection: close\n\n"),
        head("OpenBSD relayd 5", "a:b\r\nc\0\r\n\r\n"),
        head(
            "Phusion Passenger 2",
            "Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        head("Tornado 2", "H\0: value\r\n\r\n"),
        head("Tornado 3", "H: \0\r\n\r\n"),
        head("Tornado 4", ": test\r\n\r\n"),
        bad("Waitress 1", "\0 / HTTP/............0596.7407.\r\nHost: a\r\n\r\n"),
        head("WEBrick 3", "Evil: evil\0\r\n\r\n"),
        OutsideCases.row(
            "http-garden", "Bun 1", "GET / HTTP/1.1\r\nHost: a\r\nTe!st: a\r\n\r\n", ["GET /"],
            .open),
    ]

    private static let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private static let lengths: [ConformanceCase] = [
        head("Akamai 1", "Content-Length: 0x10\r\n\r\nZ"),
        head(
            "Apache Traffic Server 2, Go 1, Lighttpd 1, OpenLiteSpeed 1, Puma 1",
            "Content-Length: \r\n\r\n"),
        head(
            "Apache Traffic Server 6, Go 4, H2O 5, Squid 1",
            "Content-Length: blahblahblah\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nZ\r\n0\r\n\r\n"),
        head("Azure 1, nghttpx 1", "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 501),
        head(
            "CPython http.server 1, Gunicorn 1, Werkzeug 1",
            "Content-Length: +1_0\r\n\r\n0123456789"),
        head(
            "Gunicorn 6, Mongoose 4b, relayd 2, Passenger 1",
            "Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 501),
        head("H2O 4", "Content-Length: 1\r\nContent-Length: 0\r\n\r\nZ"),
        head("HAProxy 1", "content-length: \r\ncontent-length: 59\r\n\r\nPOST /evil HTTP/1.1\r\n"),
        head("Mongoose 1", "Content-Length: -48\r\n\r\n"),
        head("Mongoose 5b", "Content-Length: 1Z\r\n\r\nZ"),
        head("OpenLiteSpeed 2", "Content-Length: 1abc\r\n\r\nZ"),
        head("OpenLiteSpeed 7", "Content-Length: +1\r\n\r\nZ"),
        head("OpenBSD relayd 4", "Content-Length: +0\r\n\r\n"),
        head(
            "OpenBSD relayd 7",
            "Content-Length: 0\r\nContent-Length: 31\r\n\r\nGET /evil HTTP/1.1\r\n"),
        head(
            "OpenBSD relayd 8", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        head(
            "Pound 1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        head("WEBrick 1", "Content-Length: \r\nContent-Length: 43\r\n\r\nPOST /evil HTTP/1.1\r\n"),
        // Digits are decimal, whatever they begin with.
        OutsideCases.row(
            "http-garden", "OpenLiteSpeed 3",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 010\r\n\r\n0123456789" + next,
            ["GET / → 0123456789", "GET /"], .open),
        OutsideCases.row(
            "http-garden", "OpenBSD relayd 6",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234567890",
            ["GET / → 1234567890"],
            .open),
    ]

    private static let chunks: [ConformanceCase] = [
        body("AIOHTTP 1, H2O 3, Tornado 1", "0_2e\r\n\r\n" + next),
        body("Akamai 2", "Z\r\nZZ\r\nZZZ\r\n\r\n"),
        body(
            "Akamai 3, Google Cloud 2",
            "2\r\r;a\r\n02\r\n41\r\n0\r\n\r\nGET /bad_path/pwned HTTP/1.1\r\n"),
        body("Apache Traffic Server 4", "1\r\r;chunk-ext-name\r\nZ\r\n0\r\n\r\n"),
        body("Apache Traffic Server 5", "1these-bytes-never-get-validated\r\nZ\r\n0\r\n\r\n"),
        body("Go net/http 2, Hyper 1", "\r\n\r\n" + next),
        body("Gunicorn 4", "0x2_e\r\n\r\n" + next),
        body("HAProxy 3", "a\r\n0123456789\n0\r\n\r\n"),
        body("Mongoose 6", "1\r\nZ\r\n\r\n\r\n" + next),
        body("Node.js 2", "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n" + next),
        body("OpenLiteSpeed 8", "0x1\r\nZ\r\n0\r\n\r\n"),
        body("OpenBSD relayd 3", "-0x0\r\n\r\n"),
        body("OpenBSD relayd 9", "           0\r\n\r\n"),
        body("Pound 2", "-0x0\r\n\r\n"),
        body("Pound 3, 4", "\t0\r\n\r\n"),
        body("WEBrick 2", "0x3a\r\n\r\nGET /evil HTTP/1.1\r\nContent-Length: 23\r\nE: vil\r\n\r\n"),
        OutsideCases.row(
            "http-garden", "OpenBSD httpd 1", ConformanceCase.chunkedHead + "0\r\n\r\n\0\r\n",
            ["POST / → "]),
        body("OpenLiteSpeed 15", "17\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n0\r\n\r\n"),
        // A trailer of that name, whatever its value looks like.
        OutsideCases.row(
            "http-garden", "Puma 2", ConformanceCase.chunkedHead + "0\r\nX:POST / HTTP/1.1\r\n\r\n",
            ["POST / → "], .open),
    ]
}

/// What others judge servers by, each case under the name that it has there. Where a case would be
/// refused for lack of a Host, and that isn't its point, it has one here.
enum OutsideCases {
    static let all: [ConformanceCase] = h1spec + LlhttpCases.all + GardenCases.all

    static func row(
        _ source: String, _ name: String, _ text: String, _ requests: [String] = [],
        _ end: ConformanceCase.End = .refused(400)
    ) -> ConformanceCase {
        ConformanceCase("\(source): \(name)", text, requests: requests, end)
    }

    /// Every case of github.com/uNetworking/h1spec.
    static let h1spec: [ConformanceCase] = fragments + whole

    private static func h1(
        _ name: String, _ text: String, _ requests: [String] = [],
        _ end: ConformanceCase.End = .refused(400)
    ) -> ConformanceCase { row("h1spec", name, text, requests, end) }

    private static let fragments: [ConformanceCase] = [
        h1("fragmented method", "G", [], .waiting),
        h1("fragmented URL 1", "GET ", [], .waiting),
        h1("fragmented URL 2", "GET /hello", [], .waiting),
        h1("fragmented URL 3", "GET /hello ", [], .waiting),
        h1("fragmented HTTP version", "GET /hello HTTP", [], .waiting),
        h1("fragmented request line", "GET /hello HTTP/1.1", [], .waiting),
        h1("fragmented request line newline 1", "GET /hello HTTP/1.1\r", [], .waiting),
        h1("fragmented request line newline 2", "GET /hello HTTP/1.1\r\n", [], .waiting),
        h1("fragmented field name", "GET /hello HTTP/1.1\r\nHos", [], .waiting),
        h1("fragmented field value 1", "GET /hello HTTP/1.1\r\nHost:", [], .waiting),
        h1("fragmented field value 2", "GET /hello HTTP/1.1\r\nHost: ", [], .waiting),
        h1("fragmented field value 3", "GET /hello HTTP/1.1\r\nHost: localhost", [], .waiting),
        h1("fragmented field value 4", "GET /hello HTTP/1.1\r\nHost: localhost\r", [], .waiting),
        h1("fragmented request", "GET /hello HTTP/1.1\r\nHost: localhost\r\n", [], .waiting),
        h1(
            "fragmented request termination", "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r", [],
            .waiting),
    ]

    private static let example = "GET / HTTP/1.1\r\nHost: example.com\r\n"

    private static let whole: [ConformanceCase] = [
        h1("request without HTTP version", "GET / \r\n\r\n"),
        h1(
            "request with Expect header", example + "Expect: 100-continue\r\n\r\n", ["GET /"], .open
        ),
        h1("valid GET request", example + "\r\n", ["GET /"], .open),
        h1(
            "valid GET request with edge cases",
            "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", ["GET /"], .open),
        h1("invalid header characters", example + "X-Invalid[]: test\r\n\r\n"),
        h1("missing Host header", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
        h1("multiple Host headers", example + "Host: example.org\r\n\r\n"),
        h1(
            "overflowing negative Content-Length header",
            example + "Content-Length: -123456789123456789123456789\r\n\r\n"),
        h1("negative Content-Length header", example + "Content-Length: -1234\r\n\r\n"),
        h1("non-numeric Content-Length header", example + "Content-Length: abc\r\n\r\n"),
        h1("empty header value", example + "X-Empty-Header: \r\n\r\n", ["GET /"], .open),
        h1(
            "header containing invalid control character",
            example + "X-Bad-Control-Char: test\u{7}\r\n\r\n"),
        h1(
            "invalid HTTP version", "GET / HTTP/9.9\r\nHost: example.com\r\n\r\n", [],
            .refused(505)),
        h1("invalid prefix of request", "Extra line" + example + "\r\n"),
        h1("invalid line ending", example + "\rSome-Header: Test\r\n\r\n"),
        h1(
            "valid POST request with body",
            "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello",
            ["POST / → hello"], .open),
        h1(
            "conflicting Transfer-Encoding and Content-Length",
            example + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
    ]
}

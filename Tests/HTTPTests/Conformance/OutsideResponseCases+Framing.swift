/// connection.md, content-length.md, pipelining.md and transfer-encoding.md.
extension OutsideResponseCases {
    private static let upgrade = ok + "Connection: upgrade\r\nUpgrade: h2c\r\n"
    private static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    private static let switched = ResponseCase.End.refused("it switches to another protocol")

    static let connections: [ResponseCase] = [
        row(
            "Proxy-Connection",
            ok + "Content-Length: 11\r\nProxy-Connection: close\r\n\r\nhello world",
            "200 OK → hello world", .kept),
        row(
            "HTTP/1.0 with keep-alive and EOF-terminated 200 status",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK",
            "200 OK → HTTP/1.0 200 OK", .atClose),
        row(
            "HTTP/1.0 with keep-alive and 204 status",
            "HTTP/1.0 204 No content\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK",
            "204 No content", .spent),
        row(
            "HTTP/1.1 with EOF-terminated 200 status", ok + "\r\nHTTP/1.1 200 OK",
            "200 OK → HTTP/1.1 200 OK", .atClose),
        row(
            "HTTP/1.1 with 204 status", "HTTP/1.1 204 No content\r\n\r\nHTTP/1.1 200 OK",
            "204 No content", .spent),
        row(
            "HTTP/1.1 with keep-alive disabled and 204 status",
            "HTTP/1.1 204 No content\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK",
            "204 No content", .spent),
        row(
            "HTTP/1.1 with keep-alive disabled, content-length",
            "HTTP/1.1 200 No content\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
                + "2ad731e3-4dcd-4f70-b871-0ad284b29ffc", "200 No content → 2ad73", .spent),
        row(
            "HTTP/1.1 with keep-alive disabled, content-length, and in lenient mode",
            "HTTP/1.1 200 No content\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
                + "2ad73HTTP/1.1 200 OK", "200 No content → 2ad73", .spent),
        row(
            "HTTP 101 response with Upgrade and Content-Length header (stricter)",
            switching + "Content-Length: 4\r\n\r\nbodyproto", "", switched),
        row(
            "HTTP 101 response with Upgrade and Transfer-Encoding header (stricter)",
            switching + "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\nproto",
            "", switched),
        row(
            "HTTP 200 response with Upgrade header", upgrade + "\r\nbody", "200 OK → body", .atClose
        ),
        row(
            "HTTP 200 response with Upgrade header and Content-Length",
            upgrade + "Content-Length: 4\r\n\r\nbody", "200 OK → body", .kept),
        row(
            "HTTP 200 response with Upgrade header and Transfer-Encoding",
            upgrade + "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
            "200 OK → body", .kept),
        row(
            "pipelining: should parse multiple events (nobody asked for the second)",
            ok + "Content-Length: 3\r\n\r\nAAA\r\nHTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n"
                + "BBBB\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nCCCC",
            "200 OK → AAA", .spent),
    ]

    static let lengths: [ResponseCase] = [
        row(
            "response without Content-Length, but with body",
            ok
                + "Server: Apache\r\nContent-Type: text/xml; charset=utf-8\r\nConnection: close\r\n\r\n"
                + "<?xml version=\\\"1.0\\\"?>\n<SOAP-ENV:Envelope>\n</SOAP-ENV:Envelope>",
            "200 OK → <?xml version=\\\"1.0\\\"?>\n<SOAP-ENV:Envelope>\n</SOAP-ENV:Envelope>",
            .atClose),
        row(
            "Content-Length-X",
            ok + "Content-Length-X: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
            "200 OK → OK", .kept),
        row(
            "Content-Length reset when no body is received",
            ok + "Content-Length: 123\r\n\r\n" + ok + "Content-Length: 456\r\n\r\n", "200 OK",
            .spent,
            isHead: true),
        row(
            "tabs in Content-Length (surrounding)", ok + "Content-Length:\t42\t\r\n\r\n", "",
            .broken),
    ]

    private static func chunked(
        _ name: String, _ body: String, _ answer: String, _ end: ResponseCase.End
    ) -> ResponseCase {
        row(
            name, ok + "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body, answer, end)
    }

    static let codings: [ResponseCase] = [
        row(
            "empty Transfer-Encoding with Content-Length",
            ok + "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", "",
            .refused("empty Transfer-Encoding")),
        chunked(
            "trailing space on chunked body (laxer)",
            "25  \r\nThis is the data in the first chunk\r\n\r\n1C\r\n"
                + "and this is the second one\r\n\r\n0  \r\n\r\n",
            "200 OK → This is the data in the first chunk\r\nand this is the second one\r\n",
            .spent),
        row(
            "chunked before other transfer-encoding",
            ok + "Accept: */*\r\nTransfer-Encoding: chunked, deflate\r\n\r\nWorld",
            "200 OK → World", .atClose),
        row(
            "multiple transfer-encoding where chunked is not the last one",
            ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\nWorld",
            "200 OK → World", .atClose),
        row(
            "chunkedchunked transfer-encoding does not enable chunked enconding",
            ok + "Transfer-Encoding: chunkedchunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
            "200 OK → 2\r\nOK\r\n0\r\n\r\n", .atClose),
        chunked(
            "chunk extensions",
            "5;ilovew3;somuchlove=aretheseparametersfor\r\nhello\r\n6;blahblah;blah\r\n world\r\n"
                + "0\r\n\r\n", "200 OK → hello world", .kept),
        chunked(
            "no semicolon before chunk extensions",
            "2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n", "",
            .refused("a chunk's size is not a number")),
        chunked(
            "no extension after semicolon (laxer)", "2;\r\naa\r\n0\r\n\r\n", "200 OK → aa", .spent),
        chunked(
            "chunk extensions quoting",
            "5;ilovew3=\"I love; extensions\";somuchlove=\"aretheseparametersfor\";blah;foo=bar\r\n"
                + "hello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n", "200 OK → hello world", .kept),
        chunked(
            "unbalanced chunk extensions quoting (laxer)",
            "5;ilovew3=\"abc\";somuchlove=\"def; ghi\r\nhello\r\n6;blahblah;blah\r\n world\r\n"
                + "0\r\n\r\n", "200 OK → hello world", .spent),
        row(
            "invalid OBS fold after chunked value",
            ok + "Transfer-Encoding: chunked\r\n  abc\r\n\r\n5\r\nWorld\r\n0\r\n\r\n",
            "200 OK → 5\r\nWorld\r\n0\r\n\r\n", .atClose),
    ]
}

import TestSupport
import Testing

@testable import HTTP

@Suite struct ClientResponseParserTests {
    private func parse(
        _ text: String, isHead: Bool = false, readMax: Int = 65536, keptMax: Int = 65536,
        end: Bool? = true
    ) -> ReadAnswer {
        ReadAnswer(
            [Array(text.utf8)], isHead: isHead, readMax: readMax, keptMax: keptMax, end: end)
    }

    // MARK: Answers as they should be

    @Test func `an answer with a length is whole at its last byte`() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA:  b \r\n\r\nhello", end: nil)
        #expect(answer.isWhole)
        #expect(answer.status == 200)
        #expect(answer.reason == "OK")
        #expect(answer.headers == ["Content-Length=5", "A=b"])
        #expect(answer.body == "hello")
        #expect(answer.mayKeep)
        #expect(!parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell").isWhole)
    }

    @Test func `chunks are joined, extensions and trailer left out`() {
        let answer = parse(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;a=\"b\"\r\nhello\r\n01\r\n \r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", end: nil)
        #expect(answer.body == "hello 0123456789")
        #expect(answer.mayKeep)
        #expect(
            !parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
                .isWhole)
    }

    @Test func `an answer without length ends with its connection`() {
        let answer = parse("HTTP/1.1 200 OK\r\n\r\nhello")
        #expect(answer.body == "hello")
        #expect(!answer.isTruncated)
        #expect(!answer.mayKeep)
        #expect(!parse("HTTP/1.1 200 OK\r\n\r\nhello", end: nil).isWhole)
        #expect(parse("HTTP/1.1 200 OK\r\n\r\nhello", end: false).isTruncated)
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"])
    func `some statuses have no body whatever their headers say`(status: String) {
        let answer = parse("HTTP/1.1 \(status)\r\nContent-Length: 5\r\n\r\n", end: nil)
        #expect(answer.isWhole)
        #expect(answer.body.isEmpty)
        #expect(answer.mayKeep)
    }

    @Test func `the answer to a HEAD has no body`() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", isHead: true, end: nil)
        #expect(answer.isWhole)
        #expect(answer.mayKeep)
    }

    @Test func `interim answers are skipped, but not for ever`() {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        let final = "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"
        let most = String(repeating: interim, count: ClientResponseParser.interimMax)
        #expect(parse(most + final).headers == ["A=b"])
        #expect(parse(most + interim + final).problem == "too many interim answers")
        #expect(parse("HTTP/1.1 101 Switching Protocols\r\n\r\n").problem != nil)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "connection: x, Close\r\n", false), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.1", "Transfer-Encoding: chunked\r\n", false),
    ])
    func `the connection lives on as the server says`(
        version: String, header: String, mayKeep: Bool
    ) {
        let hasChunks = header.contains("chunked")
        let answer = parse(
            "\(version) 200 OK\r\nContent-Length: 2\r\n\(header)\r\n"
                + (hasChunks ? "2\r\nok\r\n0\r\n\r\n" : "ok"), end: nil)
        #expect(answer.body == "ok")
        #expect(answer.mayKeep == mayKeep)
    }

    @Test func `bytes behind an answer spend the connection`() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")
        #expect(answer.body == "ok")
        #expect(!answer.mayKeep)
    }

    // MARK: Forgiven

    static let forgiven = [
        "HTTP/1.1 200\r\nContent-Length: 2\r\nA: b c\r\n\r\nok",
        "HTTP/1.1 200 \r\nContent-Length: 2\r\nA: b c\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 2, 2\r\nA: b c\r\n\r\nok",
    ]

    @Test(arguments: forgiven + faultlessExtras)
    func `harmless faults are forgiven`(text: String) {
        let answer = parse(text, end: nil)
        #expect(answer.status == 200)
        #expect(answer.body == "ok")
        #expect(answer.headers.last == "A=b c")
        #expect(answer.mayKeep)
    }

    static let faulty = [
        "HTTP/1.1 200\nContent-Length: 2\nA: b c\n\nok",
        "HTTP/1.1 200\r\nContent-Length: 2\nA: b c\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length : 2\r\nA:b c\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 2\r\nX: \u{1b}\r\nA: b c\r\n\r\nok",
        "HTTP/1.1 200 O\u{7f}K\r\nContent-Length: 2\r\nA: b c\r\n\r\nok",
        "HTTP/1.1 200\r\nTransfer-Encoding:\r\n chunked\r\nA: b c\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b c\r\n\r\n2  \r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b c\r\n\r\n2\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b c\r\n\r\n2\r\nok\n0\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b c\r\n\r\n2\r\nok\r\n0\r\nX: y\n\r\n",
    ]

    private static func chunks(_ line: String, _ trailer: String = "") -> String {
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b c\r\n\r\n"
            + "2\(line)\r\nok\r\n0\r\n\(trailer)\r\n"
    }

    /// What no reader needs, written as it may not be.
    static let faultyExtras: [String] =
        [
            ";", ";;x", ";x;", ";=y", ";x=", ";x=;y", ";x y", ";x=y z", "; x", ";x =y", ";x= y",
            ";x=\"", ";x=\"y", ";x=\"y\\\"", ";x=\"y\\", ";x=\"y\"z", ";x=\"\u{1}\"",
            ";x=\"\\\u{1}\"",
            ";x=\"y\"\"", ";\u{1b}", ";x,y", ";x=y=z", ";é", ";x=\u{7f}",
        ].map { chunks($0) }
        + [
            "x\r\n", "GET / HTTP/1.1\r\n", ": y\r\n", "x : y\r\n", " x: y\r\n", "x: y\r\n z\r\n",
            "x(): y\r\n", "é: y\r\n", "x: \u{1b}\r\n", "x: \u{7f}\r\n", "x: y\r\nz\r\n",
        ].map { chunks("", $0) }

    /// The same as it may be written.
    static let faultlessExtras: [String] =
        [
            ";x", ";x=y", ";x=\"\"", ";x=\"y z;=\\\"\\\\\t\"", ";x;y=z;a=\"b\";c",
            ";!#$%&'*+-.^_`|~09az=1",
        ].map { chunks($0) }
        + [
            "x: y\r\n", "x:\r\n", "x:y\tz\r\n", "!#$%&'*+-.^_`|~09az: é:\r\na: b\r\n",
        ].map { chunks("", $0) }

    @Test(arguments: faulty + faultyExtras)
    func `an answer with a fault is taken and its connection spent`(text: String) {
        let answer = parse(text, end: nil)
        #expect(answer.status == 200)
        #expect(answer.body == "ok")
        #expect(answer.headers.last == "A=b c")
        #expect(!answer.mayKeep)
    }

    @Test func `a folded header is one line`() {
        let answer = parse("HTTP/1.1 200 OK\r\nA: b\r\n\t c\r\nContent-Length:\r\n 0\r\n\r\n")
        #expect(answer.headers.first?.hasPrefix("A=b") == true)
        #expect(answer.headers.first?.hasSuffix("c") == true)
        #expect(answer.headers.first?.contains("\r") == false)
        #expect(answer.isWhole)
        #expect(!answer.mayKeep)
    }

    // MARK: Refused

    static let refused = [
        "SSH-2.0-OpenSSH_9.2p1\r\n", "<html>", "HTTP/2 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n", "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked, x\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: , ,\r\n\r\n",
        "HTP/1.1 200 OK\r\n\r\n", "HTTP/01.1 200 OK\r\n\r\n", "HTTP/11.1 200 OK\r\n\r\n",
        "HTTP/1.01 200 OK\r\n\r\n", "HTTP/1.1\t200 OK\r\n\r\n", "\rHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/5.6 200 OK\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nFoo: 1\rBar: 2\r\n\r\n", "RTSP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\u{85}: b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\u{b}A: b\r\n\r\n",
    ]

    @Test(arguments: refused)
    func `an answer that isn't one is refused`(text: String) {
        #expect(parse(text).problem != nil)
    }

    static let brokenChunks = [
        "g\r\n", "\r\n", ";x\r\n", "-1\r\n", "5\r\nhello!", "5\r\nhello\rx",
        "1000000000000000\r\n", "5 \r x\r\nhelloX", "5 5\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n", "5\r;a\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "5_0\r\nhello\r\n0\r\n\r\n",
        "5;\0\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: \0\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\r\n", "5\r\nhello\r\n-0\r\n\r\n", "5 erf\r\nhello\r\n0\r\n\r\n",
    ]

    @Test(arguments: brokenChunks)
    func `broken chunks are refused`(chunks: String) {
        #expect(
            parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)").problem != nil)
    }

    // MARK: Limits

    @Test func `64 KiB of header are read and one byte more is not`() {
        let frame = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \r\n\r\n"
        let room = ClientResponseParser.headBytesMax - frame.utf8.count
        func answer(_ count: Int) -> ReadAnswer {
            let value = String(repeating: "x", count: count)
            return parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \(value)\r\n\r\n")
        }
        #expect(answer(room).isWhole)
        #expect(answer(room + 1).problem?.contains("larger than 65536 bytes") == true)
    }

    @Test func `200 headers are read and one more is not`() {
        func answer(_ count: Int) -> ReadAnswer {
            let lines = String(repeating: "A: b\r\n", count: count)
            return parse("HTTP/1.1 204 No Content\r\n\(lines)\r\n")
        }
        #expect(answer(200).headers.count == 200)
        #expect(answer(201).problem == "more than 200 headers")
    }

    @Test(arguments: [
        "Content-Length: 10\r\n\r\n0123456789",
        "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n",
        "\r\n0123456789",
    ])
    func `a body up to the limit is whole and a longer one is cut`(rest: String) {
        let text = "HTTP/1.1 200 OK\r\n\(rest)"
        let whole = parse(text, readMax: 10)
        #expect(whole.body == "0123456789")
        #expect(!whole.isTruncated)
        for limit in [9, 6, 5, 0] {
            let cut = parse(text, readMax: limit)
            #expect(cut.isWhole)
            #expect(cut.body == String("0123456789".prefix(limit)))
            #expect(cut.isTruncated)
            #expect(!cut.mayKeep)
        }
    }

    @Test func `what is read beyond what is kept is counted`() {
        let answer = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", keptMax: 2)
        #expect(answer.body == "he")
        #expect(answer.bytesRead == 5)
        #expect(!answer.isTruncated)
        #expect(answer.mayKeep)
    }

    @Test func `a cut body needs no more bytes than the limit to be known as cut`() {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"
        #expect(parse(start, readMax: 5, end: nil).isTruncated)
        #expect(!parse(start, readMax: 6, end: nil).isWhole)
    }

    // MARK: However it comes

    static let tables: [String] =
        forgiven + faulty + faultyExtras + faultlessExtras + refused
        + brokenChunks.map { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\($0)" }

    @Test(arguments: tables)
    func `an answer is read alike split at every byte`(text: String) {
        let bytes = Array(text.utf8)
        let whole = ReadAnswer([bytes])
        for position in 1..<bytes.count {
            var split = ReadAnswer([Array(bytes[..<position]), Array(bytes[position...])])
            // Of a garbled beginning what had come is quoted.
            if split.problem?.hasPrefix("it begins with") == true { split.problem = whole.problem }
            #expect(split == whole, "split at byte \(position)")
        }
    }

    @Test(arguments: 1...200) func `an answer is read alike however its bytes come`(seed: UInt64) {
        var random = SeededRandom(seed)
        let heads = [
            "HTTP/1.1 200 OK\r\n", "HTTP/1.0 404 Not Found\r\n",
            "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 500\n",
        ]
        let rests = [
            "Content-Length: 11\r\n\r\nhello world", "A: b\r\n c\r\n\r\nuntil the end",
            "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: t\r\n\r\n",
            "Transfer-Encoding: chunked\n\n3\nabc\n0\n\n", "Connection: close\r\n\r\n",
            "Content-Length: 3\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
        var bytes = Array((heads.randomElement(using: &random) ?? "").utf8)
        bytes += Array((rests.randomElement(using: &random) ?? "").utf8)
        // Half of them with one byte changed: a broken answer must be as broken in pieces.
        if Bool.random(using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        let limit = [0, 5, 65536].randomElement(using: &random) ?? 0
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...20, using: &random))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        var whole = ReadAnswer([bytes], readMax: limit)
        var parts = ReadAnswer(pieces, readMax: limit)
        // How much of a garbled beginning is quoted depends on how much had come.
        if parts.problem != nil, whole.problem != nil { (parts.problem, whole.problem) = ("", "") }
        #expect(parts == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
    }
}

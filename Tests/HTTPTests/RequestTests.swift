import TestSupport
import Testing

@testable import HTTP

@Suite struct RequestTests {
    private func exchange(_ text: String) throws -> String {
        let server = try SteppedServer()
        try server.send(text.utf8)
        server.finishSending()
        return withoutDates(server.receive())
    }

    @Test func `a request is described by its parts`() throws {
        let answer = try exchange(
            "POST /c/summer?subid=W8d&zone=1?2 HTTP/1.1\r\nHost: a.test:8080\r\n"
                + "X-One:  two\tthree \t\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Length: "))
        #expect(
            answer.hasSuffix(
                """
                post POST
                target=/c/summer?subid=W8d&zone=1?2
                path=/c/summer
                query=subid=W8d&zone=1?2
                host=a.test:8080
                Host=<a.test:8080>
                X-One=<two\tthree>
                Empty=<>
                Content-Length=<5>
                body=hello
                """))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "get GET\ntarget=/\npath=/\nquery=\nhost=a"),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "get GET\ntarget=/"),
        ("GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "target=/?\npath=/\nquery=\n"),
        (
            "GET /{p}?a=[b]|\"<#s2#>\\^`%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            "query=a=[b]|\"<#s2#>\\^`%zz"
        ),
        ("GET http://A.test:80/x?y HTTP/1.1\r\nHost: a.TEST:80\r\n\r\n", "target=/x?y\npath=/x"),
        ("GET https://a HTTP/1.1\r\nHost: a\r\n\r\n", "target=/\npath=/\nquery=\n"),
        ("GET http://a/ HTTP/1.0\r\n\r\n", "target=/\npath=/\nquery=\nhost=a"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "options OPTIONS\ntarget=*\npath=*"),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "other get"),
        ("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", "other M-SEARCH"),
        ("DELETE / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "host=[::1]:80"),
        ("GET / HTTP/1.7\r\nHost: a\r\n\r\n", "get GET"),
        ("GET / HTTP/1.0\r\n\r\n", "host=\nbody="),
        ("GET / HTTP/1.1\r\nHOST:a_b-c.d:\r\n\r\n", "host=a_b-c.d:"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello", "body=hello"),
        ("GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n", "body="),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;n=\"v\"\r\nhello\r\n00A\r\n, chunked!\r\n0;x\r\nTrailer: 1\r\nTwo:\r\n\r\n",
            "body=hello, chunked!"
        ),
    ])
    func `a well-formed request is handled`(text: String, expected: String) throws {
        let answer = try exchange(text)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains(expected))
    }

    @Test func `a header is found by its lower-case name, the first of several`() throws {
        final class Finder: RequestHandler {
            var found: [String?] = []
            func handle(_ request: borrowing Request, _ responder: Responder) {
                let names: [StaticString] = ["x-a", "x-b", "host"]
                for name in names {
                    found.append(request.header(name).map { String(decoding: $0, as: UTF8.self) })
                }
                #expect(request.peerAddress == nil)
                #expect(request.receivedAtMicros > 1_700_000_000_000_000)
                responder.respond(204, headers: [], body: [])
            }
            func turnEnded() {}
        }
        let parser = HeadParser(limits: ServerLimits())
        let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\n\r\n".utf8)
        let found = bytes.withUnsafeBytes { raw -> [String?] in
            guard let base = raw.baseAddress else { return [] }
            #expect(parser.parse(base, count: raw.count) == .complete(raw.count))
            let request = Request(
                parser, base: base, body: UnsafeRawBufferPointer(start: nil, count: 0),
                peerAddress: nil, receivedAtMicros: 1)
            let names: [StaticString] = ["x-a", "x-b", "host"]
            return names.map { name in
                request.header(name).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        #expect(found == ["1", nil, "h"])
    }

    @Test(arguments: 1...150) func `requests parse alike however their bytes are split`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let bytes = randomRequests(&random)
        let whole = try SteppedServer { $0.bodyBytesMax = 3000 }
        try whole.send(bytes)
        whole.finishSending()
        let expected = withoutDates(whole.receive())
        #expect(!expected.isEmpty)

        let split = try SteppedServer { $0.bodyBytesMax = 3000 }
        var rest = bytes[...]
        let longest = [1, 3, 20, 200].randomElement(using: &random) ?? 1
        while !rest.isEmpty {
            let count = Int.random(in: 1...longest, using: &random)
            try split.send(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        split.finishSending()
        #expect(withoutDates(split.receive()) == expected)
        #expect(split.handler.handled.current == whole.handler.handled.current)
        #expect(split.server.bufferedBytes == 0)
    }

    /// One to four requests; half of the time with a byte changed, so mostly malformed.
    private func randomRequests(_ random: inout SeededRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let method = ["GET", "POST", "HEAD", "X-Y"].randomElement(using: &random) ?? "GET"
            let version = Int.random(in: 0..<8, using: &random) == 0 ? "1.0" : "1.1"
            var text =
                "\(method) /p\(Int.random(in: 0..<1000, using: &random))?a=b HTTP/\(version)\r\n"
            text += "Host: a.test\r\n"
            for index in 0..<Int.random(in: 0...5, using: &random) {
                text +=
                    "X-\(index): \(String(repeating: "v", count: Int.random(in: 0...60, using: &random)))\r\n"
            }
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                let count = Int.random(in: 0...3200, using: &random)
                text += "Content-Length: \(count)\r\n\r\n" + String(repeating: "b", count: count)
            case 1:
                text += "Transfer-Encoding: chunked\r\n\r\n"
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    let count = Int.random(in: 1...700, using: &random)
                    text += String(count, radix: 16) + (count % 3 == 0 ? ";x=y" : "") + "\r\n"
                    text += String(repeating: "c", count: count) + "\r\n"
                }
                text += "0\r\n" + (Bool.random(using: &random) ? "T: 1\r\n" : "") + "\r\n"
            case 2: text += "Connection: close\r\n\r\n"
            case 3: text += "Connection: keep-alive\r\n\r\n"
            default: text += "\r\n"
            }
            bytes += text.utf8
        }
        if Bool.random(using: &random) {
            let odd: [UInt8] = [0, 9, 10, 13, 32, 58, 127, 200, 48, 71]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = odd.randomElement(using: &random) ?? 0
            }
        }
        return bytes
    }

    @Test(arguments: 1...60) func `bytes at random crash nothing`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let server = try SteppedServer()
        let alphabet =
            Array("GET / HTTP/1.1\r\n\r\nHost: a:Content-Length: 5\0\u{7f}".utf8) + [200, 255]
        for _ in 0..<20 {
            let count = Int.random(in: 1...200, using: &random)
            try server.send((0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 })
        }
        server.finishSending()
        #expect(server.receive().starts(with: Array("HTTP/1.1 4".utf8)))
    }
}

@Suite struct LimitTests {
    private func status(_ text: String, _ change: (inout ServerLimits) -> Void = { _ in }) throws
        -> Int
    {
        let server = try SteppedServer(change)
        try server.send(text.utf8)
        return Int(withoutDates(server.receive()).dropFirst(9).prefix(3)) ?? 0
    }

    @Test(arguments: [(16384, 200), (16385, 414)])
    func `a request line is at most 16 KiB`(length: Int, expected: Int) throws {
        let padding = String(repeating: "a", count: length - "GET / HTTP/1.1".utf8.count)
        #expect(try status("GET /\(padding) HTTP/1.1\r\nHost: a\r\n\r\n") == expected)
        // An error inside does not change what is too long, nor the end missing.
        #expect(
            try status("G T /\(padding) HTTP/1.1\r\nHost: a\r\n\r\n")
                == (expected == 200 ? 400 : 414))
        #expect(try status("GET /\(padding) HTTP/1.1\r") == (expected == 200 ? 0 : 414))
    }

    @Test func `a line is as long as to its first line feed, whatever follows`() throws {
        let server = { try SteppedServer { $0.requestLineBytesMax = 64 } }
        let text = "GET /" + String(repeating: "a", count: 52) + " a\r\n\r\nA:1\r\n\r\n"
        let whole = try server()
        try whole.send(text.utf8)
        let bytewise = try server()
        for byte in text.utf8 { try bytewise.send([byte]) }
        let answer = withoutDates(whole.receive())
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(withoutDates(bytewise.receive()) == answer)
    }

    @Test(arguments: [(32768, 200), (32769, 431)])
    func `a header block is at most 32 KiB`(length: Int, expected: Int) throws {
        let fixed = "Host: a\r\nX: \r\n".utf8.count
        let padding = String(repeating: "a", count: length - fixed)
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: \(padding)\r\n"
        #expect(try status(head + "\r\n") == expected)
        #expect(try status(head) == (expected == 200 ? 0 : 431))
        #expect(try status(head + "\r") == (expected == 200 ? 0 : 431))
        #expect(
            try status("GET / HTTP/1.1\r\nHost: a\r\nX- \(padding)\r\n")
                == (expected == 200 ? 400 : 431))
    }

    @Test(arguments: [(200, 200), (201, 431)])
    func `a head has at most 200 fields`(count: Int, expected: Int) throws {
        let fields = String(repeating: "X: 1\r\n", count: count - 1)
        #expect(try status("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") == expected)
    }

    @Test(arguments: [(1000, 200), (1001, 413)])
    func `a body is bounded, with and without chunks`(length: Int, expected: Int) throws {
        let body = String(repeating: "b", count: length)
        let head = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(
            try status(head + "Content-Length: \(length)\r\n\r\n\(body)") { $0.bodyBytesMax = 1000 }
                == expected)
        let rest = String(length - 100, radix: 16)
        #expect(
            try status(
                head + "Transfer-Encoding: chunked\r\n\r\n64\r\n\(body.prefix(100))\r\n"
                    + "\(rest)\r\n\(body.dropFirst(100))\r\n0\r\n\r\n"
            ) { $0.bodyBytesMax = 1000 } == expected)
    }

    @Test(arguments: [(256, 200), (257, 400)])
    func `a chunk line is at most 256 bytes`(length: Int, expected: Int) throws {
        let padding = String(repeating: "e", count: length - "5;\r\n".utf8.count)
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5;\(padding)\r\nhello\r\n0\r\n\r\n"
        #expect(try status(text) == expected)
    }

    @Test(arguments: [(4096, 200), (4097, 431)])
    func `trailers are at most 4 KiB`(length: Int, expected: Int) throws {
        let padding = String(repeating: "t", count: length - "T: \r\n".utf8.count)
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "0\r\nT: \(padding)\r\n\r\n"
        #expect(try status(text) == expected)
    }

    @Test func `a body in one-byte chunks does not grow the buffer with its framing`() throws {
        let server = try SteppedServer { $0.bufferedBytesMax = 40_000 }
        try server.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for _ in 0..<100 { try server.send(String(repeating: "1\r\nx\r\n", count: 80).utf8) }
        try server.send("0\r\n\r\n".utf8)
        #expect(withoutDates(server.receive()).hasSuffix(String(repeating: "x", count: 8000)))
    }

    @Test func `what does not fit the server's memory is answered 503`() throws {
        let server = try SteppedServer { $0.bufferedBytesMax = 16384 }
        try server.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".utf8)
        for _ in 0..<20 { try server.send(String(repeating: "x", count: 1000).utf8) }
        #expect(withoutDates(server.receive()).hasPrefix("HTTP/1.1 503 "))
    }
}

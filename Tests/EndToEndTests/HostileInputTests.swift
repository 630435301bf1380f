import TestSupport
import Testing

/// Bad input gets a clear error; nothing is lost and the server goes on working.
@Suite struct HostileInputTests {
    /// The whole chain still works, and nothing else was recorded than what's said.
    private func expectWorking(
        _ chain: Chain, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(
            try chain.tracker.get("/healthz").status == 200, "\(name)",
            sourceLocation: sourceLocation)
        let visit = try chain.visit("subid=\(name)")
        let answer = try chain.network.call("cid=\(visit.clickID)&payout=1")
        #expect(answer.verdict == "accepted", "\(name)", sourceLocation: sourceLocation)
        try eventually("the source hears of \(name)") {
            chain.source.targets.contains("/conv?id=\(name)&value=1")
        }
    }

    @Test func `requests beyond the limits get their own status`() throws {
        let chain = try Chain.start()
        let long = String(repeating: "x", count: 20 * 1024)
        for (name, request, status) in [
            ("line", "GET /c/summer?a=\(long) HTTP/1.1\r\nHost: t\r\n\r\n", 414),
            ("field", "GET /c/summer HTTP/1.1\r\nHost: t\r\nX-A: \(long)\(long)\r\n\r\n", 431),
            (
                "fields",
                "GET /c/summer HTTP/1.1\r\nHost: t\r\n"
                    + String(repeating: "X-A: b\r\n", count: 201) + "\r\n", 431
            ),
            (
                "body",
                "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\n"
                    + "Content-Length: 2097152\r\n\r\n", 400
            ),
            (
                "other-body",
                "POST /c/summer HTTP/1.1\r\nHost: t\r\nContent-Length: 2097152\r\n\r\n", 413
            ),
        ] {
            let connection = try chain.tracker.connect()
            try connection.send(request)
            #expect(try connection.receive().status == status, "\(name)")
            try expectWorking(chain, name)
        }
    }

    @Test func `a body of two megabytes is refused while or before it is sent`() throws {
        let chain = try Chain.start()
        for (name, framing) in [
            ("length", "Content-Length: 2097152"), ("chunked", "Transfer-Encoding: chunked"),
        ] {
            let connection = try chain.tracker.connect()
            try connection.send(
                "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\n\(framing)\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            let data = String(repeating: "x", count: 4096)
            let piece = name == "length" ? data : "1000\r\n\(data)\r\n"
            // The server may close at any time, and its reset may overtake its answer: an error
            // here and below is a refusal, too.
            for _ in 0..<512 {
                guard (try? connection.send(piece)) != nil else { break }
            }
            if let response = try? connection.receive(within: 10) {
                #expect(response.status == 400)
                #expect(try PostbackAnswer(response).verdict == "too_large")
            }
            try expectWorking(chain, name)
        }
        let kept = try chain.tracker.list("/postbacks?verdict=too_large")
        #expect(kept.count == 2)
        #expect(kept.allSatisfy { $0["request"]["method"].string == "POST" })
    }

    @Test func `a call whose address is too long is kept, another request is not heard`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=long")
        let answer = try PostbackAnswer(
            chain.tracker.get(
                "/postback/\(chain.network.key)?cid=\(visit.clickID)&pad="
                    + String(repeating: "x", count: 20_000)))
        #expect(answer.status == 400 && answer.verdict == "too_large")
        let kept = try chain.journey(visit.clickID)["postbacks"][0]
        #expect(kept["verdict"].string == "too_large")
        #expect(kept["message"].string?.contains("by POST") == true)
        #expect(try chain.tracker.get("/c/" + String(repeating: "x", count: 20_000)).status == 414)
    }

    @Test func `a body just within the limit is taken`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=big")
        let form = "cid=\(visit.clickID)&payout=1&pad=" + String(repeating: "x", count: 900_000)
        let answer = try PostbackAnswer(
            chain.tracker.post("/postback/\(chain.network.key)", form: form))
        #expect(answer.verdict == "accepted")
        try chain.source.await(1)
    }

    /// Requests whose only right answer is 400 and a closed connection.
    static let malformed: [(name: String, request: String)] = [
        ("nul-in-line", "GET /c/summer?a=\0b HTTP/1.1\r\nHost: t\r\n\r\n"),
        ("nul-in-field", "GET /c/summer HTTP/1.1\r\nHost: t\r\nX-A: a\0b\r\n\r\n"),
        ("bare-lf", "GET /c/summer HTTP/1.1\nHost: t\n\n"),
        ("bare-lf-field", "GET /c/summer HTTP/1.1\r\nHost: t\nX-A: b\r\n\r\n"),
        ("bare-cr", "GET /c/summer HTTP/1.1\r\nHost: t\r\nX-A: a\rb\r\n\r\n"),
        ("no-host", "GET /c/summer HTTP/1.1\r\n\r\n"),
        ("two-hosts", "GET /c/summer HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("space-colon", "GET /c/summer HTTP/1.1\r\nHost : t\r\n\r\n"),
        ("obs-fold", "GET /c/summer HTTP/1.1\r\nHost: t\r\nX-A: a\r\n b\r\n\r\n"),
        ("no-colon", "GET /c/summer HTTP/1.1\r\nHost: t\r\nnonsense\r\n\r\n"),
        ("space-in-target", "GET /c/sum mer HTTP/1.1\r\nHost: t\r\n\r\n"),
        ("no-version", "GET /c/summer\r\nHost: t\r\n\r\n"),
        ("bad-version", "GET /c/summer HTTP/1.10\r\nHost: t\r\n\r\n"),
        ("tls-hello", "\u{16}\u{3}\u{1}\u{0}\u{a5}\u{1}\u{0}\r\n\r\n"),
        (
            "both-framings",
            "POST /postback/x HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "two-lengths",
            "POST /postback/x HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
        ),
        ("minus-length", "POST /postback/x HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n"),
        ("plus-length", "POST /postback/x HTTP/1.1\r\nHost: t\r\nContent-Length: +1\r\n\r\na"),
        (
            "huge-length",
            "POST /postback/x HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999\r\n\r\n"
        ),
        (
            "bad-chunk",
            "POST /postback/x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
    ]

    @Test func `malformed requests are 400 and closed, one by one`() throws {
        let chain = try Chain.start()
        for (name, request) in Self.malformed {
            let connection = try chain.tracker.connect()
            try connection.send(request)
            let response = try connection.receive()
            let right =
                name == "huge-length" ? [400, 413] : name == "bad-version" ? [400, 505] : [400]
            #expect(right.contains(response.status), "\(name): \(response.status)")
            #expect(try connection.receiveToEnd(within: 10).isEmpty, "\(name): closed")
        }
        try expectWorking(chain, "after")
        #expect(try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"] == 1)
    }

    @Test(arguments: [
        "%", "%%", "%zz", "%0", "a=%", "subid=%&zone=%g1", "&&&", "=&=", "subid=a=b=c", "%00=%00",
        "subid=%00%0D%0A&zone=%0D%0ASet-Cookie:x=1", "zone='\"<>\\^`{|}", "subid[]=1&subid[]=2",
        "subid=1&subid=2", ";;;", "?a=b?c=d", "zone=\u{fc}\u{1F4A9}",
    ])
    func `any query is redirected and its click converts`(query: String) throws {
        let chain = try Chain.start { setup in
            setup.offer["url"] = "https://offer.example/l?s2={click_id}&z={var1}&r={var1:raw}"
            setup.destinations = [setup.destination("main", "/conv?c={click_id}&v={payout}")]
        }
        let connection = try chain.tracker.connect()
        let response = try connection.request("GET", "/c/summer?\(query)")
        if response.status == 400 {
            // Some bytes have no place in a request line at all; a clear refusal is right too.
            #expect(query.utf8.contains { $0 >= 0x80 || "\"<>\\^`{|}".utf8.contains($0) })
            return
        }
        let visit = try Chain.visit(response)
        #expect(response.fields["set-cookie"] == nil)
        #expect(visit.location.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        try chain.source.await(1)
    }

    @Test func `pipelined requests are answered in order`() throws {
        let chain = try Chain.start()
        let connection = try chain.tracker.connect()
        let paths = (0..<200).map {
            $0 % 3 == 0 ? "/c/summer?i=\($0)" : $0 % 3 == 1 ? "/healthz" : "/c/nosuch"
        }
        try connection.send(
            paths.map { "GET \($0) HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
        for (index, path) in paths.enumerated() {
            let status = try connection.receive().status
            #expect(status == [302, 200, 404][index % 3], "\(index): \(path)")
        }
    }

    @Test func `a request may arrive byte by byte`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=slow")
        let connection = try chain.tracker.connect()
        let body = "cid=\(visit.clickID)&payout=1"
        for byte in Array(
            "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                .utf8)
        { try connection.send([byte]) }
        #expect(try PostbackAnswer(connection.receive()).verdict == "accepted")
    }

    @Test func `HTTP 1_0 and absolute targets are served`() throws {
        let chain = try Chain.start()
        let old = try chain.tracker.connect()
        try old.send("GET /c/summer HTTP/1.0\r\n\r\n")
        #expect(try old.receive().status == 302)
        #expect(try old.receiveToEnd(within: 10).isEmpty)
        let proxied = try chain.tracker.connect()
        try proxied.send(
            "GET http://t.example/c/summer?subid=1 HTTP/1.1\r\nHost: t.example\r\n\r\n")
        #expect(try proxied.receive().status == 302)
    }

    @Test func `a client that waits for 100 Continue gets it`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        let connection = try chain.tracker.connect()
        let body = "cid=\(visit.clickID)&payout=1"
        try connection.send(
            "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        )
        try connection.send(body)
        #expect(try PostbackAnswer(connection.receive()).verdict == "accepted")
    }

    @Test func `other methods are refused where they make no sense`() throws {
        let chain = try Chain.start()
        for (method, target) in [
            ("POST", "/c/summer"), ("DELETE", "/c/summer"),
            ("PUT", "/postback/\(chain.network.key)"),
            ("BREW", "/c/summer"), ("OPTIONS", "/c/summer"), ("TRACE", "/c/summer"),
        ] {
            let response = try chain.tracker.connect().request(method, target, body: [])
            #expect(
                [200, 204, 404, 405, 501].contains(response.status), "\(method): \(response.status)"
            )
            #expect(response.location == nil, "\(method) is no click")
        }
        try expectWorking(chain, "methods")
    }

    @Test func `visitors who leave in the middle harm nobody`() throws {
        let chain = try Chain.start()
        for index in 0..<200 {
            let connection = try chain.tracker.connect()
            try connection.send(
                index % 2 == 0
                    ? "GET /c/summer?i=\(index) HTTP/1.1\r\nHost: t\r\n\r\n"
                    : "POST /postback/\(chain.network.key) HTTP/1.1\r\nHost: t\r\nContent-Length: 99\r\n\r\nci"
            )
            connection.reset()
        }
        try expectWorking(chain, "resets")
    }

    @Test(arguments: 1...4) func `random bytes never stop the server`(seed: UInt64) throws {
        let chain = try Chain.start()
        var random = SeededRandom(seed)
        let request = Array(
            ("GET /c/summer?subid=abc&zone=%41 HTTP/1.1\r\nHost: t.example\r\nCookie: a=b\r\n"
                + "User-Agent: x\r\n\r\n").utf8)
        for _ in 0..<250 {
            var bytes = request
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: position)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
                }
            }
            let connection = try chain.tracker.connect()
            try connection.send(bytes)
            connection.finishSending()
            let answer = try connection.receiveToEnd(within: 15)
            // Whatever it says, it says it in HTTP, or nothing to half a request.
            #expect(answer.isEmpty || answer.starts(with: Array("HTTP/1.1 ".utf8)))
        }
        try expectWorking(chain, "seed\(seed)")
    }
}

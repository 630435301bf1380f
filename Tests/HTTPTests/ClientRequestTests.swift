import Testing

@testable import HTTP

@Suite struct ClientRequestTests {
    private func text(_ request: ClientRequest) -> String {
        String(decoding: request.bytes, as: UTF8.self)
    }

    @Test func `a GET has a host, an agent and no body`() throws {
        let request = try ClientRequest("GET", URL("http://a.example:81/p?q=1#f"))
        #expect(
            text(request)
                == "GET /p?q=1 HTTP/1.1\r\nHost: a.example:81\r\n"
                + "User-Agent: Clickrelay\r\nAccept: */*\r\n\r\n")
        #expect(request.endpoint == .tcp(host: "a.example", port: 81, tls: false))
    }

    @Test func `a body brings its length, and given headers stand in for ours`() throws {
        let request = try ClientRequest(
            "POST", URL("https://a.example/"),
            headers: [("user-agent", "x/1"), ("ACCEPT", "text/plain"), ("Idempotency-Key", "7é")],
            body: Array("a=1".utf8))
        #expect(
            text(request)
                == "POST / HTTP/1.1\r\nHost: a.example\r\nuser-agent: x/1\r\n"
                + "ACCEPT: text/plain\r\nIdempotency-Key: 7é\r\nContent-Length: 3\r\n\r\na=1")
        #expect(request.endpoint == .tcp(host: "a.example", port: 443, tls: true))
    }

    @Test(arguments: ["http://a.example:81", "https://[2001:db8::1]", "https://a.example"])
    func `a request to a known server is what it is to its URL`(origin: String) throws {
        let server = try ClientServer(URL(origin))
        let known = try ClientRequest(
            "POST", at: server, target: "/p?q=1", headers: [("X-A", "1")], body: [65])
        let usual = try ClientRequest(
            "POST", URL(origin + "/p?q=1"), headers: [("X-A", "1")], body: [65])
        #expect(text(known) == text(usual) && known.endpoint == usual.endpoint)
        #expect(known.isHead == usual.isHead && known.mayRepeat == usual.mayRepeat)
    }

    @Test func `a POST without a body says so`() throws {
        let request = try ClientRequest("POST", URL("http://a.example/"))
        #expect(text(request).contains("\r\nContent-Length: 0\r\n"))
    }

    @Test func `a request for a connection of its own says that it closes it`() throws {
        var options = ClientRequest.Options()
        options.usesOwnConnection = true
        let request = try ClientRequest("GET", URL("http://a.example/"), options: options)
        #expect(text(request).contains("\r\nConnection: close\r\n"))
    }

    @Test(arguments: [
        ("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X-A", "a\0"), ("X-A", "\u{7f}"), ("X-A ", "a"),
        ("", "a"), ("X:A", "a"), ("X\r\nY", "a"), ("Ä", "a"),
    ])
    func `a header that could become two is refused`(name: String, value: String) {
        #expect(throws: ClientRequestError.badHeader(name)) {
            try ClientRequest("GET", URL("http://a.example/"), headers: [(name, value)])
        }
    }

    @Test(arguments: ["Host", "CONTENT-LENGTH", "Transfer-Encoding", "connection", "Expect"])
    func `what decides about the connection is set by the client`(name: String) {
        #expect(throws: ClientRequestError.reservedHeader(name)) {
            try ClientRequest("GET", URL("http://a.example/"), headers: [(name, "1")])
        }
    }

    @Test(arguments: ["", "GE T", "GET\r\n", "GET/"])
    func `a method is one word`(method: String) {
        #expect(throws: ClientRequestError.badMethod) {
            try ClientRequest(method, URL("http://a.example/"))
        }
    }

    @Test(arguments: ["", "x", "/a b", "/a\r\nX: y", "/\0"])
    func `a target is a path without spaces`(target: String) {
        #expect(throws: ClientRequestError.badTarget) {
            try ClientRequest("GET", endpoint: .unix(path: "/s"), target: target)
        }
    }

    @Test func `only what may be done twice is repeated, unless the caller knows better`() throws {
        func mayRepeat(_ method: String, _ wish: Bool?) throws -> Bool {
            var options = ClientRequest.Options()
            options.mayRepeat = wish
            return try ClientRequest(method, URL("http://a.example/"), options: options).mayRepeat
        }
        #expect(try mayRepeat("GET", nil))
        #expect(try mayRepeat("DELETE", nil))
        #expect(try !mayRepeat("POST", nil))
        #expect(try mayRepeat("POST", true))
        #expect(try !mayRepeat("GET", false))
    }
}

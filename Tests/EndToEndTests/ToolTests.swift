import TestSupport
import Testing

/// The tools the other suites stand on, tried without a tracker.
@Suite struct ToolTests {
    @Test func `the fake traffic source records calls and answers as told`() throws {
        let source = try FakeTrafficSource { request, before in
            before == 0 ? .status(503) : .init(200, fields: ["X-Path": request.path])
        }
        let connection = try HTTPConnection(port: source.port)
        let first = try connection.request("GET", "/conv?id=a%20b&v=1", fields: ["X-A": "b"])
        #expect(first.status == 503)
        let second = try connection.request("POST", "/p", body: Array("x=1".utf8))
        #expect(second.status == 200 && second.fields["x-path"] == "/p")
        let received = try source.await(2)
        #expect(received.map(\.method) == ["GET", "POST"])
        #expect(received[0].query["id"] == "a b" && received[0].fields["x-a"] == "b")
        #expect(received[1].text == "x=1")
    }

    @Test func `every manner of a fake traffic source can be told apart`() throws {
        for manner in [FakeTrafficSource.Answer.Manner.close, .reset, .garbage] {
            let source = try FakeTrafficSource { _, _ in .manner(manner) }
            let connection = try HTTPConnection(port: source.port)
            #expect(throws: TestFailure.self) { try connection.request("GET", "/") }
            #expect(source.count == 1)
        }
        let stalled = try FakeTrafficSource { _, _ in .manner(.stall) }
        let connection = try HTTPConnection(port: stalled.port)
        #expect(throws: TestFailure.self) {
            try connection.request("GET", "/", within: 0.2)
        }
    }

    @Test func `a faulty peer misbehaves as asked`() throws {
        let peer = try FaultyPeer(.says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
        #expect(try HTTPConnection(port: peer.port).request("GET", "/").text == "hi")
        let closing = try FaultyPeer(.closesAtOnce)
        #expect(throws: TestFailure.self) {
            try HTTPConnection(port: closing.port).request("GET", "/")
        }
    }

    @Test func `a chunked answer and a chunked request are put together`() throws {
        let peer = try FaultyPeer(
            .says(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
            ))
        #expect(try HTTPConnection(port: peer.port).request("GET", "/").text == "abcd")
        let source = try FakeTrafficSource()
        let connection = try HTTPConnection(port: source.port)
        try connection.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        #expect(try connection.receive().status == 200)
        #expect(source.received.first?.text == "hi")
    }

    @Test func `JSON survives a round trip with its types`() throws {
        let value: JSON = ["a": 1, "b": [true, .null, "x/ü\n"], "c": ["d": 1.5]]
        #expect(try JSON(parsing: value.text) == value)
        #expect(value["b"][2].string == "x/ü\n" && value["z"]["y"].isNull)
    }

    @Test func `percent-encoding turns around`() {
        #expect(percentEncoded("a b&ü/~") == "a%20b%26%C3%BC%2F~")
        #expect(percentDecoded("a%20b%26%C3%BC%2F~%zz+") == "a b&ü/~%zz ")
    }

    @Test func `the TLS receiver answers`() throws {
        let receiver = try TLSReceiver(name: "IP:127.0.0.1")
        let result = try runTool(
            "/usr/bin/openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(receiver.port)", "-CAfile",
                receiver.certificateFile, "-verify_return_error", "-brief",
            ])
        #expect(result.exitCode == 0, "\(result.error)")
    }
}

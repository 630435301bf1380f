import Crypto
import Domain
import Foundation
import HTTP
import Net
import Postbacks
import Store
import TestSupport
import Testing

/// The handler on a real loop and socket: what only HTTP adds to the recorder.
@Suite struct HandlerTests {
    // Unchecked: set up before the loop runs, taken down after it ended.
    final class Served: @unchecked Sendable {
        let bench: PostbackBench
        let port: UInt16
        private let loop: EventLoop
        private let thread: LoopThread

        private final class Handler: RequestHandler {
            let postbacks: PostbackHandler
            let pixels: PixelHandler
            init(_ postbacks: PostbackHandler, _ pixels: PixelHandler) {
                self.postbacks = postbacks
                self.pixels = pixels
            }
            func handle(_ request: borrowing Request, _ responder: Responder) {
                if PixelHandler.takes(path: request.path) {
                    return pixels.handle(request, responder)
                }
                guard PostbackHandler.takes(path: request.path) else {
                    return responder.respond(418, headers: [], body: [])
                }
                postbacks.handle(request, responder)
            }
            func handleOversized(
                _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
            ) -> Bool {
                guard PostbackHandler.takes(path: request.path) else { return false }
                postbacks.handleOversized(request, oversize, responder)
                return true
            }
            func turnEnded() {}
        }

        init(_ setup: PostbackBench.Setup = PostbackBench.Setup()) throws {
            bench = try PostbackBench(setup)
            loop = try EventLoop(name: "test")
            let sender: (borrowing Request) -> IPAddress? = { request in
                request.peerAddress.map { IPAddress(bits: $0) }
            }
            let handler = Handler(
                PostbackHandler(intake: bench.intake, loop: LoopHandle(loop), sender: sender),
                PixelHandler(intake: bench.intake, sender: sender))
            let server = Server(loop: loop, limits: ServerLimits()) { _ in handler }
            guard let any = SocketAddress.parse("127.0.0.1:0") else { throw TestFailure("address") }
            port = try server.listen(any).port
            thread = try LoopThread.running(loop)
        }

        deinit {
            loop.stop()
            thread.join()
        }

        func request(
            _ method: String, _ target: String, fields: HTTPFields = [:], body: [UInt8]? = nil
        ) throws -> HTTPResponse {
            try HTTPConnection(port: port).request(method, target, fields: fields, body: body)
        }
    }

    @Test func `an answer is JSON that nobody stores or takes for a page`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let response = try served.request(
            "GET", "/postback/k1?cid=\(cid.text)&payout=2&txid=%3Cb%3E")
        #expect(response.status == 200)
        #expect(response.fields["content-type"] == "application/json")
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["x-content-type-options"] == "nosniff")
        #expect(response.fields["server"] == nil && response.fields["retry-after"] == nil)
        let json = try JSONValue(parsing: response.text)
        #expect(json["verdict"] == "accepted" && json["conversion"] == "cv1")
        #expect(json["postback"] == 1 && json["revision"] == 1)
    }

    @Test func `a call is kept as it came, without secrets and the connection's own fields`() throws
    {
        let served = try Served()
        let target = "/postback/k1?cid=%zz&a=%C3%BC&&=x&\u{fc}"
        let body: [UInt8] = [0, 255, 13, 10]
        _ = try served.request(
            "POST", target,
            fields: [
                "X-A": "1", "x-a": "2", "Cookie": "c", "AUTHORIZATION": "Bearer x",
                "Proxy-Authorization": "p", "Connection": "keep-alive", "User-Agent": "net/1",
            ], body: body)
        let kept = try #require(try served.bench.postbacks().first)
        #expect(kept.call.target == Array(target.utf8))
        #expect(kept.call.body == body && kept.call.method == "POST")
        #expect(kept.call.sender?.text == "127.0.0.1")
        #expect(kept.call.headers.map(\.name) == ["Host", "X-A", "x-a", "User-Agent"])
        #expect(kept.call.headers.last?.value == Array("net/1".utf8))
        let age = Instant(micros: Clock.wallMicros()).micros - kept.call.receivedAt.micros
        #expect(age >= 0 && age < 60_000_000)
    }

    @Test func `many and long header fields are kept up to a bound`() throws {
        let served = try Served()
        var fields = HTTPFields()
        for number in 0..<90 { fields.all.append(("X-\(number)", "v")) }
        _ = try served.request("GET", "/postback/k1", fields: fields)
        fields.all = [
            ("X-1", String(repeating: "a", count: 16_000)),
            ("X-2", String(repeating: "b", count: 1000)),
        ]
        _ = try served.request("GET", "/postback/k1", fields: fields)
        let kept = try served.bench.postbacks().map(\.call.headers)
        #expect(kept[0].count == 64 && kept[1].map(\.name) == ["Host", "X-1"])
    }

    @Test(arguments: [
        ("GET", "/postback/k1?cid=1", 400), ("GET", "/postback/%6b1?cid=1", 400),
        ("GET", "/postback/nokey", 404), ("GET", "/postback/", 404), ("GET", "/postback/k1/", 404),
        ("GET", "/postback/k1/x", 404), ("GET", "/postback/k1%2Fx", 404),
        ("GET", "/postback/%zz%00", 404), ("GET", "/postback/K1", 404), ("GET", "/postback", 418),
        ("GET", "/postbacks/k1", 418),
    ])
    func `the key is the path's last piece`(method: String, target: String, status: Int) throws {
        let served = try Served()
        #expect(try served.request(method, target).status == status)
    }

    @Test(arguments: ["PUT", "DELETE", "PATCH", "OPTIONS", "FOO"])
    func `other methods are 405, say which ones there are, and are kept`(method: String) throws {
        let served = try Served()
        let response = try served.request(method, "/postback/k1?cid=1")
        #expect(response.status == 405 && response.fields["allow"] == "GET, POST")
        #expect(try JSONValue(parsing: response.text)["verdict"] == "method_not_allowed")
        let kept = try #require(try served.bench.postbacks().first)
        #expect(kept.call.method == method && kept.verdict == "method_not_allowed")
    }

    @Test func `HEAD is 405 without a body`() throws {
        let served = try Served()
        let response = try served.request("HEAD", "/postback/k1?cid=1")
        #expect(response.status == 405 && response.body.isEmpty)
        #expect(response.fields["allow"] == "GET, POST")
        #expect(try served.bench.postbacks().count == 1)
    }

    @Test func `a call that is too long is kept as far as it came and never counted`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let body = [UInt8](repeating: 120, count: (1 << 20) + 1)
        let response = try served.request(
            "POST", "/postback/k1?cid=\(cid.text)&payout=1", fields: ["X-A": "b"], body: body)
        #expect(response.status == 400 && response.fields["content-type"] == "application/json")
        let json = try JSONValue(parsing: response.text)
        #expect(json["verdict"] == "too_large" && json["postback"] == 1)
        let message = json["message"]?.stringValue ?? ""
        #expect(message.contains("1048577") && message.contains("1048576"))
        #expect(message.contains("MAX_BODY_BYTES"))
        let kept = try #require(try served.bench.postbacks().first)
        #expect(kept.verdict == "too_large" && kept.message == message)
        #expect(kept.bodyCount <= PostbackRecorder.oversizedBodyMax)
        #expect(kept.call.headers.contains { $0.name == "X-A" })
        #expect(kept.clickRowID != nil && kept.conversionID == nil)

        let target = "/postback/k1?cid=\(cid.text)&payout=1" + String(repeating: "5", count: 17_000)
        let line = try served.request("GET", target)
        #expect(line.status == 400)
        #expect(try JSONValue(parsing: line.text)["verdict"] == "too_large")
        #expect(try JSONValue(parsing: line.text)["postback"] == 2)
        let cut = try #require(try served.bench.postbacks().last)
        // As much of the line as may be, of which the method is a part.
        #expect(cut.call.target == Array(target.utf8.prefix(16_384 - "GET ".utf8.count)))
        #expect(cut.clickRowID == kept.clickRowID)
        // The payout that is left of it is not the network's.
        let rules = PostbackRecorder(clickIDs: served.bench.keys)
        #expect(throws: StoreError.self) {
            try served.bench.perform { (tx) throws(StoreError) in
                try rules.replay(cut.id, in: tx, now: cut.call.receivedAt)
            }
        }
        // Of a key that nobody has it's one of the strays.
        let stray = try served.request("POST", "/postback/nokey", body: body)
        #expect(stray.status == 404)
        #expect(try JSONValue(parsing: stray.text)["verdict"] == "key_unknown")
    }

    @Test func `a network that is always told 200 is told so of a long call too`() throws {
        var setup = PostbackBench.Setup()
        setup.network["always_200"] = true
        let served = try Served(setup)
        let response = try served.request(
            "POST", "/postback/k1", body: [UInt8](repeating: 120, count: (1 << 20) + 1))
        #expect(response.status == 200)
        #expect(try JSONValue(parsing: response.text)["verdict"] == "too_large")
    }

    @Test func `a reply is plain text with the verdict's status`() throws {
        var setup = PostbackBench.Setup()
        setup.network["reply"] = "OK"
        let served = try Served(setup)
        let cid = try served.bench.click()
        let own = try served.request("GET", "/postback/k1?cid=\(cid.text)&payout=1")
        #expect(own.status == 200 && own.text == "OK")
        #expect(own.fields["content-type"] == "text/plain; charset=utf-8")
        let asked = try served.request(
            "GET", "/postback/k1?return=%3Cscript%3E%0D%0AX%3A1&payout=1")
        #expect(asked.status == 400 && asked.text == "<script>\r\nX:1")
        #expect(asked.fields["content-type"] == "text/plain; charset=utf-8")
        #expect(asked.fields["x-content-type-options"] == "nosniff" && asked.fields["x"] == nil)
        // A wrong key has no network that could ask for a text.
        #expect(try served.request("GET", "/postback/x?return=hi").text.hasPrefix("{"))
    }

    @Test func `always_200 holds over HTTP`() throws {
        var setup = PostbackBench.Setup()
        setup.network["always_200"] = true
        let served = try Served(setup)
        let response = try served.request("GET", "/postback/k1?cid=x")
        #expect(response.status == 200)
        #expect(try JSONValue(parsing: response.text)["verdict"] == "click_id_malformed")
    }

    @Test func `a ledger that can't write is 503 with a time to come again`() throws {
        let served = try Served()
        served.bench.ledger.stop()
        let response = try served.request("GET", "/postback/k1?cid=x")
        #expect(response.status == 503 && response.fields["retry-after"] == "5")
        #expect(try JSONValue(parsing: response.text)["verdict"] == "storage_unavailable")
    }

    @Test func `unknown keys of one address are refused beyond a rate, known ones never`() throws {
        let served = try Served()
        let connection = try HTTPConnection(port: served.port)
        for _ in 0..<60 {
            #expect(try connection.request("GET", "/postback/guess").status == 404)
        }
        var refused = try connection.request("GET", "/postback/guess")
        // A slow machine gets one more each second.
        for _ in 0..<60 where refused.status == 404 {
            refused = try connection.request("GET", "/postback/guess")
        }
        #expect(refused.status == 429 && refused.fields["retry-after"] == "60")
        #expect(try JSONValue(parsing: refused.text)["verdict"] == "rate_limited")
        #expect(try JSONValue(parsing: refused.text)["postback"] == .null)
        let kept = try served.bench.postbacks().count
        let pixel = try connection.request("GET", "/pixel/guess.gif")
        #expect(pixel.status == 200 && pixel.fields["content-type"] == "image/gif")
        #expect(try served.bench.postbacks().count <= kept + 1)
        let cid = try served.bench.click()
        let good = try connection.request("GET", "/postback/k1?cid=\(cid.text)")
        #expect(try JSONValue(parsing: good.text)["verdict"] == "accepted")
        for _ in 0..<70 {
            #expect(try connection.request("GET", "/postback/k1?cid=x").status == 400)
        }
    }

    @Test func `pipelined calls are answered in order`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let connection = try HTTPConnection(port: served.port)
        for number in 0..<30 {
            try connection.send("GET", "/postback/k1?cid=\(cid.text)&payout=1&txid=\(number % 20)")
        }
        let verdicts = try (0..<30).map { _ in
            try JSONValue(parsing: try connection.receive().text)["verdict"]?.stringValue
        }
        #expect(
            verdicts
                == Array(repeating: "accepted", count: 20)
                + Array(repeating: "duplicate", count: 10))
    }

    @Test func `more bytes than may wait are refused and later ones are taken`() throws {
        let bench = try PostbackBench()
        let gate = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        bench.ledger.perform { (_) throws(StoreError) in
            started.signal()
            gate.wait()
        } finished: { _ in
        }
        started.wait()
        let big = bench.postback("", method: "POST", body: String(repeating: "x", count: 1 << 20))
        let verdicts = Locked<[PostbackVerdict]>([])
        for _ in 0..<80 {
            bench.intake.submit(big, key: "k1") { answer in
                verdicts.with { $0.append(answer.verdict) }
            }
        }
        // 63 calls of a MiB and a little fit into 64 MiB.
        #expect(verdicts.current == Array(repeating: .storageUnavailable, count: 17))
        gate.signal()
        try eventually("the others are recorded") { verdicts.current.count == 80 }
        #expect(verdicts.current.filter { $0 == .clickIDMissing }.count == 63)
        #expect(bench.send(big).verdict == .clickIDMissing)
    }
}

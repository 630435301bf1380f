import HTTP
import Net
import TestSupport
import Testing

/// Requests as they should go, over real sockets.
@Suite struct ClientTests {
    private func url(_ peer: ClientTestPeer, _ path: String = "/") -> String {
        "http://127.0.0.1:\(peer.port)\(path)"
    }

    /// Answers every request with its number on that connection.
    private func countingPeer(path: String? = nil, tls: TLSContext? = nil) throws -> ClientTestPeer
    {
        try ClientTestPeer(path: path, tls: tls) { connection in
            var count = 0
            while try connection.readHead() != nil {
                count += 1
                try connection.answer("\(connection.number).\(count)")
            }
        }
    }

    @Test func `an answer says what came, from where and how`() throws {
        let heads = Locked<[String]>([])
        let peer = try ClientTestPeer { connection in
            while let head = try connection.readHead() {
                let body = try connection.readBody(head.hasPrefix("POST") ? 3 : 0)
                heads.with { $0.append(head + body) }
                try connection.send(
                    "HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
                        + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
            }
        }
        let harness = try ClientHarness()
        let answer = try harness.send(
            ClientHarness.request("POST", url(peer, "/p?q"), body: "a=1")
        ).get()
        #expect(answer.status == 201)
        #expect(answer.reason == "Made")
        #expect(answer.headers["x-a"] == "b")
        #expect(answer.headers["x-b"] == nil)
        #expect(answer.body == Array("hello".utf8))
        #expect(answer.bodyBytesRead == 5)
        #expect(!answer.isTruncated)
        #expect(answer.remoteAddress == "127.0.0.1:\(peer.port)")
        #expect(!answer.usedKeptConnection)
        #expect((0..<5000).contains(answer.milliseconds))
        #expect(
            heads.current == [
                "POST /p?q HTTP/1.1\r\nHost: 127.0.0.1:\(peer.port)\r\n"
                    + "User-Agent: Clickrelay\r\nAccept: */*\r\nContent-Length: 3\r\n\r\na=1"
            ])
    }

    @Test func `a connection is kept and lent again`() throws {
        let peer = try countingPeer()
        let harness = try ClientHarness()
        for count in 1...5 {
            let answer = try harness.get(url(peer))
            #expect(answer.body == "1.\(count)")
            #expect(try answer.get().usedKeptConnection == (count > 1))
        }
        #expect(peer.accepted == 1)
        #expect(try harness.openConnections == 1)
        #expect(try harness.idleConnections == 1)
    }

    @Test func `requests at the same time have connections of their own`() throws {
        let isReleased = Flag()
        let peer = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try eventually("all have come") { isReleased.isSet }
                try connection.answer("\(connection.number)")
            }
        }
        let harness = try ClientHarness()
        let request = try ClientHarness.request("GET", url(peer))
        let pending = (0..<8).map { _ in harness.start(request) }
        try eventually("eight connections") { peer.accepted == 8 }
        isReleased.set()
        let bodies = try pending.map { try $0.wait().body ?? "" }
        #expect(Set(bodies).count == 8)
        #expect(try harness.idleConnections == 8)
    }

    @Test func `a request for its own connection neither takes nor leaves one`() throws {
        let peer = try countingPeer()
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "1.1")
        #expect(try harness.get(url(peer)) { $0.usesOwnConnection = true }.body == "2.1")
        #expect(try harness.idleConnections == 1)
        #expect(try harness.get(url(peer)).body == "1.2")
        try eventually("the second is closed") { peer.open == 1 }
    }

    @Test func `a server that closes is believed`() throws {
        let peer = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try connection.answer("x", connection.number == 1 ? "Connection: close\r\n" : "")
            }
        }
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "x")
        #expect(try harness.openConnections == 0)
        #expect(try harness.get(url(peer)).body == "x")
        #expect(try harness.openConnections == 1)
        #expect(peer.accepted == 2)
    }

    @Test func `an idle connection is closed when its time is up`() throws {
        let peer = try countingPeer()
        let harness = try ClientHarness { $0.idleTimeoutMilliseconds = 20 }
        #expect(try harness.get(url(peer)).body == "1.1")
        try eventually("it is closed") { peer.open == 0 }
        #expect(try harness.openConnections == 0)
        #expect(try harness.get(url(peer)).body == "2.1")
    }

    @Test func `an idle connection whose time is up first is closed first`() throws {
        let kept = try countingPeer()
        let short = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try connection.answer("x", "Keep-Alive: timeout=2\r\n")
            }
        }
        let harness = try ClientHarness { $0.idleTimeoutMilliseconds = 600_000 }
        #expect(try harness.get(url(kept)).body == "1.1")
        #expect(try harness.get(url(short)).body == "x")
        try eventually("it is closed") { short.open == 0 }
        #expect(try harness.get(url(kept)).body == "1.2")
    }

    @Test func `an idle connection whose time is up is lent no more`() throws {
        let peer = try countingPeer()
        let harness = try ClientHarness { $0.idleTimeoutMilliseconds = 1 }
        let request = try ClientHarness.request("GET", url(peer))
        let bodies = Locked<[String]>([])
        try harness.onLoop { client in
            _ = client.send(request) { first in
                bodies.with { $0.append(first.body ?? "") }
                // Before the idle connections are looked at, which is no sooner than in 10 ms.
                _ = client.loop.schedule(afterNanos: 3_000_000) {
                    _ = client.send(request) { second in
                        bodies.with { $0.append(second.body ?? "") }
                    }
                }
            }
        }
        try eventually("both are answered") { bodies.current.count == 2 }
        #expect(bodies.current == ["1.1", "2.1"])
    }

    @Test func `a server that closes idle connections in a second gets none back`() throws {
        let peer = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try connection.answer("x", "Keep-Alive: timeout=1, max=5\r\n")
            }
        }
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "x")
        #expect(try harness.openConnections == 0)
    }

    @Test func `a connection the server closed meanwhile is forgotten`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            try connection.answer("\(connection.number)")
        }
        let harness = try ClientHarness()
        for count in 1...3 {
            let answer = try harness.get(url(peer))
            #expect(answer.body == "\(count)")
            #expect(try answer.get().usedKeptConnection == false)
            try eventually("the client notices") { try harness.openConnections == 0 }
        }
    }

    @Test(arguments: ["GET", "POST", "POST with key"])
    func `a kept connection that dies under a request costs a repeat where that is harmless`(
        kind: String
    ) throws {
        let seen = Counter()
        let peer = try ClientTestPeer { connection in
            // The first connection reads the second request and leaves without a word.
            for count in 1...2 where try connection.readHead() != nil {
                seen.increment()
                if connection.number == 1, count == 2 { return }
                try connection.answer("\(connection.number)")
            }
        }
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "1")
        let request = try ClientHarness.request(kind == "GET" ? "GET" : "POST", url(peer)) {
            $0.mayRepeat = kind == "POST with key" ? true : nil
        }
        let answer = try harness.send(request)
        if kind == "POST" {
            guard case .closed = answer.error else {
                Issue.record("\(answer)")
                return
            }
            #expect(seen.value == 2)
        } else {
            #expect(answer.body == "2")
            #expect(try answer.get().usedKeptConnection == false)
            #expect(seen.value == 3)
        }
    }

    @Test func `a request is repeated once and no more`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            guard connection.number == 1 else { return }
            try connection.answer("first")
            _ = try connection.readHead()
        }
        let harness = try ClientHarness()
        #expect(try harness.get(url(peer)).body == "first")
        #expect(try harness.get(url(peer)).error != nil)
        #expect(peer.accepted == 2)
    }

    @Test func `a fresh connection that dies is not tried again`() throws {
        let peer = try ClientTestPeer { connection in _ = try connection.readHead() }
        let harness = try ClientHarness()
        #expect(
            try harness.get(url(peer)).error
                == .closed("the server closed the connection before an answer"))
        #expect(peer.accepted == 1)
    }

    // MARK: Limits

    @Test func `beyond the connections allowed requests wait, and beyond those they fail`() throws {
        let isReleased = Flag()
        let peer = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try eventually("all have come") { isReleased.isSet }
                try connection.answer("\(connection.number)")
            }
        }
        let harness = try ClientHarness {
            $0.connectionsMax = 2
            $0.waitingMax = 3
        }
        let request = try ClientHarness.request("GET", url(peer))
        let pending = (0..<6).map { _ in harness.start(request) }
        #expect(try pending[5].wait().error == .tooManyPending)
        #expect(try harness.openConnections == 2)
        isReleased.set()
        for waiting in pending[..<5] { #expect(try waiting.wait().body != nil) }
        #expect(peer.accepted == 2)
    }

    @Test func `an idle connection makes room for another host's`() throws {
        let (first, second) = (try countingPeer(), try countingPeer())
        let harness = try ClientHarness { $0.connectionsMax = 1 }
        #expect(try harness.get(url(first)).body == "1.1")
        #expect(try harness.get(url(second)).body == "1.1")
        #expect(try harness.get(url(first)).body == "2.1")
        #expect(try harness.openConnections == 1)
        try eventually("the others are closed") { first.open == 1 && second.open == 0 }
    }

    @Test func `no more connections idle than are allowed`() throws {
        let isReleased = Flag()
        let peer = try ClientTestPeer { connection in
            while try connection.readHead() != nil {
                try eventually("all have come") { isReleased.isSet }
                try connection.answer("x")
            }
        }
        let harness = try ClientHarness { $0.idlePerEndpointMax = 2 }
        let request = try ClientHarness.request("GET", url(peer))
        let pending = (0..<5).map { _ in harness.start(request) }
        try eventually("five connections") { peer.accepted == 5 }
        isReleased.set()
        for waiting in pending { #expect(try waiting.wait().body == "x") }
        #expect(try harness.idleConnections == 2)
        #expect(try harness.openConnections == 2)
        try eventually("the others are closed") { peer.open == 2 }
    }

    // MARK: Unix-domain sockets

    @Test func `a control socket is spoken to like any server`() throws {
        let directory = try TemporaryDirectory()
        let peer = try countingPeer(path: directory.file("s"))
        let harness = try ClientHarness()
        let request = try ClientRequest(
            "GET", endpoint: .unix(path: directory.file("s")), target: "/api/v1/status")
        let answer = try harness.send(request) { _, _ in "not asked for these" }
        #expect(answer.body == "1.1")
        #expect(try answer.get().remoteAddress == "unix:" + directory.file("s"))
        #expect(try harness.send(request).body == "1.2")
        // The same without a loop at hand.
        #expect(Client.perform(request).body == "2.1")
        #expect(peer.accepted == 2)
    }

    @Test func `a control socket that isn't there is named`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s")
        let request = try ClientRequest("GET", endpoint: .unix(path: path), target: "/")
        #expect(
            Client.perform(request).error
                == .connect("connect unix:\(path): No such file or directory", code: 2))
        let long = try ClientRequest(
            "GET", endpoint: .unix(path: "/" + String(repeating: "x", count: 107)), target: "/")
        guard case .connect = Client.perform(long).error else {
            Issue.record("connected to a path that is too long")
            return
        }
    }

    // MARK: Ending

    @Test func `a cancelled request is answered once, and its connection closed`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            try connection.waitForClose()
        }
        let harness = try ClientHarness()
        let pending = harness.start(try ClientHarness.request("GET", url(peer)))
        try eventually("it has come") { peer.accepted == 1 }
        harness.cancel(pending)
        #expect(try pending.wait().error == .cancelled)
        harness.cancel(pending)
        try eventually("the server notices") { peer.open == 0 }
        #expect(try harness.openConnections == 0)
    }

    @Test func `closing the client cancels what waits, resolves, connects and runs`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            try connection.waitForClose()
        }
        let harness = try ClientHarness(resolver: TableResolver([:])) { $0.connectionsMax = 2 }
        let pending = try ["http://127.0.0.1:\(peer.port)", "http://silent.test", "http://b.test"]
            .map { harness.start(try ClientHarness.request("GET", $0)) }
        try eventually("it has come") { peer.accepted == 1 }
        try harness.onLoop { $0.close() }
        for waiting in pending { #expect(try waiting.wait().error == .cancelled) }
        #expect(try harness.get(url(peer)).error == .cancelled)
        #expect(try harness.openConnections == 0)
        try eventually("the server notices") { peer.open == 0 }
    }

    @Test func `a completion may send the next request`() throws {
        let peer = try countingPeer()
        let harness = try ClientHarness()
        let request = try ClientHarness.request("GET", url(peer))
        let bodies = Locked<[String]>([])
        @Sendable func next(_ client: Client, _ left: Int) {
            guard left > 0 else { return }
            client.send(request) { result in
                bodies.with { $0.append(result.body ?? "\(result)") }
                next(client, left - 1)
            }
        }
        try harness.onLoop { next($0, 100) }
        try eventually("a hundred answers") { bodies.current.count == 100 }
        #expect(bodies.current == (1...100).map { "1.\($0)" })
    }
}

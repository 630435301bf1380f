import Glibc
@testable import Net
import TestSupport

@testable import HTTP

/// Describes each request in its answer; keeps those for `/hold…` until the test answers them.
// Unchecked: confined to its loop's thread, but for the locked values.
final class ScriptedHandler: RequestHandler, @unchecked Sendable {
    let held = Locked<[String: Responder]>([:])
    let handled = Locked<[String]>([])
    /// Of requests below `/long`, which this handler answers itself, too long ones as well.
    let oversized = Locked<[Oversize]>([])

    func handle(_ request: borrowing Request, _ responder: Responder) {
        let path = String(decoding: request.path, as: UTF8.self)
        handled.with { $0.append(path) }
        if path.hasPrefix("/hold") {
            held.with { $0[path] = responder }
        } else if path.hasPrefix("/big/"), let count = Int(path.dropFirst(5)) {
            responder.respond(200, headers: [], body: Array(repeating: 120, count: count))
        } else if path.hasPrefix("/status/"), let status = Int(path.dropFirst(8)) {
            responder.respond(status, headers: [], body: Array("body".utf8))
        } else if path == "/twice" {
            responder.respond(200, headers: [], body: Array("first".utf8))
            responder.respond(200, headers: [], body: Array("second".utf8))
        } else {
            responder.respond(200, headers: [], body: Array(Self.describe(request).utf8))
        }
    }

    func handleOversized(
        _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
    ) -> Bool {
        let path = String(decoding: request.path, as: UTF8.self)
        guard path.hasPrefix("/long") else { return false }
        oversized.with { $0.append(oversize) }
        if path.hasPrefix("/long/hold") {
            held.with { $0[path] = responder }
        } else {
            responder.respond(400, headers: [], body: Array(Self.describe(request).utf8))
        }
        return true
    }

    func turnEnded() {}

    static func describe(_ request: borrowing Request) -> String {
        func text(_ bytes: UnsafeRawBufferPointer) -> String {
            String(decoding: bytes, as: UTF8.self)
        }
        var lines = [
            "\(request.method) \(text(request.methodBytes))",
            "target=\(text(request.target))", "path=\(text(request.path))",
            "query=\(text(request.query))", "host=\(text(request.host))",
        ]
        for index in 0..<request.headerCount {
            lines.append(
                "\(text(request.headerName(at: index)))=<\(text(request.headerValue(at: index)))>")
        }
        lines.append("body=\(text(request.body))")
        return lines.joined(separator: "\n")
    }
}

/// A server on a thread of its own, stopped with its last reference.
final class TestServer: Sendable {
    let server: Server
    let handler: ScriptedHandler
    let port: UInt16
    private let loop: EventLoop
    private let thread: LoopThread

    init(
        _ change: (inout ServerLimits) -> Void = { _ in }, address: String = "127.0.0.1:0",
        tls: TLSContext? = nil
    ) throws {
        var limits = ServerLimits()
        change(&limits)
        let loop = try EventLoop(name: "test-loop")
        let handler = ScriptedHandler()
        self.loop = loop
        self.handler = handler
        server = Server(loop: loop, limits: limits, tls: tls) { _ in handler }
        guard let parsed = SocketAddress.parse(address) else { throw TestFailure(address) }
        port = try server.listen(parsed).port
        thread = try LoopThread.running(loop)
    }

    deinit {
        loop.stop()
        thread.join()
    }

    func connect() throws -> HTTPConnection { try HTTPConnection(port: port) }

    /// Runs `body` on the loop and waits for it.
    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (Server) -> Value) throws -> Value {
        let result = Locked<Value?>(nil)
        loop.post { [server] in
            let value = body(server)
            result.with { $0 = value }
        }
        return try eventually("the loop runs what was posted") { result.current }
    }

    /// Waits until the handler holds `path`, then answers with `body`.
    func answer(_ path: String, _ body: String) throws {
        let responder = try eventually("\(path) is held") { handler.held.current[path] }
        loop.post { responder.respond(200, headers: [], body: Array(body.utf8)) }
    }
}

/// A server whose turns the test makes one by one, so that it reads exactly the pieces it is sent.
final class SteppedServer {
    let loop: EventLoop
    let server: Server
    let handler = ScriptedHandler()
    private var client: Int32

    /// - Parameter isConnected: whether it has the one connection that is used by `send`.
    init(isConnected: Bool = true, _ change: (inout ServerLimits) -> Void = { _ in }) throws {
        var limits = ServerLimits()
        change(&limits)
        loop = try EventLoop(name: "stepped")
        let handler = handler
        server = Server(loop: loop, limits: limits) { _ in handler }
        client = -1
        if isConnected { client = try accept() }
    }

    /// - Returns: the client's end of another connection, the test's to close.
    func accept() throws -> Int32 {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestFailure("socketpair") }
        server.accepted(ends[1], from: nil)
        return ends[0]
    }

    deinit {
        if client >= 0 { close(client) }
        turn()
    }

    /// The server sees the bytes and the end of both directions in the same turn.
    func sendAndClose(_ text: String) throws {
        guard Glibc.send(client, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count
        else { throw TestFailure("send") }
        close(client)
        client = -1
        turn()
    }

    /// As often as it takes to read so many bytes, of which not all are read at once.
    func turn(bytes: Int = 0) { for _ in 0..<3 + bytes / 2048 { loop.turn(timeout: 0) } }

    func send(_ bytes: some Collection<UInt8>) throws {
        let bytes = Array(bytes)
        let count = Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        // The server may have closed after a refusal.
        guard count == bytes.count || errno == EPIPE else { throw TestFailure("send \(count)") }
        turn(bytes: bytes.count)
    }

    func finishSending() {
        shutdown(client, Int32(SHUT_WR))
        turn()
    }

    /// Everything the server has sent so far and that was not read.
    func receive() -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return all }
            all.append(contentsOf: chunk[..<count])
            turn()
        }
    }
}

/// Without the one line that differs from second to second.
func withoutDates(_ bytes: [UInt8]) -> String {
    // Not by Character: CR LF is one, and broken UTF-8 must stay comparable.
    let text = bytes.map { String(UnicodeScalar($0)) }.joined()
    return text.split(separator: "\r\n", omittingEmptySubsequences: false)
        .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
}

import Glibc
import TestSupport

@testable import HTTP
@testable import Net

/// What a server made of a connection's bytes.
struct ConformanceOutcome: Equatable {
    var requests: [String] = []
    var statuses: [Int] = []
    /// The server ended the connection of its own accord.
    var isEnded = false
    /// What it answered when the client had no more to say; nil when it had ended before.
    var statusAtEnd: Int?

    init() {}

    init(expected row: ConformanceCase) {
        requests = row.requests
        statuses = row.requests.map { _ in 200 }
        switch row.end {
        case .open: break
        case .closed: isEnded = true
        case .waiting: statusAtEnd = 400
        case .refused(let status):
            statuses.append(status)
            isEnded = true
        }
    }
}

/// One loop and server for many connections, each driven turn by turn.
final class ConformanceServer {
    private final class Handler: RequestHandler {
        var requests: [String] = []

        func handle(_ request: borrowing Request, _ responder: Responder) {
            func text(_ bytes: UnsafeRawBufferPointer) -> String {
                String(decoding: bytes, as: UTF8.self)
            }
            var line = "\(text(request.methodBytes)) \(text(request.target))"
            let body = request.body
            let isChunked = request.header("transfer-encoding") != nil
            if isChunked || !body.isEmpty { line += " → \(text(body))" }
            requests.append(line)
            responder.respond(200, headers: [], body: [])
        }

        func turnEnded() {}
    }

    private let loop: EventLoop
    private let server: Server
    private let handler = Handler()
    private var buffer = [UInt8](repeating: 0, count: 65536)

    init() throws {
        loop = try EventLoop(name: "conformance")
        let handler = handler
        server = Server(loop: loop, limits: ServerLimits()) { _ in handler }
    }

    /// Sends the pieces one by one, each seen by the server before the next.
    func run(_ pieces: [ArraySlice<UInt8>]) throws -> ConformanceOutcome {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestFailure("socketpair") }
        let client = ends[0]
        defer {
            close(client)
            loop.turn(timeout: 0)
        }
        handler.requests = []
        server.accepted(ends[1], from: nil)
        for piece in pieces {
            let sent = piece.withUnsafeBytes { send(client, $0.baseAddress, $0.count, nosignal) }
            // The server may have ended the connection after a refusal.
            guard sent == piece.count || errno == EPIPE else { throw TestFailure("send \(sent)") }
            loop.turn(timeout: 0)
        }
        var outcome = ConformanceOutcome()
        var received: [UInt8] = []
        outcome.isEnded = receive(client, &received)
        outcome.requests = handler.requests
        outcome.statuses = statuses(received)
        if !outcome.isEnded {
            received = []
            shutdown(client, Int32(SHUT_WR))
            loop.turn(timeout: 0)
            guard receive(client, &received) else { throw TestFailure("the end was not noticed") }
            outcome.statusAtEnd = statuses(received).first
        }
        return outcome
    }

    private let nosignal = Int32(MSG_NOSIGNAL)

    /// Whether it came to the end.
    private func receive(_ client: Int32, _ bytes: inout [UInt8]) -> Bool {
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            if count == 0 { return true }
            if count < 0 { return errno != EAGAIN }
            bytes += buffer[..<count]
            loop.turn(timeout: 0)
        }
    }

    /// Of the final answers, in order.
    private func statuses(_ bytes: [UInt8]) -> [Int] {
        let start = Array("HTTP/1.1 ".utf8)
        var found: [Int] = []
        var rest = bytes[...]
        while let first = rest.firstIndex(of: start[0]) {
            rest = rest[first...]
            if rest.starts(with: start),
                let status = Int(String(decoding: rest.dropFirst(9).prefix(3), as: UTF8.self)),
                status >= 200
            {
                found.append(status)
            }
            rest = rest.dropFirst()
        }
        return found
    }
}

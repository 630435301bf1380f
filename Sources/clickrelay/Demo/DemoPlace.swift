internal import Domain
internal import HTTP
internal import Net

/// A request to one of the demo's fakes, copied out of the server's buffers.
struct DemoRequest {
    let path: String
    let target: String
    let query: QueryParameters
    let host: String

    init(_ request: borrowing Request) {
        path = String(decoding: request.path, as: UTF8.self)
        target = String(decoding: request.target, as: UTF8.self)
        query = QueryParameters(parsing: request.query)
        host = String(decoding: request.host, as: UTF8.self)
    }
}

/// One of the fakes around the tracker: a little HTTP server on loopback, on a loop and a thread of
/// its own, as if it were another machine.
final class DemoPlace {
    typealias Answer = (DemoRequest, Responder) -> Void

    /// `http://127.0.0.1:40123`.
    let url: String
    private let loop: EventLoop
    private let server: Server
    private let thread: LoopThread

    /// - Parameter makeAnswer: called on this thread before the loop runs; what it returns is
    ///   called on the loop.
    init(_ name: String, _ makeAnswer: (EventLoop) -> Answer) throws(CommandFailure) {
        do {
            let loop = try EventLoop(name: name)
            var limits = ServerLimits()
            limits.connectionsMax = 100
            let server = Server(loop: loop, limits: limits) { _ in
                Handler(makeAnswer(loop))
            }
            guard let anyPort = SocketAddress.parse("127.0.0.1:0") else {
                preconditionFailure("127.0.0.1:0 is an address")
            }
            url = "http://\(try server.listen(anyPort).text)"
            thread = try LoopThread.running(loop)
            self.loop = loop
            self.server = server
        } catch {
            throw CommandFailure(.failed, "the demo's \(name) can't start: \(error)")
        }
    }

    func stop() {
        loop.stop()
        thread.join()
    }

    private final class Handler: RequestHandler {
        private let answer: Answer

        init(_ answer: @escaping Answer) { self.answer = answer }

        func handle(_ request: borrowing Request, _ responder: Responder) {
            answer(DemoRequest(request), responder)
        }

        func turnEnded() {}
    }
}

extension Responder {
    func html(_ status: Int, _ page: DemoPage) {
        respond(
            status,
            headers: [
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ], body: Array(page.text.utf8))
    }

    func json(_ status: Int, _ value: JSONValue) {
        respond(
            status,
            headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
            body: value.encodedBytes())
    }
}

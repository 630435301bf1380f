import Foundation

/// One HTTP/1.1 connection to a server on loopback; sends exactly the bytes it is told to.
public final class HTTPConnection: @unchecked Sendable {
    // Sendable because a connection belongs to one thread at a time: it's taken from a pool.
    private let socket: Socket
    let openedAt = monotonicNanos()
    private(set) var isReusable = true

    /// - Parameter network: where the port is; nil: on this machine.
    /// - Parameter receiveBufferBytes: what the kernel takes for us before we read; nil: as usual.
    public init(
        port: UInt16, in network: PrivateNetwork? = nil, receiveBufferBytes: Int32? = nil
    ) throws {
        socket = try Socket.connect(
            port: port, in: network, receiveBufferBytes: receiveBufferBytes)
    }

    public func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }
    public func send(_ text: String) throws { try socket.send(Array(text.utf8)) }

    /// What visitors' requests name where a test names no other.
    public static let browser =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/124.0.0.0 Safari/537.36"

    /// A request as a well-behaved client writes it; `Host` is added unless `fields` has one, and
    /// for a visitor the name of a browser: without one it were a bot's, which is no click.
    public func send(
        _ method: String, _ target: String, fields: HTTPFields = [:], body: [UInt8]? = nil
    ) throws {
        var head = "\(method) \(target) HTTP/1.1\r\n"
        if fields["host"] == nil { head += "Host: tracker.test\r\n" }
        let isVisit =
            ["/c/", "/?", "/o", "/api/click"].contains { target.hasPrefix($0) } || target == "/"
        if isVisit, fields["user-agent"] == nil {
            head += "User-Agent: \(Self.browser)\r\n"
        }
        head += fields.lines
        if let body { head += "Content-Length: \(body.count)\r\n" }
        head += "\r\n"
        try socket.send(Array(head.utf8) + (body ?? []))
    }

    /// The next answer on this connection.
    ///
    /// - Parameter toHead: the request was a `HEAD`, so that no body follows.
    /// - Throws: `TestFailure` when none comes in time or the server closes first.
    public func receive(toHead: Bool = false, within seconds: Double = 20) throws -> HTTPResponse {
        guard let head = try socket.read(through: "\r\n\r\n", within: seconds) else {
            isReusable = false
            throw TestFailure("the server closed the connection without an answer")
        }
        let (line, fields) = try parseHead(head)
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw TestFailure("not a status line: \(line)")
        }
        if status == 100 { return try receive(toHead: toHead, within: seconds) }
        var body: [UInt8] = []
        if !toHead, status != 204, status != 304 {
            if let framed = try socket.readFramedBody(fields, within: seconds) {
                body = framed
            } else {
                body = try socket.readToEnd(within: seconds)
                isReusable = false
            }
        }
        if fields["connection"]?.lowercased() == "close" { isReusable = false }
        return HTTPResponse(status: status, fields: fields, body: body, head: head)
    }

    public func request(
        _ method: String, _ target: String, fields: HTTPFields = [:], body: [UInt8]? = nil,
        within seconds: Double = 20
    ) throws -> HTTPResponse {
        try send(method, target, fields: fields, body: body)
        return try receive(toHead: method == "HEAD", within: seconds)
    }

    /// Whatever else the server sends until it closes.
    public func receiveToEnd(within seconds: Double = 20) throws -> [UInt8] {
        isReusable = false
        return try socket.readToEnd(within: seconds)
    }

    /// So many bytes, whatever they are.
    public func receive(count: Int) throws -> [UInt8] { try socket.read(count: count) }

    /// Whether there is something to read, or the end.
    public var hasMore: Bool { socket.isReadable }

    /// No more requests will come; answers still may.
    public func finishSending() { socket.finishSending() }

    public func reset() {
        isReusable = false
        socket.resetOnClose()
        socket.disconnect()
    }
}

/// Keep-alive connections to one port, shared by any number of threads.
public final class HTTPPool: Sendable {
    private let port: UInt16
    private let network: PrivateNetwork?
    private let idle = Locked<[HTTPConnection]>([])

    public init(port: UInt16, in network: PrivateNetwork? = nil) {
        self.port = port
        self.network = network
    }

    public func request(
        _ method: String, _ target: String, fields: HTTPFields = [:], body: [UInt8]? = nil,
        within seconds: Double = 20
    ) throws -> HTTPResponse {
        // Servers close idle connections after 30 s; one opened lately can't have been idle that
        // long, so that no request has to be repeated.
        let oldest = monotonicNanos() - min(monotonicNanos(), 15_000_000_000)
        let pooled: HTTPConnection? = idle.with { connections in
            // Nor is one that the server has closed to make room, which a client would notice.
            connections.removeAll { $0.openedAt < oldest || $0.hasMore }
            return connections.popLast()
        }
        let connection = try pooled ?? HTTPConnection(port: port, in: network)
        let response = try connection.request(
            method, target, fields: fields, body: body, within: seconds)
        if connection.isReusable { idle.with { $0.append(connection) } }
        return response
    }
}

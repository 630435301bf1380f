import Foundation

/// A traffic source's postback endpoint: records every call and answers as it's told.
public final class FakeTrafficSource: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let state: Locked<State>

    /// What a call is answered with.
    public struct Answer: Sendable {
        public enum Manner: Sendable, Equatable {
            case respond
            /// Reads the call, then closes without a word.
            case close
            /// Reads the call, then resets the connection.
            case reset
            /// Reads the call and says nothing until the caller gives up.
            case stall
            /// Reads the call and answers with bytes that are no HTTP.
            case garbage
        }

        public var status: Int
        public var fields: HTTPFields
        public var body: String
        /// In place of `body`.
        public var bytes: [UInt8]?
        public var delay: Double
        /// What it waits for after that.
        public var hold: Hold?
        public var manner: Manner

        public init(
            _ status: Int = 200, fields: HTTPFields = [:], body: String = "OK",
            bytes: [UInt8]? = nil, delay: Double = 0, hold: Hold? = nil,
            manner: Manner = .respond
        ) {
            self.status = status
            self.fields = fields
            self.body = body
            self.bytes = bytes
            self.delay = delay
            self.hold = hold
            self.manner = manner
        }

        public static let ok = Answer()
        public static func status(_ status: Int) -> Answer { Answer(status) }
        public static func manner(_ manner: Manner) -> Answer { Answer(manner: manner) }
    }

    private struct State {
        var received: [RecordedRequest] = []
        var script: @Sendable (RecordedRequest, Int) -> Answer = { _, _ in .ok }
        var mark = 0
        var isStopped = false
        var connections: [ObjectIdentifier: Socket] = [:]
    }

    /// - Parameter answer: called with each request and how many came before it.
    public convenience init(
        _ answer: @escaping @Sendable (RecordedRequest, Int) -> Answer = { _, _ in .ok }
    ) throws {
        try self.init(listening: try Socket.listen(), answer)
    }

    /// One at an address of a network of the test's own; its `url` is of no use there.
    public convenience init(
        on address: String, port: UInt16 = 0, in network: PrivateNetwork,
        _ answer: @escaping @Sendable (RecordedRequest, Int) -> Answer = { _, _ in .ok }
    ) throws {
        try self.init(
            listening: try network.perform { try Socket.listen(on: address, port: port) }, answer)
    }

    private init(
        listening: (descriptor: Int32, port: UInt16),
        _ answer: @escaping @Sendable (RecordedRequest, Int) -> Answer
    ) throws {
        (listener, port) = listening
        state = Locked(State(script: answer))
        let (listener, state) = (listener, state)
        Thread.detachNewThread {
            while let socket = Socket.accept(from: listener) {
                let isStopped = state.with {
                    $0.connections[ObjectIdentifier(socket)] = socket
                    return $0.isStopped
                }
                if isStopped { break }
                Thread.detachNewThread {
                    // Whatever goes wrong on one connection is the caller's to notice.
                    try? FakeTrafficSource.serve(socket, state)
                    state.with { _ = $0.connections.removeValue(forKey: ObjectIdentifier(socket)) }
                }
            }
            close(listener)
        }
    }

    deinit { stop() }

    /// Closes the port and every connection.
    public func stop() {
        let open = state.with { state in
            defer { state.connections = [:] }
            let first = !state.isStopped
            state.isStopped = true
            return first ? state.connections.values.map { $0 } : nil
        }
        guard let open else { return }
        shutdown(listener, Int32(SHUT_RDWR))  // wakes `accept`, which then closes it
        open.forEach { $0.disconnect() }
    }

    /// `http://127.0.0.1:port`
    public var url: String { "http://127.0.0.1:\(port)" }

    /// Every call so far, in order of arrival.
    public var received: [RecordedRequest] { state.with { $0.received } }
    public var count: Int { state.with { $0.received.count } }
    /// The targets of all calls so far.
    public var targets: [String] { received.map(\.target) }

    /// Answers differently from now on.
    public func answer(_ script: @escaping @Sendable (RecordedRequest, Int) -> Answer) {
        state.with { $0.script = script }
    }

    /// Written into every request recorded from now on.
    public func setMark(_ mark: Int) { state.with { $0.mark = mark } }

    /// Waits for at least `count` calls and returns all there are.
    @discardableResult
    public func await(_ count: Int, within seconds: Double = 20) throws -> [RecordedRequest] {
        try eventually(within: seconds, "\(count) calls to the traffic source, got \(targets)") {
            self.count >= count
        }
        return received
    }

    /// Waits until nothing more can come from callers that are dead: every call they had sent has
    /// been read.
    public func settle() throws {
        // Connections are accepted in the order they were made, so that all of theirs are known by
        // the time ours has been.
        let last = try Socket.connect(port: port)
        last.finishSending()
        _ = try last.readToEnd(within: 60)
        try eventually(within: 60, "the callers' connections are read to their ends") {
            state.with { $0.connections.isEmpty }
        }
    }

    private static func serve(_ socket: Socket, _ state: Locked<State>) throws {
        while let head = try socket.read(through: "\r\n\r\n", within: 120) {
            let (line, fields) = try parseHead(head)
            let parts = line.split(separator: " ")
            guard parts.count == 3 else { throw TestFailure("not a request line: \(line)") }
            let body = try socket.readFramedBody(fields, within: 30) ?? []
            let answer = state.with { state in
                let request = RecordedRequest(
                    method: String(parts[0]), target: String(parts[1]), fields: fields, body: body,
                    receivedAt: monotonicNanos(), mark: state.mark)
                state.received.append(request)
                return state.script(request, state.received.count - 1)
            }
            if answer.delay > 0 { usleep(UInt32(answer.delay * 1e6)) }
            try answer.hold?.wait()
            switch answer.manner {
            case .respond:
                let extra = answer.fields.lines
                let body = answer.bytes ?? Array(answer.body.utf8)
                try socket.send(
                    Array(
                        ("HTTP/1.1 \(answer.status) Scripted\r\n\(extra)"
                            + "Content-Length: \(body.count)\r\n\r\n").utf8) + body)
            case .garbage:
                try socket.send(Array("\u{1}\u{2} this is no HTTP\r\n\r\n\r\n".utf8))
                return
            case .close:
                return
            case .reset:
                socket.resetOnClose()
                return
            case .stall:
                _ = try socket.readToEnd(within: 120)
                return
            }
        }
    }
}

import Foundation

/// A DNS server (RFC 1035) on 127.0.0.53 port 53 of a `PrivateNetwork`, over UDP and TCP.
public final class FakeNameServer: Sendable {
    public struct Question: Sendable, Equatable {
        public let name: String
        /// AAAA, not A.
        public let isIPv6: Bool
        /// How often the same was asked before.
        public let before: Int
        public let isOverTCP: Bool
    }

    public enum Answer: Sendable {
        /// Those of the question's kind.
        case addresses([String])
        /// "Ask me over TCP", where the answer is these.
        case addressesOverTCP([String])
        case noSuchName
        case serverFailure
        case silence
        case garbage
    }

    public static let address = "127.0.0.53"

    private let datagrams: Int32
    private let listener: Int32
    private let state: Locked<State>

    private struct State {
        var script: @Sendable (Question) -> Answer
        var questions: [Question] = []
        var counts: [String: Int] = [:]
    }

    public init(
        in network: PrivateNetwork, _ script: @escaping @Sendable (Question) -> Answer
    ) throws {
        (datagrams, listener) = try network.perform {
            (
                try Socket.bindDatagrams(to: Self.address, port: 53),
                try Socket.listen(on: Self.address, port: 53).descriptor
            )
        }
        state = Locked(State(script: script))
        let (datagrams, listener, state) = (datagrams, listener, state)
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                var sender = sockaddr_storage()
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                let count = withUnsafeMutablePointer(to: &sender) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(datagrams, &buffer, buffer.count, 0, $0, &length)
                    }
                }
                if count == 0 { break }
                if count < 0 {
                    if errno == EINTR { continue }
                    break
                }
                let query = Array(buffer[..<count])
                guard let reply = Self.reply(to: query, isOverTCP: false, state) else { continue }
                _ = withUnsafePointer(to: &sender) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(datagrams, reply, reply.count, 0, $0, length)
                    }
                }
            }
            close(datagrams)
        }
        Thread.detachNewThread {
            while let socket = Socket.accept(from: listener) {
                Thread.detachNewThread {
                    // A caller that leaves is its own affair.
                    try? Self.serve(socket, state)
                    socket.disconnect()
                }
            }
            close(listener)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        shutdown(datagrams, Int32(SHUT_RDWR))
    }

    /// Every question so far.
    public var questions: [Question] { state.with { $0.questions } }

    private static func serve(_ socket: Socket, _ state: Locked<State>) throws {
        while true {
            let prefix = try socket.read(count: 2, within: 60)
            let query = try socket.read(count: Int(prefix[0]) << 8 | Int(prefix[1]), within: 60)
            guard let reply = reply(to: query, isOverTCP: true, state) else { continue }
            try socket.send([UInt8(reply.count >> 8), UInt8(reply.count & 0xff)] + reply)
        }
    }

    /// Nil for no reply at all.
    private static func reply(to query: [UInt8], isOverTCP: Bool, _ state: Locked<State>)
        -> [UInt8]?
    {
        guard query.count > 12 else { return nil }
        var labels: [String] = []
        var index = 12
        while index < query.count, query[index] != 0 {
            let end = index + 1 + Int(query[index])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[index + 1..<end], as: UTF8.self))
            index = end
        }
        guard index + 4 < query.count else { return nil }
        let kind = Int(query[index + 1]) << 8 | Int(query[index + 2])
        let echo = query[12..<index + 5]
        let name = labels.joined(separator: ".")
        guard kind == 1 || kind == 28 else {
            return message(query, echo, flags: 0x8180, records: [])
        }

        let key = "\(name) \(kind) \(isOverTCP)"
        let (question, script) = state.with { state in
            let question = Question(
                name: name, isIPv6: kind == 28, before: state.counts[key] ?? 0,
                isOverTCP: isOverTCP)
            state.counts[key, default: 0] += 1
            state.questions.append(question)
            return (question, state.script)
        }
        let answer = script(question)
        switch answer {
        case .addresses(let texts), .addressesOverTCP(let texts):
            if case .addressesOverTCP = answer, !isOverTCP {
                return message(query, echo, flags: 0x8380, records: [])  // truncated
            }
            let addresses = texts.compactMap { bytes(of: $0, isIPv6: question.isIPv6) }
            return message(
                query, echo, flags: 0x8180,
                records: addresses.map { address in
                    // The question's name, its kind, class IN, 0 s to live.
                    [0xc0, 12, 0, UInt8(kind), 0, 1, 0, 0, 0, 0, 0, UInt8(address.count)] + address
                })
        case .noSuchName: return message(query, echo, flags: 0x8183, records: [])
        case .serverFailure: return message(query, echo, flags: 0x8182, records: [])
        case .silence: return nil
        case .garbage: return Array(query[..<2]) + [UInt8](repeating: 0xff, count: 60)
        }
    }

    private static func message(
        _ query: [UInt8], _ question: ArraySlice<UInt8>, flags: Int, records: [[UInt8]]
    ) -> [UInt8] {
        let counts = [0, 1, records.count >> 8, records.count & 0xff, 0, 0, 0, 0].map { UInt8($0) }
        return Array(query[..<2]) + [UInt8(flags >> 8), UInt8(flags & 0xff)] + counts + question
            + records.flatMap(\.self)
    }

    private static func bytes(of text: String, isIPv6: Bool) -> [UInt8]? {
        guard text.contains(":") == isIPv6 else { return nil }
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        return inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1 ? bytes : nil
    }
}

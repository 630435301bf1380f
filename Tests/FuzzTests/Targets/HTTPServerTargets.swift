import Glibc

@testable import HTTP
@testable import Net

extension FuzzTarget {
    /// Small enough that inputs reach them.
    fileprivate static let limits: ServerLimits = {
        var limits = ServerLimits()
        limits.requestLineBytesMax = 64
        limits.headerBytesMax = 256
        limits.headerFieldsMax = 8
        limits.bodyBytesMax = 64
        limits.chunkLineBytesMax = 32
        limits.chunkExtensionBytesMax = 48
        limits.trailerBytesMax = 64
        // A machine that lets an input wait is no slow client.
        limits.headMilliseconds = 3_600_000
        limits.idleMilliseconds = 3_600_000
        limits.bodyMilliseconds = 3_600_000
        limits.writeMilliseconds = 3_600_000
        limits.lingerMilliseconds = 3_600_000
        return limits
    }()

    /// A request's head: of any beginning of it the parser says the same as of all, or waits.
    static let head = FuzzTarget(name: "http-head") { input in
        let parser = HeadParser(limits: limits)
        func parse(_ count: Int) -> HeadOutcome {
            // A copy of exactly that size: reading past it is seen.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
            defer { copy.deallocate() }
            copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
            guard let base = copy.baseAddress else { return .incomplete(recheckAt: 1) }
            let outcome = parser.parse(base, count: count)
            if outcome == .refused(.targetTooLong) {
                _ = parser.parseOversizedLine(base, count: count)
            }
            return outcome
        }
        guard !input.isEmpty else { return }
        let whole = parse(input.count)
        var recheck = 0
        var isDecided = false
        var before = 0
        // Of millions of inputs some are cut in any place.
        var splits = FuzzSplits(input[input.count / 2])
        for piece in splits.pieces(Array(input), of: isSearching ? 17 : 1) {
            let count = piece.endIndex
            let outcome = parse(count)
            switch outcome {
            case .incomplete(let recheckAt):
                try require(!isDecided, "undecided at \(count) after a decision")
                try require(recheckAt > count, "recheck at \(recheckAt) with \(count) bytes")
                recheck = recheckAt
            case .complete, .refused:
                let isDue = count >= recheck || input[before..<count].contains(Scan.lineFeed)
                try require(isDecided || isDue, "decided at \(count) before \(recheck)")
                isDecided = true
                try require(outcome == whole, "\(outcome) of \(count) bytes, \(whole) of all")
            }
            before = count
        }
    }

    /// A connection's bytes through a socket, at once and in pieces.
    static let server = FuzzTarget(name: "http-server") { input in
        var input = FuzzInput(input)
        let seed = input.byte()
        var splits = FuzzSplits(seed)
        let bytes = input.remaining()
        let server = try FuzzServer.shared.get()
        let whole = try server.run([bytes[...]])
        // Each piece is some system calls, so most of millions of inputs come in few.
        let mostBytes = isSearching && seed % 8 != 0 ? max(17, bytes.count) : 17
        let split = try server.run(splits.pieces(bytes, of: mostBytes))
        try require(whole == split, "\(whole) at once, \(split) in pieces")
    }

    /// Both decoders of chunked bodies, at once and in pieces; what the strict one takes, the
    /// client's reads alike.
    static let chunks = FuzzTarget(name: "chunks") { input in
        var input = FuzzInput(input)
        var splits = FuzzSplits(input.byte())
        let bytes = input.remaining()
        let pieces = splits.pieces(bytes)
        let whole = decode([bytes[...]], bytes.count)
        let split = decode(pieces, bytes.count)
        try require(whole == split, "\(whole) at once, \(split) in pieces")

        let client = try clientDecode([bytes[...]])
        let clientSplit = try clientDecode(pieces)
        try require(client == clientSplit, "\(client) at once, \(clientSplit) in pieces")
        if case .whole(let body, let taken) = whole {
            try require(
                client == .whole(body, taken), "\(client) of the client, \(whole) of the server")
        }
    }

    private enum Decoded: Equatable {
        case whole([UInt8], Int)
        case refused(String)
        case unfinished
    }

    private static func decode(_ pieces: [ArraySlice<UInt8>], _ count: Int) -> Decoded {
        var decoder = ChunkedDecoder(limits: limits)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        guard let base = buffer.baseAddress else { return .unfinished }
        var decoded = 0
        var raw = 0
        var end = 0
        for piece in pieces {
            for byte in piece {
                buffer[end] = byte
                end += 1
            }
            switch decoder.decode(base, decoded: &decoded, raw: &raw, end: end) {
            case .needsMore: continue
            case .refused(let refusal): return .refused("\(refusal.status) \(refusal.reason)")
            case .done: return .whole(Array(buffer[..<decoded]), raw)
            }
        }
        return .unfinished
    }

    private static func clientDecode(_ pieces: [ArraySlice<UInt8>]) throws -> Decoded {
        var chunks = ClientChunks()
        var body: [UInt8] = []
        var taken = 0
        for piece in pieces {
            var rest = piece
            while !rest.isEmpty {
                let count: Int
                switch rest.withUnsafeBytes({ chunks.next($0) }) {
                case .skipped(let skipped): count = skipped
                case .data(let data):
                    body += rest.prefix(data)
                    count = data
                case .end(let last): return .whole(body, taken + last)
                case .malformed(let problem): return .refused(problem)
                }
                try require(count > 0 && count <= rest.count, "\(count) of \(rest.count) taken")
                rest = rest.dropFirst(count)
                taken += count
            }
        }
        return .unfinished
    }
}

/// A server on a loop that is turned by hand.
// Unchecked: used by one input at a time, on whatever thread.
private final class FuzzServer: @unchecked Sendable {
    struct Outcome: Equatable, CustomStringConvertible {
        var requests: [UInt8] = []
        var statuses: [UInt8] = []
        var isEnded = false

        var description: String {
            "\(String(decoding: requests, as: UTF8.self)) answered "
                + "\(String(decoding: statuses, as: UTF8.self))\(isEnded ? " and closed" : "")"
        }
    }

    private final class Handler: RequestHandler {
        /// What was understood. Bytes, for texts would take most of a run's time.
        var requests: [UInt8] = []

        func handle(_ request: borrowing Request, _ responder: Responder) {
            note(request.methodBytes, " ")
            note(request.target, " ")
            note(request.host, " ")
            note(request.path, " ")
            note(request.query, " ")
            note(request.body, "\n")
            for index in 0..<request.headerCount {
                note(request.headerName(at: index), ":")
                note(request.headerValue(at: index), "\n")
            }
            responder.respond(200, headers: [], body: [])
        }

        private func note(_ bytes: UnsafeRawBufferPointer, _ end: Unicode.Scalar) {
            requests.append(contentsOf: bytes)
            requests.append(UInt8(ascii: end))
        }

        func handleOversized(
            _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
        ) -> Bool {
            // How much of a body came with the head is chance.
            guard request.target.starts(with: "/long".utf8) else { return false }
            requests.append(contentsOf: "\(oversize) ".utf8)
            note(request.target, "\n")
            responder.respond(400, headers: [], body: [])
            return true
        }

        func turnEnded() {}
    }

    /// One for all: servers are never freed.
    static let shared = Result { try FuzzServer(FuzzTarget.limits) }

    private let loop: EventLoop
    private let server: Server
    private let handler = Handler()
    private var chunk = [UInt8](repeating: 0, count: 4096)

    private init(_ limits: ServerLimits) throws {
        loop = try EventLoop(name: "fuzz")
        let handler = handler
        server = Server(loop: loop, limits: limits) { _ in handler }
    }

    func run(_ pieces: [ArraySlice<UInt8>]) throws -> Outcome {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw FuzzFailure(description: "no socket pair: \(errno)")
        }
        handler.requests = []
        server.accepted(ends[1], from: nil)
        var outcome = Outcome()
        for piece in pieces {
            // A refusal may have ended the connection already.
            _ = piece.withUnsafeBytes { send(ends[0], $0.baseAddress, $0.count, 0x4000) }
            loop.turn(timeout: 0)
        }
        let before = receive(ends[0])
        outcome.isEnded = before.isEnded
        shutdown(ends[0], Int32(SHUT_WR))
        loop.turn(timeout: 0)
        let after = receive(ends[0])
        outcome.statuses = statuses(before.bytes + after.bytes)
        outcome.requests = handler.requests
        close(ends[0])
        loop.turn(timeout: 0)
        try require(after.isEnded, "the connection lives on after its end")
        try require(server.bufferedBytes == 0, "\(server.bufferedBytes) bytes are left")
        return outcome
    }

    private func receive(_ client: Int32) -> (bytes: [UInt8], isEnded: Bool) {
        var bytes: [UInt8] = []
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return (bytes, count == 0 || errno != EAGAIN) }
            bytes += chunk[..<count]
            loop.turn(timeout: 0)
        }
    }

    /// The final answers' lines and reasons, without what differs from second to second.
    private func statuses(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"))
        where !line.starts(with: "Date: ".utf8) && !line.starts(with: "HTTP/1.1 100".utf8) {
            kept += line
        }
        return kept
    }
}

import Foundation

/// A server that misbehaves below HTTP, for whoever connects to it.
public final class FaultyPeer: Sendable {
    public enum Mode: Sendable, Equatable {
        case closesAtOnce
        case resetsAtOnce
        /// Accepts and never says a word.
        case stalls
        /// Sends the text one byte at a time with this pause between two bytes.
        case drips(String, pauseSeconds: Double)
        /// Sends the text at once, whatever it's asked, and closes.
        case says(String)
        /// Sends the text, then keeps the connection open in silence.
        case saysAndStalls(String)
        /// Reads a request's head, sends the text and resets the connection.
        case saysAndResets(String)
        /// Sends the text over and over until the other side leaves.
        case floods(String)
        /// Sends the first text once, then the other one over and over until the other side leaves.
        case saysAndFloods(String, String)

        var resets: Bool {
            switch self {
            case .resetsAtOnce, .saysAndResets: true
            case .closesAtOnce, .stalls, .drips, .says, .saysAndStalls, .floods, .saysAndFloods:
                false
            }
        }
    }

    public let port: UInt16
    private let listener: Int32
    private let state = Locked<(accepted: Int, open: [Socket], isStopped: Bool)>((0, [], false))
    private let sent = Locked(0)

    public init(_ mode: Mode) throws {
        (listener, port) = try Socket.listen()
        let (listener, state, sent) = (listener, state, sent)
        Thread.detachNewThread {
            while let socket = Socket.accept(from: listener) {
                let isStopped = state.with {
                    $0.accepted += 1
                    $0.open.append(socket)
                    return $0.isStopped
                }
                if isStopped { break }
                Thread.detachNewThread {
                    // The caller leaving in the middle is what this peer is for.
                    try? FaultyPeer.misbehave(mode, socket, sent)
                    // A reset is sent by the close alone: a shutdown before it would send FIN.
                    if !mode.resets { socket.disconnect() }
                    state.with { $0.open.removeAll { $0 === socket } }
                }
            }
            close(listener)
        }
    }

    deinit { stop() }

    public func stop() {
        let open = state.with { state in
            defer { state.open = [] }
            let first = !state.isStopped
            state.isStopped = true
            return first ? state.open : nil
        }
        guard let open else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        open.forEach { $0.disconnect() }
    }

    public var url: String { "http://127.0.0.1:\(port)" }
    /// How many connections it has taken.
    public var accepted: Int { state.with { $0.accepted } }
    /// How many connections are open on its side.
    public var open: Int { state.with { $0.open.count } }
    /// How many bytes it has handed to the kernel in floods, read by the other side or not.
    public var flooded: Int { sent.current }

    private static func flood(_ text: String, _ socket: Socket, _ sent: Locked<Int>) throws {
        let bytes = Array(text.utf8)
        while true {
            try socket.send(bytes)
            sent.with { $0 += bytes.count }
        }
    }

    private static func misbehave(_ mode: Mode, _ socket: Socket, _ sent: Locked<Int>) throws {
        switch mode {
        case .closesAtOnce:
            return
        case .resetsAtOnce:
            socket.resetOnClose()
        case .stalls:
            _ = try socket.readToEnd(within: 300)
        case .drips(let text, let pause):
            for byte in text.utf8 {
                try socket.send([byte])
                usleep(UInt32(pause * 1e6))
            }
        case .says(let text):
            try socket.send(Array(text.utf8))
            // A close with something unread would send RST, and that could overtake the text.
            socket.finishSending()
            _ = try socket.readToEnd(within: 10)
        case .saysAndStalls(let text):
            try socket.send(Array(text.utf8))
            _ = try socket.readToEnd(within: 300)
        case .saysAndResets(let text):
            _ = try socket.read(through: "\r\n\r\n", within: 300)
            try socket.send(Array(text.utf8))
            usleep(50_000)  // so that the text is more likely to be read than lost to the reset
            socket.resetOnClose()
        case .floods(let text):
            try flood(text, socket, sent)
        case .saysAndFloods(let text, let more):
            try socket.send(Array(text.utf8))
            try flood(more, socket, sent)
        }
    }
}

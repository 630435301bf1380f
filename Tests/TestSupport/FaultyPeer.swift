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
        /// Sends the text over and over until the other side leaves.
        case floods(String)
    }

    public let port: UInt16
    private let listener: Int32
    private let state = Locked<(accepted: Int, open: [Socket], isStopped: Bool)>((0, [], false))

    public init(_ mode: Mode) throws {
        (listener, port) = try Socket.listen()
        let (listener, state) = (listener, state)
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
                    try? FaultyPeer.misbehave(mode, socket)
                    socket.disconnect()
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

    private static func misbehave(_ mode: Mode, _ socket: Socket) throws {
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
        case .floods(let text):
            while true { try socket.send(Array(text.utf8)) }
        }
    }
}

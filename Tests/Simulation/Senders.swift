import Foundation
import Net

/// What somebody out there asks of the tracker.
enum Ask {
    /// A visitor comes by an ad: the number of the click.
    case click(Int)
    /// The visitor of that click presses the lander's button.
    case lander(Int)
    /// A network reports: the number of its call.
    case report(Int)
}

/// An answer as it came over the wire.
struct Answer {
    let status: Int
    let location: String?
    let body: String
}

/// Visitors and networks: each asks over a connection of its own, and leaves when it has its answer,
/// or before.
final class Senders {
    private final class Conversation {
        let ask: Ask
        let descriptor: Int32
        var input: [UInt8] = []

        init(_ ask: Ask, _ descriptor: Int32) {
            self.ask = ask
            self.descriptor = descriptor
        }
    }

    private var open: [Conversation] = []
    private let socket: String

    init(socket: String) { self.socket = socket }

    var isWaiting: Bool { !open.isEmpty }

    /// Sends a request. False: nobody listens.
    func send(_ ask: Ask, _ target: String) -> Bool {
        // The path was good when the server listened there; what else fails is the simulation's.
        guard let address = SocketAddress(path: socket),
            let descriptor = try? Socket.connect(to: address)
        else { return false }
        let request = "GET \(target) HTTP/1.1\r\nHost: t.example\r\nUser-Agent: Browser/1\r\n\r\n"
        guard
            case .bytes(request.utf8.count) = Array(request.utf8).withUnsafeBytes({
                Socket.write(descriptor, $0)
            })
        else {
            Socket.close(descriptor)
            return false
        }
        open.append(Conversation(ask, descriptor))
        return true
    }

    /// The answers that have arrived.
    func poll() -> [(Ask, Answer)] {
        var answers: [(Ask, Answer)] = []
        open.removeAll { conversation in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                switch buffer.withUnsafeMutableBytes({
                    Socket.read(conversation.descriptor, into: $0)
                }) {
                case .bytes(let count):
                    conversation.input += buffer[..<count]
                    guard let answer = Self.answer(conversation.input) else { continue }
                    answers.append((conversation.ask, answer))
                    Socket.close(conversation.descriptor)
                    return true
                case .wouldBlock: return false
                case .end, .failed:
                    Socket.close(conversation.descriptor)
                    return true
                }
            }
        }
        return answers
    }

    /// One of them, by chance, does not wait any longer.
    func leave(using random: inout some RandomNumberGenerator) -> Ask? {
        guard let index = open.indices.randomElement(using: &random) else { return nil }
        let conversation = open.remove(at: index)
        Socket.close(conversation.descriptor)
        return conversation.ask
    }

    func dropAll() {
        for conversation in open { Socket.close(conversation.descriptor) }
        open = []
    }

    private static func answer(_ bytes: [UInt8]) -> Answer? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        var status = 0
        var length = 0
        var location: String?
        for (index, line) in text[..<end.lowerBound].split(separator: "\r\n").enumerated() {
            if index == 0 {
                status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            } else if line.lowercased().hasPrefix("content-length: ") {
                length = Int(line.dropFirst(16)) ?? 0
            } else if line.lowercased().hasPrefix("location: ") {
                location = String(line.dropFirst(10))
            }
        }
        let body = text[end.upperBound...]
        guard body.utf8.count >= length else { return nil }
        return Answer(status: status, location: location, body: String(body))
    }
}

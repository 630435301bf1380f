import Glibc
@testable import Net
import TestSupport

/// A TLS client over a blocking socket, which sends and reads exactly what it's told to; every
/// read gives up after a minute.
final class TLSTestClient {
    let descriptor: Int32
    private let session: TLSSession
    /// Decrypted and not yet taken.
    private var plain: [UInt8] = []
    /// The server said goodbye, as against ending without.
    private(set) var wasToldGoodbye = false
    private(set) var isEnded = false

    static func trusting() throws -> TLSContext {
        try .client(trust: .only(file: TestCertificates.shared.get().authorityFile))
    }

    /// Connected, no byte sent.
    init(port: UInt16, _ context: TLSContext? = nil, receiveBufferBytes: Int32? = nil) throws {
        let context = try context ?? Self.trusting()
        session = try context.connect(serverName: "localhost", port: port)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket") }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        if var bytes = receiveBufferBytes {
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        Socket.setNoDelay(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw TestFailure("connect: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// What OpenSSL wants sent next, the first time the whole client hello.
    func nextFlight() throws -> [UInt8] {
        if !session.isEstablished { _ = try session.handshake() }
        return session.takeOutput()
    }

    /// Shakes hands. `first` goes out in one segment with the last message of the handshake.
    @discardableResult
    func shakeHands(first: String = "", pieceBytes: Int = .max) throws -> TLSTestClient {
        while try !session.handshake() {
            try sendAll(session.takeOutput(), pieceBytes: pieceBytes)
            guard try fill() else { throw TestFailure("closed in the handshake") }
        }
        if !first.isEmpty { try session.write(Array(first.utf8)) }
        try sendAll(session.takeOutput(), pieceBytes: pieceBytes)
        return self
    }

    var isResumed: Bool { session.isResumed }

    func send(_ text: String) throws { try sendRecords([text]) }

    /// Each in a record of its own, all in one segment, or in pieces of so many bytes.
    func sendRecords(_ texts: [String], pieceBytes: Int = .max) throws {
        for text in texts { try session.write(Array(text.utf8)) }
        try sendAll(session.takeOutput(), pieceBytes: pieceBytes)
    }

    func sayGoodbye() throws {
        session.close()
        try sendAll(session.takeOutput())
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Below TLS.
    func sendAll(_ bytes: [UInt8], pieceBytes: Int = .max) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent },
                    min(pieceBytes, bytes.count - sent), Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestFailure("send: \(String(cString: strerror(errno)))") }
            sent += count
            if pieceBytes < bytes.count { usleep(500) }
        }
    }

    /// False at the end.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 { throw TestFailure("recv: \(String(cString: strerror(errno)))") }
        guard count > 0 else {
            isEnded = true
            return false
        }
        buffer[..<count].withUnsafeBytes { session.feed($0) }
        return true
    }

    /// Reads on until there is something more; false at the end.
    private func more() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            switch try buffer.withUnsafeMutableBytes({ try session.read(into: $0) }) {
            case .bytes(let count):
                plain += buffer[..<count]
                return true
            case .closed:
                wasToldGoodbye = true
                return false
            case .needsInput: if try !fill() { return false }
            }
        }
    }

    /// An answer with a Content-Length.
    func receive() throws -> (head: String, body: [UInt8]) {
        while true {
            if let end = plain.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: plain[..<end.upperBound], as: UTF8.self)
                let line = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                let length = line.flatMap { Int($0.dropFirst(16)) } ?? 0
                while plain.count < end.upperBound + length {
                    guard try more() else { throw TestFailure("cut in the body") }
                }
                let body = Array(plain[end.upperBound..<end.upperBound + length])
                plain.removeFirst(end.upperBound + length)
                return (head, body)
            }
            guard try more() else { throw TestFailure("closed without an answer") }
        }
    }

    func receiveText() throws -> String { String(decoding: try receive().body, as: UTF8.self) }

    /// Whatever else comes; look at `wasToldGoodbye` then.
    func receiveToEnd() throws -> [UInt8] {
        while try more() {}
        defer { plain = [] }
        return plain
    }

    func get(_ path: String) throws -> String {
        try send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        return try receiveText()
    }
}

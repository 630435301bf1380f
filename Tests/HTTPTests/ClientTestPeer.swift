import Glibc
@testable import Net
import Synchronization
import TestSupport

/// A server whose every connection runs a script of the test, on a thread of its own.
final class ClientTestPeer: Sendable {
    /// 0 for a unix-domain socket.
    let port: UInt16
    private let listener: Int32
    private let state: State

    private final class State: Sendable {
        let accepted = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let isStopped = Atomic<Bool>(false)
        let failures = Mutex<[String]>([])
    }

    /// - Parameter script: given the connection, of which the first is number 1. The connection is
    ///   closed when it returns; what it throws is found in `failures`.
    init(
        path: String? = nil, tls: TLSContext? = nil,
        _ script: @escaping @Sendable (Connection) throws -> Void
    ) throws {
        let address = path.map { SocketAddress(path: $0) } ?? SocketAddress.parse("127.0.0.1:0")
        guard let address else { throw TestFailure("bad address") }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = socket(address.family, type, 0)
        let unix: Int32
        if let path {
            unix = Self.bindUnix(listener, path)
        } else {
            var loopback = sockaddr_in()
            loopback.sin_family = sa_family_t(AF_INET)
            loopback.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            unix = withUnsafePointer(to: &loopback) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard unix == 0, listen(listener, 1024) == 0 else { throw TestFailure("listen: \(errno)") }
        self.listener = listener
        port = Socket.localAddress(listener)?.port ?? 0
        let state = State()
        self.state = state
        _ = try LoopThread {
            // A child process that had the connection would keep it open.
            while let descriptor = acceptConnection(from: listener) {
                guard !state.isStopped.load(ordering: .acquiring) else {
                    close(descriptor)
                    break
                }
                let number = state.accepted.add(1, ordering: .relaxed).newValue
                let connection = Connection(descriptor, number: number, tls: tls)
                let work: @Sendable () -> Void = {
                    do {
                        try connection.shakeHands()
                        try script(connection)
                    } catch {
                        state.failures.withLock { $0.append("\(error)") }
                    }
                    connection.finish()
                    _ = state.finished.add(1, ordering: .relaxed)
                }
                if (try? LoopThread(work)) == nil { break }  // the client then sees no answer
            }
            close(listener)
        }
    }

    private static func bindUnix(_ descriptor: Int32, _ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    deinit {
        state.isStopped.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// Connections taken so far.
    var accepted: Int { state.accepted.load(ordering: .relaxed) }
    /// Connections whose script is still running.
    var open: Int { accepted - state.finished.load(ordering: .relaxed) }
    var failures: [String] { state.failures.withLock { $0 } }

    /// A blocking connection; reads and writes give up after a minute.
    // Unchecked because only its script's thread uses it.
    final class Connection: @unchecked Sendable {
        let number: Int
        private let descriptor: Int32
        private let tls: TLSSession?
        private var received: [UInt8] = []

        init(_ descriptor: Int32, number: Int, tls: TLSContext?) {
            self.descriptor = descriptor
            self.number = number
            self.tls = try? tls?.accept()  // only lack of memory stops it; then it speaks plainly
            var timeout = timeval(tv_sec: 60, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
            Socket.setNoDelay(descriptor)
        }

        fileprivate func shakeHands() throws {
            guard let tls else { return }
            do {
                while try !tls.handshake() {
                    try sendAll(drained(tls))
                    guard try fill() else { throw TestFailure("closed in the handshake") }
                }
            } catch {
                try sendAll(drained(tls))
                throw error
            }
            try sendAll(drained(tls))
            // The request may have come with the client's last handshake message.
            _ = try decrypt(tls)
        }

        fileprivate func finish() {
            // After TLS's own goodbye; a peer that has left already needs none.
            if let tls {
                tls.close()
                try? sendAll(drained(tls))
            }
            close(descriptor)
        }

        private func drained(_ tls: TLSSession) -> [UInt8] {
            var bytes: [UInt8] = []
            tls.drain(into: &bytes)
            return bytes
        }

        /// False at the end.
        private func fill() throws -> Bool {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { throw TestFailure("recv: \(String(cString: strerror(errno)))") }
            guard count > 0 else { return false }
            guard let tls else {
                received += buffer[..<count]
                return true
            }
            buffer[..<count].withUnsafeBytes { tls.feed($0) }
            return tls.isEstablished ? try decrypt(tls) : true
        }

        /// False at TLS's end.
        private func decrypt(_ tls: TLSSession) throws -> Bool {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                switch try buffer.withUnsafeMutableBytes({ try tls.read(into: $0) }) {
                case .bytes(let count): received += buffer[..<count]
                case .needsInput: return true
                case .closed: return false
                }
            }
        }

        /// A request's head, its body left unread; nil when the client closes instead.
        func readHead() throws -> String? {
            while true {
                let text = String(decoding: received, as: UTF8.self)
                if let end = text.range(of: "\r\n\r\n") {
                    let head = String(text[..<end.upperBound])
                    received.removeFirst(head.utf8.count)
                    return head
                }
                if try !fill() { return nil }
            }
        }

        func readBody(_ count: Int) throws -> String {
            while received.count < count {
                guard try fill() else { throw TestFailure("closed in the body") }
            }
            defer { received.removeFirst(count) }
            return String(decoding: received.prefix(count), as: UTF8.self)
        }

        /// Returns when the client has closed, or after a minute with an error.
        func waitForClose() throws { while try fill() {} }

        func send(_ text: String) throws {
            guard let tls else { return try sendAll(Array(text.utf8)) }
            try tls.write(Array(text.utf8))
            try sendAll(drained(tls))
        }

        /// Below TLS, where there is any.
        func sendAll(_ bytes: [UInt8]) throws {
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(
                        descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                        Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else {
                    throw TestFailure("send: \(String(cString: strerror(errno)))")
                }
                sent += count
            }
        }

        /// Each in a TLS record of its own, all in one segment.
        func sendRecordsTogether(_ texts: [String]) throws {
            guard let tls else { throw TestFailure("not TLS") }
            for text in texts { try tls.write(Array(text.utf8)) }
            try sendAll(drained(tls))
        }

        /// Ends the connection without TLS's goodbye.
        func closeAbruptly() { shutdown(descriptor, Int32(SHUT_RDWR)) }

        /// `200 OK` with a length.
        func answer(_ body: String, _ headers: String = "") throws {
            try send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }

        /// Makes the close that follows a reset.
        func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
    }
}

extension String {
    fileprivate func range(of other: String) -> Range<String.Index>? {
        var start = utf8.startIndex
        while start < utf8.endIndex {
            if utf8[start...].starts(with: other.utf8) {
                return start..<utf8.index(start, offsetBy: other.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}

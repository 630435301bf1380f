import Foundation

/// A blocking TCP socket whose every read and write has a deadline. Closed with its last reference.
final class Socket: @unchecked Sendable {
    // Sendable because one thread at a time uses it: its owner, or the one that closes it to end
    // a blocked read, which `shutdown` allows from anywhere.
    let descriptor: Int32
    private var pending: [UInt8] = []
    private var consumed = 0

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// - Parameter network: where the port is; nil: on this machine.
    static func connect(
        port: UInt16, in network: PrivateNetwork? = nil, receiveBufferBytes: Int32? = nil
    ) throws -> Socket {
        guard let network else { return try connectHere(port, receiveBufferBytes) }
        return try network.perform { try connectHere(port, receiveBufferBytes) }
    }

    private static func connectHere(_ port: UInt16, _ receiveBufferBytes: Int32?) throws -> Socket {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: \(systemError())") }
        let result = Socket(descriptor: descriptor)
        if var bytes = receiveBufferBytes {
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = try address("127.0.0.1", port: port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            throw TestFailure("connect 127.0.0.1:\(port): \(systemError())")
        }
        return result
    }

    /// Held while a descriptor is made and while a process is started: Swift's Glibc module has no
    /// `accept4` or `pipe2`, and a child that inherited one of ours would keep it open.
    static let inheritanceLock = NSLock()

    /// Waits for the next connection; nil when the listener has been shut down.
    static func accept(from listener: Int32) -> Socket? {
        acceptConnection(from: listener).map { Socket(descriptor: $0) }
    }

    /// Listens on a port that the kernel picks unless one is named.
    static func listen(on host: String = "127.0.0.1", port: UInt16 = 0) throws -> (
        descriptor: Int32, port: UInt16
    ) {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: \(systemError())") }
        // Never blocks in `accept`, which holds `inheritanceLock`.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var one: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = try address(host, port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) != 0 || Foundation.listen(descriptor, 1024) != 0
                    || getsockname(descriptor, $0, &length) != 0
            }
        }
        guard !failed else {
            let reason = systemError()
            close(descriptor)
            throw TestFailure("listen on \(host):\(port): \(reason)")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// A port nobody listens on now; for programs that can't say which one the kernel picked.
    static func unusedPort() throws -> UInt16 {
        let (descriptor, port) = try listen()
        close(descriptor)
        return port
    }

    /// A UDP socket.
    static func bindDatagrams(to host: String, port: UInt16) throws -> Int32 {
        let descriptor = socket(
            AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: \(systemError())") }
        var address = try address(host, port: port)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else {
            let reason = systemError()
            close(descriptor)
            throw TestFailure("bind \(host):\(port): \(reason)")
        }
        return descriptor
    }

    private static func address(_ host: String, port: UInt16) throws -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw TestFailure("not an IPv4 address: \(host)")
        }
        return address
    }

    func send(_ bytes: [UInt8], within seconds: Double = 20) throws {
        let deadline = monotonicNanos() &+ UInt64(seconds * 1e9)
        var sent = 0
        while sent < bytes.count {
            try wait(for: Int16(POLLOUT), until: deadline, "writing")
            let count = bytes.withUnsafeBytes {
                Foundation.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw TestFailure("send: \(systemError())")
            }
            sent += count
        }
    }

    /// Reads more into the buffer; false when the peer has closed or reset the connection.
    private func fill(until deadline: UInt64) throws -> Bool {
        if consumed > 0 {
            pending.removeFirst(consumed)
            consumed = 0
        }
        try wait(for: Int16(POLLIN), until: deadline, "reading")
        return withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { chunk in
            let count = recv(descriptor, chunk.baseAddress, chunk.count, 0)
            guard count > 0 else { return false }
            pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            return true
        }
    }

    var isReadable: Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) > 0
    }

    private func wait(for events: Int16, until deadline: UInt64, _ doing: String) throws {
        while true {
            let now = monotonicNanos()
            guard now < deadline else { throw TestFailure("time-out \(doing)") }
            var poller = pollfd(fd: descriptor, events: events, revents: 0)
            let result = poll(&poller, 1, Int32(min((deadline - now) / 1_000_000 + 1, 100_000)))
            if result > 0 { return }
            if result < 0, errno != EINTR { throw TestFailure("poll: \(systemError())") }
        }
    }

    /// Everything up to and including `end`; nil when the peer closes before the first byte.
    func read(through end: String, within seconds: Double = 20) throws -> [UInt8]? {
        let deadline = monotonicNanos() &+ UInt64(seconds * 1e9)
        while true {
            if let length = offset(after: end) { return take(length) }
            if try !fill(until: deadline) {
                if consumed == pending.count { return nil }
                throw TestFailure("closed in the middle of a message: \(rest())")
            }
        }
    }

    func read(count: Int, within seconds: Double = 20) throws -> [UInt8] {
        let deadline = monotonicNanos() &+ UInt64(seconds * 1e9)
        while pending.count - consumed < count {
            if try !fill(until: deadline) {
                throw TestFailure("closed \(count - pending.count + consumed) bytes too early")
            }
        }
        return take(count)
    }

    func readToEnd(within seconds: Double = 20) throws -> [UInt8] {
        let deadline = monotonicNanos() &+ UInt64(seconds * 1e9)
        while try fill(until: deadline) {}
        return take(pending.count - consumed)
    }

    /// How many unread bytes there are up to and including the first `end`.
    private func offset(after end: String) -> Int? {
        let wanted = Array(end.utf8)
        return pending.withUnsafeBytes { all -> Int? in
            guard let base = all.baseAddress else { return nil }
            var from = consumed
            // The C library searches, because the tests' debug build would take its time.
            while from + wanted.count <= all.count,
                let found = memchr(base + from, Int32(wanted[0]), all.count - from)
            {
                from = UnsafeRawPointer(found) - base
                guard from + wanted.count <= all.count else { return nil }
                if memcmp(found, wanted, wanted.count) == 0 {
                    return from + wanted.count - consumed
                }
                from += 1
            }
            return nil
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        let result = Array(pending[consumed..<consumed + count])
        consumed += count
        return result
    }

    private func rest() -> String {
        String(decoding: pending[consumed...].prefix(200), as: UTF8.self)
    }

    /// Ends both directions; a thread blocked in a read on it wakes up.
    func disconnect() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Ends our direction only: the peer reads to the end and may still answer.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes the next close send RST instead of FIN.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// Waits for the next connection, which no child process inherits; nil when the listener has been
/// shut down.
///
/// - Parameter listener: non-blocking.
public func acceptConnection(from listener: Int32) -> Int32? {
    while true {
        var poller = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        _ = poll(&poller, 1, -1)
        let descriptor = Socket.inheritanceLock.withLock {
            let descriptor = Foundation.accept(listener, nil, nil)
            if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            return descriptor
        }
        if descriptor >= 0 { return descriptor }
        if ![EINTR, ECONNABORTED, EAGAIN].contains(errno) { return nil }
    }
}

/// Whether sockets can be bound to `::1`; some containers do without IPv6.
public let hasIPv6Loopback: Bool = {
    let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    inet_pton(AF_INET6, "::1", &address.sin6_addr)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
        }
    }
}()

internal import CLinux
internal import Glibc

/// Takes over what a `Listener` accepts, on its loop's thread.
public protocol Acceptor: AnyObject {
    /// `descriptor` is non-blocking and the acceptor's to close. `peer` is nil on a unix socket.
    func accepted(_ descriptor: Int32, from peer: SocketAddress?)
    /// The process or the system is out of descriptors or memory, and somebody waits: close something.
    ///
    /// - Returns: whether something was closed; otherwise the listener rests for a moment.
    func exhausted(_ error: NetError) -> Bool
}

/// A listening socket on one loop. TCP sockets share their port among loops (SO_REUSEPORT).
// Unchecked: confined to its loop's thread.
public final class Listener: EventHandler, @unchecked Sendable {
    /// As bound: with the port the kernel picked where 0 was asked for.
    public let address: SocketAddress

    private static let backlog: Int32 = 4096
    /// Bounds what one turn spends on a flood of connections: as many once, or twice with those that
    /// `next` takes.
    private static let acceptsAtOnceMax = 16
    /// How long a listener rests when there is no descriptor for the connection it would accept, and
    /// none is closed for it: watched on, it would be reported ready forever.
    private static let exhaustedPauseNanos: UInt64 = 5_000_000

    /// What the kernel keeps for a client that does not read; by itself it would be megabytes, and
    /// some thousands of such clients would take what TCP has for everybody. What is on its way to a
    /// client is beside it, so a fast but far one is sent to as fast. Accepted sockets inherit it.
    private static let unsentBytesMax: Int32 = 16 * 1024

    private let loop: EventLoop
    private let descriptor: Int32
    private unowned let acceptor: any Acceptor
    private var isOpen = true
    private var pause: TimerID?
    /// Accepts on, once the events of the turn are handled.
    private var next: TimerID?

    /// Binds and listens; `acceptor` must outlive the listener.
    ///
    /// A unix socket is made with mode 0600, and replaces a socket file that nobody listens on.
    /// An IPv6 address serves IPv6 only, so `0.0.0.0` and `[::]` can be listened on together.
    public init(loop: EventLoop, address: SocketAddress, acceptor: any Acceptor) throws(NetError) {
        let descriptor = try Socket.open(family: address.family)
        do throws(NetError) {
            try Self.bind(descriptor, to: address)
            guard listen(descriptor, Self.backlog) == 0 else {
                throw .last("listen \(address.text)")
            }
        } catch {
            Socket.close(descriptor)
            throw error
        }
        self.loop = loop
        self.descriptor = descriptor
        self.acceptor = acceptor
        self.address = Socket.localAddress(descriptor) ?? address
        do throws(NetError) {
            try loop.add(descriptor, .read, self)
        } catch {
            close()
            throw error
        }
    }

    /// Throws when another process listens on a TCP address. SO_REUSEPORT would let two servers
    /// of one user share a port unnoticed, each getting half of the visitors; ask before `init`.
    public static func checkFree(_ address: SocketAddress) throws(NetError) {
        guard address.path == nil, address.port != 0 else { return }
        let descriptor = try Socket.open(family: address.family)
        defer { Socket.close(descriptor) }
        try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if !address.isIPv4 { try setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        try bindOnly(descriptor, address)
    }

    private static func bind(_ descriptor: Int32, to address: SocketAddress) throws(NetError) {
        if let path = address.path {
            try removeStale(path, address)
            // The socket's own mode becomes the file's (unix(7)), so there is no moment at which
            // the file is open to others; a umask would hold for all threads.
            guard fchmod(descriptor, 0o600) == 0 else { throw .last("fchmod \(address.text)") }
        } else {
            try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
            try setOption(descriptor, SOL_SOCKET, SO_REUSEPORT)
            try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, unsentBytesMax)
            if !address.isIPv4 { try setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        }
        try bindOnly(descriptor, address)
    }

    private static func bindOnly(_ descriptor: Int32, _ address: SocketAddress) throws(NetError) {
        let code = address.withSockaddr { pointer, length in
            Glibc.bind(descriptor, pointer, length) == 0 ? 0 : errno
        }
        guard code == 0 else { throw NetError("bind \(address.text)", code: code) }
    }

    private static func setOption(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32 = 1
    ) throws(NetError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(descriptor, level, option, &value, size) == 0 else {
            throw .last("setsockopt \(option)")
        }
    }

    /// Removes a socket file that refuses connections; anything else at `path` stays.
    private static func removeStale(_ path: String, _ address: SocketAddress) throws(NetError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw NetError("bind \(address.text)", code: EADDRINUSE)
        }
        let probe = try Socket.open(family: AF_UNIX)
        defer { Socket.close(probe) }
        let code = address.withSockaddr { pointer, length in
            connect(probe, pointer, length) == 0 ? 0 : errno
        }
        guard code == ECONNREFUSED else {
            throw NetError("bind \(address.text)", code: EADDRINUSE)
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw .last("unlink \(address.text)") }
    }

    public func ready(_ events: Interest) { acceptSome() }

    /// What waits beyond the bound comes after the turn's events: where thousands of connections are
    /// ready, too, the kernel reports the listener once in many turns.
    private func acceptSome() {
        guard accept(atMost: Self.acceptsAtOnceMax), next == nil else { return }
        next = loop.schedule(afterNanos: 0) { [weak self] in
            guard let self else { return }
            next = nil
            if isOpen, pause == nil { acceptSome() }
        }
    }

    /// Accepts whatever waits now: for the last time, before `close` resets the rest.
    public func acceptWaiting() { accept(atMost: Int(Self.backlog)) }

    /// - Returns: whether as many were accepted, and others may wait.
    @discardableResult
    private func accept(atMost limit: Int) -> Bool {
        var accepts = 0
        while accepts < limit, isOpen {
            accepts += 1
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    clickrelay_accept(descriptor, $0, &length)
                }
            }
            if accepted >= 0 {
                let peer = withUnsafeBytes(of: &storage) {
                    SocketAddress(
                        sockaddr: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length))))
                }
                acceptor.accepted(accepted, from: peer)
                continue
            }
            let error = NetError.last("accept")
            if error.code == EAGAIN { return false }
            if NetError.isShortage(error.code) {
                // The kernel looks for a descriptor before it looks for who would need it.
                guard Socket.isReadable(descriptor) else { return false }
                if acceptor.exhausted(error) { continue }
                rest()
                return false
            }
            // EINTR, ECONNABORTED and the network errors of accept(2): that one is gone.
        }
        return isOpen
    }

    private func rest() {
        guard isOpen, pause == nil else { return }
        // Fails for an unregistered descriptor only, and it is registered while open.
        try? loop.modify(descriptor, [])
        pause = loop.schedule(afterNanos: Self.exhaustedPauseNanos) { [weak self] in
            guard let self, isOpen else { return }
            pause = nil
            // As above.
            try? loop.modify(descriptor, .read)
        }
    }

    /// Stops accepting. What still waits in the backlog is reset by the kernel, or served by another
    /// loop's listener where `net.ipv4.tcp_migrate_req` is set.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        if let pause { loop.cancel(pause) }
        if let next { loop.cancel(next) }
        loop.remove(descriptor)
        Socket.close(descriptor)
        // The file may have been removed by hand already.
        if let path = address.path { _ = unlink(path) }
    }
}

internal import CLinux
internal import Glibc

/// What one non-blocking read or write did.
public enum Transfer: Equatable, Sendable {
    /// At least one byte.
    case bytes(Int)
    /// Nothing now; the loop will say when.
    case wouldBlock
    /// The peer has finished sending (reads only).
    case end
    /// The connection is gone; the kernel's reason.
    case failed(Int32)
}

/// The system calls on stream sockets, for modules that have no C library.
///
/// Descriptors are plain numbers owned by one object each, which closes them exactly once.
public enum Socket {
    /// Reads what is there, at most `buffer`, which must not be empty.
    public static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer)
        -> Transfer
    {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(code)
            }
        }
    }

    /// Writes what fits now; never raises SIGPIPE.
    public static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = send(
                descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(code)
            }
        }
    }

    /// Starts connecting, without blocking. When the descriptor becomes writable, `pendingError`
    /// says how it went. IP connections have TCP_NODELAY.
    public static func connect(to address: SocketAddress) throws(NetError) -> Int32 {
        let descriptor = try open(family: address.family)
        let code = address.withSockaddr { pointer, length in
            Glibc.connect(descriptor, pointer, length) == 0 ? 0 : errno
        }
        // EINTR: the connection goes on being made, as with EINPROGRESS (connect(2)).
        guard code == 0 || code == EINPROGRESS || code == EINTR else {
            close(descriptor)
            throw NetError("connect \(address.text)", code: code)
        }
        return descriptor
    }

    /// A non-blocking stream socket, closed on exec; TCP_NODELAY unless it is a unix socket.
    static func open(family: Int32) throws(NetError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        if family != AF_UNIX { setNoDelay(descriptor) }
        return descriptor
    }

    /// Why no socket can be made now; nil when one can. What else fails meanwhile, such as a look-up
    /// of a name, may fail for no other reason.
    static func shortage() -> NetError? {
        do throws(NetError) {
            close(try open(family: AF_INET))
            return nil
        } catch {
            return error
        }
    }

    /// The socket's SO_ERROR, cleared by reading: 0 when a connect succeeded.
    public static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return errno
        }
        return code
    }

    /// Answers are whole when they are written, so waiting to fill a segment only delays them.
    static func setNoDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        // Fails on a socket that is not TCP only, where there is nothing to delay.
        _ = setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one,
            socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends FIN: we will write no more, and may still read.
    public static func finishWriting(_ descriptor: Int32) {
        // Fails only when the connection is gone already.
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// What the kernel could not send yet of what was written: the client takes no more now. Not
    /// what is on its way, which a phone without reception leaves unacknowledged.
    public static func unsentBytes(_ descriptor: Int32) -> Int {
        Int(clickrelay_unsent_bytes(descriptor))
    }

    /// Has `close` drop what the kernel has not sent yet, and reset the connection: it would keep on
    /// offering it to a client that doesn't read.
    public static func discardUnsent(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        // Fails on a socket that is not TCP only, where the kernel keeps nothing.
        _ = setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// The address the socket is bound to; tells the port the kernel picked.
    public static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { return nil }
        return withUnsafeBytes(of: &storage) {
            SocketAddress(sockaddr: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length))))
        }
    }

    /// Whether there is something to read, or for a listening socket, somebody to accept.
    static func isReadable(_ descriptor: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0
    }

    /// Closes; the number may belong to another socket from here on.
    public static func close(_ descriptor: Int32) {
        // Linux frees the number even when it reports EINTR, so it is never tried again.
        _ = Glibc.close(descriptor)
    }
}

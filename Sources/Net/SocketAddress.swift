internal import CLinux
internal import Glibc

/// Where a socket listens or connects to: IPv4, IPv6, or a path in the file system.
public struct SocketAddress: Hashable, Sendable {
    private enum Form: Hashable, Sendable {
        case ip(UInt128, port: UInt16, scope: UInt32)
        case path(String)
    }

    private let form: Form

    /// `sun_path` holds 108 bytes with its terminating zero (unix(7)).
    static let pathBytesMax = 107
    private static let mappedPrefix: UInt128 = 0xffff << 32

    /// IPv4 is given in its IPv6 form, `::ffff:a.b.c.d`, and is IPv4 on the wire.
    public init(ip: UInt128, port: UInt16) { form = .ip(ip, port: port, scope: 0) }

    /// Nil when the path is empty, too long for the kernel or holds a NUL.
    public init?(path: String) {
        guard !path.isEmpty, path.utf8.count <= Self.pathBytesMax, !path.utf8.contains(0) else {
            return nil
        }
        form = .path(path)
    }

    /// Reads `127.0.0.1:8080`, `[::1]:0` or `unix:/path`. Names are not resolved here.
    public static func parse(_ hostPort: String) -> SocketAddress? {
        if hostPort.hasPrefix("unix:") { return SocketAddress(path: String(hostPort.dropFirst(5))) }
        guard let colon = hostPort.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let portText = hostPort[hostPort.index(after: colon)...]
        // UInt16("+80") is 80: digits only.
        guard (1...5).contains(portText.utf8.count),
            portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(portText)
        else { return nil }
        var host = hostPort[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.utf8.count > 2 else { return nil }
            host = host.dropFirst().dropLast()
            var address = in6_addr()
            guard inet_pton(AF_INET6, String(host), &address) == 1 else { return nil }
            return SocketAddress(ip: bits(of: address), port: port)
        }
        var address = in_addr()
        guard inet_pton(AF_INET, String(host), &address) == 1 else { return nil }
        return SocketAddress(
            ip: mappedPrefix | UInt128(UInt32(bigEndian: address.s_addr)), port: port)
    }

    /// Reads the kernel's form, of which `bytes` holds as much as the call reported.
    ///
    /// Nil for a family that is none of ours, and for the unnamed peer of a unix socket.
    public init?(sockaddr bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            guard bytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            form = .ip(
                Self.mappedPrefix | UInt128(UInt32(bigEndian: address.sin_addr.s_addr)),
                port: UInt16(bigEndian: address.sin_port), scope: 0)
        case AF_INET6:
            guard bytes.count >= MemoryLayout<sockaddr_in6>.size else { return nil }
            let address = bytes.loadUnaligned(as: sockaddr_in6.self)
            form = .ip(
                Self.bits(of: address.sin6_addr), port: UInt16(bigEndian: address.sin6_port),
                scope: address.sin6_scope_id)
        case AF_UNIX:
            let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
            if path.isEmpty { return nil }
            form = .path(String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }

    /// The address in its IPv6 form, IPv4 as `::ffff:a.b.c.d`; nil for a path.
    public var ipBytes: UInt128? {
        switch form {
        case .ip(let bits, _, _): bits
        case .path: nil
        }
    }

    public var isIPv4: Bool { ipBytes.map { $0 >> 32 == 0xffff } ?? false }

    /// 0 for a path.
    public var port: UInt16 {
        switch form {
        case .ip(_, let port, _): port
        case .path: 0
        }
    }

    public var path: String? {
        switch form {
        case .ip: nil
        case .path(let path): path
        }
    }

    /// In the form `parse` reads.
    public var text: String {
        switch form {
        case .path(let path):
            return "unix:" + path
        case .ip(let bits, let port, _):
            if isIPv4 { return "\(Self.text(ip: bits)):\(port)" }
            return "[\(Self.text(ip: bits))]:\(port)"
        }
    }

    /// `203.0.113.9` or `2001:db8::1`, without a port.
    public static func text(ip: UInt128) -> String {
        let isIPv4 = ip >> 32 == 0xffff
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var bytes = ip.bigEndian
        withUnsafeBytes(of: &bytes) { raw in
            let start = isIPv4 ? 12 : 0
            _ = inet_ntop(
                isIPv4 ? AF_INET : AF_INET6, raw.baseAddress?.advanced(by: start), &text,
                socklen_t(text.count))
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public var family: Int32 {
        switch form {
        case .ip: isIPv4 ? AF_INET : AF_INET6
        case .path: AF_UNIX
        }
    }

    /// The kernel's form of the address, valid during `body`.
    func withSockaddr<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { fill($0) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    private func fill(_ bytes: UnsafeMutableRawBufferPointer) -> socklen_t {
        switch form {
        case .ip(let bits, let port, let scope):
            if isIPv4 {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                address.sin_addr.s_addr = UInt32(truncatingIfNeeded: bits).bigEndian
                bytes.storeBytes(of: address, as: sockaddr_in.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: bits.bigEndian, as: UInt128.self)
            }
            bytes.storeBytes(of: address, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        case .path(let path):
            bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
            var end = MemoryLayout<sa_family_t>.size
            for byte in path.utf8 {
                bytes[end] = byte
                end += 1
            }
            return socklen_t(end + 1)
        }
    }

    private static func bits(of address: in6_addr) -> UInt128 {
        withUnsafeBytes(of: address) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }
}

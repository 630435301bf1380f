internal import Glibc

/// The addresses of this machine's network interfaces.
public enum MachineAddresses {
    /// - Parameter ip: IPv4 as `::ffff:a.b.c.d`.
    /// - Returns: false too when the kernel has no descriptor or memory for the look.
    public static func contains(_ ip: UInt128) -> Bool {
        canBind(ip) && (isOfInterface(ip) ?? !canBindAny(SocketAddress(ip: ip, port: 0).isIPv4))
    }

    /// The kernel lets a socket be bound to the machine's own addresses only, and says so at little
    /// cost; but to any where `net.ipv4.ip_nonlocal_bind` is set.
    private static func canBind(_ ip: UInt128) -> Bool {
        let address = SocketAddress(ip: ip, port: 0)
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return address.withSockaddr { bind(descriptor, $0, $1) } == 0
    }

    /// Nil where the interfaces can't be listed: a service that may have no netlink socket, as systemd's
    /// RestrictAddressFamilies has it, can't ask the kernel.
    // Not by the source address that the kernel takes for a call there: for an interface's further
    // addresses that is its first one.
    private static func isOfInterface(_ ip: UInt128) -> Bool? {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next?.pointee {
            if let address = entry.ifa_addr, ipBytes(address) == ip { return true }
            next = entry.ifa_next
        }
        return false
    }

    /// Where it isn't known, no: hardly anybody sets it.
    static func canBindAny(_ isIPv4: Bool) -> Bool {
        let path = "/proc/sys/net/\(isIPv4 ? "ipv4" : "ipv6")/ip_nonlocal_bind"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var digit: UInt8 = 0
        return read(descriptor, &digit, 1) == 1 && digit == UInt8(ascii: "1")
    }

    private static func ipBytes(_ address: UnsafePointer<sockaddr>) -> UInt128? {
        let count: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: count = MemoryLayout<sockaddr_in>.size
        case AF_INET6: count = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        return SocketAddress(sockaddr: UnsafeRawBufferPointer(start: address, count: count))?
            .ipBytes
    }
}

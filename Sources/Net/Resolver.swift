internal import Glibc

/// Why a name has no addresses, in the C library's words.
public struct ResolverError: Error, Equatable, Sendable {
    public let text: String
    /// What the machine or this process is short of: the look-up may have failed for
    /// nothing else.
    public let shortage: NetError?

    public init(_ text: String, shortage: NetError? = nil) {
        self.text = text
        self.shortage = shortage
    }
}

/// Turns a host name into addresses. Tests put their own in place of `Resolver`.
public protocol NameResolver: AnyObject, Sendable {
    /// Calls `done` once, on `loop`, with at least one address (IPv4 as `::ffff:a.b.c.d`), in the
    /// order in which they should be tried; never before `resolve` has returned.
    func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void)
}

/// The system's resolver (`getaddrinfo`: hosts file, DNS), on threads of its own, started as they
/// are needed.
///
/// It remembers no address: whoever may only call certain ones must see those of each new
/// connection. Look-ups of one name that is already being asked for share its answer. A name server
/// that doesn't answer holds a thread for as long as the C library is patient, but names that hang
/// never hold all of them: see `LookUpQueue`. At most `waitingMax` callers wait; further ones, and
/// those who wait for a name that has been looked up for five seconds, fail at once.
public final class Resolver: NameResolver {
    private let threads: ResolverThreads

    public convenience init(threadsMax: Int = 64, waitingMax: Int = 1024) {
        self.init(threadsMax: threadsMax, waitingMax: waitingMax, lookUp: systemLookUp)
    }

    convenience init(
        threadsMax: Int, waitingMax: Int,
        lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>
    ) {
        var limits = LookUpQueue<Waiter>.Limits()
        limits.threadsMax = max(1, threadsMax)
        limits.waitersMax = max(1, waitingMax)
        self.init(limits: limits, lookUp: lookUp)
    }

    init(
        limits: LookUpQueue<Waiter>.Limits,
        lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>
    ) {
        threads = ResolverThreads(limits: limits, lookUp: lookUp)
    }

    /// Threads end when the look-up they are in does; whoever waits for one is still answered.
    deinit { threads.stop() }

    public func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void
    ) {
        guard !host.isEmpty, !host.utf8.contains(0) else {
            loop.post { done(.failure(ResolverError("not a host name"))) }
            return
        }
        if let refusal = threads.enqueue(host, Waiter(loop: loop, done: done)) {
            loop.post { done(.failure(ResolverError(refusal))) }
        }
    }

    /// The address that `host` spells out, which needs no look-up; nil for a name.
    ///
    /// IPv6 without brackets, IPv4 as four decimal numbers: what the C library reads beyond that
    /// (`127.1`, `0x7f000001`) goes through `resolve`, whose answer is checked as any other.
    public static func literal(_ host: String) -> UInt128? {
        if host.utf8.contains(UInt8(ascii: ":")) {
            return SocketAddress.parse("[\(host)]:0")?.ipBytes
        }
        return SocketAddress.parse("\(host):0")?.ipBytes
    }
}

extension Resolver {
    /// Whoever waits for a name's addresses.
    struct Waiter: Sendable {
        let loop: EventLoop
        let done: @Sendable (Result<[UInt128], ResolverError>) -> Void

        func tell(_ result: Result<[UInt128], ResolverError>) {
            loop.post { done(result) }
        }
    }
}

/// More addresses than any honest name has; each is checked before one is called.
private let addressesMax = 64

@Sendable private func systemLookUp(_ host: String) -> Result<[UInt128], ResolverError> {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else {
        let number = code == EAI_MEMORY ? ENOMEM : code == EAI_SYSTEM ? errno : 0
        let text =
            number == 0 ? String(cString: gai_strerror(code)) : String(cString: strerror(number))
        // Mostly it says no more than that it failed, so it's seen at once whether a socket can be made.
        let shortage =
            NetError.isShortage(number)
            ? NetError("look up \(host)", code: number) : Socket.shortage()
        return .failure(ResolverError(text, shortage: shortage))
    }
    defer { freeaddrinfo(list) }
    var addresses: [UInt128] = []
    var entry = list
    while let current = entry?.pointee {
        entry = current.ai_next
        guard let pointer = current.ai_addr,
            let address = SocketAddress(
                sockaddr: UnsafeRawBufferPointer(start: pointer, count: Int(current.ai_addrlen))
            )?.ipBytes, !addresses.contains(address)
        else { continue }
        guard addresses.count < addressesMax else {
            return .failure(ResolverError("more than \(addressesMax) addresses"))
        }
        addresses.append(address)
    }
    return addresses.isEmpty
        ? .failure(ResolverError("the name has no address")) : .success(addresses)
}

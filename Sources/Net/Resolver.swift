internal import CLinux
internal import Glibc
internal import Synchronization

/// Why a name has no addresses, in the C library's words.
public struct ResolverError: Error, Equatable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }
}

/// Turns a host name into addresses. Tests put their own in place of `Resolver`.
public protocol NameResolver: AnyObject, Sendable {
    /// Calls `done` once, on `loop`, with at least one address (IPv4 as `::ffff:a.b.c.d`), in the
    /// order in which they should be tried; never before `resolve` has returned.
    func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void)
}

/// The system's resolver (`getaddrinfo`: hosts file, DNS), on a few threads of its own.
///
/// It remembers nothing: whoever may only call certain addresses must see those of each new
/// connection. Look-ups of one name that is already being asked for share its answer, so a name
/// server that doesn't answer holds one thread per name, not one per request. At most `waitingMax`
/// look-ups are under way; further ones fail at once.
public final class Resolver: NameResolver {
    private let shared: Shared

    public convenience init(threadsMax: Int = 8, waitingMax: Int = 1024) {
        self.init(threadsMax: threadsMax, waitingMax: waitingMax, lookUp: systemLookUp)
    }

    init(
        threadsMax: Int, waitingMax: Int,
        lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>
    ) {
        shared = Shared(
            threadsMax: max(1, threadsMax), waitingMax: max(1, waitingMax), lookUp: lookUp)
    }

    /// Threads end when the look-up they are in does; whoever waits for one is still answered.
    deinit { shared.stop() }

    public func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void
    ) {
        guard !host.isEmpty, !host.utf8.contains(0) else {
            loop.post { done(.failure(ResolverError("not a host name"))) }
            return
        }
        guard shared.enqueue(host, Waiter(loop: loop, done: done)) else {
            loop.post { done(.failure(ResolverError("too many look-ups are waiting"))) }
            return
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

private struct Waiter: Sendable {
    let loop: EventLoop
    let done: @Sendable (Result<[UInt128], ResolverError>) -> Void
}

/// What the threads and the `Resolver` share. The threads keep it alive, so that one stuck in a
/// look-up holds up nobody's shutdown.
// Unchecked because everything mutable is behind `lock`; the condition needs a pthread mutex.
private final class Shared: @unchecked Sendable {
    private let threadsMax: Int
    private let waitingMax: Int
    private let lookUp: @Sendable (String) -> Result<[UInt128], ResolverError>
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    /// Names nobody has started on, first come first served.
    private var queue: [String] = []
    /// Who waits for each name that is queued or being looked up.
    private var waiters: [String: [Waiter]] = [:]
    private var waitingCount = 0
    private var threadCount = 0
    private var idleCount = 0
    private var isStopping = false

    init(
        threadsMax: Int, waitingMax: Int,
        lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>
    ) {
        self.lookUp = lookUp
        self.threadsMax = threadsMax
        self.waitingMax = waitingMax
        lock = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(lock)
        wake.deallocate()
        lock.deallocate()
    }

    /// False when there is no room for it.
    func enqueue(_ host: String, _ waiter: Waiter) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard waitingCount < waitingMax else { return false }
        if waiters[host] != nil {
            waiters[host]?.append(waiter)
            waitingCount += 1
            return true
        }
        if idleCount <= queue.count, threadCount < threadsMax { startThread() }
        // No thread could be made: refused now rather than never answered.
        guard threadCount > 0 else { return false }
        waiters[host] = [waiter]
        waitingCount += 1
        queue.append(host)
        pthread_cond_signal(wake)
        return true
    }

    func stop() {
        pthread_mutex_lock(lock)
        isStopping = true
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
    }

    /// Called with `lock` held.
    private func startThread() {
        var thread = pthread_t()
        let reference = Unmanaged.passRetained(self)
        // Signals go to the thread that waits for them, as with `LoopThread`.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = pthread_create(
            &thread, nil,
            { argument in
                // Given by `startThread` and nobody else.
                guard let argument else { return nil }
                Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, reference.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            reference.release()
            return
        }
        pthread_detach(thread)
        threadCount += 1
    }

    private func run() {
        clickrelay_name_thread("resolver")
        pthread_mutex_lock(lock)
        while true {
            while queue.isEmpty, !isStopping {
                idleCount += 1
                pthread_cond_wait(wake, lock)
                idleCount -= 1
            }
            // Stopping: what is queued has callers who were promised an answer.
            guard !queue.isEmpty else { break }
            let host = queue.removeFirst()
            pthread_mutex_unlock(lock)
            let result = lookUp(host)
            pthread_mutex_lock(lock)
            let served = waiters.removeValue(forKey: host) ?? []
            waitingCount -= served.count
            pthread_mutex_unlock(lock)
            for waiter in served { waiter.loop.post { waiter.done(result) } }
            pthread_mutex_lock(lock)
        }
        threadCount -= 1
        pthread_mutex_unlock(lock)
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
        let text =
            code == EAI_SYSTEM
            ? strerror(errno)
            : UnsafeMutablePointer(
                mutating: gai_strerror(code))
        return .failure(ResolverError(text.map { String(cString: $0) } ?? "error \(code)"))
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

internal import CLinux
internal import Glibc

/// Signals delivered as events of a loop, through a `signalfd`.
// Unchecked: confined to its loop's thread.
public final class Signals: EventHandler, @unchecked Sendable {
    public static let interrupt = SIGINT
    public static let terminate = SIGTERM
    public static let hangup = SIGHUP

    private let loop: EventLoop
    private let descriptor: Int32
    private let received: (Int32) -> Void

    /// Blocks the signals for the calling thread and those it starts from now on, so that they
    /// wait for a loop. Call it in `main` before the first thread is started.
    public static func block(_ signals: [Int32]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `received` on the loop's thread for each of `signals`, which must be blocked.
    public init(loop: EventLoop, _ signals: [Int32], _ received: @escaping (Int32) -> Void)
        throws(NetError)
    {
        var set = Self.signalSet(signals)
        let descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("signalfd") }
        self.loop = loop
        self.descriptor = descriptor
        self.received = received
        try loop.add(descriptor, .read, self)
    }

    public func ready(_ events: Interest) {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(descriptor, &information, size) == size {
            received(Int32(bitPattern: information.ssi_signo))
        }
    }

    public func close() {
        loop.remove(descriptor)
        Glibc.close(descriptor)
    }

    private static func signalSet(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }
}

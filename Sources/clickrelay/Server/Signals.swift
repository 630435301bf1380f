internal import Glibc
internal import Net

/// The signals a long-running command lives with.
///
/// They are blocked in every thread and taken by one that waits for them, so that no code of ours
/// ever runs in a signal handler. Threads inherit the mask: call `prepare` before any is started.
enum Signals {
    enum Request: Sendable {
        /// SIGINT or SIGTERM.
        case stop
        /// SIGHUP: files have changed that are read at start: see `Tracker.reload`.
        case reload
    }

    /// Blocks SIGINT, SIGTERM and SIGHUP, and ignores what a write can raise: a peer or a reader
    /// that went away (SIGPIPE) and a file size limit (SIGXFSZ) are errors of that write alone.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        var set = handled
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next of them on the calling thread.
    static func wait() -> Request {
        var set = handled
        var number: Int32 = 0
        // EINTR and spurious numbers only mean that we wait on.
        while true {
            guard sigwait(&set, &number) == 0 else { continue }
            switch number {
            case SIGINT, SIGTERM: return .stop
            case SIGHUP: return .reload
            default: continue
            }
        }
    }

    /// Whether `wait` would return `.stop` at once: for long work before anybody waits.
    static var isStopPending: Bool {
        var set = sigset_t()
        sigpending(&set)
        return sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1
    }

    /// Makes this process's `wait` return `.stop`, from any thread.
    static func requestStop() { kill(getpid(), SIGTERM) }

    /// From now on a further SIGINT or SIGTERM ends the process at once: for whoever presses
    /// Ctrl-C a second time while an orderly stop takes its time.
    static func exitOnNext() {
        // Without a thread to be had, the orderly stop goes on by itself.
        _ = try? LoopThread {
            while wait() != .stop {}
            // No handlers run at exit: other threads are still at work.
            _exit(ExitCode.failed.rawValue)
        }
    }

    private static var handled: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGHUP)
        return set
    }
}

internal import Glibc

/// A thread of ours, joined by whoever started it.
///
/// Named by what it runs (`EventLoop.run` names it after the loop) and started with every signal
/// blocked, so that signals go to whoever asked for them through `Signals`.
public final class LoopThread: @unchecked Sendable {
    // Unchecked: `handle` is set before `init` returns and read by `join` alone, called once.
    private var handle = pthread_t()

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    public init(_ run: @escaping @Sendable () -> Void) throws(NetError) {
        let body = Unmanaged.passRetained(Body(run))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = pthread_create(
            &handle, nil,
            { argument in
                // Never nil: it is the pointer passed below.
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            body.release()
            throw NetError("pthread_create", code: code)
        }
    }

    /// Runs `loop` on a thread of its own.
    public static func running(_ loop: EventLoop) throws(NetError) -> LoopThread {
        try LoopThread { loop.run() }
    }

    /// Waits until the body has returned. Call it once, from another thread.
    public func join() { pthread_join(handle, nil) }
}

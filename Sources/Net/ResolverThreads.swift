internal import CLinux
internal import Glibc

/// The threads of a `Resolver`, and what they share with it. They keep it alive, so that one stuck in a
/// look-up holds up nobody's shutdown.
// Unchecked because everything mutable is behind `lock`; the condition needs a pthread mutex.
final class ResolverThreads: @unchecked Sendable {
    /// Threads that wait for work; further ones end.
    private static let idleMax = 8

    private let threadsMax: Int
    private let lookUp: @Sendable (String) -> Result<[UInt128], ResolverError>
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private var queue: LookUpQueue<Resolver.Waiter>
    /// Names that `queue` has begun and no thread has taken yet.
    private var ready: [String] = []
    private var threadCount = 0
    private var idleCount = 0
    private var isStopping = false

    init(
        limits: LookUpQueue<Resolver.Waiter>.Limits,
        lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>
    ) {
        self.lookUp = lookUp
        threadsMax = limits.threadsMax
        queue = LookUpQueue(limits: limits)
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

    /// Why there is no room for it; nil when its answer will come.
    func enqueue(_ host: String, _ waiter: Resolver.Waiter) -> String? {
        pthread_mutex_lock(lock)
        let now = Clock.monotonicNanos()
        let refusal = queue.ask(host, waiter, at: now)
        begin(at: now)
        let unserved = threadCount == 0 ? takeReady(at: now) : []
        let givenUp = queue.takeGivenUp()
        pthread_mutex_unlock(lock)
        tell(givenUp)
        // No thread could be made: refused now rather than never answered.
        if !unserved.isEmpty {
            let error = ResolverError(
                "no thread to look it up", shortage: NetError("start a thread", code: ENOMEM))
            for waiter in unserved { waiter.tell(.failure(error)) }
        }
        return refusal
    }

    func stop() {
        pthread_mutex_lock(lock)
        isStopping = true
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
    }

    /// Hands what may be looked up now to threads. Called with `lock` held.
    ///
    /// - Parameter isTaker: the calling thread is about to take one itself.
    private func begin(at now: UInt64, isTaker: Bool = false) {
        while let host = queue.next(at: now) {
            ready.append(host)
            let takers = idleCount + (isTaker ? 1 : 0)
            if takers < ready.count, threadCount < threadsMax { startThread() }
            pthread_cond_signal(wake)
        }
    }

    /// Called with `lock` held.
    private func takeReady(at now: UInt64) -> [Resolver.Waiter] {
        defer { ready = [] }
        return ready.flatMap { queue.finish($0, at: now) }
    }

    private func tell(_ givenUp: [LookUpQueue<Resolver.Waiter>.GivenUp]) {
        for group in givenUp {
            for waiter in group.waiters { waiter.tell(.failure(ResolverError(group.reason))) }
        }
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
                Unmanaged<ResolverThreads>.fromOpaque(argument).takeRetainedValue().run()
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
        while waitForWork() {
            let host = ready.removeFirst()
            pthread_mutex_unlock(lock)
            let result = lookUp(host)
            pthread_mutex_lock(lock)
            let now = Clock.monotonicNanos()
            let served = queue.finish(host, at: now)
            begin(at: now, isTaker: true)
            let givenUp = queue.takeGivenUp()
            pthread_mutex_unlock(lock)
            for waiter in served { waiter.tell(result) }
            tell(givenUp)
            pthread_mutex_lock(lock)
        }
        threadCount -= 1
        pthread_mutex_unlock(lock)
    }

    /// False when this thread is to end. Called with `lock` held.
    private func waitForWork() -> Bool {
        while ready.isEmpty, !isStopping {
            guard idleCount < Self.idleMax else { return false }
            idleCount += 1
            pthread_cond_wait(wake, lock)
            idleCount -= 1
        }
        // Stopping: what is queued has callers who were promised an answer.
        return !ready.isEmpty
    }
}

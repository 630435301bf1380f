internal import Glibc

/// State behind a lock, and a way to sleep until somebody changes it.
///
/// `Synchronization.Mutex` has no condition to wait for; this is pthread's, on the monotonic clock,
/// so that a clock set back does not prolong a wait.
// Unchecked: the state is touched only with the lock held.
final class Monitor<State>: @unchecked Sendable {
    /// On the heap rather than a stored property: while one thread sleeps in `withSleep` others
    /// change it, which Swift's exclusive access to a property would not allow.
    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ state: sending State) {
        self.state.initialize(to: state)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        state.deinitialize(count: 1)
        state.deallocate()
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state.pointee)
    }

    /// Lets go of the lock, sleeps until woken or the deadline has passed, and takes it again.
    /// Only inside `withSleep`'s body. May wake for no reason.
    struct Sleeper {
        fileprivate let mutex: UnsafeMutablePointer<pthread_mutex_t>
        fileprivate let condition: UnsafeMutablePointer<pthread_cond_t>
        func sleep() { pthread_cond_wait(condition, mutex) }
        func sleep(untilNanos deadline: UInt64) {
            var time = timespec(
                tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
            pthread_cond_timedwait(condition, mutex, &time)
        }
    }

    /// `body` reads and writes the state through the pointer, which others change while it sleeps.
    func withSleep<Result>(
        _ body: (UnsafeMutablePointer<State>, Sleeper) -> Result
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(state, Sleeper(mutex: mutex, condition: condition))
    }

    func wakeOne() { pthread_cond_signal(condition) }
    func wakeAll() { pthread_cond_broadcast(condition) }
}

/// CLOCK_MONOTONIC.
func monotonicNanos() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

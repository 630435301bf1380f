internal import Glibc
internal import Synchronization

/// Lets the command line's thread wait for what other threads do.
enum Blocking {
    /// Starts an operation and waits for its result. Never on an event loop.
    static func wait<Value: Sendable, Failure: Error>(
        _ start: (@escaping @Sendable (Result<Value, Failure>) -> Void) -> Void
    ) throws(Failure) -> Value {
        let done = Countdown(1)
        let slot = Slot<Result<Value, Failure>>()
        start { result in
            slot.value.withLock { $0 = result }
            done.countDown()
        }
        done.wait()
        guard let result = slot.value.withLock({ $0 }) else {
            preconditionFailure("the operation ended without a result")
        }
        return try result.get()
    }

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}

/// Waits until something has happened so many times.
// Unchecked: the semaphore is made for several threads, and its address never changes.
final class Countdown: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let count: Int

    init(_ count: Int) {
        self.count = count
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func countDown() { sem_post(semaphore) }

    func wait() {
        for _ in 0..<count {
            // A signal may end the wait early.
            while sem_wait(semaphore) != 0 {}
        }
    }
}

internal import CSQLite
internal import Glibc
internal import Synchronization

/// A joinable thread with a name that `top -H` and a debugger show.
// Unchecked: `handle` never changes, and `joined` is locked.
final class NamedThread: @unchecked Sendable {
    private let handle: pthread_t
    private let joined = Mutex(false)

    /// Starts `body` with all signals blocked: they are the main thread's business.
    /// Traps if the system has no thread left, which at start is as fatal as it sounds.
    ///
    /// - Parameter niceness: above 0 for what shall leave the processor to others.
    init(name: String, niceness: Int32 = 0, body: @escaping @Sendable () -> Void) {
        // The kernel keeps 15 bytes of a name and refuses longer ones.
        let start = Start(
            name: String(decoding: name.utf8.prefix(15), as: UTF8.self), niceness: niceness,
            body: body)
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                clickrelay_name_this_thread(start.name)
                // On Linux it is the calling thread's alone, and being nicer is always allowed.
                if start.niceness > 0 {
                    setpriority(Int32(PRIO_PROCESS.rawValue), 0, start.niceness)
                }
                start.body()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        precondition(result == 0, "no thread for \(name): error \(result)")
        handle = thread
    }

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// A thread nobody joins frees what it has when it ends.
    deinit {
        joined.withLock { joined in
            if !joined { pthread_detach(handle) }
        }
    }

    /// Waits for the end of the thread. Safe to repeat: later callers wait for the first.
    func join() {
        joined.withLock { joined in
            if !joined { pthread_join(handle, nil) }
            joined = true
        }
    }

    private final class Start {
        let name: String
        let niceness: Int32
        let body: @Sendable () -> Void
        init(name: String, niceness: Int32, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.niceness = niceness
            self.body = body
        }
    }
}

internal import CLinux
internal import Glibc
internal import Synchronization

/// Work handed to a loop by other threads, in order of arrival.
///
/// The sender that finds the mailbox empty writes the `eventfd`; later ones only append, so a
/// burst costs one system call. The descriptor is watched edge-triggered and therefore never
/// read: each write is a new edge, and 2^64 of them do not happen.
///
/// Unbounded by itself: senders bound what they queue (a click writer answers one batch at a time).
final class Mailbox: Sendable {
    typealias Work = @Sendable () -> Void

    private let queued = Mutex<[Work]>([])
    let descriptor: Int32

    init() throws(NetError) {
        let descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("eventfd") }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func post(_ work: @escaping Work) {
        let wasEmpty = queued.withLock { queued in
            queued.append(work)
            return queued.count == 1
        }
        if wasEmpty { wake() }
    }

    func wake() {
        var one: UInt64 = 1
        // EINTR cannot happen on a non-blocking eventfd, EAGAIN only at 2^64 - 1 wakes.
        _ = write(descriptor, &one, 8)
    }

    /// Swaps everything queued into `batch`, which must be empty; its storage is reused.
    func take(into batch: inout [Work]) {
        queued.withLock { swap(&$0, &batch) }
    }
}

public import Domain
public import Store
internal import Synchronization

/// Where every loop's calls come together: bounds how much waits, and hands it to the ledger.
public final class PostbackIntake: Sendable {
    private let ledger: Ledger
    private let recorder: PostbackRecorder
    private let waiting: WaitingBytes
    private let limiter: FailureLimiter
    private let log: @Sendable (_ event: String, _ detail: String) -> Void

    /// Bytes of calls that wait for the ledger; beyond it a call is answered 503. (The ledger
    /// bounds their number.)
    public static let waitingBytesMax = 64 << 20

    /// An `Atomic` that closures can share.
    private final class WaitingBytes: Sendable {
        let count = Atomic<Int>(0)
    }

    /// - Parameters:
    ///   - limiter: of senders whose calls fail, shared with whatever else they may fail at.
    ///   - log: told of each call that the ledger, though it works, could not record.
    public init(
        ledger: Ledger, clickIDs: any ClickIDSealing,
        limiter: FailureLimiter = FailureLimiter(),
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void = { _, _ in }
    ) {
        self.ledger = ledger
        self.limiter = limiter
        self.log = log
        recorder = PostbackRecorder(clickIDs: clickIDs)
        waiting = WaitingBytes()
    }

    /// Whether a call is to be heard at all. Those with a network's key always are; of others so
    /// many from one address that guessing keys comes to nothing.
    func admits(key: String, from sender: IPAddress?, nowNanos: UInt64) -> Bool {
        ledger.hasPostbackKey(key) || limiter.admits(sender, nowNanos: nowNanos)
    }

    /// Records a call. `finished` is called on the ledger's thread once all that it caused is on
    /// disk or nothing of it is, or at once on this thread when too much waits.
    ///
    /// - Parameter oversize: of a call that is only the beginning of what was sent: what was too
    ///   long, and what to do about it.
    public func submit(
        _ call: Postback, key: String, oversize: String? = nil,
        finished: @escaping @Sendable (PostbackAnswer) -> Void
    ) {
        let size = call.keptBytes
        guard waiting.count.add(size, ordering: .relaxed).newValue <= Self.waitingBytesMax else {
            waiting.count.subtract(size, ordering: .relaxed)
            return finished(.storageUnavailable)
        }
        ledger.perform { [recorder] (tx) throws(StoreError) in
            try recorder.record(
                call, key: key, oversize: oversize, in: tx, now: call.receivedAt)
        } finished: { [waiting, log] result in
            waiting.count.subtract(size, ordering: .relaxed)
            switch result {
            case .success(let answer): finished(answer)
            case .failure(let error):
                switch error {
                case .storage: break  // The ledger has said so, once for all calls.
                case .unreadable, .invalid, .notFound, .conflict:
                    log("postback_not_recorded", error.description)
                }
                finished(.storageUnavailable)
            }
        }
    }
}

extension Postback {
    fileprivate var keptBytes: Int {
        headers.reduce(256 + target.count + body.count) { $0 + $1.value.count + 64 }
    }
}

internal import Domain
internal import Net
internal import Postbacks
internal import Store

/// Looks now and then whether the clicks that parked calls wait for have appeared: held ones that
/// were stored after all, or a day file that was put back.
///
/// Confined to the thread of the loop that its timer is on.
// Unchecked: `cursor` is touched on the loop's thread only.
final class ParkedCalls: @unchecked Sendable {
    private let loop: EventLoop
    private let ledger: Ledger
    private let recorder: PostbackRecorder
    private var cursor: PostbackID?

    private static let pauseNanos: UInt64 = 5_000_000_000

    init(_ loop: EventLoop, _ ledger: Ledger, _ recorder: PostbackRecorder) {
        self.loop = loop
        self.ledger = ledger
        self.recorder = recorder
    }

    /// Goes on until the loop ends.
    func start() { loop.post { self.look() } }

    private func look() {
        ledger.perform { [recorder, cursor] (tx) throws(StoreError) in
            try recorder.matchParked(after: cursor, in: tx, now: Installation.now())
        } finished: { result in
            self.loop.post { self.looked(result) }
        }
    }

    private func looked(_ result: Result<ParkedSweep, StoreError>) {
        var pause = Self.pauseNanos
        if case .success(let sweep) = result {
            cursor = sweep.next
            // Where some have appeared, more will have; postbacks get their turn in between.
            if sweep.matched > 0, sweep.next != nil { pause = 1_000_000 }
        }
        _ = loop.schedule(afterNanos: pause) { self.look() }
    }
}

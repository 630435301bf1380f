internal import Domain
internal import Net
internal import Postbacks
internal import Store

/// Looks now and then whether the clicks that parked calls wait for have appeared: held ones that
/// were stored after all, or a day file that was put back.
///
/// Confined to the thread of the loop that its timer is on.
// Unchecked: what changes is touched on the loop's thread only.
final class ParkedCalls: @unchecked Sendable {
    private let loop: EventLoop
    private let ledger: Ledger
    private let recorder: PostbackRecorder
    private let log: Log
    private var cursor: PostbackID?
    /// The newest look failed.
    private var isFailing = false

    private static let pauseNanos: UInt64 = 5_000_000_000

    init(_ loop: EventLoop, _ installation: Installation) {
        self.loop = loop
        ledger = installation.ledger
        recorder = PostbackRecorder(clickIDs: installation.clickIDs)
        log = installation.log
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
        switch result {
        case .success(let sweep):
            isFailing = false
            cursor = sweep.next
            for id in sweep.lost {
                log.error("parked_call_lost", ["postback": .integer(id.rawValue)])
            }
            // Where some have appeared, more will have; postbacks get their turn in between.
            if sweep.matched > 0, sweep.next != nil { pause = 1_000_000 }
        case .failure(let error):
            // Tried again after the pause, and logged once.
            if !isFailing { log.error("parked_calls_not_matched", ["detail": .string("\(error)")]) }
            isFailing = true
        }
        _ = loop.schedule(afterNanos: pause) { self.look() }
    }
}

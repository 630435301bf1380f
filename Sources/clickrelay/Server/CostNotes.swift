internal import Domain
internal import Net
internal import Reports
internal import Store

/// Notes now and then how many clicks the cost layers are about, where retention will delete the
/// clicks themselves.
// Unchecked: nothing changes after `init`; everything starts on the loop's thread.
final class CostNotes: @unchecked Sendable {
    private let loop: EventLoop
    private let ledger: Ledger
    private let readers: Readers
    private let log: Log

    private static let pauseNanos: UInt64 = 3_600_000_000_000

    init(_ loop: EventLoop, _ installation: Installation) {
        self.loop = loop
        ledger = installation.ledger
        readers = installation.readers
        log = installation.log
    }

    /// Goes on until the loop ends.
    func start() { loop.post { self.look() } }

    private func look() {
        readers.read { (reader) throws(StoreError) in
            try CampaignReport.unnotedClicks(reader, at: Installation.now())
        } finished: { [self] result in
            switch result {
            case .success(let unnoted):
                if unnoted.isEmpty { return rest() }
                ledger.perform { (transaction) throws(StoreError) in
                    for (id, clicks) in unnoted {
                        try transaction.noteClicks(clicks, ofCostLayer: id)
                    }
                } finished: {
                    self.noted($0)
                }
            case .failure(let error): noted(.failure(error))
            }
        }
    }

    private func noted(_ result: Result<Void, StoreError>) {
        // Tried again after the pause, long before retention deletes what was not counted.
        if case .failure(let error) = result {
            log.error("cost_clicks_not_noted", ["detail": .string("\(error)")])
        }
        rest()
    }

    private func rest() {
        loop.post { _ = self.loop.schedule(afterNanos: Self.pauseNanos) { self.look() } }
    }
}

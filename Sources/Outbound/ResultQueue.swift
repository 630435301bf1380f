internal import Domain
internal import Store

/// The results of calls until they are on disk, in the order of their ends.
///
/// One batch is under way at a time; what comes meanwhile makes the next. Bounded by the plan,
/// which starts no call whose result would be one too many, and none at all while recording fails.
struct ResultQueue {
    typealias Item = (finished: DeliveryPlan.Finished, result: DeliveryResult)

    static let batchMax = 1000
    static let pauseMillisecondsMax = 1000

    private var waiting: [Item] = []
    private(set) var underWay: [Item] = []
    private var pauseMilliseconds: Int?
    private var isPausing = false

    var isEmpty: Bool { waiting.isEmpty && underWay.isEmpty }

    mutating func append(_ finished: DeliveryPlan.Finished, _ result: DeliveryResult) {
        waiting.append((finished, result))
    }

    /// The next batch to record; empty while one is under way, or until `retry` after a failure.
    mutating func nextBatch() -> [DeliveryResult] {
        guard underWay.isEmpty, !isPausing, !waiting.isEmpty else { return [] }
        if waiting.count <= Self.batchMax {
            swap(&underWay, &waiting)
        } else {
            underWay = Array(waiting.prefix(Self.batchMax))
            waiting.removeFirst(Self.batchMax)
        }
        return underWay.map(\.result)
    }

    /// The batch is on disk. Returns it.
    mutating func recorded() -> [Item] {
        pauseMilliseconds = nil
        defer { underWay.removeAll(keepingCapacity: true) }
        return underWay
    }

    /// Nothing of the batch was kept.
    ///
    /// - Returns: how long to wait before `retry`.
    mutating func failed() -> Int {
        waiting = underWay + waiting
        underWay = []
        isPausing = true
        let pause = min(Self.pauseMillisecondsMax, pauseMilliseconds.map { $0 * 2 } ?? 50)
        pauseMilliseconds = pause
        return pause
    }

    mutating func retry() { isPausing = false }
}

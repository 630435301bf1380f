internal import Domain
internal import Store

/// The results of calls until they are on disk, in the order of their ends.
///
/// One batch is under way at a time; what comes meanwhile makes the next. Bounded by the plan,
/// which starts no call whose result would be one too many, and none at all while recording fails.
///
/// A commit writes the same few pages for one result as for a hundred, and waits for the disk. So
/// under load results gather for some milliseconds: a crash then repeats some more calls, but
/// twice as many deliveries are made in the same time. One that comes alone is not kept waiting.
struct ResultQueue {
    typealias Item = (finished: DeliveryPlan.Finished, result: DeliveryResult)

    static let batchMax = 1000
    static let pauseMillisecondsMax = 1000
    /// So many results are recorded at once, fewer only every `gatherMilliseconds`.
    static let gatherMin = 256
    static let gatherMilliseconds = 5

    private var waiting: [Item] = []
    private(set) var underWay: [Item] = []
    /// When the newest batch had been recorded.
    private var recordedNanos: UInt64?
    private var pauseMilliseconds: Int?
    private var isPausing = false

    var isEmpty: Bool { waiting.isEmpty && underWay.isEmpty }

    mutating func append(_ finished: DeliveryPlan.Finished, _ result: DeliveryResult) {
        waiting.append((finished, result))
    }

    enum Next {
        case batch([DeliveryResult])
        /// Results gather until then at the longest.
        case later(milliseconds: Int)
        /// Nothing waits, a batch is under way, or it's the pause after a failure.
        case nothing
    }

    /// The next batch to record, which is under way from now on.
    ///
    /// - Parameter mayGather: more results are to be expected.
    mutating func nextBatch(at nanos: UInt64, mayGather: Bool) -> Next {
        guard underWay.isEmpty, !isPausing, !waiting.isEmpty else { return .nothing }
        if mayGather, waiting.count < Self.gatherMin, let recordedNanos {
            let gathered = nanos > recordedNanos ? (nanos - recordedNanos) / 1_000_000 : 0
            if gathered < Self.gatherMilliseconds {
                return .later(milliseconds: Self.gatherMilliseconds - Int(gathered))
            }
        }
        if waiting.count <= Self.batchMax {
            swap(&underWay, &waiting)
        } else {
            underWay = Array(waiting.prefix(Self.batchMax))
            waiting.removeFirst(Self.batchMax)
        }
        return .batch(underWay.map(\.result))
    }

    /// The batch is on disk. Returns it.
    mutating func recorded(at nanos: UInt64) -> [Item] {
        pauseMilliseconds = nil
        recordedNanos = nanos
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

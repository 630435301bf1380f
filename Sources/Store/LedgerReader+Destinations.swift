public import Domain
internal import SQLite

/// What became of the deliveries of one destination.
public struct DestinationNumbers: Sendable {
    public let destination: String
    public var waiting: Int64 = 0
    public var delivered: Int64 = 0
    public var dead: Int64 = 0
    public var cancelled: Int64 = 0
    /// Of those that wait.
    public var oldestDueAt: Instant?
    /// From the conversion to the end of the receiver's answer, of what was accepted in a range of
    /// days.
    public var latency = LatencyHistogram()

    public init(_ destination: String) { self.destination = destination }
}

extension LedgerReader {
    /// Whether a destination ever had a delivery.
    public func hasDeliveries(destination: String) throws(StoreError) -> Bool {
        try sql { (connection) throws(SQLiteError) in
            try connection.int64(
                "SELECT 1 FROM delivery_total WHERE destination = ?1", [.text(destination)]) != nil
        }
    }

    /// Days of which latencies are kept.
    public static let latencyDaysMax = 92

    /// Of every destination that ever had a delivery, by name. Sums that were kept as it happened
    /// are read, so that it takes no longer with millions of deliveries.
    ///
    /// - Parameter days: in UTC, whose acceptances the latencies are of.
    public func destinationNumbers(days: ClosedRange<Day>) throws(StoreError)
        -> [String: DestinationNumbers]
    {
        var numbers: [String: DestinationNumbers] = [:]
        try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT destination, waiting, delivered, dead, cancelled FROM delivery_total"
            ) { (row) throws(SQLiteError) in
                var one = DestinationNumbers(row.text(0))
                one.waiting = row.int64(1)
                one.delivered = row.int64(2)
                one.dead = row.int64(3)
                one.cancelled = row.int64(4)
                numbers[one.destination] = one
            }
            try connection.rows(
                """
                SELECT destination, lower_us, sum(deliveries) FROM delivery_latency
                WHERE day BETWEEN ?1 AND ?2 GROUP BY destination, lower_us
                """,
                [
                    .integer(Int64(days.lowerBound.number)),
                    .integer(Int64(days.upperBound.number)),
                ]
            ) { (row) throws(SQLiteError) in
                numbers[row.text(0)]?.latency.add(row.int64(2), lowerMicros: row.int64(1))
            }
        }
        for origin in try waitingOrigins() {
            for queue in try queues(at: origin) {
                let before = numbers[queue.destination]?.oldestDueAt
                numbers[queue.destination]?.oldestDueAt =
                    before.map { min($0, queue.dueAt) } ?? queue.dueAt
            }
        }
        return numbers
    }
}

public import Domain
internal import SQLite

/// How many deliveries wait, and since when the oldest is due.
public struct DeliveryBacklog: Sendable, Equatable {
    public let waiting: Int64
    public let dead: Int64
    public let oldestDueAt: Instant?
}

/// The waiting deliveries of one destination at one origin.
struct DeliveryQueue {
    let destination: String
    /// Of the first of them.
    let dueAt: Instant
}

/// Waiting deliveries as they queue: by origin, by destination, by due time. Nothing here looks at
/// more rows than it returns, however many wait, but for one of each destination.
extension LedgerReader {
    public func backlog() throws(StoreError) -> DeliveryBacklog {
        var oldest: Instant?
        for origin in try waitingOrigins() {
            for queue in try queues(at: origin) {
                oldest = oldest.map { min($0, queue.dueAt) } ?? queue.dueAt
            }
        }
        return try sql { (connection) throws(SQLiteError) in
            DeliveryBacklog(
                waiting: try connection.int64("SELECT sum(waiting) FROM delivery_total") ?? 0,
                dead: try connection.int64("SELECT sum(dead) FROM delivery_total") ?? 0,
                oldestDueAt: oldest)
        }
    }

    static let nextOriginSQL = """
        SELECT origin FROM delivery WHERE state = 'waiting' AND origin > ?1
        ORDER BY origin LIMIT 1
        """

    /// The origins that have waiting deliveries, each found by one step in the index.
    public func waitingOrigins() throws(StoreError) -> [String] {
        try sql { (connection) throws(SQLiteError) in
            let next = try connection.prepare(Self.nextOriginSQL)
            var origins: [String] = []
            next.bind(1, text: "")
            while try next.step() {
                let origin = next.text(0)
                origins.append(origin)
                next.reset()
                next.bind(1, text: origin)
            }
            return origins
        }
    }

    /// The destinations that wait for an origin, each found by one step in the index.
    func queues(at origin: String) throws(StoreError) -> [DeliveryQueue] {
        try sql { (connection) throws(SQLiteError) in
            try queueStatements(connection).queues(at: origin)
        }
    }
}

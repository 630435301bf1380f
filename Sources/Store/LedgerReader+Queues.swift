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

    /// The origins that have waiting deliveries, each found by one step in the index.
    public func waitingOrigins() throws(StoreError) -> [String] {
        try sql { (connection) throws(SQLiteError) in
            let next = try connection.prepare(
                """
                SELECT origin FROM delivery WHERE state = 'waiting' AND origin > ?1
                ORDER BY origin LIMIT 1
                """)
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
            let next = try connection.prepare(
                """
                SELECT destination, due_at_us FROM delivery
                WHERE state = 'waiting' AND origin = ?1 AND destination > ?2
                ORDER BY destination, due_at_us LIMIT 1
                """)
            var queues: [DeliveryQueue] = []
            next.bind(1, text: origin)
            next.bind(2, text: "")
            while try next.step() {
                let destination = next.text(0)
                queues.append(
                    DeliveryQueue(
                        destination: destination, dueAt: Instant(micros: next.int64(1))))
                next.reset()
                next.bind(2, text: destination)
            }
            return queues
        }
    }

    /// An origin's waiting deliveries, the longest due first, whenever they are due.
    ///
    /// - Parameter passedOver: destinations whose deliveries are left out.
    public func waiting(origin: String, limit: Int, passingOver passedOver: Set<String> = [])
        throws(StoreError) -> [Delivery]
    {
        let queues = try queues(at: origin).filter { !passedOver.contains($0.destination) }
            .sorted { $0.dueAt < $1.dueAt }
        return try sql { (connection) throws(SQLiteError) in
            var places: [Place] = []
            for queue in queues {
                // Neither this queue nor any after it has one that is due earlier than all these.
                if places.count >= limit, let last = places.last, queue.dueAt > last.dueAt { break }
                places += try connection.rows(
                    """
                    SELECT due_at_us, id FROM delivery
                    WHERE state = 'waiting' AND origin = ?1 AND destination = ?2
                    ORDER BY due_at_us, id LIMIT ?3
                    """, [.text(origin), .text(queue.destination), .integer(Int64(limit))]
                ) { (row) throws(SQLiteError) in
                    Place(dueAt: Instant(micros: row.int64(0)), id: row.int64(1))
                }
                places.sort()
                places.removeLast(max(0, places.count - limit))
            }
            let find = try connection.prepare(
                "SELECT \(DeliveryRow.columns) FROM delivery WHERE id = ?1")
            var deliveries: [Delivery] = []
            for place in places {
                find.bind(1, place.id)
                if try find.step() { deliveries.append(try DeliveryRow.read(find)) }
                find.reset()
            }
            return deliveries
        }
    }

    private struct Place: Comparable {
        let dueAt: Instant
        let id: Int64

        static func < (left: Place, right: Place) -> Bool {
            (left.dueAt, left.id) < (right.dueAt, right.id)
        }
    }
}

internal import Domain
internal import SQLite

/// Where a waiting delivery stands in its queue.
struct QueuePlace: Comparable {
    let dueAt: Instant
    let id: Int64

    static func < (left: QueuePlace, right: QueuePlace) -> Bool {
        (left.dueAt, left.id) < (right.dueAt, right.id)
    }
}

/// What the dispatcher's reads run, compiled once for a connection: they are short and many, and
/// compiling them took longer than running them.
struct QueueStatements {
    private let nextQueue: Statement
    private let placesFrom: Statement
    private let placesAtTime: Statement
    private let find: Statement

    /// The first of the destinations after one.
    static let nextQueueSQL = """
        SELECT destination, due_at_us FROM delivery
        WHERE state = 'waiting' AND origin = ?1 AND destination > ?2
        ORDER BY destination, due_at_us LIMIT 1
        """
    static let placesFromSQL = """
        SELECT due_at_us, id FROM delivery
        WHERE state = 'waiting' AND origin = ?1 AND destination = ?2 AND due_at_us > ?3
        ORDER BY due_at_us, id LIMIT ?4
        """
    /// On its own: asked for what is "later, or as late with a larger number", SQLite would begin
    /// with the first of that time, and a million may be due at one time.
    static let placesAtTimeSQL = """
        SELECT due_at_us, id FROM delivery
        WHERE state = 'waiting' AND origin = ?1 AND destination = ?2 AND due_at_us = ?3
            AND id > ?5
        ORDER BY id LIMIT ?4
        """

    init(_ connection: Connection) throws(SQLiteError) {
        nextQueue = try connection.prepare(Self.nextQueueSQL)
        placesFrom = try connection.prepare(Self.placesFromSQL)
        placesAtTime = try connection.prepare(Self.placesAtTimeSQL)
        find = try connection.prepare("SELECT \(DeliveryRow.columns) FROM delivery WHERE id = ?1")
    }

    func queues(at origin: String) throws(SQLiteError) -> [DeliveryQueue] {
        var queues: [DeliveryQueue] = []
        nextQueue.bind(1, text: origin)
        nextQueue.bind(2, text: "")
        while try nextQueue.step() {
            let destination = nextQueue.text(0)
            queues.append(
                DeliveryQueue(
                    destination: destination, dueAt: Instant(micros: nextQueue.int64(1))))
            nextQueue.reset()
            nextQueue.bind(2, text: destination)
        }
        return queues
    }

    /// The first places of a queue, or the first after one.
    func places(
        of destination: String, at origin: String, after last: QueuePlace?, limit: Int
    ) throws(SQLiteError) -> [QueuePlace] {
        var places: [QueuePlace] = []
        if let last {
            placesAtTime.bind(5, last.id)
            try append(
                placesAtTime, destination, origin, last.dueAt.micros, limit: limit, to: &places)
        }
        guard places.count < limit else { return places }
        try append(
            placesFrom, destination, origin, last?.dueAt.micros ?? .min,
            limit: limit - places.count, to: &places)
        return places
    }

    private func append(
        _ statement: Statement, _ destination: String, _ origin: String, _ micros: Int64,
        limit: Int, to places: inout [QueuePlace]
    ) throws(SQLiteError) {
        statement.bind(1, text: origin)
        statement.bind(2, text: destination)
        statement.bind(3, micros)
        statement.bind(4, Int64(limit))
        while try statement.step() {
            places.append(
                QueuePlace(dueAt: Instant(micros: statement.int64(0)), id: statement.int64(1)))
        }
    }

    func delivery(_ id: Int64) throws(SQLiteError) -> Delivery? {
        find.bind(1, id)
        defer { find.reset() }
        return try find.step() ? try DeliveryRow.read(find) : nil
    }
}

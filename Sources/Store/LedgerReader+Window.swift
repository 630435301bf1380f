public import Domain
internal import SQLite

/// The first of an origin's waiting deliveries, the longest due first.
public struct DeliveryWindow: Sendable {
    /// Which are to be read.
    public struct Order: Sendable {
        public let origin: String
        /// Rows, with those that are known already.
        public var limit: Int
        /// Reading ends with the delivery that reaches it. What is known doesn't count.
        public var bytesMax = Int.max
        /// Whoever asks has these already, and when they were due: they are told by number only,
        /// unless they are due at another time now.
        public var known: [DeliveryID: Instant] = [:]
        /// These are told by number only, whatever became of them.
        public var ignored: Set<DeliveryID> = []
        /// Destinations whose deliveries are left out.
        public var passedOver: Set<String> = []

        public init(origin: String, limit: Int) {
            self.origin = origin
            self.limit = limit
        }
    }

    public struct Row: Sendable {
        public let id: DeliveryID
        public let dueAt: Instant
        /// Nil for what is known or ignored.
        public let delivery: Delivery?

        public init(id: DeliveryID, dueAt: Instant, delivery: Delivery?) {
            self.id = id
            self.dueAt = dueAt
            self.delivery = delivery
        }
    }

    public let rows: [Row]
    /// Nothing else waits for the origin.
    public let isComplete: Bool

    public init(rows: [Row], isComplete: Bool) {
        self.rows = rows
        self.isComplete = isComplete
    }
}

extension LedgerReader {
    /// Looks at no more rows of the table than it returns deliveries, and at about twice as many
    /// entries of the index, however many wait.
    public func window(_ order: DeliveryWindow.Order) throws(StoreError) -> DeliveryWindow {
        try sql { (connection) throws(SQLiteError) in
            let statements = try queueStatements(connection)
            let places = try Self.places(order, statements)
            var rows: [DeliveryWindow.Row] = []
            rows.reserveCapacity(places.count)
            var bytes = 0
            for place in places {
                if bytes >= order.bytesMax { break }
                let id = DeliveryID(place.id)
                if order.ignored.contains(id) || order.known[id] == place.dueAt {
                    rows.append(
                        DeliveryWindow.Row(id: id, dueAt: place.dueAt, delivery: nil))
                } else if let delivery = try statements.delivery(place.id) {
                    bytes += delivery.approximateBytes
                    rows.append(
                        DeliveryWindow.Row(id: id, dueAt: place.dueAt, delivery: delivery))
                }
            }
            return DeliveryWindow(
                rows: rows, isComplete: places.count < order.limit && rows.count == places.count)
        }
    }

    /// A destination's queue, read up to a place.
    private struct OpenQueue {
        let destination: String
        var last: QueuePlace?
        /// No place in it that was not read is before this.
        var next: QueuePlace
    }

    /// The first places of all queues together. Each is read a piece at a time, because the first
    /// places of one may all come before those of the others.
    private static func places(_ order: DeliveryWindow.Order, _ statements: QueueStatements)
        throws(SQLiteError) -> [QueuePlace]
    {
        let limit = max(1, order.limit)
        var open = try statements.queues(at: order.origin)
            .filter { !order.passedOver.contains($0.destination) }
            .map { queue in
                OpenQueue(
                    destination: queue.destination, last: nil,
                    next: QueuePlace(dueAt: queue.dueAt, id: .min))
            }
            .sorted { $0.next < $1.next }
        let piece = open.count < 2 ? limit : min(limit, max(16, 2 * limit / open.count))
        var places: [QueuePlace] = []
        /// The last place that is wanted, once there are enough.
        var bar: QueuePlace?
        while !open.isEmpty {
            var unfinished: [OpenQueue] = []
            for var queue in open {
                if let bar, queue.next > bar { continue }
                let found = try statements.places(
                    of: queue.destination, at: order.origin, after: queue.last, limit: piece)
                places += found
                if found.count == piece, let last = found.last {
                    queue.last = last
                    queue.next = last
                    unfinished.append(queue)
                }
                if places.count >= 2 * limit { bar = cut(&places, to: limit) }
            }
            bar = cut(&places, to: limit)
            open = unfinished.filter { queue in bar.map { queue.next < $0 } ?? true }
        }
        return places
    }

    /// Sorts, and leaves out what is too much.
    ///
    /// - Returns: the last that is left, if there are as many as wanted.
    private static func cut(_ places: inout [QueuePlace], to limit: Int) -> QueuePlace? {
        places.sort()
        places.removeLast(max(0, places.count - limit))
        return places.count == limit ? places.last : nil
    }
}

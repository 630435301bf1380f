public import Domain
internal import SQLite

/// A waiting delivery that is due, with what tells whether it should have been given up.
public struct OverdueDelivery: Sendable, Equatable {
    public let id: DeliveryID
    public let destination: String
    public let dueAt: Instant
    public let firstDueAt: Instant
    /// It was first due later than its conversion came.
    public let isDelayed: Bool
    public let attemptCount: Int
}

/// How far a walk through the deliveries that wait for an origin has come.
public struct OverdueCursor: Sendable, Equatable {
    let destination: String
    let dueAtMicros: Int64
    let id: Int64
}

extension LedgerReader {
    /// Deliveries that wait for an origin; one part of them.
    ///
    /// - Parameters:
    ///   - firstDueBy: those that were first due later are left out.
    ///   - rowsMax: how many rows are looked at.
    /// - Returns: where the next part begins; nil at the end.
    public func overdue(
        origin: String, firstDueBy: Instant, after cursor: OverdueCursor?, rowsMax: Int
    ) throws(StoreError) -> (deliveries: [OverdueDelivery], next: OverdueCursor?) {
        let rows = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT id, destination, due_at_us, converted_at_us, delay_seconds, attempt_count
                FROM delivery WHERE state = 'waiting' AND origin = ?1
                    AND (destination, due_at_us, id) > (?2, ?3, ?4)
                ORDER BY destination, due_at_us, id LIMIT ?5
                """,
                [
                    .text(origin), .text(cursor?.destination ?? ""),
                    .integer(cursor?.dueAtMicros ?? .min), .integer(cursor?.id ?? .min),
                    .integer(Int64(rowsMax)),
                ]
            ) { (row) throws(SQLiteError) in
                OverdueDelivery(
                    id: DeliveryID(row.int64(0)), destination: row.text(1),
                    dueAt: Instant(micros: row.int64(2)),
                    firstDueAt: Instant(micros: row.int64(3))
                        .advanced(by: .seconds(row.int64(4))),
                    isDelayed: row.int64(4) > 0,
                    attemptCount: Int(row.int64(5)))
            }
        }
        let next = rows.count < rowsMax ? nil : rows.last
        return (
            rows.filter { $0.firstDueAt <= firstDueBy },
            next.map {
                OverdueCursor(
                    destination: $0.destination, dueAtMicros: $0.dueAt.micros, id: $0.id.rawValue)
            }
        )
    }
}

internal import Domain
internal import SQLite

/// How long accepted deliveries took, counted before it's written: those of one batch fall into few
/// classes, and a row for each class is written sooner than one for each delivery.
struct Acceptances {
    private struct Class: Hashable {
        /// Days since 1970.
        let day: Int64
        let destination: String
        let lowerMicros: Int64
    }

    private var counts: [Class: Int64] = [:]

    mutating func add(_ result: DeliveryResult) {
        let end = result.attempt.at.advanced(by: .milliseconds(result.attempt.milliseconds))
        let (micros, overflow) = end.micros.subtractingReportingOverflow(result.convertedAt.micros)
        let place = Class(
            day: Int64(result.attempt.at.day.number), destination: result.destination,
            // A conversion of the future was recorded before the clock was set back.
            lowerMicros: LatencyHistogram.lower(ofClassWith: overflow ? 0 : max(0, micros)))
        counts[place, default: 0] += 1
    }

    func keep(with statement: Statement) throws(SQLiteError) {
        for (place, deliveries) in counts {
            statement.bind(1, place.day)
            statement.bind(2, text: place.destination)
            statement.bind(3, place.lowerMicros)
            statement.bind(4, deliveries)
            try statement.run()
        }
    }
}

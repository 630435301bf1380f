internal import Domain
internal import Net
internal import Synchronization

/// What the stores report: logged, but not a thousand times the same, and kept for a while for
/// whoever asks `readyz`.
///
/// May be called from any thread.
final class Incidents: Sendable {
    private let log: Log
    private let state = Mutex<[String: Known]>([:])

    /// One event's; there are as many as the program has words for.
    private struct Known {
        var detail = ""
        /// Of the newest.
        var at: UInt64
        /// When the lines began that are counted, how many there were since, and how many were not
        /// logged.
        var countedFrom: UInt64
        var lines = 0
        var unlogged = 0
    }

    /// Lines of one event within `nanosCounted`: a network that sends each of its calls again every
    /// second is told of, and fills no disk.
    static let linesMax = 5
    static let nanosCounted: UInt64 = 10_000_000_000
    /// How long an incident is told of after it happened for the last time.
    static let nanosRemembered: UInt64 = 60_000_000_000

    init(_ log: Log) { self.log = log }

    /// - Parameter event: what happened, in `snake_case`.
    func report(_ event: String, _ detail: String) {
        report(event, detail, at: Clock.monotonicNanos())
    }

    func report(_ event: String, _ detail: String, at now: UInt64) {
        let unlogged: Int? = state.withLock { all in
            var known = all[event] ?? Known(at: now, countedFrom: now)
            defer { all[event] = known }
            known.detail = detail
            known.at = max(known.at, now)
            if now >= known.countedFrom + Self.nanosCounted {
                known.countedFrom = now
                known.lines = 0
            }
            guard known.lines < Self.linesMax else {
                known.unlogged += 1
                return nil
            }
            known.lines += 1
            defer { known.unlogged = 0 }
            return known.unlogged
        }
        switch unlogged {
        case nil: break
        case 0: log.error(event, ["detail": .string(detail)])
        case let count?:
            log.error(event, ["detail": .string(detail), "not_logged_before": .integer(count)])
        }
    }

    /// The end of an incident, and what is none.
    private static let good: Set = ["clicks_deleted", "clicks_stored_again", "ledger_opened_again"]

    /// A line for each kind of what went wrong within the last minute, by name.
    var recent: [String] { recent(at: Clock.monotonicNanos()) }

    func recent(at now: UInt64) -> [String] {
        state.withLock { all in
            all.filter { !Self.good.contains($0.key) && now < $0.value.at + Self.nanosRemembered }
                .sorted { $0.key < $1.key }
                .map { "\($0.key): \(Printable.text($0.value.detail))" }
        }
    }
}

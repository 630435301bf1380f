internal import Domain
internal import Store

/// Numbers of each destination: what was delivered, what waits, and how long acceptance takes.
enum DestinationResource {
    static let routes = [Route("GET", "/destinations", list)]

    static let daysDefault = 7

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor() ?? 0
        let name = query.text("destination")
        let count = query.days()
        let today = call.services.now().day
        let days = today.advanced(by: 1 - count)...today
        let (known, pauses) = (call.catalog.destinations, call.catalog.pauses)
        return .read { reader throws(StoreError) in
            var numbers = try reader.destinationNumbers(days: days)
            for name in known.keys where numbers[name] == nil {
                numbers[name] = DestinationNumbers(name)
            }
            let all = numbers.values.filter { name == nil || $0.destination == name }
                .sorted { $0.destination < $1.destination }
            let first = Int(clamping: cursor)
            let shown = all.dropFirst(first).prefix(limit)
            let next = first + shown.count
            return APIResponse([
                "items": .array(shown.map { json($0, known[$0.destination], pauses) }),
                "next_cursor": next < all.count ? .string("\(next)") : .null,
                "from": .string(days.lowerBound.text), "to": .string(days.upperBound.text),
                "formulas": formulas,
            ])
        }
    }

    private static let formulas: JSONValue = [
        "waiting, delivered, dead, cancelled": "deliveries in that state now",
        "oldest_due_at": "when the first of the waiting ones is or was due",
        "paused": "what keeps the waiting ones from being sent, if anything",
        "accepted": "deliveries accepted on the UTC days from..to",
        "p50_ms, p99_ms": .string(
            "from conversion to the end of the accepting answer, of the accepted: no less than the "
                + "true value, and at most 6.25 % and a millisecond more"),
    ]

    private static func json(
        _ numbers: DestinationNumbers, _ destination: Destination?, _ pauses: Pauses
    ) -> JSONValue {
        let origin = destination?.url.origin
        return [
            "destination": .string(numbers.destination),
            "origin": .string(orNull: origin),
            "paused": pauses.holding(destination: numbers.destination, origin: origin ?? "")?.json
                ?? .null,
            "waiting": .integer(numbers.waiting),
            "oldest_due_at": numbers.oldestDueAt?.json ?? .null,
            "delivered": .integer(numbers.delivered),
            "dead": .integer(numbers.dead),
            "cancelled": .integer(numbers.cancelled),
            "accepted": .integer(numbers.latency.count),
            "p50_ms": milliseconds(numbers.latency.percentile(50)),
            "p99_ms": milliseconds(numbers.latency.percentile(99)),
        ]
    }

    /// Rounded up, so that it stays an upper bound.
    private static func milliseconds(_ duration: Duration?) -> JSONValue {
        guard let duration else { return .null }
        let (seconds, attoseconds) = duration.components
        return .integer(
            seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

extension QueryReader {
    /// How many days back, today included.
    fileprivate mutating func days() -> Int {
        guard let text = text("days") else { return DestinationResource.daysDefault }
        let max = LedgerReader.latencyDaysMax
        guard let days = Int(text), (1...max).contains(days) else {
            fail("days", "must be a number from 1 to \(max)")
            return DestinationResource.daysDefault
        }
        return days
    }
}

extension Catalog {
    /// Of sources and campaigns that are not archived, by the names that deliveries carry.
    var destinations: [String: Destination] {
        var found: [String: Destination] = [:]
        for source in sources.all where source.archivedAt == nil {
            for destination in source.value.destinations {
                found["\(source.value.key.text)/\(destination.key.text)"] = destination
            }
        }
        for campaign in campaigns.all where campaign.archivedAt == nil {
            for destination in campaign.value.destinations {
                found["campaign:\(campaign.value.key.text)/\(destination.key.text)"] = destination
            }
        }
        return found
    }
}

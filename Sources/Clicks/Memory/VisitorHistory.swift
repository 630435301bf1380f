public import Domain
public import Store

/// Reads back, after a start, whom campaigns know. Visitors don't wait for it: one that comes before
/// its earlier visits were read may be taken for new.
public final class VisitorHistory: Sendable {
    private let memory: VisitorMemory
    private let routing: Routing
    private let readers: Readers
    private let end: ClickRowID
    private let log: @Sendable (_ event: String, _ detail: String) -> Void

    /// More would only push each other out of memory: many are of visitors that came before.
    static let visitsMax = 2 * VisitorMemory.recordsMax
    /// Read at once, so that lists and reports get their turn in between.
    private static let pageRows = 10_000

    /// What of one day is still to be read.
    private struct Part: Sendable {
        let day: Day
        let first: ClickRowID
    }

    /// - Parameter end: the first row ID of this run; visits from it on are remembered already.
    public init(
        _ memory: VisitorMemory, routing: Routing, readers: Readers, end: ClickRowID,
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void
    ) {
        self.memory = memory
        self.routing = routing
        self.readers = readers
        self.end = end
        self.log = log
    }

    /// Begins, and returns at once.
    public func restore() {
        guard let seconds = routing.newest.longestMemory else { return }
        let since = end.instant.milliseconds - seconds * 1000 - ClickRowID.epochMilliseconds
        let first = ClickRowID(milliseconds: max(0, since), node: 0, sequence: 0)
        readers.read { [end] reader throws(StoreError) in
            try Self.parts(reader, from: first, to: end)
        } finished: { [self] result in
            switch result {
            case .success(let parts): go(on: parts[...])
            case .failure(let error): log("visitors_not_restored", "\(error)")
            }
        }
    }

    /// Oldest first, so that windows end as they did then.
    private static func parts(_ reader: LedgerReader, from first: ClickRowID, to end: ClickRowID)
        throws(StoreError) -> [Part]
    {
        var parts: [Part] = []
        var left = visitsMax
        for day in try reader.clickDays().reversed() where day >= first.day && left > 0 {
            let found = try reader.clicks.newestVisits(on: day, from: first, to: end, max: left)
            guard let found else { continue }
            left -= found.count
            parts.append(Part(day: day, first: found.first))
        }
        return parts.reversed()
    }

    private func go(on parts: ArraySlice<Part>) {
        guard let part = parts.first else { return }
        readers.read { [end] reader throws(StoreError) in
            try reader.clicks.visits(
                on: part.day, from: part.first, to: end, limit: Self.pageRows)
        } finished: { [self] result in
            switch result {
            case .success(let rows):
                remember(rows)
                if rows.count == Self.pageRows, let last = rows.last,
                    let next = ClickRowID(rawValue: last.rowID.rawValue + 1)
                {
                    go(on: [Part(day: part.day, first: next)] + parts.dropFirst())
                } else {
                    go(on: parts.dropFirst())
                }
            case .failure(let error): log("visitors_not_restored", "\(error)")
            }
        }
    }

    private func remember(_ rows: [VisitRow]) {
        let routes = routing.newest
        for row in rows {
            guard let known = routes.route(row.campaignID)?.memory else { continue }
            let second = row.rowID.instant.seconds
            memory.restore(
                VisitorKey(row.visitor, known.scope, window: known.windowSeconds), at: second,
                window: known.windowSeconds,
                known.keepsPlaces ? place(row, known.flow, at: second, routes) : nil)
        }
    }

    /// Nil for a visitor who was sent nowhere that is still known.
    private func place(
        _ row: VisitRow, _ flow: MemoryScope, at second: Int64, _ routes: RoutingTable
    ) -> VisitedPlace? {
        guard let rule = row.rule, rule >= 0, row.path > 0,
            let offer = routes.landing(ofVersion: row.offerVersion)
        else { return nil }
        return VisitedPlace(
            flow: flow, second: second, rule: rule, path: row.path,
            lander: row.landerVersion.flatMap { routes.landerIDs[$0] }, offer: offer.offerID)
    }
}

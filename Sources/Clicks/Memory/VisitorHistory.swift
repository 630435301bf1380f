public import Domain
public import Store

/// Reads back, after a start, whom campaigns know. Visitors don't wait for it: one that comes before
/// its earlier visits were read may be taken for new.
public final class VisitorHistory: Sendable {
    private let memory: VisitorMemory
    private let routing: Routing
    private let readers: Readers
    private let end: ClickRowID
    private let later: @Sendable (_ work: @escaping @Sendable () -> Void) -> Void
    private let log: @Sendable (_ event: String, _ detail: String) -> Void

    /// More would only push each other out of memory: many are of visitors that came before.
    static let visitsMax = 2 * VisitorMemory.recordsMax
    /// Read at once, so that lists and reports get their turn in between.
    private static let pageRows = 10_000
    /// What fails for want of descriptors, say, is there a moment later.
    private static let triesMax = 3

    /// What of one day is still to be read.
    private struct Part: Sendable {
        let day: Day
        let first: ClickRowID
    }

    /// - Parameters:
    ///   - end: the first row ID of this run; visits from it on are remembered already.
    ///   - later: does something in about a second.
    public init(
        _ memory: VisitorMemory, routing: Routing, readers: Readers, end: ClickRowID,
        later: @escaping @Sendable (_ work: @escaping @Sendable () -> Void) -> Void,
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void
    ) {
        self.memory = memory
        self.routing = routing
        self.readers = readers
        self.end = end
        self.later = later
        self.log = log
    }

    /// Begins, and returns at once.
    public func restore() {
        guard let seconds = routing.newest.longestMemory else { return }
        let since = end.instant.milliseconds - seconds * 1000 - ClickRowID.epochMilliseconds
        let first = ClickRowID(milliseconds: max(0, since), node: 0, sequence: 0)
        look(from: first, tries: 1)
    }

    private func look(from first: ClickRowID, tries: Int) {
        readers.read { [self] reader throws(StoreError) in
            try parts(reader, from: first, isLastTry: tries == Self.triesMax)
        } finished: { [self] result in
            switch result {
            case .success(let parts): go(on: parts[...])
            case .failure where tries < Self.triesMax:
                later { [self] in look(from: first, tries: tries + 1) }
            case .failure(let error): log("visitors_not_restored", "\(error)")
            }
        }
    }

    /// Oldest first, so that windows end as they did then.
    ///
    /// - Parameter isLastTry: leaves out days whose file can't be read.
    private func parts(_ reader: LedgerReader, from first: ClickRowID, isLastTry: Bool)
        throws(StoreError) -> [Part]
    {
        var parts: [Part] = []
        var left = Self.visitsMax
        for day in try reader.clickDays().reversed() where day >= first.day && left > 0 {
            do throws(StoreError) {
                let found = try reader.clicks.newestVisits(
                    on: day, from: first, to: end, max: left)
                guard let found else { continue }
                left -= found.count
                parts.append(Part(day: day, first: found.first))
            } catch {
                guard isLastTry else { throw error }
                log("visitors_not_restored", "those of \(day.text): \(error)")
            }
        }
        return parts.reversed()
    }

    private func go(on parts: ArraySlice<Part>, tries: Int = 1) {
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
            case .failure where tries < Self.triesMax:
                later { [self] in go(on: parts, tries: tries + 1) }
            case .failure(let error):
                log("visitors_not_restored", "those of \(part.day.text): \(error)")
                go(on: parts.dropFirst())
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

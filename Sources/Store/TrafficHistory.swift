public import Domain
internal import SQLite

/// What is on disk of the clicks that caps count; for one thread at a time. Reads sums: what it
/// costs depends on how many ways the clicks went, not on how many there are.
public final class TrafficHistory {
    let reader: LedgerReader
    private let log: (_ event: String, _ detail: String) -> Void

    public init(
        _ directory: DataDirectory, log: @escaping (_ event: String, _ detail: String) -> Void
    ) {
        reader = LedgerReader(directory)
        self.log = log
    }

    /// Finished days' files must not be kept open.
    public func close() { reader.close() }

    /// All clicks that any path took.
    ///
    /// - Parameter today: days from the one before on are read from their files, which may still
    ///   grow; older ones from what the ledger has of them.
    public func allClicks(today: Day) throws(StoreError) -> [ClickWay: Int64] {
        let last = today.advanced(by: -1)
        let bindings = [Value.integer(Int64(last.number))]
        let summed = try reader.sql { (connection) throws(SQLiteError) in
            Set(
                try connection.rows("SELECT day FROM click_day WHERE day < ?1", bindings) {
                    (row) throws(SQLiteError) in Day(number: Int32(clamping: row.int64(0)))
                })
        }
        var sums: [ClickWay: Int64] = [:]
        _ = try reader.sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT campaign_id, flow_version, rule, path, offer_version, sum(clicks)
                FROM click_day_way WHERE day < ?1
                GROUP BY campaign_id, flow_version, rule, path, offer_version
                """, bindings
            ) { (row) throws(SQLiteError) in sums[ClickWay(row), default: 0] += row.int64(5) }
        }
        for day in try reader.clickDays() where !summed.contains(day) {
            add(day, from: day.start, to: day.advanced(by: 1).start, to: &sums)
        }
        return sums
    }

    /// Those within a range of times, whose bounds lie on quarter hours.
    public func clicks(from: Instant, to: Instant) throws(StoreError) -> [ClickWay: Int64] {
        var sums: [ClickWay: Int64] = [:]
        for day in try reader.clickDays() where day >= from.day && day <= to.day {
            add(day, from: from, to: to, to: &sums)
        }
        return sums
    }

    /// What the paths were called in that version of their campaign's flow.
    public func pathNames(ofVersion id: Int64) throws(StoreError) -> PathNames {
        PathNames(try reader.flowVersion(id)?.document["flow"])
    }

    /// A day that can't be read is left out: visitors of today don't wait for it.
    private func add(_ day: Day, from: Instant, to: Instant, to sums: inout [ClickWay: Int64]) {
        do throws(StoreError) {
            for (way, clicks) in try reader.clicks.ways(on: day, from: from, to: to) {
                sums[way, default: 0] += clicks
            }
        } catch {
            log("day_not_counted", "day=\(day.text) reason=\"\(error)\"")
        }
    }
}

/// The names of a flow's paths, by their places in its document.
public struct PathNames: Sendable {
    /// By rule; 0 are the default paths.
    private let names: [[String?]]

    init(_ flow: JSONValue?) {
        let groups = [flow?["paths"]] + (flow?["rules"]?.arrayValue ?? []).map { $0["paths"] }
        names = groups.map { ($0?.arrayValue ?? []).map { $0["name"]?.stringValue } }
    }

    /// Nil for a path without one. Counted as in `Decision`.
    public func name(rule: Int, path: Int) -> String? {
        guard names.indices.contains(rule), names[rule].indices.contains(path - 1) else {
            return nil
        }
        return names[rule][path - 1]
    }
}

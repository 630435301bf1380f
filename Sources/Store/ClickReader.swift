public import Domain
internal import SQLite

/// Reads clicks by their ID from the day files; for one thread at a time.
public final class ClickReader {
    private let directory: DataDirectory
    private let deadline: Deadline?
    /// The most recently used day last.
    private var open: [(day: Day, file: File)] = []
    private static let openMax = 8

    private struct File {
        let connection: Connection
        /// Of its migrations.
        let version: Int64
        let find: Statement
        /// Nil in a file from before there were lander clicks.
        let findLanderClicks: Statement?
    }

    public init(_ directory: DataDirectory) {
        self.directory = directory
        deadline = nil
    }

    /// Reads fail when the deadline is over.
    init(_ directory: DataDirectory, deadline: Deadline) {
        self.directory = directory
        self.deadline = deadline
    }

    /// Nil when there is no such click, also when its whole day was deleted.
    public func click(_ rowID: ClickRowID) throws(StoreError) -> Click? {
        do throws(SQLiteError) {
            if let found = try find(rowID) { return found }
        } catch {
            guard wasReplaced(rowID.day) else {
                // The next call opens the file anew.
                closeAll()
                throw StoreError(error)
            }
        }
        guard wasReplaced(rowID.day) else { return nil }
        closeAll()
        do throws(SQLiteError) {
            return try find(rowID)
        } catch {
            closeAll()
            throw StoreError(error)
        }
    }

    /// Somebody put another file in the place of the one that is open.
    private func wasReplaced(_ day: Day) -> Bool {
        open.last { $0.day == day }?.file.connection.hasMoved ?? false
    }

    private func find(_ rowID: ClickRowID) throws(SQLiteError) -> Click? {
        guard let file = try file(rowID.day) else { return nil }
        defer { file.find.reset() }
        file.find.bind(1, rowID.rawValue)
        return try file.find.step() ? Self.click(file.find) : nil
    }

    /// A click's lander clicks as far as they lie in its day's file, by their IDs, from the given one
    /// on.
    public func landerClicks(
        of rowID: ClickRowID, from first: ClickRowID? = nil, limit: Int = LanderClick.perClickMax
    ) throws(StoreError) -> [LanderClick] {
        do throws(SQLiteError) {
            guard let find = try file(rowID.day)?.findLanderClicks else { return [] }
            defer { find.reset() }
            find.bind(1, rowID.rawValue)
            find.bind(2, first?.rawValue ?? 0)
            find.bind(3, Int64(limit))
            var found: [LanderClick] = []
            while try find.step() {
                if let landerClick = LanderClick(row: find) { found.append(landerClick) }
            }
            return found
        } catch {
            closeAll()
            throw StoreError(error)
        }
    }

    /// One day's sums of its landers by campaign, within a range of times of their clicks.
    public func landerTotals(on day: Day, from: Instant, to: Instant) throws(StoreError)
        -> [LanderTotal]
    {
        try read(day) { (connection, version) throws(SQLiteError) in
            guard version >= 3 else { return [] }
            return try connection.rows(
                """
                SELECT campaign_id, sum(views), sum(clicks), sum(passed)
                FROM lander_total WHERE slot >= ?1 AND slot < ?2 GROUP BY campaign_id
                """,
                [
                    .integer(ClickTotal.slot(startingAtOrAfter: from)),
                    .integer(ClickTotal.slot(startingAtOrAfter: to)),
                ]
            ) { (row) throws(SQLiteError) in LanderTotal(row: row) }
        } ?? []
    }

    /// Clicks of one day whose external ID is exactly that. Reads the whole day: for people.
    public func clicks(externalID: [UInt8], on day: Day, limit: Int) throws(StoreError) -> [Click] {
        try read(day) { (connection, version) throws(SQLiteError) in
            try connection.rows(
                Self.select(fileVersion: version) + " WHERE click.external_id = ?1 LIMIT ?2",
                [.blob(externalID), .integer(Int64(limit))]
            ) { (row) throws(SQLiteError) in Self.click(row) }
            .compactMap { $0 }
        } ?? []
    }

    /// One day's sums by campaign and currency within a range of times.
    public func totals(on day: Day, from: Instant, to: Instant) throws(StoreError) -> [ClickTotal] {
        try read(day) { (connection, version) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT campaign_id, currency, sum(clicks), sum(cost_units), sum(cost_nanos),
                    \(version < 5 ? "0" : "sum(bots)")
                FROM click_total WHERE slot >= ?1 AND slot < ?2 GROUP BY campaign_id, currency
                """,
                [
                    .integer(ClickTotal.slot(startingAtOrAfter: from)),
                    .integer(ClickTotal.slot(startingAtOrAfter: to)),
                ]
            ) { (row) throws(SQLiteError) in
                ClickTotal(
                    campaignID: CampaignID(row.int64(0)),
                    currency: Currency(rawValue: UInt32(truncatingIfNeeded: row.int64(1))),
                    clicks: row.int64(2),
                    costNanos: Int128(row.int64(3)) * 1_000_000_000 + Int128(row.int64(4)),
                    bots: row.int64(5))
            }
        } ?? []
    }

    func newestRowID(on day: Day) throws(StoreError) -> ClickRowID? {
        try read(day) { (connection, _) throws(SQLiteError) in
            try connection.int64("SELECT max(id) FROM click")
        }?.flatMap { ClickRowID(rawValue: $0) }
    }

    /// Nil where the day has no file.
    /// - Parameter body: takes the version of the file too: an older one's columns are fewer.
    func read<Value>(
        _ day: Day, _ body: (Connection, _ version: Int64) throws(SQLiteError) -> Value
    ) throws(StoreError) -> Value? {
        do throws(SQLiteError) {
            return try file(day).map { (file) throws(SQLiteError) in
                try body(file.connection, file.version)
            }
        } catch {
            // The next call opens the file anew.
            closeAll()
            throw StoreError(error)
        }
    }

    /// Closes the files that are open: a finished day's file can be sealed only then.
    public func closeAll() {
        for entry in open { entry.file.connection.close() }
        open.removeAll()
    }

    private func file(_ day: Day) throws(SQLiteError) -> File? {
        try deadline?.check()
        if let index = open.lastIndex(where: { $0.day == day }) {
            if index < open.count - 1 { open.append(open.remove(at: index)) }
            return open[open.count - 1].file
        }
        let path = directory.clickFilePath(day)
        guard FileSystem.exists(path) else { return nil }
        let connection = try Connection(path: path, mode: .readOnly, deadline: deadline)
        guard let version = try connection.int64("PRAGMA user_version"), version != 0 else {
            // Its writer is making it at this moment; it has no tables yet, let alone clicks.
            connection.close()
            return nil
        }
        let find = try connection.prepare(
            Self.select(fileVersion: version) + " WHERE click.id = ?1")
        if open.count == Self.openMax { open.removeFirst().file.connection.close() }
        let findLanderClicks =
            version < 3
            ? nil
            : try connection.prepare(
                """
                SELECT \(LanderClick.columns) FROM lander_click WHERE click_id = ?1 AND id >= ?2
                ORDER BY id LIMIT ?3
                """)
        let file = File(
            connection: connection, version: version, find: find,
            findLanderClicks: findLanderClicks)
        open.append((day, file))
        return file
    }

    /// A finished day's file stays as it was written: older ones lack what was added since.
    private static func select(fileVersion: Int64) -> String {
        """
        SELECT click.id, campaign_id, path, offer_version, cost_nanos, currency, external_id, ip,
            agent.value, referrer.value, names.value, parameter_values,
            \(fileVersion < 2 ? "NULL, NULL, NULL" : "flow_version, rule, lander_version"),
            \(fileVersion < 5 ? "NULL, NULL" : "visit, told.value"),
            \(fileVersion < 6 ? "NULL" : "place.value"),
            \(fileVersion < 7 ? "NULL, NULL" : "visitor, visit_number")
        FROM click LEFT JOIN text AS agent ON agent.id = user_agent
            LEFT JOIN text AS referrer ON referrer.id = click.referrer
            LEFT JOIN text AS names ON names.id = parameter_names
            \(fileVersion < 5 ? "" : "LEFT JOIN text AS told ON told.id = device")
            \(fileVersion < 6 ? "" : "LEFT JOIN text AS place ON place.id = click.place")
        """
    }

    /// Nil for a row that can't be one of ours.
    private static func click(_ row: Statement) -> Click? {
        guard let rowID = ClickRowID(rawValue: row.int64(0)) else { return nil }
        let currency = row.optionalInt64(5)
            .flatMap { Currency(rawValue: UInt32(truncatingIfNeeded: $0)) }
        let names = row.withBytes(10) { PackedTexts.unpack($0) }
        let values = row.withBytes(11) { PackedTexts.unpack($0) }
        return Click(
            rowID: rowID, campaignID: CampaignID(row.int64(1)),
            externalID: row.optionalBlob(6),
            cost: row.optionalInt64(4).flatMap { nanos in
                currency.map { Money(nanos: nanos, currency: $0) }
            },
            parameters: zip(names, values).map { name, value in
                Click.Parameter(name: String(decoding: name, as: UTF8.self), value: value)
            },
            ip: row.optionalBlob(7).flatMap { IPAddress(storedBytes: $0) },
            userAgent: row.blob(8), referrer: row.blob(9),
            flowVersion: row.optionalInt64(12), rule: row.optionalInt64(13).map { Int($0) },
            path: Int(row.int64(2)), landerVersion: row.optionalInt64(14),
            offerVersion: row.int64(3), visit: VisitKind(stored: row.optionalInt64(15)),
            device: row.withBytes(16) { Device(packed: $0) },
            place: row.withBytes(17) { Place(packed: $0) },
            visitor: row.optionalInt64(18)
                .map { VisitorNumber(rawValue: UInt64(bitPattern: $0)) },
            visitNumber: row.optionalInt64(19))
    }
}

/// How many clicks a campaign had and what they cost, in one currency.
public struct ClickTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    /// Nil for clicks whose cost is not known.
    public let currency: Currency?
    public let clicks: Int64
    public let costNanos: Int128
    /// The cost in the reporting currency; nil where it was not converted.
    public let reportingNanos: Int128?
    /// Requests that are no clicks: of bots, prefetches and previews.
    public let bots: Int64

    public init(
        campaignID: CampaignID, currency: Currency?, clicks: Int64, costNanos: Int128,
        reportingNanos: Int128? = nil, bots: Int64 = 0
    ) {
        self.campaignID = campaignID
        self.currency = currency
        self.clicks = clicks
        self.costNanos = costNanos
        self.reportingNanos = reportingNanos
        self.bots = bots
    }

    /// The same with its cost converted by the rate of its day.
    public func converted(by rates: ExchangeRates, on day: Day) -> ClickTotal {
        ClickTotal(
            campaignID: campaignID, currency: currency, clicks: clicks, costNanos: costNanos,
            reportingNanos: currency.flatMap { rates.converted(costNanos, of: $0, on: day) },
            bots: bots)
    }

    /// Sums are kept by quarter hours: a range is widened or cut to those that begin within it.
    static func slot(startingAtOrAfter instant: Instant) -> Int64 {
        let slot = instant.micros / ClickFile.slotMicros
        return instant.micros % ClickFile.slotMicros > 0 ? slot + 1 : slot
    }
}

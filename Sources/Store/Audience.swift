public import Domain
internal import SQLite

/// Who came and from where, as far as it was kept with the click: what sums are taken by.
public struct Audience: Hashable, Sendable {
    public let visit: VisitKind
    /// Nil for clicks from before it was kept.
    public let device: Device?
    /// Nil where nothing was known.
    public let place: Place?

    /// What is told apart, beside the kind of visit; the rest is nil. Fewer parts are fewer sums.
    public struct Parts: OptionSet, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        public static let device = Parts(rawValue: 1)
        public static let place = Parts(rawValue: 2)
    }

    public init(visit: VisitKind, device: Device?, place: Place? = nil) {
        self.visit = visit
        self.device = device
        self.place = place
    }
}

extension Audience {
    /// A conversion's columns, NULL for those by which nothing is told apart.
    static func columns(_ parts: Parts?) -> String {
        func column(_ name: String, _ isWanted: Bool) -> String {
            isWanted ? name : "NULL AS \(name)"
        }
        return [
            column("visit", parts != nil), column("device", parts?.contains(.device) == true),
            column("place", parts?.contains(.place) == true),
        ].joined(separator: ", ")
    }
}

/// Clicks of one audience.
public struct AudienceClicks: Sendable {
    public let audience: Audience
    public let total: ClickTotal
}

/// Conversions of one audience.
public struct AudienceConversions: Sendable {
    public let audience: Audience
    public let total: ConversionTotal
}

/// What conversions of one audience cost by themselves.
public struct AudienceCosts: Sendable {
    public let audience: Audience
    public let total: ConversionCostTotal
}

extension ClickReader {
    /// One day's sums by audience, campaign and currency. Reads the clicks themselves: a second for
    /// some million of them.
    public func audienceTotals(
        by parts: Audience.Parts, on day: Day, from: Instant, to: Instant
    ) throws(StoreError) -> [AudienceClicks] {
        // A text once read is asked for by each group that has it.
        var devices: [Int64: Device?] = [:]
        var places: [Int64: Place?] = [:]
        return try read(day) { (connection, version) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT campaign_id, visit_kind, told, money, clicks, units, nanos,
                    (SELECT value FROM text WHERE text.id = told), spot,
                    (SELECT value FROM text WHERE text.id = spot)
                FROM (
                    SELECT campaign_id, \(version < 5 ? "NULL" : "visit") AS visit_kind,
                        \(version < 5 || !parts.contains(.device) ? "NULL" : "device") AS told,
                        \(version < 6 || !parts.contains(.place) ? "NULL" : "place") AS spot,
                        CASE WHEN cost_nanos IS NULL THEN 0 ELSE ifnull(currency, 0) END AS money,
                        count(*) AS clicks, sum(ifnull(cost_nanos, 0) / 1000000000) AS units,
                        sum(ifnull(cost_nanos, 0) % 1000000000) AS nanos
                    FROM click WHERE id >= ?1 AND id < ?2
                    GROUP BY campaign_id, visit_kind, told, spot, money)
                """,
                [
                    .integer(LedgerReader.firstRowID(at: from)),
                    .integer(LedgerReader.firstRowID(at: to)),
                ]
            ) { (row) throws(SQLiteError) in
                let id = row.int64(2)
                let device = devices[id] ?? row.withBytes(7) { Device(packed: $0) }
                devices[id] = .some(device)
                let placeID = row.int64(8)
                let place = places[placeID] ?? row.withBytes(9) { Place(packed: $0) }
                places[placeID] = .some(place)
                let visit = VisitKind(stored: row.optionalInt64(1))
                let isClick = visit == .visitor
                return AudienceClicks(
                    audience: Audience(visit: visit, device: device, place: place),
                    total: ClickTotal(
                        campaignID: CampaignID(row.int64(0)),
                        currency: isClick
                            ? Currency(rawValue: UInt32(truncatingIfNeeded: row.int64(3))) : nil,
                        clicks: isClick ? row.int64(4) : 0,
                        costNanos: isClick
                            ? Int128(row.int64(5)) * 1_000_000_000 + Int128(row.int64(6)) : 0,
                        bots: isClick ? 0 : row.int64(4)))
            }
        } ?? []
    }
}

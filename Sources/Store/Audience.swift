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

    /// Sums that are held at a time: where there are more, they are handed on in parts. Sorting the
    /// rows instead, as GROUP BY does, would take memory for all of them.
    static let sumsMax = 65_536

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

/// An audience as a conversion's row has it.
struct AudienceKey: Hashable {
    private let visit: Int64?
    private let device: [UInt8]
    private let place: [UInt8]

    /// Of a row that begins with `Audience.columns`.
    init(_ row: Statement) {
        visit = row.optionalInt64(0)
        device = row.blob(1)
        place = row.blob(2)
    }

    var audience: Audience {
        Audience(
            visit: VisitKind(stored: visit),
            device: device.withUnsafeBytes { Device(packed: $0) },
            place: place.withUnsafeBytes { Place(packed: $0) })
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
    /// Hands on one day's sums by audience, campaign and currency; of the same ones there may be
    /// several. Reads the clicks themselves: a second for some million of them.
    ///
    /// - Parameter take: false: no more are wanted.
    public func audienceTotals(
        by parts: Audience.Parts, on day: Day, from: Instant, to: Instant,
        _ take: (AudienceClicks) -> Bool
    ) throws(StoreError) {
        _ = try read(day) { (connection, version) throws(SQLiteError) in
            let rows = try connection.prepare(
                """
                SELECT campaign_id, \(version < 5 ? "NULL" : "visit"),
                    \(version < 5 || !parts.contains(.device) ? "NULL" : "device"),
                    \(version < 6 || !parts.contains(.place) ? "NULL" : "place"),
                    CASE WHEN cost_nanos IS NULL THEN 0 ELSE ifnull(currency, 0) END,
                    ifnull(cost_nanos, 0)
                FROM click WHERE id >= ?1 AND id < ?2
                """)
            rows.bind(1, LedgerReader.firstRowID(at: from))
            rows.bind(2, LedgerReader.firstRowID(at: to))
            defer { rows.reset() }
            let texts = try connection.prepare("SELECT value FROM text WHERE id = ?1")
            var sums: [ClickSum.Key: ClickSum] = [:]
            while try rows.step() {
                let key = ClickSum.Key(
                    campaign: rows.int64(0), visit: rows.optionalInt64(1), device: rows.int64(2),
                    place: rows.int64(3), currency: rows.int64(4))
                sums[key, default: ClickSum()].add(rows.int64(5))
                guard sums.count == Audience.sumsMax else { continue }
                guard try ClickSum.handOn(sums, texts, take) else { return }
                sums.removeAll(keepingCapacity: true)
            }
            _ = try ClickSum.handOn(sums, texts, take)
        }
    }
}

/// What rows of clicks that are alike come to.
private struct ClickSum {
    struct Key: Hashable {
        let campaign: Int64
        let visit: Int64?
        /// Of its text; 0: none.
        let device: Int64
        let place: Int64
        let currency: Int64
    }

    private var count: Int64 = 0
    private var nanos: Int128 = 0

    mutating func add(_ costNanos: Int64) {
        count += 1
        nanos += Int128(costNanos)
    }

    /// False when no more are wanted.
    static func handOn(
        _ sums: [Key: ClickSum], _ texts: Statement, _ take: (AudienceClicks) -> Bool
    ) throws(SQLiteError) -> Bool {
        var devices = Unpacked(texts) { Device(packed: $0) }
        var places = Unpacked(texts) { Place(packed: $0) }
        for (key, sum) in sums {
            let device = try devices.value(key.device)
            let place = try places.value(key.place)
            let visit = VisitKind(stored: key.visit)
            let isClick = visit == .visitor
            let audience = AudienceClicks(
                audience: Audience(visit: visit, device: device, place: place),
                total: ClickTotal(
                    campaignID: CampaignID(key.campaign),
                    currency: isClick
                        ? Currency(rawValue: UInt32(truncatingIfNeeded: key.currency)) : nil,
                    clicks: isClick ? sum.count : 0, costNanos: isClick ? sum.nanos : 0,
                    bots: isClick ? 0 : sum.count))
            if !take(audience) { return false }
        }
        return true
    }
}

/// What texts of a day's file say, each read once.
private struct Unpacked<Value> {
    private let texts: Statement
    private let make: (UnsafeRawBufferPointer) -> Value?
    /// 0: none.
    private var known: [Int64: Value?] = [0: nil]

    init(_ texts: Statement, _ make: @escaping (UnsafeRawBufferPointer) -> Value?) {
        self.texts = texts
        self.make = make
    }

    mutating func value(_ id: Int64) throws(SQLiteError) -> Value? {
        if let value = known[id] { return value }
        texts.bind(1, id)
        defer { texts.reset() }
        let value = try texts.step() ? texts.withBytes(0, make) : nil
        known[id] = .some(value)
        return value
    }
}

internal import Domain
internal import SQLite

/// Sums of the clicks of a transaction, written once at its end, beside them.
struct ClickSums {
    private let addTotal: Statement
    private let addWay: Statement
    private var totals = Tally<TotalKey, Total>()
    private var ways = Tally<WayKey, Int64>()

    private struct TotalKey: Hashable {
        let slot: Int64
        let campaignID: Int64
        let currency: UInt32
    }

    private struct WayKey: Hashable {
        let slot: Int64
        let way: ClickWay
    }

    private struct Total {
        var clicks: Int64 = 0
        var units: Int64 = 0
        var nanos: Int64 = 0
        var bots: Int64 = 0
    }

    init(_ connection: Connection) throws(SQLiteError) {
        addTotal = try connection.prepare(
            """
            INSERT INTO click_total
                (slot, campaign_id, currency, clicks, cost_units, cost_nanos, bots)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks,
                cost_units = cost_units + excluded.cost_units,
                cost_nanos = cost_nanos + excluded.cost_nanos, bots = bots + excluded.bots
            """)
        addWay = try connection.prepare(
            """
            INSERT INTO click_way
                (slot, campaign_id, flow_version, rule, path, offer_version, clicks)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks
            """)
    }

    /// Counts those that were inserted.
    mutating func count(_ clicks: some Collection<NewClick>) {
        for click in clicks { count(click) }
    }

    private mutating func count(_ click: NewClick) {
        let slot = click.rowID.instant.micros / ClickFile.slotMicros
        let isVisitor = click.visit == .visitor
        let key = TotalKey(
            slot: slot, campaignID: click.campaignID.rawValue,
            currency: click.costNanos == nil || !isVisitor ? 0 : click.currency.rawValue)
        guard isVisitor else {
            // No click: it counts here and nowhere else.
            return totals.update(key, from: Total()) { $0.bots += 1 }
        }
        let (units, nanos) = (click.costNanos ?? 0).quotientAndRemainder(dividingBy: 1_000_000_000)
        totals.update(key, from: Total()) {
            $0.clicks += 1
            $0.units += units
            $0.nanos += nanos
        }
        if click.countsTowardsCaps {
            ways.update(WayKey(slot: slot, way: click.way), from: 0) { $0 += 1 }
        }
    }

    func write() throws(SQLiteError) {
        for (key, total) in totals.sums {
            addTotal.bind(1, key.slot)
            addTotal.bind(2, key.campaignID)
            addTotal.bind(3, Int64(key.currency))
            addTotal.bind(4, total.clicks)
            addTotal.bind(5, total.units)
            addTotal.bind(6, total.nanos)
            addTotal.bind(7, total.bots)
            try addTotal.run()
        }
        for (key, clicks) in ways.sums {
            addWay.bind(1, key.slot)
            addWay.bind(2, key.way.campaignID.rawValue)
            addWay.bind(3, key.way.flowVersion)
            addWay.bind(4, Int64(key.way.rule))
            addWay.bind(5, Int64(key.way.path))
            addWay.bind(6, key.way.offerVersion)
            addWay.bind(7, clicks)
            try addWay.run()
        }
    }

    mutating func removeAll() {
        totals.removeAll()
        ways.removeAll()
    }
}

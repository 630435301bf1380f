public import Domain
internal import SQLite

/// Corrections of what clicks cost.
extension LedgerTransaction {
    /// Layers that are kept, removed ones included.
    public static let costLayersMax: Int64 = 200_000

    /// - Parameter clicks: how many of each day it is about, as far as they are known.
    public func insert(_ layer: CostLayer, clicks: [Day: Int64], at now: Instant)
        throws(StoreError) -> StoredCostLayer
    {
        guard let campaign = catalog.campaigns[layer.campaign] else {
            throw .invalid(
                ValidationError("campaign", "there is no campaign \"\(layer.campaign)\""))
        }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(
                """
                INSERT INTO cost_layer (campaign_id, from_quarter, to_quarter, document,
                    created_at_us) VALUES (?1, ?2, ?3, ?4, ?5)
                """,
                [
                    .integer(campaign.id.rawValue), .integer(layer.from.number),
                    .integer(layer.to.number), .text(layer.document.encoded()),
                    .integer(now.micros),
                ])
            return connection.lastInsertRowID
        }
        // Numbers are given one after another and never taken back.
        guard id <= Self.costLayersMax else {
            throw .conflict("more than \(Self.costLayersMax) cost layers can't be kept")
        }
        try noteClicks(clicks, ofCostLayer: id)
        return StoredCostLayer(
            id: id, campaignID: campaign.id, layer: layer, createdAt: now, removedAt: nil)
    }

    /// Keeps how many clicks of some days a layer is about, for when those days are deleted.
    public func noteClicks(_ clicks: [Day: Int64], ofCostLayer id: Int64) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            for (day, count) in clicks {
                try connection.run(
                    """
                    INSERT INTO cost_layer_day (layer_id, day, clicks) VALUES (?1, ?2, ?3)
                    ON CONFLICT DO UPDATE SET clicks = excluded.clicks
                    """, [.integer(id), .integer(Int64(day.number)), .integer(count)])
            }
        }
    }

    /// From now on every figure is as if there had never been such a layer.
    ///
    /// - Throws: `.notFound`; `.conflict` for one that was removed before.
    public func removeCostLayer(_ id: Int64, at now: Instant) throws(StoreError)
        -> StoredCostLayer
    {
        let found = try costLayer(id)
        if let removedAt = found.removedAt {
            throw .conflict("cost layer \(id) was removed at \(removedAt.rfc3339)")
        }
        return try setRemoved(found, at: now)
    }

    /// Puts a removed layer back in its place among the others.
    ///
    /// - Throws: `.notFound`; `.conflict` for one that is not removed.
    public func restoreCostLayer(_ id: Int64) throws(StoreError) -> StoredCostLayer {
        let found = try costLayer(id)
        guard found.removedAt != nil else { throw .conflict("cost layer \(id) is not removed") }
        return try setRemoved(found, at: nil)
    }

    private func setRemoved(_ stored: StoredCostLayer, at time: Instant?) throws(StoreError)
        -> StoredCostLayer
    {
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE cost_layer SET removed_at_us = ?2 WHERE id = ?1",
                [.integer(stored.id), time.map { .integer($0.micros) } ?? .null])
        }
        return StoredCostLayer(
            id: stored.id, campaignID: stored.campaignID, layer: stored.layer,
            createdAt: stored.createdAt, removedAt: time)
    }

    private func costLayer(_ id: Int64) throws(StoreError) -> StoredCostLayer {
        let found = try sql { () throws(SQLiteError) in
            try CostLayerRow.read(connection, "WHERE id = ?1", [.integer(id)]).first
        }
        guard let found else { throw .notFound("there is no cost layer \(id)") }
        return found
    }
}

/// Rows of `cost_layer`.
enum CostLayerRow {
    /// - Throws: `SQLiteError` for a row that holds what we never write.
    static func read(_ connection: Connection, _ condition: String, _ values: [Value])
        throws(SQLiteError) -> [StoredCostLayer]
    {
        try connection.rows(
            """
            SELECT id, campaign_id, from_quarter, to_quarter, document, created_at_us, removed_at_us
            FROM cost_layer \(condition)
            """, values
        ) { (row) throws(SQLiteError) in
            StoredCostLayer(
                id: row.int64(0), campaignID: CampaignID(row.int64(1)), layer: try layer(row),
                createdAt: Instant(micros: row.int64(5)),
                removedAt: row.optionalInt64(6).map { Instant(micros: $0) })
        }
    }

    private static func layer(_ row: Statement) throws(SQLiteError) -> CostLayer {
        do {
            return try CostLayer(
                kept: JSONValue(parsing: row.text(4)), from: QuarterHour(number: row.int64(2)),
                to: QuarterHour(number: row.int64(3)))
        } catch {
            // A correction that is passed over would show costs that nobody expects.
            throw .corrupt("cost layer \(row.int64(0)) can't be read")
        }
    }
}

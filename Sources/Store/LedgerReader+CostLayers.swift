public import Domain
internal import SQLite

extension LedgerReader {
    /// The layers that hold and that have a part in a range of times, oldest first.
    public func costLayers(from: Instant, to: Instant, showingRemoved: Bool = false)
        throws(StoreError) -> [StoredCostLayer]
    {
        var conditions = Conditions()
        if !showingRemoved { conditions.add("removed_at_us IS NULL") }
        conditions.add("to_quarter > ?", QuarterHour(containing: from).number)
        // The end itself lies outside.
        conditions.add(
            "from_quarter <= ?",
            QuarterHour(containing: to.advanced(by: .microseconds(-1))).number)
        return try sql { (connection) throws(SQLiteError) in
            try CostLayerRow.read(
                connection, "\(conditions.sql) ORDER BY id", conditions.values)
        }
    }

    /// Newest first.
    public func costLayers(
        of campaign: CampaignID?, showingRemoved: Bool, limit: Int, cursor: Int64?
    ) throws(StoreError) -> Page<StoredCostLayer> {
        var conditions = Conditions()
        conditions.add("id < ?", cursor)
        conditions.add("campaign_id = ?", campaign?.rawValue)
        if !showingRemoved { conditions.add("removed_at_us IS NULL") }
        let items = try sql { (connection) throws(SQLiteError) in
            try CostLayerRow.read(
                connection, "\(conditions.sql) ORDER BY id DESC LIMIT \(limit + 1)",
                conditions.values)
        }
        return Page(items, limit: limit) { $0.id }
    }

    public func costLayer(_ id: Int64) throws(StoreError) -> StoredCostLayer? {
        try sql { (connection) throws(SQLiteError) in
            try CostLayerRow.read(connection, "WHERE id = ?1", [.integer(id)]).first
        }
    }

    /// How many clicks of each day a layer is about, as it was last noted.
    public func notedClicks(ofCostLayer id: Int64) throws(StoreError) -> [Day: Int64] {
        let days = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT day, clicks FROM cost_layer_day WHERE layer_id = ?1", [.integer(id)]
            ) { (row) throws(SQLiteError) in
                (Day(number: Int32(clamping: row.int64(0))), row.int64(1))
            }
        }
        return Dictionary(days) { first, _ in first }
    }

    /// The key of the offer that each wording of an offer's URL belongs to.
    public func offerKeys() throws(StoreError) -> [Int64: [UInt8]] {
        let keys = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT offer_version.id, offer.key
                FROM offer_version JOIN offer ON offer.id = offer_version.offer_id
                """
            ) { (row) throws(SQLiteError) in (row.int64(0), Array(row.text(1).utf8)) }
        }
        return Dictionary(keys) { first, _ in first }
    }

    /// Every conversion of a campaign's clicks that costs something by itself, without tests.
    public func eachConversionWithCost(
        of campaign: CampaignID, from: Instant, to: Instant, _ body: (Conversion) -> Void
    ) throws(StoreError) {
        try sql { (connection) throws(SQLiteError) in
            _ = try connection.rows(
                """
                SELECT \(ConversionRow.columns) FROM conversion
                WHERE click_row_id >= ?1 AND click_row_id < ?2 AND campaign_id = ?3
                    AND is_test = 0 AND own_cost_nanos <> 0
                """,
                [
                    .integer(Self.firstRowID(at: from)), .integer(Self.firstRowID(at: to)),
                    .integer(campaign.rawValue),
                ]
            ) { (row) throws(SQLiteError) in body(try ConversionRow.read(row)) }
        }
    }
}

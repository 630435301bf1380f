public import Domain
internal import SQLite

/// One time that somebody has recorded amounts converted anew by the rates known now.
public struct Recomputation: Sendable, Equatable {
    public let id: Int64
    public let at: Instant
    public let reporting: Currency
    /// By the time of the conversion; nil: from the first, to the last.
    public let from: Instant?
    public let to: Instant?
    public let examined: Int64
    public let changed: Int64
}

/// What it came to for one conversion whose amounts are others now.
public struct RecomputedConversion: Sendable, Equatable {
    public let conversionID: ConversionID
    public let payout: Money
    public let before: ReportingAmount?
    public let after: ReportingAmount?
    /// How many of its revisions changed, the newest one included.
    public let revisions: Int
}

extension LedgerTransaction {
    /// Begins a recomputation, whose parts may be several jobs; it is dated from here on.
    public func beginRecomputation(
        reporting: Currency, from: Instant?, to: Instant?, at now: Instant
    ) throws(StoreError) -> Int64 {
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                INSERT INTO rate_recomputation (at_us, reporting_currency, from_us, to_us,
                    examined, changed) VALUES (?1, ?2, ?3, ?4, 0, 0)
                """,
                [
                    .integer(now.micros), .text(reporting.code),
                    from.map { .integer($0.micros) } ?? .null,
                    to.map { .integer($0.micros) } ?? .null,
                ])
            return connection.lastInsertRowID
        }
    }

    /// Converts the payouts of some conversions and of all of their revisions by today's rates.
    /// - Parameters:
    ///   - operation: as begun; nil only tells what would change.
    /// - Throws: `.conflict` where the reporting currency is another one by now.
    public func recompute(
        _ ids: some Sequence<ConversionID>, reporting: Currency, operation: Int64?
    ) throws(StoreError) -> [RecomputedConversion] {
        try requireReporting(reporting)
        return try sql { () throws(SQLiteError) in
            var examined: Int64 = 0
            var changed: [RecomputedConversion] = []
            for id in ids {
                examined += 1
                if let item = try recompute(id, writes: operation != nil) { changed.append(item) }
            }
            if let operation {
                try connection.run(
                    """
                    UPDATE rate_recomputation SET examined = examined + ?2, changed = changed + ?3
                    WHERE id = ?1
                    """,
                    [.integer(operation), .integer(examined), .integer(Int64(changed.count))])
            }
            return changed
        }
    }

    private func recompute(_ id: ConversionID, writes: Bool) throws(SQLiteError)
        -> RecomputedConversion?
    {
        let conversion = try connection.first(
            "SELECT \(ConversionRow.columns) FROM conversion WHERE id = ?1",
            [.integer(id.rawValue)]
        ) { (row) throws(SQLiteError) in try ConversionRow.read(row) }
        guard let conversion else { return nil }
        let revisions = try ConversionRow.revisions(of: id, connection)
        let day = conversion.convertedAt.day
        let changed = revisions.compactMap { revision in
            let after = reporting(revision.payout, on: day)
            return after == revision.reporting ? nil : (number: revision.number, after: after)
        }
        let after = reporting(conversion.payout, on: day)
        guard !changed.isEmpty || after != conversion.reporting else { return nil }
        if writes {
            try connection.run(
                """
                UPDATE conversion SET reporting_nanos = ?2, reporting_currency = ?3,
                    reporting_rate_nanos = ?4 WHERE id = ?1
                """, [.integer(id.rawValue)] + ConversionRow.values(after))
            for change in changed {
                try connection.run(
                    """
                    UPDATE conversion_revision SET reporting_nanos = ?3, reporting_currency = ?4,
                        reporting_rate_nanos = ?5 WHERE conversion_id = ?1 AND number = ?2
                    """,
                    [.integer(id.rawValue), .integer(Int64(change.number))]
                        + ConversionRow.values(change.after))
            }
        }
        return RecomputedConversion(
            conversionID: id, payout: conversion.payout, before: conversion.reporting,
            after: after, revisions: changed.count)
    }

    /// Nil where there is none: the answer shows that as it is.
    private func reporting(_ payout: Money, on day: Day) -> ReportingAmount? {
        // A missing rate and an overflow both leave the amount unconverted.
        try? catalog.rates.converted(payout, on: day)
    }
}

extension LedgerReader {
    /// Conversions by the time of the conversion, oldest first.
    public func conversionIDs(from: Instant?, to: Instant?, limit: Int, cursor: Int64?)
        throws(StoreError) -> Page<ConversionID>
    {
        var conditions = Conditions()
        conditions.add("id > ?", cursor)
        conditions.add("converted_at_us >= ?", from?.micros)
        conditions.add("converted_at_us < ?", to?.micros)
        let ids = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                "SELECT id FROM conversion \(conditions.sql) ORDER BY id LIMIT \(limit + 1)",
                conditions.values
            ) { (row) throws(SQLiteError) in ConversionID(row.int64(0)) }
        }
        return Page(ids, limit: limit) { $0.rawValue }
    }

    /// Newest first.
    public func recomputations(limit: Int, cursor: Int64?) throws(StoreError)
        -> Page<Recomputation>
    {
        var conditions = Conditions()
        conditions.add("id < ?", cursor)
        let items = try sql { (connection) throws(SQLiteError) in
            try connection.rows(
                """
                SELECT id, at_us, reporting_currency, from_us, to_us, examined, changed
                FROM rate_recomputation \(conditions.sql) ORDER BY id DESC LIMIT \(limit + 1)
                """, conditions.values
            ) { (row) throws(SQLiteError) in
                guard let reporting = Currency(row.text(2)) else {
                    throw .corrupt("recomputation \(row.int64(0)) can't be read")
                }
                return Recomputation(
                    id: row.int64(0), at: Instant(micros: row.int64(1)), reporting: reporting,
                    from: row.optionalInt64(3).map { Instant(micros: $0) },
                    to: row.optionalInt64(4).map { Instant(micros: $0) },
                    examined: row.int64(5), changed: row.int64(6))
            }
        }
        return Page(items, limit: limit) { $0.id }
    }
}

public import Domain
internal import SQLite

/// The reporting currency and the exchange rates.
extension LedgerTransaction {
    /// Rates that are kept, of all reporting currencies together.
    public static let ratesMax: Int64 = 250_000

    private static let reportingCurrency = "reporting_currency"

    /// What was recorded keeps the currency it was converted to. Rates of a currency that was the
    /// reporting one before are there again when it is so once more.
    public func setReportingCurrency(_ currency: Currency?, at now: Instant) throws(StoreError) {
        guard currency != catalog.rates.reporting else { return }
        noteCatalogChange()
        catalog.rates = try sql { () throws(SQLiteError) in
            if let currency {
                try connection.run(
                    """
                    INSERT INTO setting (name, value, changed_at_us) VALUES (?1, ?2, ?3)
                    ON CONFLICT DO UPDATE SET value = excluded.value,
                        changed_at_us = excluded.changed_at_us
                    """,
                    [
                        .text(Self.reportingCurrency), .text(currency.code),
                        .integer(now.micros),
                    ])
            } else {
                try connection.run(
                    "DELETE FROM setting WHERE name = ?1", [.text(Self.reportingCurrency)])
            }
            return try Self.loadRates(connection)
        }
    }

    /// Adds rates, or replaces those of the same currency and day. Recorded amounts stay.
    /// - Parameter reporting: what the rates are meant for; it must be the reporting currency.
    public func put(_ rates: [ExchangeRate], reporting: Currency, at now: Instant)
        throws(StoreError)
    {
        try requireReporting(reporting)
        noteCatalogChange()
        try sql { () throws(SQLiteError) in
            let insert = try connection.prepare(
                """
                INSERT INTO exchange_rate (reporting_currency, currency, day, rate_nanos, set_at_us)
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                SET rate_nanos = excluded.rate_nanos, set_at_us = excluded.set_at_us
                """)
            for rate in rates {
                insert.bind(1, text: reporting.code)
                insert.bind(2, text: rate.currency.code)
                insert.bind(3, Int64(rate.day.number))
                insert.bind(4, rate.nanos)
                insert.bind(5, now.micros)
                try insert.run()
            }
        }
        let count = try sql { () throws(SQLiteError) in
            try connection.int64("SELECT count(*) FROM exchange_rate") ?? 0
        }
        guard count <= Self.ratesMax else {
            throw .conflict("more than \(Self.ratesMax) exchange rates can't be kept")
        }
        catalog.rates.set(rates)
    }

    /// The rate of that very day. Recorded amounts stay.
    public func removeRate(of currency: Currency, on day: Day) throws(StoreError) -> ExchangeRate {
        guard let reporting = catalog.rates.reporting,
            let removed = catalog.rates.remove(currency, on: day)
        else {
            throw .notFound("there is no exchange rate of \(currency.code) dated \(day.text)")
        }
        noteCatalogChange()
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                DELETE FROM exchange_rate
                WHERE reporting_currency = ?1 AND currency = ?2 AND day = ?3
                """,
                [.text(reporting.code), .text(currency.code), .integer(Int64(day.number))])
        }
        return removed
    }

    /// - Throws: `.conflict` where somebody changed the reporting currency in between.
    func requireReporting(_ currency: Currency) throws(StoreError) {
        guard catalog.rates.reporting == currency else {
            throw .conflict("\(currency.code) is not the reporting currency any more")
        }
    }

    static func loadRates(_ connection: Connection) throws(SQLiteError) -> ExchangeRates {
        let code = try connection.text(
            "SELECT value FROM setting WHERE name = ?1", [.text(reportingCurrency)])
        guard let code else { return ExchangeRates() }
        guard let reporting = Currency(code) else {
            throw .corrupt("the reporting currency can't be read")
        }
        let rates = try connection.rows(
            "SELECT currency, day, rate_nanos FROM exchange_rate WHERE reporting_currency = ?1",
            [.text(code)]
        ) { (row) throws(SQLiteError) in
            guard let currency = Currency(row.text(0)), let day = Int32(exactly: row.int64(1)),
                row.int64(2) > 0
            else { throw .corrupt("an exchange rate can't be read") }
            return ExchangeRate(
                currency: currency, day: Day(number: day), nanos: row.int64(2))
        }
        return ExchangeRates(reporting: reporting, rates)
    }
}

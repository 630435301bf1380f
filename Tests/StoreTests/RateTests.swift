import Domain
import Store
import TestSupport
import Testing

@Suite struct RateTests {
    private static func rate(_ currency: String, _ day: String, _ nanos: Int64) throws
        -> ExchangeRate
    {
        ExchangeRate(
            currency: try #require(Currency(currency)), day: try #require(Day(day)), nanos: nanos)
    }

    @Test func `the reporting currency and its rates are there after a restart`() throws {
        let directory = try TemporaryDirectory()
        let euro = try #require(Currency("EUR"))
        let yen = try #require(Currency("JPY"))
        let rates = [
            try Self.rate("GBP", "2026-11-19", 3), try Self.rate("USD", "1969-12-31", 1),
            try Self.rate("USD", "2026-11-20", 2),
        ]
        do {
            let bench = try StoreBench(directory)
            try bench.perform { (tx) throws(StoreError) in
                try tx.setReportingCurrency(euro, at: StoreBench.noon)
                try tx.put(rates, reporting: euro, at: StoreBench.noon)
            }
            #expect(bench.catalogs.current.last?.rates.all == rates)
            bench.ledger.stop()
        }
        let bench = try StoreBench(directory)
        #expect(bench.ledger.catalog.rates == ExchangeRates(reporting: euro, rates))

        // Rates of one reporting currency mean nothing in another.
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(yen, at: StoreBench.noon)
        }
        #expect(bench.ledger.catalog.rates == ExchangeRates(reporting: yen))
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(nil, at: StoreBench.noon)
        }
        #expect(bench.ledger.catalog.rates == ExchangeRates())
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(euro, at: StoreBench.noon)
        }
        #expect(bench.ledger.catalog.rates.all == rates)
    }

    @Test func `a rate is replaced and removed by its currency and day`() throws {
        let bench = try StoreBench()
        let euro = try #require(Currency("EUR"))
        let old = try Self.rate("USD", "2026-11-20", 1)
        let new = try Self.rate("USD", "2026-11-20", 2)
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(euro, at: StoreBench.noon)
            try tx.put([old], reporting: euro, at: StoreBench.noon)
            try tx.put([new], reporting: euro, at: StoreBench.noon)
        }
        #expect(bench.ledger.catalog.rates.all == [new])
        #expect(throws: StoreError.self) {
            try bench.perform { (tx) throws(StoreError) in
                try tx.removeRate(of: new.currency, on: new.day.advanced(by: 1))
            }
        }
        let removed = try bench.perform { (tx) throws(StoreError) in
            try tx.removeRate(of: new.currency, on: new.day)
        }
        #expect(removed == new && bench.ledger.catalog.rates == ExchangeRates(reporting: euro))
    }

    @Test func `rates for what is not the reporting currency any more are refused whole`() throws {
        let bench = try StoreBench()
        let euro = try #require(Currency("EUR"))
        let rate = try Self.rate("USD", "2026-11-20", 1)
        #expect(throws: StoreError.conflict("EUR is not the reporting currency any more")) {
            try bench.perform { (tx) throws(StoreError) in
                try tx.put([rate], reporting: euro, at: StoreBench.noon)
            }
        }
        #expect(throws: StoreError.self) {
            try bench.perform { (tx) throws(StoreError) in
                try tx.setReportingCurrency(euro, at: StoreBench.noon)
                try tx.put([rate], reporting: euro, at: StoreBench.noon)
                throw .conflict("changed my mind")
            }
        }
        #expect(bench.ledger.catalog.rates == ExchangeRates(), "a failed job undoes both")
    }

    @Test func `conversions are summed in the reporting currency as they were recorded`() throws {
        let bench = try StoreBench()
        try bench.install()
        let euro = try #require(Currency("EUR"))
        func amount(_ nanos: Int64, _ currency: Currency) -> ReportingAmount {
            ReportingAmount(
                money: Money(nanos: nanos, currency: currency), rateNanos: 1_000_000_000)
        }
        let conversions: [Conversion] = [
            StoreBench.conversion(click: 1, nanos: .max).with(reporting: amount(.max, euro)),
            StoreBench.conversion(click: 2, nanos: 7).with(reporting: amount(.max, euro)),
            StoreBench.conversion(click: 3, nanos: -5).with(reporting: amount(-3, euro)),
            // Not converted, converted to another currency, zero, and the currency itself.
            StoreBench.conversion(click: 4, nanos: 9),
            StoreBench.conversion(click: 5, nanos: 9).with(reporting: amount(4, .usDollar)),
            StoreBench.conversion(click: 6, nanos: 0),
            StoreBench.conversion(click: 7, nanos: 11, currency: euro),
        ]
        let read = try bench.perform { (tx) throws(StoreError) in
            try conversions.map { (conversion) throws(StoreError) in
                try tx.insertConversion(conversion)
            }
        }
        for conversion in read {
            let found = try bench.read { (reader) throws(StoreError) in
                try reader.conversion(conversion.id)
            }
            #expect(found == conversion)
        }
        let (from, to) = (StoreBench.noon, StoreBench.noon.advanced(by: .seconds(1)))
        let totals = try bench.read { (reader) throws(StoreError) in
            try reader.conversionTotals(from: from, to: to, reporting: euro)
        }
        let dollars = try #require(totals.first { $0.currency == .usDollar })
        #expect(dollars.reportingNanos == 2 * Int128(Int64.max) - 3)
        #expect(dollars.unconverted == 2 && dollars.conversions == 6)
        let euros = try #require(totals.first { $0.currency == euro })
        #expect(euros.reportingNanos == 11 && euros.unconverted == 0)
        let none = try bench.read { (reader) throws(StoreError) in
            try reader.conversionTotals(from: from, to: to)
        }
        // In no order.
        #expect(none.map(\.payoutNanos).sorted() == totals.map(\.payoutNanos).sorted())
    }
}

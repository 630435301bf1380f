import Domain
import TestSupport
import Testing

@Suite struct ExchangeRateTests {
    private static let euro = Currency("EUR")
    private static let dollar = Currency("USD")

    private static func day(_ text: String) throws -> Day { try #require(Day(text)) }

    private static func rates(_ dated: [(String, Int64)]) throws -> ExchangeRates {
        let dollar = try #require(dollar)
        return ExchangeRates(
            reporting: euro,
            try dated.map {
                ExchangeRate(currency: dollar, day: try day($0.0), nanos: $0.1)
            })
    }

    @Test(arguments: [
        ("1", 1_000_000_000), ("0.9213", 921_300_000), ("0.000000001", 1),
        ("007.50", 7_500_000_000),
        ("9223372036.854775807", Int64.max), ("1.000000000", 1_000_000_000),
    ])
    func `a rate is read exactly`(text: String, nanos: Int64) {
        #expect(ExchangeRate.nanos(text) == nanos)
    }

    @Test(arguments: [
        "", "0", "0.0", "0.000000000", "-1", "+1", "1.", ".5", "1,5", "1e3", " 1", "1 ", "1.2.3",
        "0.0000000001", "1.0000000000", "9223372036.854775808", "99999999999999999999", "x", "١",
    ])
    func `another text is no rate`(text: String) { #expect(ExchangeRate.nanos(text) == nil) }

    @Test(arguments: 1...200) func `a rate that was written is read back`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let nanos = Int64.random(
            in: 1 ... .max >> Int64.random(in: 0...62, using: &random), using: &random)
        let rate = ExchangeRate(
            currency: try #require(Self.dollar), day: Day(number: 1), nanos: nanos)
        #expect(ExchangeRate.nanos(rate.text) == nanos)
    }

    @Test(
        arguments: [
            // Half a nano goes to the even one, on both sides of zero.
            (1, 500_000_000, 0), (3, 500_000_000, 2), (5, 500_000_000, 2), (-1, 500_000_000, 0),
            (-3, 500_000_000, -2), (1, 500_000_001, 1), (1, 499_999_999, 0), (-1, 500_000_001, -1),
            (12_500_000_000, 921_300_000, 11_516_250_000), (0, .max, 0), (7, 1_000_000_000, 7),
            (1_000_000_001, 1_500_000_000, 1_500_000_002), (Int128(Int64.max), 1, 9_223_372_037),
        ] as [(Int128, Int64, Int128)])
    func `a product is rounded half to even`(nanos: Int128, rate: Int64, product: Int128) {
        #expect(ExchangeRate.product(nanos, rateNanos: rate) == product)
    }

    @Test(arguments: 1...500) func `a product is the nearest nano there is`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let nanos =
            Int64.random(in: .min ... .max, using: &random)
            >> Int64.random(in: 0...60, using: &random)
        let rate = max(
            1,
            Int64.random(in: 1 ... .max, using: &random)
                >> Int64.random(in: 0...60, using: &random))
        let product = try #require(ExchangeRate.product(Int128(nanos), rateNanos: rate))
        let distance = (product * 1_000_000_000 - Int128(nanos) * Int128(rate)).magnitude
        #expect(distance <= 500_000_000, "\(nanos) × \(rate) = \(product)")
        if distance == 500_000_000 { #expect(product % 2 == 0, "\(nanos) × \(rate) = \(product)") }
        #expect(ExchangeRate.product(-Int128(nanos), rateNanos: rate) == -product)
    }

    @Test func `a product beyond 128 bits is none`() {
        #expect(ExchangeRate.product(.max, rateNanos: 1_000_000_000) == .max)
        #expect(ExchangeRate.product(.max, rateNanos: 1_000_000_001) == nil)
        #expect(ExchangeRate.product(.min, rateNanos: 1_000_000_000) == nil, "no magnitude")
        #expect(ExchangeRate.product(-Int128.max, rateNanos: 1_000_000_000) == -Int128.max)
        #expect(ExchangeRate.product(.max, rateNanos: .max) == nil)
        #expect(ExchangeRate.product(.max, rateNanos: 1) != nil)
    }

    @Test func `a rate holds from its day on until the next one`() throws {
        let rates = try Self.rates([
            ("2026-11-20", 3), ("2026-11-10", 1), ("2026-11-15", 2),
        ])
        let dollar = try #require(Self.dollar)
        for (text, nanos) in [
            ("2026-11-09", nil), ("2026-11-10", 1), ("2026-11-14", 1), ("2026-11-15", 2),
            ("2026-11-19", 2), ("2026-11-20", 3), ("2031-01-01", 3),
        ] as [(String, Int64?)] {
            #expect(rates.rate(of: dollar, on: try Self.day(text)) == nanos, "\(text)")
        }
        let day = try Self.day("1999-01-01")
        #expect(rates.rate(of: try #require(Self.euro), on: day) == 1_000_000_000)
        #expect(rates.rate(of: try #require(Currency("JPY")), on: day) == nil)
    }

    @Test(arguments: 1...50) func `the rate in force is the newest that is not later`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let dollar = try #require(Self.dollar)
        var known: [ExchangeRate] = []
        var rates = ExchangeRates(reporting: Self.euro)
        for _ in 0..<20 {
            let day = Day(number: Int32.random(in: 0...15, using: &random))
            if Int.random(in: 0...3, using: &random) == 0 {
                let removed = rates.remove(dollar, on: day)
                #expect(removed == known.first { $0.day == day })
                known.removeAll { $0.day == day }
            } else {
                let rate = ExchangeRate(
                    currency: dollar, day: day, nanos: Int64.random(in: 1...9, using: &random))
                rates.set([rate])
                known.removeAll { $0.day == day }
                known.append(rate)
            }
        }
        #expect(rates == ExchangeRates(reporting: Self.euro, known.shuffled(using: &random)))
        for number in Int32(-1)...16 {
            let expected = known.filter { $0.day.number <= number }.max { $0.day < $1.day }
            #expect(rates.rate(of: dollar, on: Day(number: number)) == expected?.nanos)
        }
    }

    @Test func `an amount is converted, or it is said why not`() throws {
        let rates = try Self.rates([("2026-11-10", 921_300_000), ("2026-11-15", .max)])
        let dollar = try #require(Self.dollar)
        let euro = try #require(Self.euro)
        let tenth = try Self.day("2026-11-10")
        let amount = Money(nanos: -12_500_000_000, currency: dollar)
        #expect(
            try rates.converted(amount, on: tenth)
                == ReportingAmount(
                    money: Money(nanos: -11_516_250_000, currency: euro), rateNanos: 921_300_000))
        let own = Money(nanos: .max, currency: euro)
        #expect(
            try rates.converted(own, on: tenth)
                == ReportingAmount(money: own, rateNanos: 1_000_000_000))
        #expect(throws: ExchangeError.noRate(to: euro)) {
            try rates.converted(amount, on: try Self.day("2026-11-09"))
        }
        #expect(throws: ExchangeError.tooLarge(in: euro)) {
            try rates.converted(amount, on: try Self.day("2026-11-15"))
        }
        #expect(try ExchangeRates().converted(amount, on: tenth) == nil)
    }

    @Test func `a sum of zero needs no rate, and one too large is not converted`() throws {
        let rates = try Self.rates([("2026-11-10", 2_000_000_000)])
        let dollar = try #require(Self.dollar)
        let before = try Self.day("2026-11-09")
        let day = try Self.day("2026-11-10")
        #expect(rates.converted(0, of: dollar, on: before) == 0)
        #expect(rates.converted(1, of: dollar, on: before) == nil)
        #expect(rates.converted(1 << 99, of: dollar, on: day) == 1 << 100)
        #expect(rates.converted(-(1 << 99), of: dollar, on: day) == -(1 << 100))
        #expect(rates.converted((1 << 99) + 1, of: dollar, on: day) == nil)
        #expect(rates.converted(.min, of: dollar, on: day) == nil)
        #expect(ExchangeRates().converted(0, of: dollar, on: day) == nil)
    }

    @Test func `a document of rates is read whole or refused by its fields`() throws {
        let euro = try #require(Self.euro)
        let good: JSONValue = ["currency": "usd", "date": "2026-11-20", "rate": "0.9213"]
        let rates = try ExchangeRate.list(
            [good, ["currency": "JPY", "date": "2026-11-20", "rate": .number("0.0055")]],
            reporting: euro)
        #expect(
            rates.map(\.document) == [
                ["currency": "USD", "date": "2026-11-20", "rate": "0.9213"],
                ["currency": "JPY", "date": "2026-11-20", "rate": "0.0055"],
            ])
        for (document, fields) in [
            ([:], [""]), ([], [""]), ([3], ["[0]"]), ([good, good], ["[1]"]),
            (
                [["currency": "XXX", "date": "2026-11-31", "rate": "0"]],
                ["[0].currency", "[0].date", "[0].rate"]
            ),
            ([[:]], ["[0].currency", "[0].date", "[0].rate"]),
            ([["currency": "EUR", "date": "2026-11-20", "rate": "1"]], ["[0].currency"]),
            (
                [["currency": "USD", "date": "2026-11-20", "rate": "1", "day": 1]], ["[0].day"]
            ),
            (.array(Array(repeating: good, count: ExchangeRate.documentMax + 1)), [""]),
        ] as [(JSONValue, [String])] {
            let error = #expect(throws: ValidationError.self) {
                try ExchangeRate.list(document, reporting: euro)
            }
            #expect(error?.errors.map(\.field) == fields, "\(document.encoded().prefix(200))")
        }
    }
}

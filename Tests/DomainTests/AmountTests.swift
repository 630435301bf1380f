import Domain
import TestSupport
import Testing

@Suite struct AmountTests {
    private func outcome(_ text: String, _ format: NumberFormat) -> Result<Int64, AmountError> {
        Result { () throws(AmountError) in try Amount.parse(text, format: format) }
    }

    @Test(arguments: [
        ("12.5", "12.5"), ("12,5", "12.5"), ("1 234.50", "1234.5"), ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"), ("-3", "-3"), ("\u{2212}3", "-3"), ("+3", "3"), ("0", "0"),
        ("-0", "0"), ("1.234", "1.234"), ("0,123", "0.123"), ("00,123", "0.123"),
        ("1234,567", "1234.567"), (",500", "0.5"), (".5", "0.5"), ("-.5", "-0.5"),
        ("1,23", "1.23"), ("1,2345", "1.2345"), ("1,234,567", "1234567"),
        ("1.234.567", "1234567"), ("1.234.567,8", "1234567.8"), ("1,234,567.8", "1234567.8"),
        ("1 234,500", "1234.5"), ("1'234.50", "1234.5"), ("1\u{2019}234,50", "1234.5"),
        ("1\u{A0}234\u{202F}567", "1234567"), ("1\u{2009}234", "1234"), ("  7.25\t", "7.25"),
        ("\u{A0}7\u{A0}", "7"), ("007", "7"), ("12.500000000", "12.5"),
    ]) func `amounts as networks write them are read`(text: String, meant: String) throws {
        #expect(try Amount.format(Amount.parse(text, format: .auto)) == meant)
    }

    @Test(arguments: ["1,234", "12,345", "123,456", "-1,234", "+999,000", " 1,000 "])
    func `a lone comma before three digits is ambiguous until the network says which`(
        text: String
    ) throws {
        #expect(outcome(text, .auto) == .failure(.ambiguous))
        let asGroups = try Amount.parse(text, format: .point)
        let asDecimal = try Amount.parse(text, format: .comma)
        #expect(asGroups == asDecimal * 1_000)
    }

    @Test(arguments: [
        ("1,234", NumberFormat.point, "1234"), ("1,234.5", .point, "1234.5"),
        ("1.234", .point, "1.234"), ("1.234", .comma, "1234"), ("1.234,5", .comma, "1234.5"),
        ("1,234", .comma, "1.234"), ("0,5", .comma, "0.5"), ("1 234,5", .comma, "1234.5"),
        ("1 234.5", .point, "1234.5"), ("12", .comma, "12"), ("12", .point, "12"),
    ]) func `a network's number format decides`(text: String, format: NumberFormat, meant: String)
        throws
    {
        #expect(try Amount.format(Amount.parse(text, format: format)) == meant)
    }

    @Test(arguments: [
        ("12,5", NumberFormat.point), ("0,123", .point), ("1.5", .comma), ("1.234.5", .comma),
        ("1,234,5", .point), ("1,2.5", .point), ("1.234,5", .point),
    ]) func `a number against its network's format is refused`(text: String, format: NumberFormat) {
        #expect(outcome(text, format) == .failure(.notNumber))
    }

    @Test(
        arguments: [
            "", " ", "-", "+", ".", ",", "5.", "5,", "--5", "+-5", "- 5", "5-", "1e3", "1E3",
            "0x10",
            "$5", "5 USD", "€5", "NaN", "inf", "{payout}", "1..5", "1,,5", "1.5.5", "1,23,456",
            "1 23", "12 34", "1234 567", "1 234'567", "1 234,567.5", "1,234.567.8", "0 123",
            "1  234", "1 .5", "1. 5", "٣", "１２", "5\u{0}", "5%", "1_000", "1,234 567", ",5,5",
            String(repeating: "0", count: 257),
        ]) func `what isn't a number is refused`(text: String)
    {
        #expect(outcome(text, .auto) == .failure(.notNumber))
    }

    @Test(arguments: [
        ("0.0000000005", "0"), ("0.0000000015", "0.000000002"), ("0.0000000025", "0.000000002"),
        ("0.00000000250", "0.000000002"), ("0.00000000251", "0.000000003"),
        ("0.0000000024999", "0.000000002"), ("-0.0000000015", "-0.000000002"),
        ("-0.0000000005", "0"), ("0.9999999999", "1"), ("0.00000000049", "0"),
    ]) func `beyond nine decimals an amount is rounded half to even`(text: String, meant: String)
        throws
    {
        #expect(try Amount.format(Amount.parse(text, format: .auto)) == meant)
    }

    @Test func `the range ends where 64 bits of nanos end`() throws {
        #expect(try Amount.parse("9223372036.854775807", format: .auto) == .max)
        #expect(try Amount.parse("-9223372036.854775807", format: .auto) == -.max)
        #expect(try Amount.parse("-9223372036.854775808", format: .auto) == .min)
        #expect(try Amount.parse("9223372036.8547758074", format: .auto) == .max)
        for text in [
            "9223372036.854775808", "-9223372036.854775809", "9223372036.8547758075", "9223372037",
            "10000000000", "99999999999999999999999", "18446744073.709551616",
            "18446744073.7095516155", String(repeating: "9", count: 256),
        ] {
            #expect(outcome(text, .auto) == .failure(.outOfRange), "\(text)")
        }
        #expect(
            try Amount.parse(String(repeating: "0", count: 255) + "7", format: .auto)
                == 7_000_000_000)
    }

    @Test(arguments: [
        ("1250", "USD", "12.5"), ("1250", "JPY", "1250"), ("1250", "KWD", "1.25"),
        ("1250", "CLF", "0.125"), ("1250.5", "USD", "12.505"), ("5", "USD", "0.05"),
        ("-5", "KWD", "-0.005"), ("0", "USD", "0"), ("1250,5", "USD", "12.505"),
        ("1,250.5", "USD", "12.505"), ("922337203685.4775807", "USD", "9223372036.854775807"),
        (".00000005", "USD", "0"), (".00000015", "USD", "0.000000002"),
    ]) func `minor units are read by the currency's exponent`(
        text: String, code: String, meant: String
    ) throws {
        let currency = try #require(Currency(code))
        #expect(try Amount.format(Amount.parseMinor(text, currency: currency)) == meant)
    }

    @Test func `minor units are refused as other amounts are`() throws {
        let usd = try #require(Currency("USD"))
        #expect(throws: AmountError.ambiguous) { try Amount.parseMinor("1,250", currency: usd) }
        #expect(throws: AmountError.notNumber) { try Amount.parseMinor("", currency: usd) }
        #expect(throws: AmountError.outOfRange) {
            try Amount.parseMinor("922337203685.4775808", currency: usd)
        }
        #expect(try Amount.parseMinor("1,250", currency: usd, format: .point) == 12_500_000_000)
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (12_500_000_000, "12.5"),
        (-3_000_000_000, "-3"), (100_000_000_000, "100"), (10_000_000, "0.01"),
        (Int64.max, "9223372036.854775807"), (Int64.min, "-9223372036.854775808"),
    ]) func `amounts are written as short as they can be`(nanos: Int64, text: String) throws {
        #expect(Amount.format(nanos) == text)
        #expect(try Amount.parse(text, format: .auto) == nanos)
    }

    @Test func `sums are written beyond 64 bits`() {
        #expect(Amount.format(Int128(Int64.max) + 1) == "9223372036.854775808")
        #expect(Amount.format(Int128.max) == "170141183460469231731687303715.884105727")
        #expect(Amount.format(Int128.min) == "-170141183460469231731687303715.884105728")
    }

    @Test(arguments: 1...50) func `an amount survives being written and read`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<200 {
            let nanos =
                Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0...63, using: &random)
            for value in [nanos, nanos / 1_000_000_000 &* 1_000_000_000] {
                let text = Amount.format(value)
                #expect(try Amount.parse(text, format: .auto) == value)
                #expect(try Amount.parse(text, format: .point) == value)
                let withComma = String(text.map { $0 == "." ? "," : $0 })
                #expect(try Amount.parse(withComma, format: .comma) == value)
            }
        }
    }

    @Test(arguments: 1...100) func `no text makes the amount parser trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let alphabet = Array("0123456789012345.,.,-+' \u{A0}\u{2212}e")
        let usd = try #require(Currency("USD"))
        for _ in 0..<300 {
            let count = Int.random(in: 0...40, using: &random)
            let text = String(
                (0..<count).map { _ in alphabet.randomElement(using: &random) ?? "0" })
            for format in NumberFormat.allCases {
                if case .success(let nanos) = outcome(text, format) {
                    // What is accepted means one number, so writing and reading keeps it.
                    #expect(try Amount.parse(Amount.format(nanos), format: .auto) == nanos)
                }
                _ = try? Amount.parseMinor(text, currency: usd, format: format)  // only: no trap
            }
        }
    }
}

@Suite struct MoneyTests {
    @Test func `money adds only in one currency and only while it fits`() throws {
        let usd = try #require(Currency("USD"))
        let eur = try #require(Currency("eur"))
        let large = Money(nanos: .max, currency: usd)
        let sum = try Money(nanos: .max - 1, currency: usd).adding(Money(nanos: 1, currency: usd))
        #expect(sum == large)
        #expect(throws: MoneyError.overflow) { try large.adding(Money(nanos: 1, currency: usd)) }
        #expect(throws: MoneyError.currencyMismatch(usd, eur)) {
            try large.adding(Money(nanos: 0, currency: eur))
        }
        #expect(Money(nanos: -2_500_000_000, currency: usd).amountText == "-2.5")
    }

    @Test func `currencies are ISO 4217's, in any case`() {
        #expect(Currency("USD") == Currency("uSd"))
        #expect(Currency("usd")?.code == "USD")
        #expect(Currency("usd")?.rawValue == 0x555344)
        for (code, digits) in [
            ("USD", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("XCG", 2), ("ISK", 0),
        ] {
            #expect(Currency(code)?.minorDigits == digits)
        }
        for text in ["", "US", "USDT", "ABC", "XXX", "XAU", "XTS", "BTC", "$", "U D", "DEM", "ＵＳＤ"]
        {
            #expect(Currency(text) == nil, "\(text)")
        }
        #expect(Currency(rawValue: 0x555344)?.code == "USD")
        #expect(Currency(rawValue: 0x0155_5344) == nil)
        #expect(Currency(rawValue: 0) == nil)
        for currency in Currency.all {
            #expect(Currency(currency.code) == currency)
            #expect(Currency(rawValue: currency.rawValue) == currency)
        }
        #expect(Currency.all.count > 150)
    }

    @Test(
        arguments: [
            (12_500_000_000, 2, "12.50"), (12_345_678_901, 2, "12.35"), (0, 2, "0.00"), (0, 0, "0"),
            (12_345_000_000, 2, "12.34"), (12_355_000_000, 2, "12.36"),
            (12_345_000_001, 2, "12.35"),
            (-3_000_000_000, 1, "-3.0"), (-4_000_000, 2, "0.00"), (500_000_000, 0, "0"),
            (1_500_000_000, 0, "2"), (1, 9, "0.000000001"), (999_999_999, 2, "1.00"),
            (.max, 2, "9223372036.85"), (.min, 9, "-9223372036.854775808"),
        ] as [(Int64, Int, String)])
    func `an amount is written with as many decimals as are asked for`(
        nanos: Int64, decimals: Int, text: String
    ) {
        #expect(Amount.format(nanos, decimals: decimals) == text)
    }
}

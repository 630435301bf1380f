import Domain
import TestSupport
import Testing

@Suite struct CostTests {
    static func cost(_ document: JSONValue) throws -> Cost { try campaign(document).cost }

    static func campaign(_ cost: JSONValue) throws -> Campaign {
        try Campaign(document: [
            "key": "summer", "source": "push", "cost": cost,
            "flow": ["paths": [["offers": [["offer": "fit"]]]]],
        ])
    }

    @Test(
        arguments: [
            (["model": "cpc", "amount": "0.012"], 12_000_000),
            (["model": "cpm", "amount": "0.0000005"], 0),
            (["model": "cpm", "amount": "0.0000015"], 2),
            (["model": "cpc", "amount": "0.09", "loss_percent": "10"], 100_000_000),
            (["model": "cpc", "amount": "1", "loss_percent": "0"], 1_000_000_000),
            (["model": "cpc", "amount": "1", "loss_percent": "99"], 100_000_000_000),
            (["model": "cpc", "amount": "2", "loss_percent": "33.333333333"], 3_000_000_000),
            (["model": "cpc", "amount": "1", "loss_percent": "30"], 1_428_571_429),
            // One rounding, not two: 1 nano for a thousand clicks, half of them lost.
            (["model": "cpm", "amount": "0.000000250", "loss_percent": "50"], 0),
            (["model": "cpm", "amount": "0.000000251", "loss_percent": "50"], 1),
            (["model": "cpa", "amount": "5"], 0), (["model": "revshare", "percent": "30"], 0),
            (["model": "param"], nil), (["model": "none"], nil),
        ] as [(JSONValue, Int64?)])
    func `a cost is so much a click`(document: JSONValue, nanos: Int64?) throws {
        #expect(try Self.cost(document).nanosPerClick == nanos)
    }

    @Test(
        arguments: [
            ["model": "cpc", "amount": "0.012"],
            ["model": "cpm", "amount": "3", "loss_percent": "2.5", "currency": "EUR"],
            ["model": "cpa", "amount": "3", "statuses": ["pending", "approved"]],
            ["model": "revshare", "percent": "12.5"],
            ["model": "param", "number_format": "comma", "unit": "cpm", "loss_percent": "1"],
            ["model": "none"],
        ] as [JSONValue])
    func `a cost reads back as it was written`(document: JSONValue) throws {
        let campaign = try Self.campaign(document)
        #expect(campaign.document["cost"] == document)
        #expect(try Campaign(document: campaign.document) == campaign)
    }

    @Test func `what is left out is written out`() throws {
        #expect(
            try Self.campaign(["model": "param"]).document["cost"]
                == ["model": "param", "number_format": "auto", "unit": "units"])
        #expect(
            try Self.campaign(["model": "cpa", "amount": "1"]).document["cost"]
                == ["model": "cpa", "amount": "1", "statuses": ["approved"]])
    }

    @Test(
        arguments: [
            (["model": "cpc"], "amount"), (["model": "cpm"], "amount"),
            (["model": "cpa"], "amount"), (["model": "revshare"], "percent"),
            (["model": "cpc", "amount": "-1"], "amount"),
            (["model": "cpc", "amount": "9000000000", "loss_percent": "99"], "amount"),
            (["model": "cpc", "amount": "x"], "amount"),
            (["model": "cpc", "amount": "1", "loss_percent": "99.1"], "loss_percent"),
            (["model": "cpc", "amount": "1", "loss_percent": "-1"], "loss_percent"),
            (["model": "cpc", "amount": "1", "unit": "minor"], "unit"),
            (["model": "cpc", "amount": "1", "number_format": "auto"], "number_format"),
            (["model": "cpc", "amount": "1", "percent": "1"], "percent"),
            (["model": "param", "amount": "1"], "amount"),
            (["model": "param", "unit": "cents"], "unit"),
            (["model": "param", "number_format": "german"], "number_format"),
            (["model": "revshare", "percent": "100.1"], "percent"),
            (["model": "revshare", "percent": "1", "currency": "EUR"], "currency"),
            (["model": "cpa", "amount": "1", "loss_percent": "1"], "loss_percent"),
            (["model": "cpa", "amount": "1", "statuses": []], "statuses"),
            (["model": "cpa", "amount": "1", "statuses": ["paid"]], "statuses[0]"),
            (["model": "cpc", "amount": "1", "currency": "US"], "currency"),
            (["model": "cpx"], "model"),
            (["model": "cpc", "amount": "1", "ammount": "1"], "ammount"),
        ] as [(JSONValue, String)])
    func `a cost that means nothing is refused by its field`(document: JSONValue, field: String) {
        do throws(ValidationError) {
            _ = try Campaign(document: [
                "key": "summer", "source": "push", "cost": document,
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
            Issue.record("\(document.encoded()) was accepted")
        } catch {
            #expect(error.errors.map(\.field) == ["cost.\(field)"], "\(error.errors)")
        }
    }

    private static func parameter(_ document: JSONValue) throws -> (CostParameter, ClickLoss) {
        let cost = try cost(document)
        guard case .parameter(let parameter) = cost.charge else {
            throw TestFailure("\(document.encoded()) is no cost from a parameter")
        }
        return (parameter, cost.loss)
    }

    @Test(
        arguments: [
            ("auto", "units", "0", "USD", "1.5", 1_500_000_000),
            ("auto", "units", "0", "USD", "1,5", 1_500_000_000),
            ("auto", "units", "0", "USD", "1,234", nil),
            ("point", "units", "0", "USD", "1,234", 1_234_000_000_000),
            ("comma", "units", "0", "USD", "1,234", 1_234_000_000),
            ("comma", "units", "0", "USD", "1.234", 1_234_000_000_000),
            ("auto", "minor", "0", "USD", "125", 1_250_000_000),
            ("auto", "minor", "0", "JPY", "125", 125_000_000_000),
            ("auto", "minor", "0", "KWD", "125", 125_000_000),
            ("auto", "micro", "0", "USD", "1250000", 1_250_000_000),
            ("auto", "micro", "0", "USD", "0.0005", 0),
            ("auto", "micro", "0", "USD", "0.0015", 2),
            ("auto", "cpm", "0", "USD", "2.5", 2_500_000),
            ("auto", "cpm", "20", "USD", "4", 5_000_000),
            ("auto", "units", "50", "USD", "0.0000000005", 1),
            ("auto", "units", "0", "USD", "0.0000000005", 0),
            ("auto", "units", "0", "USD", "1000000", 1_000_000_000_000_000),
            ("auto", "units", "99", "USD", "1000000", 100_000_000_000_000_000),
            ("auto", "units", "0", "USD", "1000000.000000001", nil),
            ("auto", "micro", "0", "USD", "1000000000001", nil),
            ("auto", "units", "0", "USD", "-1", nil), ("auto", "units", "0", "USD", "-0", 0),
            ("auto", "units", "0", "USD", "", nil), ("auto", "units", "0", "USD", "{cost}", nil),
            ("auto", "units", "0", "USD", String(repeating: "9", count: 200), nil),
        ] as [(String, String, String, String, String, Int64?)])
    func `the parameter's number is read as the cost says`(
        format: String, unit: String, loss: String, currency: String, text: String, nanos: Int64?
    ) throws {
        let (parameter, clickLoss) = try Self.parameter([
            "model": "param", "number_format": .string(format), "unit": .string(unit),
            "loss_percent": .string(loss),
        ])
        let code = try #require(Currency(currency))
        #expect(parameter.nanos(text, currency: code, loss: clickLoss) == nanos)
        #expect(
            Self.nanos(encoded: PercentEncoding.encode(text), parameter, code, clickLoss) == nanos)
    }

    private static func nanos(
        encoded text: String, _ parameter: CostParameter, _ currency: Currency, _ loss: ClickLoss
    ) -> Int64? {
        Array(text.utf8).withUnsafeBytes {
            parameter.nanos(encoded: $0, currency: currency, loss: loss)
        }
    }

    @Test(arguments: 1...500) func `a cost in a URL is read as the same text is`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        let alphabet = Array("0012345678999..,-".utf8)
        let text = String(
            decoding: (0..<Int.random(in: 0...22, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }, as: UTF8.self)
        for format in ["auto", "point", "comma"] {
            for unit in ["units", "minor", "cpm", "micro"] {
                let (parameter, loss) = try Self.parameter([
                    "model": "param", "number_format": .string(format), "unit": .string(unit),
                ])
                #expect(
                    Self.nanos(encoded: text, parameter, .usDollar, loss)
                        == parameter.nanos(text, currency: .usDollar, loss: loss),
                    "\(text) \(unit) \(format)")
            }
        }
    }

    /// (numerator, denominator) in nanos, rounded half to even, by long division in the open.
    private static func rounded(_ numerator: UInt128, _ denominator: UInt128) -> UInt128 {
        let (quotient, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
        if rest * 2 == denominator { return quotient + quotient % 2 }
        return rest * 2 > denominator ? quotient + 1 : quotient
    }

    @Test(arguments: 1...300) func `costs are rounded once, whatever the numbers`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        let digits = Int64.random(in: 0...12, using: &random)
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let mantissa = Int64.random(
            in: 0...(1 << Int64.random(in: 1...40, using: &random)), using: &random)
        // At most 12 decimals, as text: mantissa ÷ scale.
        let fraction = String(mantissa % scale)
        let text =
            digits == 0
            ? "\(mantissa)"
            : "\(mantissa / scale)."
                + String(repeating: "0", count: Int(digits) - fraction.count) + fraction
        let loss = Int64.random(in: 0...99, using: &random)
        for (unit, divisor) in [("units", 1), ("minor", 100), ("cpm", 1000), ("micro", 1_000_000)]
            as [(String, UInt128)]
        {
            guard UInt128(mantissa) <= 1_000_000 * UInt128(scale) * divisor else { continue }
            let (parameter, clickLoss) = try Self.parameter([
                "model": "param", "number_format": "point", "unit": .string(unit),
                "loss_percent": .integer(loss),
            ])
            let expected = Self.rounded(
                UInt128(mantissa) * 1_000_000_000 * 100,
                UInt128(scale) * divisor * UInt128(100 - loss))
            #expect(
                parameter.nanos(text, currency: .usDollar, loss: clickLoss) == Int64(expected),
                "\(text) \(unit), \(loss) % lost")
        }
    }

    @Test func `a conversion costs by its status and payout`() throws {
        let euro = try #require(Currency("EUR"))
        let payout = Money(nanos: 12_345_678_901, currency: euro)
        let fixed = try #require(
            try Self.cost(["model": "cpa", "amount": "3", "statuses": ["pending", "approved"]])
                .ofConversions(source: .usDollar))
        for status in ConversionStatus.allCases {
            let counts = status == .pending || status == .approved
            #expect(
                fixed.cost(of: status, payout: payout)
                    == Money(nanos: counts ? 3_000_000_000 : 0, currency: .usDollar))
        }
        let own = try #require(
            try Self.cost(["model": "cpa", "amount": "3", "currency": "EUR"])
                .ofConversions(source: .usDollar))
        #expect(own.cost(of: .approved, payout: payout).currency == euro)
        let share = try #require(
            try Self.cost(["model": "revshare", "percent": "50"]).ofConversions(source: .usDollar))
        #expect(share.cost(of: .approved, payout: payout).nanos == 6_172_839_450, "half to even")
        #expect(
            share.cost(of: .approved, payout: Money(nanos: -5, currency: euro)).nanos == -2)
        #expect(
            share.cost(of: .approved, payout: Money(nanos: .min, currency: euro)).nanos
                == Int64.min / 2)
        #expect(share.cost(of: .pending, payout: payout) == Money(nanos: 0, currency: euro))
        for rule in [fixed, own, share] { #expect(ConversionCost(text: rule.text) == rule) }
        for model in ["none", "param"] {
            #expect(
                try Self.cost(["model": .string(model)]).ofConversions(source: .usDollar) == nil)
        }
    }

    @Test(arguments: ["", "{}", "[1]", "x", "{\"amount\":\"1\"}", "{\"percent\":1}"])
    func `another text is no rule`(text: String) { #expect(ConversionCost(text: text) == nil) }
}

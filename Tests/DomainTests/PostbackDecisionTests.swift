import Domain
import Testing

/// What a repeat is: pure, so every combination is a line.
@Suite struct PostbackDecisionTests {
    private func report(_ query: String) throws -> PostbackReport {
        let network = try Network(document: ["key": "net"])
        let cid = ClickID(block: 1).text
        return try PostbackReport(
            PostbackFields(QueryParameters(parsing: "cid=\(cid)&\(query)").pairs, of: network),
            network: network)
    }

    private func usd(_ units: Int64) -> Money {
        Money(nanos: units * 1_000_000_000, currency: .usDollar)
    }

    private func known(_ status: ConversionStatus, _ units: Int64, ordinal: Int = 0)
        -> KnownConversion
    {
        KnownConversion(
            id: ConversionID(7), status: status, payout: usd(units), revision: 3, ordinal: ordinal)
    }

    @Test func `the first report creates, with the offer's payout where it names none`() throws {
        #expect(
            PostbackDecision.decide(
                try report("payout=5"), existing: nil, repeats: .update, offerPayout: usd(9))
                == .create(status: .approved, payout: usd(5), ordinal: 0))
        #expect(
            PostbackDecision.decide(
                try report("status=hold"), existing: nil, repeats: .ignore, offerPayout: usd(9))
                == .create(status: .pending, payout: usd(9), ordinal: 0))
        let euro = try #require(Currency("EUR"))
        #expect(
            PostbackDecision.decide(
                try report("currency=EUR"), existing: nil, repeats: .add, offerPayout: nil)
                == .create(
                    status: .approved, payout: Money(nanos: 0, currency: euro), ordinal: 0))
        // Zero is an amount.
        #expect(
            PostbackDecision.decide(
                try report("payout=0"), existing: nil, repeats: .update, offerPayout: usd(9))
                == .create(status: .approved, payout: usd(0), ordinal: 0))
    }

    @Test func `a change of status, amount or currency revises`() throws {
        let before = known(.approved, 5)
        for (query, status, nanos, code) in [
            ("payout=5&status=pending", ConversionStatus.pending, 5 as Int64, "USD"),
            ("payout=6", .approved, 6, "USD"), ("status=rejected", .rejected, 5, "USD"),
            ("payout=-5&status=chargeback", .chargeback, -5, "USD"),
            ("payout=5&currency=EUR", .approved, 5, "EUR"),
        ] {
            let currency = try #require(Currency(code))
            #expect(
                PostbackDecision.decide(
                    try report(query), existing: before, repeats: .update, offerPayout: usd(9))
                    == .revise(
                        status: status,
                        payout: Money(nanos: nanos * 1_000_000_000, currency: currency)), "\(query)"
            )
        }
    }

    @Test func `what changes nothing is a duplicate`() throws {
        let before = known(.approved, 5)
        for query in ["payout=5", "payout=5.00", "", "status=confirmed"] {
            #expect(
                PostbackDecision.decide(
                    try report(query), existing: before, repeats: .update, offerPayout: usd(9))
                    == .duplicate, "\(query)")
        }
    }

    @Test func `ignore never changes a known conversion, add adds only without an order`() throws {
        let before = known(.approved, 5, ordinal: 4)
        #expect(
            PostbackDecision.decide(
                try report("payout=6&status=trash"), existing: before, repeats: .ignore,
                offerPayout: nil) == .duplicate)
        #expect(
            PostbackDecision.decide(
                try report("payout=5"), existing: before, repeats: .add, offerPayout: nil)
                == .create(status: .approved, payout: usd(5), ordinal: 5))
        #expect(
            PostbackDecision.decide(
                try report("payout=5&txid=1"), existing: before, repeats: .add, offerPayout: nil)
                == .duplicate)
        #expect(
            PostbackDecision.decide(
                try report("payout=6&txid=1"), existing: before, repeats: .add, offerPayout: nil)
                == .revise(status: .approved, payout: usd(6)))
    }
}

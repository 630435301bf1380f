import Domain
import Testing

@Suite struct ConversionLimitsTests {
    private func offer(_ members: [JSONMember]) throws(ValidationError) -> Offer {
        try Offer(
            document: .object(
                [
                    JSONMember(name: "key", value: "o"), JSONMember(name: "network", value: "n"),
                    JSONMember(name: "url", value: "https://o.example/"),
                ] + members))
    }

    private func limits(_ caps: JSONValue, window: JSONValue = .null) throws -> ConversionLimits {
        try offer([
            JSONMember(name: "caps", value: caps),
            JSONMember(name: "conversion_window_hours", value: window),
            JSONMember(name: "payout", value: ["amount": "9", "currency": "USD"]),
        ]).limits
    }

    private func usd(_ units: Int64, _ code: String = "USD") throws -> Money {
        Money(nanos: units * 1_000_000_000, currency: try #require(Currency(code)))
    }

    @Test func `without limits everything is within`() throws {
        let none = try offer([]).limits
        #expect(!none.hasCaps && !none.limitsMoney)
        #expect(try offer([]).document["caps"] == .null)
        #expect(try offer([]).document["conversion_window_hours"] == .null)
        let late = Instant(micros: .max)
        #expect(none.windowPassed(clickedAt: Instant(micros: 0), convertedAt: late) == nil)
        let much = LimitUsage(conversions: .max)
        #expect(none.capPassed(by: try usd(1), day: much, all: much) == nil)
    }

    @Test func `a window ends after its last microsecond`() throws {
        let day = try limits(.null, window: 24)
        let click = Instant(micros: 1_000)
        let end = click.advanced(by: .seconds(86_400))
        #expect(day.windowPassed(clickedAt: click, convertedAt: end) == nil)
        let after = Instant(micros: end.micros + 1)
        let reason = try #require(day.windowPassed(clickedAt: click, convertedAt: after))
        #expect(reason.contains("conversion_window_hours is 24"))
        // A clock that was set back is no reason to refuse.
        #expect(day.windowPassed(clickedAt: end, convertedAt: click) == nil)
    }

    @Test func `a number of conversions has room for the last and not for one more`() throws {
        let caps = try limits(["conversions_per_day": 2, "conversions_total": 5])
        func passed(_ day: Int64, _ all: Int64) throws -> String? {
            caps.capPassed(
                by: try usd(1), day: LimitUsage(conversions: day), all: LimitUsage(conversions: all)
            )
        }
        #expect(try passed(1, 4) == nil)
        #expect(try passed(2, 4)?.contains("conversions_per_day is 2") == true)
        #expect(try passed(1, 5)?.contains("conversions_total is 5") == true)
        let none = try limits(["conversions_per_day": 0])
        #expect(none.capPassed(by: try usd(1), day: LimitUsage(), all: LimitUsage()) != nil)
    }

    @Test func `money has room up to the last nano, in its own currency`() throws {
        let caps = try limits(["payout_per_day": "10", "payout_total": "25.5"])
        let dollar = try usd(1).currency
        func used(_ nanos: Int128) -> LimitUsage { LimitUsage(payouts: [dollar: nanos]) }
        let six = try usd(6)
        #expect(caps.capPassed(by: six, day: used(4_000_000_000), all: used(0)) == nil)
        #expect(
            caps.capPassed(by: six, day: used(4_000_000_001), all: used(0))?
                .contains("payout_per_day is 10 USD, of which 4.000000001 are taken") == true)
        #expect(caps.capPassed(by: six, day: used(0), all: used(19_500_000_000)) == nil)
        #expect(caps.capPassed(by: six, day: used(0), all: used(19_500_000_001)) != nil)
        #expect(caps.capPassed(by: try usd(0), day: used(99_000_000_000), all: used(0)) == nil)
        let euro = try usd(1_000, "EUR")
        #expect(caps.capPassed(by: euro, day: used(0), all: used(0)) == nil)
        #expect(caps.unlimited(euro)?.contains("don't limit payouts in EUR") == true)
        #expect(caps.unlimited(six) == nil)
    }

    @Test func `amounts are in the offer's currency unless they name theirs`() throws {
        #expect(try limits(["payout_total": "5"]).currency?.code == "USD")
        let named = try limits(["payout_total": "5", "currency": "EUR"])
        #expect(named.currency?.code == "EUR")
        let written = try offer([
            JSONMember(name: "caps", value: ["payout_per_day": "1.50", "currency": "eur"])
        ])
        let caps: JSONValue = [
            "conversions_per_day": .null, "conversions_total": .null, "payout_per_day": "1.5",
            "payout_total": .null, "currency": "EUR",
        ]
        #expect(written.document["caps"] == caps)
        #expect(try Offer(document: written.document) == written)
    }

    @Test(
        arguments: [
            (["caps": ["conversions_per_day": -1]], "caps.conversions_per_day"),
            (["caps": ["conversions_total": "5"]], "caps.conversions_total"),
            (["caps": ["payout_per_day": "-1", "currency": "USD"]], "caps.payout_per_day"),
            (["caps": ["payout_total": "x", "currency": "USD"]], "caps.payout_total"),
            (["caps": ["payout_total": "5"]], "caps.currency"),
            (["caps": ["currency": "XXY"]], "caps.currency"),
            (["caps": ["per_day": 5]], "caps.per_day"), (["caps": []], "caps"),
            (["conversion_window_hours": 0], "conversion_window_hours"),
            (["conversion_window_hours": 87_601], "conversion_window_hours"),
        ] as [(JSONValue, String)])
    func `a limit that is none is named`(document: JSONValue, field: String) {
        do throws(ValidationError) {
            _ = try offer(document.objectValue ?? [])
            Issue.record("accepted")
        } catch {
            #expect(error.errors.map(\.field) == [field])
        }
    }

    @Test func `a campaign's amounts name their currency`() throws {
        func campaign(_ caps: JSONValue) throws(ValidationError) -> Campaign {
            try Campaign(
                document: [
                    "key": "c", "source": "s", "conversion_window_hours": 87_600,
                    "flow": ["paths": [["offers": [["offer": "o"]]]]], "caps": caps,
                ])
        }
        #expect(throws: ValidationError.self) { try campaign(["payout_total": "5"]) }
        let made = try campaign(["payout_total": 5, "currency": "USD"])
        #expect(made.limits.payoutTotal == 5_000_000_000)
        #expect(made.limits.windowHours == 87_600)
        #expect(try Campaign(document: made.document) == made)
    }
}

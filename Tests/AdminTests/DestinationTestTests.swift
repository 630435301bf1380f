import Domain
import Store
import TestSupport
import Testing

/// `POST /destinations/…/test`: what is rendered, and what is refused. The call itself is made by
/// others.
@Suite struct DestinationTestTests {
    /// A source `push` and a campaign `summer` with a destination each.
    private static func bench() throws -> Bench {
        let bench = try EntityTests.bench()
        try bench.call(
            "PATCH", "/sources/push",
            [
                "params": ["zone": "var1"],
                "destinations": [
                    [
                        "key": "t", "statuses": ["approved"],
                        "url":
                            "https://s.example/?e={external_id}&p={payout}&s={status}&ev={event}&z={var1}&w={var:w}&x={param3}",
                    ]
                ],
            ])
        try bench.call(
            "PATCH", "/campaigns/summer",
            ["destinations": [["key": "c", "url": "https://c.example/{campaign}"]]])
        return bench
    }

    private static func url(_ answer: Bench.Answer) -> String? {
        answer["request"]?["url"]?.stringValue
    }

    @Test func `invented values fill what nobody gave`() throws {
        let bench = try Self.bench()
        let plain = try bench.call("POST", "/destinations/push/t/test")
        #expect(plain.status == 200, "\(plain.json)")
        #expect(
            Self.url(plain)
                == "https://s.example/?e=clickrelay-test&p=1&s=approved&ev=conversion&z=1&w=1&x=1")
        #expect(plain["not_told"] == .null && plain["destination"] == "push/t")
        let given = try bench.call(
            "POST", "/destinations/push/t/test",
            ["status": "pending", "event": "Sale", "payout": "2.50"])
        #expect(
            Self.url(given)
                == "https://s.example/?e=clickrelay-test&p=2.5&s=pending&ev=sale&z=1&w=1&x=1")
        #expect(given["not_told"] == "it asks for status approved")
        let own = try bench.call("POST", "/destinations/campaign:summer/c/test")
        #expect(Self.url(own) == "https://c.example/summer")
        #expect(try bench.call("GET", "/deliveries").items.isEmpty)
        #expect(try bench.call("GET", "/conversions").items.isEmpty)
    }

    @Test func `a click's own values are told`() throws {
        let bench = try Self.bench()
        let click = try bench.click(
            externalID: Array("W8/d".utf8), parameters: [("zone", Array("39".utf8))])
        let seen = try bench.call(
            "POST", "/destinations/push/t/test", ["click_id": .string(bench.text(click))])
        #expect(
            Self.url(seen)
                == "https://s.example/?e=W8%2Fd&p=1&s=approved&ev=conversion&z=39&x=1")
        let without = try bench.click(sequence: 1)
        let refused = try bench.call(
            "POST", "/destinations/push/t/test", ["click_id": .string(bench.text(without))])
        #expect(refused.status == 409, "\(refused.json)")
        #expect(refused["detail"]?.stringValue?.contains("without an external ID") == true)
    }

    @Test func `what can't be is refused by name`() throws {
        let bench = try Self.bench()
        let wrong = try bench.call(
            "POST", "/destinations/push/t/test",
            ["status": "won", "event": "", "payout": "x", "click_id": "y", "evnt": "z"])
        #expect(wrong.status == 422)
        #expect(Set(wrong.fields) == ["status", "event", "payout", "click_id", "evnt"])
        #expect(try bench.call("POST", "/destinations/push/none/test").status == 404)
        #expect(try bench.call("POST", "/destinations/none/t/test").status == 404)
        #expect(try bench.call("POST", "/destinations/campaign:none/t/test").status == 404)
        #expect(try bench.call("GET", "/destinations/push/t/test").status == 405)

        try bench.call(
            "POST", "/sources",
            ["key": "other", "destinations": [["key": "t", "url": "https://o.example/"]]])
        let click = try bench.click()
        let foreign = try bench.call(
            "POST", "/destinations/other/t/test", ["click_id": .string(bench.text(click))])
        #expect(foreign.status == 409, "\(foreign.json)")
        let gone = ClickIdentity(
            rowID: ClickRowID(milliseconds: 1, node: 0, sequence: 0), campaignID: CampaignID(1))
        let unknown = try bench.call(
            "POST", "/destinations/push/t/test", ["click_id": .string(bench.text(gone))])
        #expect(unknown.status == 404)
    }
}

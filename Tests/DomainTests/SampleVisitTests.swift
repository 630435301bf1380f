import Testing

@testable import Domain

/// What a simulation is asked with, and the call that its network is expected to send.
@Suite struct SampleVisitTests {
    @Test func `nothing has to be said`() throws {
        let sample = try SampleVisit(document: [:])
        #expect(sample.query.isEmpty && sample.fields.isEmpty && sample.place.isEmpty)
        #expect(sample.ip?.text == "203.0.113.9")
        #expect(sample.at == nil && sample.clickID == nil && sample.visits == nil)
        #expect(sample.report.status == .approved && sample.report.payoutNanos == nil)
    }

    @Test func `what is said is read`() throws {
        let sample = try SampleVisit(document: [
            "query": "?a=b c", "params": ["d": "é"], "ip": "2001:db8::1", "user_agent": "UA",
            "headers": ["User-Agent": "other", "X": "1"], "host": "GO.example",
            "at": "2026-11-21T20:00:00Z", "visits": 3, "country": "gb", "asn": 7,
            "city": "Köln",
            "conversion": ["payout": .number("12.5"), "event": "Sale", "currency": "EUR"],
        ])
        #expect(String(decoding: sample.query, as: UTF8.self) == "a=b%20c&d=%C3%A9")
        #expect(sample.fields.map(\.name) == ["User-Agent", "X"])
        #expect(sample.fields[0].value == "UA")
        #expect(sample.host?.text == "go.example")
        #expect(sample.at?.rfc3339 == "2026-11-21T20:00:00Z" && sample.visits == 3)
        let place = Place.unknown.with(sample.place)
        #expect(place.country == "GB" && place.asn == 7 && place.city == "Köln")
        #expect(sample.report.event == "sale" && sample.report.payoutNanos == 12_500_000_000)
        #expect(sample.report.currency == Currency("EUR"))
    }

    @Test(
        arguments: [
            (["qery": "x"], "qery"), (["ip": "300.1.1.1"], "ip"),
            (["at": "2025-12-31T23:59:59Z"], "at"),
            (["at": "tomorrow"], "at"), (["at": "2099-01-01T00:00:00Z"], "at"),
            (["click_id": "abc"], "click_id"), (["visits": 0], "visits"),
            (["country": "zz"], "country"),
            (["asn": -1], "asn"), (["asn": 4_294_967_296], "asn"), (["host": "a b"], "host"),
            (["headers": ["X": "a\r\nb"]], "headers.X"), (["headers": ["a b": "x"]], "headers.a b"),
            (["query": .string(String(repeating: "x", count: 16_000))], "query"),
            (["city": "a\u{0}b"], "city"), (["conversion": ["status": "won"]], "conversion.status"),
            (["conversion": ["payout": "1,2,3"]], "conversion.payout"),
            (["conversion": ["currency": "XX"]], "conversion.currency"),
            (["conversion": ["evnt": "x"]], "conversion.evnt"),
            (["conversion": ["event": "\u{200B}\u{7F}"]], "conversion.event"),
            (["conversion": 7], "conversion"),
        ] as [(JSONValue, String)])
    func `what can't be is refused by name`(document: JSONValue, field: String) throws {
        let error = try #require(throws: ValidationError.self) {
            _ = try SampleVisit(document: document)
        }
        #expect(error.errors.map(\.field) == [field])
    }

    @Test func `a recorded click says what the sample doesn't`() throws {
        let source = try Source(document: [
            "key": "push", "external_id_param": "subid", "cost_param": "cost",
        ])
        func campaign(_ cost: JSONValue) throws -> (cost: Cost, source: Source) {
            let campaign = try Campaign(document: [
                "key": "c", "source": "push", "cost": cost,
                "flow": ["paths": [["offers": [["offer": "o"]]]]],
            ])
            return (campaign.cost, source)
        }
        var device = Device()
        device.os = "iOS"
        device.language = "pt-br"
        var place = Place()
        place.country = "DE"
        let past = Click(
            rowID: ClickRowID(milliseconds: 5, node: 0, sequence: 0), campaignID: CampaignID(1),
            externalID: Array("W+8".utf8), cost: Money(nanos: 120_000_000, currency: .usDollar),
            parameters: [Click.Parameter(name: "zone", value: Array("3&9".utf8))],
            ip: IPAddress("192.0.2.1"), userAgent: Array("UA".utf8), referrer: [], path: 1,
            offerVersion: 1, visit: .bot, device: device, place: place, visitNumber: 4)
        let again = try SampleVisit(
            document: [:], recalling: past, of: try campaign(["model": "param"]))
        #expect(String(decoding: again.query, as: UTF8.self) == "subid=W%2B8&cost=0.12&zone=3%269")
        #expect(again.fields.map(\.name) == ["User-Agent", "Accept-Language"])
        #expect(again.fields[1].value == "pt-br" && again.ip == past.ip && again.visits == 4)
        #expect(Place.unknown.with(again.place) == place)
        #expect(again.recalled?.device == device && again.recalled?.visit == .bot)
        #expect(again.recalled?.cost == .some(past.cost))

        let other = try SampleVisit(
            document: [
                "query": "a=b", "ip": "198.51.100.1", "headers": ["user-agent": "X"], "visits": 1,
            ], recalling: past, of: try campaign(["model": "param"]))
        #expect(String(decoding: other.query, as: UTF8.self) == "a=b" && other.visits == 1)
        #expect(other.ip?.text == "198.51.100.1" && other.place.isEmpty)
        #expect(other.fields.map(\.value) == ["X", "pt-br"])
        #expect(other.recalled?.device == nil && other.recalled?.visit == nil)
        #expect(other.recalled?.cost == nil)
        let paid = try SampleVisit(
            document: [:], recalling: past,
            of: try campaign(["model": "cpc", "amount": "0.12"]))
        #expect(String(decoding: paid.query, as: UTF8.self) == "subid=W%2B8&zone=3%269")
        #expect(paid.recalled?.cost == .some(past.cost))
    }

    // MARK: The network's call

    private static let clickID = ClickID(block: 77)

    private static func query(_ network: JSONValue, _ sample: JSONValue = [:]) throws -> String {
        var members = network.objectValue ?? []
        members.append(JSONMember(name: "key", value: "net"))
        let report = try SampleVisit(document: ["conversion": sample]).report
        let query = try Network(document: .object(members))
            .query(reporting: report, of: clickID)
        return String(decoding: query, as: UTF8.self)
    }

    @Test func `the call is in the network's own names, words and units`() throws {
        let id = Self.clickID.text
        #expect(try Self.query([:]) == "cid=\(id)&status=approved&txid=clickrelay-test")
        #expect(
            try Self.query(
                [
                    "parameters": ["cid": ["aff sub"], "txid": ["order"]], "payout_unit": "minor",
                    "status_map": ["1": "approved", "9": "rejected"],
                ], ["payout": "12.505", "event": "Sale & more", "transaction_id": "7/8"])
                == "aff%20sub=\(id)&payout=1250&status=1&event=sale%20%26%20more&order=7%2F8")
        #expect(
            try Self.query(
                ["number_format": "comma"],
                ["payout": "1234.5", "currency": "EUR", "transaction_id": ""])
                == "cid=\(id)&payout=1234%2C5&currency=EUR&status=approved")
        // A word that means something else here, or is not counted here, is not used.
        #expect(
            try Self.query(["status_map": ["approved": "pending"]], ["transaction_id": ""])
                == "cid=\(id)&status=approve")
        #expect(
            try Self.query(
                ["status_map": ["1": "approved"], "ignore_statuses": ["1"]],
                ["transaction_id": ""]) == "cid=\(id)&status=approved")
    }

    @Test(
        arguments: [
            [:], ["payout_unit": "minor", "currency": "JPY"], ["number_format": "comma"],
            ["number_format": "point"],
            ["parameters": ["cid": ["transaction_id"], "payout": ["cid"]]],
            ["status_map": ["x": "chargeback", "y": "approved"], "strict_statuses": true],
        ] as [JSONValue])
    func `our own reading of the call gives the sample back`(network: JSONValue) throws {
        var members = network.objectValue ?? []
        members.append(JSONMember(name: "key", value: "net"))
        let known = try Network(document: .object(members))
        for status in ConversionStatus.allCases {
            var sample = SampleReport()
            sample.status = status
            sample.payoutNanos = 1_234_000_000_000
            sample.event = "deposit"
            let query = known.query(reporting: sample, of: Self.clickID)
            let pairs = query.withUnsafeBytes { QueryParameters(parsing: $0).pairs }
            let report = try PostbackReport(PostbackFields(pairs, of: known), network: known)
            #expect(report.clickID == Self.clickID && report.status == status)
            #expect(report.amount == sample.payoutNanos && report.event == "deposit")
            #expect(report.transactionID == sample.transactionID)
        }
    }
}

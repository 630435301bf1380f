import Clicks
import Domain
import Net
import Store
import TestSupport
import Testing

/// Where visitors go when caps of offers, paths and campaigns are reached.
@Suite struct CapTests {
    private let harness: ClickHarness

    init() throws {
        harness = try ClickHarness()
        try harness.set(offers: ["http://o1.example/?s2={click_id}"])
    }

    private func offer(_ number: Int, caps: JSONValue = .null, overflow: String? = nil) throws {
        try harness.put(offer: [
            "key": "offer\(number)", "network": "net",
            "url": "http://o\(number).example/?s2={click_id}", "traffic_caps": caps,
            "overflow_offer": .string(orNull: overflow),
        ])
    }

    private func campaign(
        _ flow: JSONValue, caps: JSONValue = .null, fallback: String? = "http://else.example/"
    ) throws {
        try harness.put(campaign: [
            "key": "summer", "source": "src", "flow": flow, "traffic_caps": caps,
            "fallback_url": .string(orNull: fallback),
        ])
    }

    private static func path(_ offers: Int..., name: String? = nil, caps: JSONValue = .null)
        -> JSONValue
    {
        [
            "name": .string(orNull: name), "traffic_caps": caps,
            "offers": .array(offers.map { ["offer": "offer\($0)"] }),
        ]
    }

    /// The hosts that so many visitors are sent to, one after another.
    private func visit(_ count: Int) throws -> [String] {
        try (0..<count).map { _ in
            let answer = try harness.get("/c/summer")
            return answer.location.map { String($0.split(separator: "/")[1].prefix { $0 != "." }) }
                ?? "\(answer.status)"
        }
    }

    @Test func `a full offer's visitors go to its overflow, which the click keeps`() throws {
        defer { harness.stop() }
        try offer(2)
        try offer(1, caps: ["clicks_per_day": 2], overflow: "offer2")
        try campaign(["paths": [Self.path(1)]])
        #expect(try visit(2) == ["o1", "o1"])
        let response = try harness.get("/c/summer")
        #expect(response.location?.hasPrefix("http://o2.example/") == true)
        let click = try #require(try harness.click(of: response))
        let catalog = harness.ledger.catalog
        #expect(catalog.offer(ofVersion: click.offerVersion)?.offer.value.key.text == "offer2")
        #expect(click.rule == 0 && click.path == 1)
    }

    @Test func `an overflow may overflow in its turn, and a ring of them ends`() throws {
        defer { harness.stop() }
        for number in [2, 3] { try offer(number) }
        try offer(3, caps: ["clicks_total": 1], overflow: "offer1")
        try offer(2, caps: ["clicks_total": 1], overflow: "offer3")
        try offer(1, caps: ["clicks_total": 1], overflow: "offer2")
        try campaign(["paths": [Self.path(1)]])
        #expect(try visit(5) == ["o1", "o2", "o3", "else", "else"])
    }

    @Test func `an archived overflow is not used, and one that there is not can't be saved`()
        throws
    {
        defer { harness.stop() }
        try offer(2)
        try offer(1, caps: ["clicks_total": 1], overflow: "offer2")
        try campaign(["paths": [Self.path(1)]])
        _ = try harness.perform { transaction throws(StoreError) in
            let key = EntityKey("offer2") ?? .placeholderForTests
            return try transaction.archive(
                key, of: Offer.self, at: Instant(micros: Clock.wallMicros()))
        }
        #expect(try visit(2) == ["o1", "else"])
        // What else is changed of it still can be.
        try offer(1, caps: ["clicks_total": 2], overflow: "offer2")
        #expect(try visit(2) == ["o1", "else"])
        #expect(throws: (any Error).self) { try offer(1, overflow: "offer9") }
    }

    @Test func `without an overflow the path's other offers, then other paths, take them`() throws {
        defer { harness.stop() }
        for number in [2, 3] { try offer(number, caps: ["clicks_total": 1]) }
        try offer(1, caps: ["clicks_total": 1])
        try campaign(["paths": [Self.path(1, 2), Self.path(3)]])
        let hosts = try visit(5)
        #expect(Set(hosts.prefix(3)) == ["o1", "o2", "o3"])
        #expect(hosts.suffix(2) == ["else", "else"])
    }

    @Test func `a rule whose paths are full is passed over`() throws {
        defer { harness.stop() }
        for number in [2, 3] { try offer(number) }
        try campaign([
            "rules": [
                ["paths": [Self.path(1, name: "first", caps: ["clicks_per_day": 1])]],
                ["paths": [Self.path(2, name: "second", caps: ["clicks_total": 2])]],
            ],
            "paths": [Self.path(3)],
        ])
        #expect(try visit(5) == ["o1", "o2", "o2", "o3", "o3"])
    }

    @Test func `a full campaign sends all to its fallback URL, as clicks, or nowhere`() throws {
        defer { harness.stop() }
        try campaign(["paths": [Self.path(1)]], caps: ["clicks_per_day": 2])
        #expect(try visit(4) == ["o1", "o1", "else", "else"])
        try eventually("all four are clicks") { try harness.storedCount() == 4 }
        try campaign(["paths": [Self.path(1)]], caps: ["clicks_per_day": 2], fallback: nil)
        #expect(try visit(2) == ["404", "404"])
        // Paid for, and so recorded.
        try eventually("they are clicks too") { try harness.storedCount() == 6 }
        #expect(try harness.get("/c/summer", method: "HEAD").status == 404)
        let usage = harness.counters.usage(
            of: .campaign(CampaignID(1)), at: Instant(micros: Clock.wallMicros()))
        #expect(usage == CapUsage(clicksToday: 2, clicksTotal: 2))
    }

    @Test func `a change of caps holds for the next visitor, and counts what was before it`()
        throws
    {
        defer { harness.stop() }
        try campaign(["paths": [Self.path(1, name: "main")]])
        #expect(try visit(3) == ["o1", "o1", "o1"])
        func paths(_ caps: JSONValue) -> JSONValue {
            ["paths": [Self.path(1, name: "main", caps: caps)]]
        }
        try campaign(paths(["clicks_per_day": 5]))
        #expect(try visit(3) == ["o1", "o1", "else"])
        try campaign(paths(["clicks_per_day": 6]))
        #expect(try visit(2) == ["o1", "else"])
        // Behind a rule, the path is still the one of that name.
        try campaign([
            "rules": [["paths": [Self.path(1, name: "main", caps: ["clicks_total": 7])]]],
            "paths": [],
        ])
        #expect(try visit(2) == ["o1", "else"])
        try campaign(["paths": [Self.path(1, name: "other", caps: ["clicks_total": 1])]])
        #expect(try visit(2) == ["o1", "else"])
        try campaign(paths(.null), caps: ["clicks_total": 9])
        #expect(try visit(2) == ["o1", "else"])
    }

    @Test func `who only asks takes no room`() throws {
        defer { harness.stop() }
        try campaign(["paths": [Self.path(1)]], caps: ["clicks_total": 1])
        for _ in 0..<3 {
            #expect(try harness.get("/c/summer", method: "HEAD").location?.contains("o1") == true)
        }
        #expect(try visit(2) == ["o1", "else"])
        #expect(
            try harness.get("/c/summer", method: "HEAD").location?.contains("else") == true)
    }

    @Test func `a visitor who is asked to come again leaves its room`() throws {
        var options = ClickStore.Options()
        options.redirectsOnFailure = false
        harness.stop()
        let harness = try ClickHarness(options: options)
        defer { harness.stop() }
        try harness.set(offers: ["http://o1.example/?s2={click_id}"])
        try harness.put(offer: [
            "key": "offer1", "network": "net", "url": "http://o1.example/?s2={click_id}",
            "traffic_caps": ["clicks_total": 1],
        ])
        let clicks = harness.directory.file("clicks")
        try FileMover.hide(clicks)
        try eventually("the failure is told") {
            harness.events.current.contains("clicks_not_stored")
        }
        for _ in 0..<3 { #expect(try harness.get("/c/summer").status == 503) }
        let usage = { harness.counters.usage(of: .offer(OfferID(1)), at: Instant(micros: 0)) }
        try FileMover.bringBack(clicks)
        try eventually("storing works again") {
            harness.events.current.contains("clicks_stored_again")
        }
        #expect(usage()?.clicksTotal == 0)
        #expect(try harness.get("/c/summer").status == 302)
        #expect(usage()?.clicksTotal == 1)
        #expect(try harness.get("/c/summer").status == 404)
    }
}

extension EntityKey {
    fileprivate static var placeholderForTests: EntityKey {
        guard let key = EntityKey("none") else { preconditionFailure("a key") }
        return key
    }
}

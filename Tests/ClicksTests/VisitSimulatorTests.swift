import Clicks
import Crypto
import Domain
import Net
import Store
import TestSupport
import Testing

/// What is told of a visit beforehand is what becomes of it, and telling leaves no trace.
@Suite struct VisitSimulatorTests {
    private let harness: ClickHarness

    init() throws { harness = try ClickHarness() }

    private func simulate(_ document: JSONValue) throws -> SimulatedVisit {
        let catalog = harness.ledger.catalog
        let key = try #require(EntityKey("summer"))
        return try VisitSimulator(
            settings: ClickHandler.Settings(), counters: harness.counters,
            visitors: harness.visitors, clickIDs: harness.keys
        ).simulate(
            try SampleVisit(document: document), try #require(catalog.campaigns[key]), catalog,
            now: Instant(micros: Clock.wallMicros()))
    }

    /// A flow with everything in it that a choice depends on.
    private static let flow: JSONValue = [
        "rules": [
            [
                "when": ["os": "iOS"],
                "paths": [["offers": [["offer": "offer1"], ["offer": "offer2"]]]],
            ],
            [
                "when": ["any": [["param:s1": "a"], ["language": "de"]]],
                "paths": [
                    ["weight": 3, "offers": [["offer": "offer2"], ["offer": "offer3"]]],
                    ["name": "capped", "offers": [["offer": "offer3", "weight": 7]]],
                    ["weight": 5, "enabled": false, "offers": [["offer": "offer1"]]],
                ],
            ],
        ],
        "paths": [["offers": [["offer": "offer1"]]]],
    ]

    private func set(_ more: [(String, JSONValue)] = []) throws {
        try harness.set(
            offers: [
                "https://o1.example/?s2={click_id}&c={cost}&z={var1}&k={country}",
                "https://o2.example/{campaign}?s2={click_id}&e={external_id}&os={os}&r={random}",
                "https://o3.example/?s2={click_id}&ua={user_agent}&t={timestamp_ms}#{referrer}",
            ])
        let members: [(String, JSONValue)] = [
            ("key", "summer"), ("source", "src"), ("cost", ["model": "param"]),
            ("flow", Self.flow), ("pass_params", "all"),
        ]
        let kept = members.filter { member in !more.contains { $0.0 == member.0 } }
        try harness.put(
            campaign: .object((kept + more).map { JSONMember(name: $0.0, value: $0.1) }))
    }

    private static let agents = [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
        "Googlebot/2.1 (+http://www.google.com/bot.html)", "",
    ]
    private static let queries = [
        "subid=W8d%2B&cost=0.12&zone=39&s1=a", "s1=a&s1=b&x=%00%0a%22", "", "cost=x&subid=&s1=b",
    ]

    @Test(arguments: ["302", "303", "307", "meta", "double_meta", "js"])
    func `the click, its way and its answer are as they were told`(mode: String) throws {
        defer { harness.stop() }
        try set([("redirect", .string(mode)), ("referrer_policy", "origin")])
        for agent in Self.agents {
            for query in Self.queries {
                for language in ["de-AT,de;q=0.9", "fr"] {
                    let fields: HTTPFields = [
                        "User-Agent": agent, "Accept-Language": language,
                        "Referer": "https://news.example/a?b",
                    ]
                    let real = try harness.get("/c/summer?\(query)", fields: fields)
                    let text = real.location ?? real.text
                    let mark = try #require(text.firstRange(of: "s2="), "\(real.status) \(text)")
                    let clickID = String(text[mark.upperBound...].prefix(26))
                    let told = try simulate([
                        "query": .string(query), "user_agent": .string(agent),
                        "language": .string(language), "referrer": "https://news.example/a?b",
                        "ip": "127.0.0.1", "click_id": .string(clickID),
                    ])
                    #expect(told.clickID.text == clickID)
                    #expect(told.answer.status == real.status && told.answer.body == real.text)
                    for (name, value) in told.answer.headers {
                        #expect(real.fields[name] == value, "\(name)")
                    }
                    let identity = try #require(harness.keys.open(told.clickID))
                    let stored = try eventually("the click is stored") {
                        try ClickReader(DataDirectory(path: harness.directory.path))
                            .click(identity.rowID)
                    }
                    #expect(told.click == stored)
                    #expect(told.isRecorded)
                }
            }
        }
    }

    @Test func `telling leaves no trace`() throws {
        defer { harness.stop() }
        try set([("traffic_caps", ["clicks_total": 10]), ("rotation", "sticky")])
        let campaign = try #require(harness.ledger.catalog.campaigns.all.first)
        for number in 0..<50 {
            let told = try simulate(["query": "s1=a", "ip": .string("203.0.113.\(number)")])
            #expect(told.caps.first?.usage.clicksTotal == 0 && told.caps.first?.isOpen == true)
            #expect(told.click.visitNumber == 1)
        }
        #expect(
            harness.counters.usage(of: .campaign(campaign.id), at: Instant(micros: 0))?.clicksTotal
                == 0)
        #expect(harness.visitors.count == 0)
        #expect(try harness.storedCount() == 0)
        // The next row ID is that of its own millisecond, not one after fifty.
        let response = try harness.get("/c/summer?s1=a")
        let clickID = try #require(response.locationParameter("s2").flatMap { ClickID($0) })
        #expect(harness.keys.open(clickID)?.rowID.sequence == 0)
    }

    @Test func `caps that are full are told with what takes their place`() throws {
        defer { harness.stop() }
        try set()
        try harness.put(offer: [
            "key": "offer1", "network": "net", "url": "https://o1.example/?s2={click_id}",
            "traffic_caps": ["clicks_total": 1], "overflow_offer": "offer2",
        ])
        guard case .path(let open) = try simulate([:]).end else { throw TestFailure("no path") }
        #expect(open.offer.text == "offer1" && open.overflowOf == nil)
        _ = try harness.get("/c/summer", fields: ["User-Agent": "Mozilla/5.0"])
        let told = try simulate([:])
        guard case .path(let full) = told.end else { throw TestFailure("no path") }
        #expect(full.offer.text == "offer2" && full.overflowOf?.text == "offer1")
        let cap = try #require(told.caps.first)
        #expect(!cap.isOpen && cap.usage.clicksTotal == 1)
        let real = try harness.get("/c/summer", fields: ["User-Agent": "Mozilla/5.0"])
        #expect(real.location?.hasPrefix("https://o2.example/summer?s2=") == true)

        // Without an overflow nothing is left but the fallback URL, or nothing at all.
        try harness.put(offer: [
            "key": "offer1", "network": "net", "url": "https://o1.example/?s2={click_id}",
            "traffic_caps": ["clicks_total": 1],
        ])
        let nowhere = try simulate([:])
        guard case .nowhere = nowhere.end else { throw TestFailure("\(nowhere.end)") }
        #expect(nowhere.answer.status == 404 && nowhere.isRecorded && nowhere.addresses.isEmpty)
        let refused = try harness.get("/c/summer", fields: ["User-Agent": "Mozilla/5.0"])
        #expect(refused.status == 404 && refused.text == nowhere.answer.body)
        try set([("fallback_url", "https://else.example/?z={var1}&c={click_id}")])
        try harness.put(offer: [
            "key": "offer1", "network": "net", "url": "https://o1.example/?s2={click_id}",
            "traffic_caps": ["clicks_total": 1],
        ])
        let fallback = try simulate(["query": "zone=7"])
        guard case .fallback(.campaign, _) = fallback.end else { throw TestFailure("no fallback") }
        #expect(fallback.addresses.first?.url.hasPrefix("https://else.example/?z=7&c=") == true)
        #expect(fallback.click.rule == Decision.fallbackRule && fallback.isRecorded)
    }

    @Test func `behind a lander every offer's address is told`() throws {
        defer { harness.stop() }
        try set()
        let lander = try Lander(document: [
            "key": "quiz", "url": "https://lp.example/?c={click_id}&l={lander_id}&v={var9}",
        ])
        _ = try harness.perform { tx throws(StoreError) in
            try tx.put(lander, at: Instant(micros: Clock.wallMicros()))
        }
        try harness.put(campaign: [
            "key": "summer", "source": "src", "pass_params": ["zone"],
            "flow": [
                "paths": [
                    [
                        "landers": [["lander": "quiz"]],
                        "offers": [["offer": "offer1"], ["offer": "offer3"]],
                    ]
                ]
            ],
        ])
        let fields: HTTPFields = ["User-Agent": Self.agents[0]]
        let real = try harness.get("/c/summer?zone=39&subid=E", fields: fields)
        let clickID = try #require(real.locationParameter("c"))
        let told = try simulate([
            "query": "zone=39&subid=E", "user_agent": .string(Self.agents[0]), "ip": "127.0.0.1",
            "click_id": .string(clickID),
        ])
        #expect(told.addresses.map(\.number) == [nil, 1, 2])
        #expect(told.addresses[0].url == real.location)
        #expect(told.addresses[0].emptyTokens == ["{var9}"])
        #expect(told.addresses[1].emptyTokens == ["{cost}", "{country}"])
        #expect(told.addresses[2].emptyTokens == ["{referrer}"])
        for number in 1...2 {
            let onward = try harness.get("/o/\(number)?cid=\(clickID)", fields: fields)
            #expect(onward.location == told.addresses[number].url)
        }
    }

    @Test func `who comes again is told as remembered, or as said`() throws {
        defer { harness.stop() }
        try set([
            ("uniqueness", ["scope": "campaign"]),
            (
                "flow",
                [
                    "rules": [
                        [
                            "when": ["click_number": ["range": [3, nil]]],
                            "paths": [["offers": [["offer": "offer3"]]]],
                        ],
                        ["when": ["unique": false], "paths": [["offers": [["offer": "offer2"]]]]],
                    ],
                    "paths": [["offers": [["offer": "offer1"]]]],
                ]
            ),
        ])
        let sample: JSONValue = ["ip": "127.0.0.1", "user_agent": .string(Self.agents[1])]
        func offer(_ visits: Int? = nil) throws -> String {
            var members = sample.objectValue ?? []
            if let visits { members.append(JSONMember(name: "visits", value: .integer(visits))) }
            guard case .path(let end) = try simulate(.object(members)).end else { return "" }
            return end.offer.text
        }
        for number in 1...3 {
            #expect(try offer() == "offer\(number)")
            let real = try harness.get("/c/summer", fields: ["User-Agent": Self.agents[1]])
            #expect(real.location?.hasPrefix("https://o\(number).example/") == true)
        }
        #expect(try offer(1) == "offer1")
        #expect(try offer(2) == "offer2")
        #expect(try offer(99) == "offer3")
    }

    @Test func `places can be said instead of looked up`() throws {
        defer { harness.stop() }
        try set([
            (
                "flow",
                [
                    "rules": [
                        [
                            "when": ["country": ["DE", "AT"]],
                            "paths": [["offers": [["offer": "offer1"]]]],
                        ]
                    ], "paths": [["offers": [["offer": "offer2"]]]],
                ]
            )
        ])
        let unknown = try simulate([:])
        #expect(unknown.routing.rules[0].failures[0].isUnknown)
        let told = try simulate(["country": "at", "city": "Graz"])
        #expect(told.routing.decision?.rule == 1 && told.place.city == "Graz")
        #expect(told.addresses[0].url.contains("&k=AT"))
        #expect(try simulate(["country": "US"]).routing.rules[0].failures[0].value == "US")
    }

    @Test func `click IDs of others and requests that can't be are refused`() throws {
        defer { harness.stop() }
        try set()
        let other = harness.keys.seal(
            ClickIdentity(
                rowID: ClickRowID(milliseconds: 1, node: 0, sequence: 0),
                campaignID: CampaignID(99)))
        for (document, field) in [
            (["click_id": .string(other.text)], "click_id"),
            (["click_id": .string(ClickID(block: 3).text)], "click_id"),
            (["headers": ["Host": "x", "Content-Length": "5"]], "query"),
        ] as [(JSONValue, String)] {
            do {
                _ = try simulate(document)
                Issue.record("\(document) was taken")
            } catch StoreError.invalid(let error) {
                #expect(error.errors.map(\.field) == [field], "\(error)")
            }
        }
    }
}

import Foundation
import TestSupport
import Testing

/// Visitors that come again, as their campaigns know them.
@Suite struct UniquenessTests {
    private static let offers: [JSON] = (1...8).map { number in
        [
            "key": .string("o\(number)"), "network": "net",
            "url": .string("https://o\(number).example/?s2={click_id}"),
        ]
    }

    private static func path(_ keys: [String]) -> JSON {
        ["offers": .array(keys.map { ["offer": .string($0)] })]
    }

    private static let allOffers = path((1...8).map { "o\($0)" })

    private static func chain(_ change: (inout Chain.Setup) -> Void) throws -> Chain {
        try Chain.start {
            $0.moreOffers = offers
            $0.campaign["flow"] = ["paths": [allOffers]]
            change(&$0)
        }
    }

    /// A visitor with a browser, whose address is the test's own.
    private struct Visitor {
        let chain: Chain
        var agent: String
        var cookie: String?

        init(_ chain: Chain, _ agent: String = "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0") {
            self.chain = chain
            self.agent = agent
        }

        /// - Returns: where it was sent: `o3`.
        mutating func come(_ campaign: String = "summer", takesCookie: Bool = true) throws
            -> String
        {
            var fields: HTTPFields = ["User-Agent": agent]
            if let cookie { fields.all.append(("Cookie", cookie)) }
            let answer = try chain.tracker.get("/c/\(campaign)", fields: fields)
            let set = answer.fields.values(of: "set-cookie").first { $0.hasPrefix("cr_visitor=") }
            if takesCookie, let set { cookie = String(set.prefix { $0 != ";" }) }
            let location = try Chain.visit(answer).location
            return String(location.dropFirst("https://".count).prefix { $0 != "." })
        }
    }

    @Test func `rules tell the first click from later ones, by cookie or by address and browser`()
        throws
    {
        let chain = try Self.chain {
            $0.campaign["flow"] = [
                "rules": [
                    ["when": ["unique": true], "paths": [Self.path(["o1"])]],
                    ["when": ["click_number": ["range": [2, 3]]], "paths": [Self.path(["o2"])]],
                ],
                "paths": [Self.path(["o3"])],
            ]
        }
        var first = Visitor(chain)
        #expect(try (1...4).map { _ in try first.come() } == ["o1", "o2", "o2", "o3"])
        // The cookie is who it was, in another browser version too.
        first.agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0"
        #expect(try first.come() == "o3")
        // Without cookies address and browser tell.
        var other = Visitor(chain, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)")
        #expect(
            try (1...3).map { _ in try other.come(takesCookie: false) } == ["o1", "o2", "o2"])
        // Whoever is no visitor is neither first nor counted.
        var bot = Visitor(chain, "Mozilla/5.0 (compatible; Googlebot/2.1)")
        #expect(try bot.come() == "o3")
        #expect(bot.cookie == nil)
        // Asking is not coming.
        let fields: HTTPFields = ["User-Agent": "Mozilla/5.0 (Macintosh)"]
        let head = try chain.tracker.head("/c/summer", fields: fields)
        #expect(head.location?.hasPrefix("https://o1.example/") == true)
        #expect(
            try chain.tracker.get("/c/summer", fields: fields).location?
                .hasPrefix("https://o1.example/") == true)
    }

    @Test func `the cookie has the attributes of a first-party one, and is set where it is of use`()
        throws
    {
        let chain = try Self.chain { $0.campaign["rotation"] = "sticky" }
        let answer = try chain.tracker.get("/c/summer")
        let cookie = try #require(
            answer.fields.values(of: "set-cookie").first { $0.hasPrefix("cr_visitor=") })
        let value = cookie.dropFirst("cr_visitor=".count).prefix { $0 != ";" }
        #expect(value.utf8.count == 16 && value.allSatisfy(\.isHexDigit))
        #expect(
            cookie.dropFirst("cr_visitor=".count + 16)
                == "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")
        try chain.tracker.call("PATCH", "/campaigns/summer", ["rotation": "random"])
        let plain = try chain.tracker.get("/c/summer")
        #expect(plain.fields.values(of: "set-cookie").allSatisfy { !$0.hasPrefix("cr_visitor=") })
        // Any other text is no visitor: it is known by address and browser, and told so.
        try chain.tracker.call("PATCH", "/campaigns/summer", ["uniqueness": [:]])
        for forged in ["", "x", "0123456789abcdeg", "0123456789ABCDEF"] {
            let answer = try chain.tracker.get(
                "/c/summer", fields: ["Cookie": "a=b; cr_visitor=\(forged)"])
            #expect(
                answer.fields.values(of: "set-cookie").contains {
                    $0.hasPrefix("cr_visitor=\(value);")
                })
        }
        let own = try chain.tracker.get(
            "/c/summer", fields: ["Cookie": "a=b;cr_visitor=0123456789abcdef; c=d"])
        #expect(
            own.fields.values(of: "set-cookie").contains {
                $0.hasPrefix("cr_visitor=0123456789abcdef;")
            })
    }

    @Test func `sticky visitors see the same again, over a restart too, until it is gone`() throws {
        let chain = try Self.chain { $0.campaign["rotation"] = "sticky" }
        var visitors = (1...6).map { Visitor(chain, "Mozilla/5.0 (X11; Linux) agent\($0)") }
        var seen: [String] = []
        for index in visitors.indices { seen.append(try visitors[index].come()) }
        #expect(Set(seen).count > 1)
        func comeAgain() throws -> [String] {
            var again: [String] = []
            for index in visitors.indices { again.append(try visitors[index].come()) }
            return again
        }
        for _ in 1...3 { #expect(try comeAgain() == seen) }
        try chain.tracker.kill()
        try chain.tracker.restart()
        // They are read back in the background.
        try eventually("visitors are known again") {
            try zip(visitors, seen).allSatisfy { visitor, offer in
                let answer = try chain.tracker.head(
                    "/c/summer",
                    fields: ["User-Agent": visitor.agent, "Cookie": visitor.cookie ?? ""])
                return answer.location?.hasPrefix("https://\(offer).") == true
            }
        }
        #expect(try comeAgain() == seen)
        // An offer that is taken out of the path is seen no more.
        let left = (1...8).map { "o\($0)" }.filter { $0 != seen[0] }
        try chain.tracker.call(
            "PATCH", "/campaigns/summer", ["flow": ["paths": [Self.path(left)]]])
        let after = try comeAgain()
        #expect(!after.contains(seen[0]))
        for (before, now) in zip(seen, after) where before != seen[0] { #expect(before == now) }
        #expect(try comeAgain() == after)
    }

    @Test func `a day that can't be read takes no other day's visitors along`() throws {
        let chain = try Self.chain {
            $0.campaign["uniqueness"] = ["window_hours": 168]
            $0.campaign["flow"] = [
                "rules": [["when": ["unique": true], "paths": [Self.path(["o1"])]]],
                "paths": [Self.path(["o3"])],
            ]
        }
        var visitor = Visitor(chain)
        #expect(try [visitor.come(), visitor.come()] == ["o1", "o3"])
        try chain.tracker.kill()
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withFullDate]
        let before = format.string(from: Date(timeIntervalSinceNow: -2 * 86_400))
        _ = try chain.tracker.directory.write(
            String(repeating: "x", count: 8192), to: "data/clicks/\(before).db")
        try chain.tracker.restart()
        try eventually("the visitor is known again; \(chain.tracker.errorText)") {
            let answer = try chain.tracker.head(
                "/c/summer",
                fields: ["User-Agent": visitor.agent, "Cookie": visitor.cookie ?? ""])
            return answer.location?.hasPrefix("https://o3.") == true
        }
        // Written by a thread of its own, after the fact.
        try eventually("the log says so") {
            chain.tracker.errorText.contains("those of \(before): ")
        }
    }

    @Test func `unseen offers come first, and when all were seen any of them`() throws {
        let chain = try Self.chain { $0.campaign["rotation"] = "unseen" }
        var visitor = Visitor(chain)
        let first = try (1...8).map { _ in try visitor.come() }
        #expect(Set(first) == Set((1...8).map { "o\($0)" }))
        #expect(try Self.offers.compactMap { $0["key"].string }.contains(visitor.come()))
    }

    @Test(arguments: [("campaign", "o1", "o1"), ("flow", "o1", "o2"), ("everywhere", "o2", "o2")])
    func `a visitor is new to a campaign, a shared flow or the tracker`(
        scope: String, ofOwn: String, ofShared: String
    ) throws {
        let flow: JSON = [
            "rules": [["when": ["unique": true], "paths": [Self.path(["o1"])]]],
            "paths": [Self.path(["o2"])],
        ]
        let uniqueness: JSON = ["scope": .string(scope), "window_hours": 1]
        let chain = try Self.chain {
            $0.campaign["flow"] = flow
            $0.campaign["uniqueness"] = uniqueness
        }
        var shared = flow
        shared["key"] = "main"
        try chain.tracker.call("POST", "/flows", shared)
        for key in ["winter", "autumn"] {
            try chain.tracker.call(
                "POST", "/campaigns",
                [
                    "key": .string(key), "source": "push", "flow": "main",
                    "uniqueness": uniqueness,
                ])
        }
        var visitor = Visitor(chain)
        #expect(try visitor.come() == "o1")
        #expect(try visitor.come() == "o2")
        #expect(try visitor.come("winter") == ofOwn)
        #expect(try visitor.come("winter") == "o2")
        #expect(try visitor.come("autumn") == ofShared)
    }

    @Test func `a click keeps its number, and none where nobody asks`() throws {
        let chain = try Self.chain { $0.campaign["uniqueness"] = ["window_hours": 720] }
        for number in 1...3 {
            let journey = try chain.journey(try chain.visit().clickID)
            #expect(journey["click_number"].int == number)
        }
        try chain.tracker.call("PATCH", "/campaigns/summer", ["uniqueness": .null])
        #expect(try chain.journey(try chain.visit().clickID)["click_number"].isNull)
        let shown = try chain.tracker.call("GET", "/campaigns/summer")
        #expect(shown["uniqueness"].isNull && shown["rotation"] == "random")
    }

    @Test func `an overflow is where its visitors were, and what they have seen`() throws {
        let chain = try Self.chain {
            $0.campaign["flow"] = ["paths": [Self.path(["o1", "o3"])]]
            $0.campaign["rotation"] = "unseen"
        }
        try chain.tracker.call(
            "PATCH", "/offers/o1", ["traffic_caps": ["clicks_total": 0], "overflow_offer": "o2"])
        var visitor = Visitor(chain)
        #expect(try Set((1...2).map { _ in try visitor.come() }) == ["o2", "o3"])
        try chain.tracker.call("PATCH", "/campaigns/summer", ["rotation": "sticky"])
        let place = try visitor.come()
        for _ in 1...5 { #expect(try visitor.come() == place) }
        // Somebody for each of both.
        var places: Set<String> = []
        for number in 1...20 {
            var other = Visitor(chain, "Mozilla/5.0 (X11; Linux) agent\(number)")
            let first = try other.come()
            places.insert(first)
            #expect(try (1...3).allSatisfy { _ in try other.come() == first })
        }
        #expect(places == ["o2", "o3"])
    }

    @Test func `campaigns of one scope with other windows don't end each other's`() throws {
        let chain = try Self.chain {
            $0.campaign["uniqueness"] = ["scope": "everywhere", "window_hours": 1]
        }
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": "winter", "source": "push",
                "flow": [
                    "rules": [["when": ["unique": true], "paths": [Self.path(["o1"])]]],
                    "paths": [Self.path(["o2"])],
                ],
                "uniqueness": ["scope": "everywhere", "window_hours": 720],
            ])
        var visitor = Visitor(chain)
        #expect(try visitor.come("winter") == "o1")
        _ = try visitor.come()
        #expect(try visitor.come("winter") == "o2")
        #expect(try chain.journey(try chain.visit().clickID)["click_number"] == 1)
    }

    @Test func `where no address is kept the cookie alone tells who comes again`() throws {
        let chain = try Self.chain {
            $0.options.environment["CLICKRELAY_IP_POLICY"] = "none"
            $0.campaign["uniqueness"] = [:]
        }
        for _ in 1...3 {
            #expect(try chain.journey(try chain.visit().clickID)["click_number"] == 1)
        }
        let answer = try chain.tracker.get("/c/summer")
        let cookie = try #require(
            answer.fields.values(of: "set-cookie").first { $0.hasPrefix("cr_visitor=") })
        let again = try Chain.visit(
            chain.tracker.get(
                "/c/summer", fields: ["Cookie": String(cookie.prefix { $0 != ";" })]))
        #expect(try chain.journey(again.clickID)["click_number"] == 2)
    }

    @Test func `a full offer is nobody's, not even of those that saw it`() throws {
        let chain = try Self.chain {
            $0.moreOffers[0]["traffic_caps"] = ["clicks_total": 2]
            $0.campaign["rotation"] = "sticky"
            $0.campaign["flow"] = [
                "rules": [["when": ["var1": "7"], "paths": [Self.path(["o1"])]]],
                "paths": [Self.path(["o2"])],
            ]
        }
        let places = try (1...3).map { _ in
            try chain.visit("zone=7").location.prefix("https://o1".count)
        }
        #expect(places == ["https://o1", "https://o1", "https://o2"])
    }

    @Test(
        arguments: [
            (["scope": "planet"], "uniqueness.scope"),
            (["window_hours": 0], "uniqueness.window_hours"),
            (["window_hours": 721], "uniqueness.window_hours"),
            (["window": 1], "uniqueness.window"), ("campaign", "uniqueness"),
        ] as [(JSON, String)])
    func `what can't be asked of uniqueness is refused by name`(value: JSON, field: String) throws {
        let chain = try Self.chain { _ in }
        let answer = try chain.tracker.api(
            "PATCH", "/campaigns/summer", ["uniqueness": value, "rotation": "never"])
        #expect(answer.status == 422)
        let fields = try answer.json["errors"].array.compactMap { $0["field"].string }
        #expect(Set(fields) == [field, "rotation"])
    }
}

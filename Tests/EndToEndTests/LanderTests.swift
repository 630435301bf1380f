import Foundation
import TestSupport
import Testing

/// Visitors who come to a lander first and press its button.
@Suite struct LanderTests {
    /// A campaign whose path has a lander and the offers `fit` (by weight the only choice),
    /// `premium` and `third`, the last of another network.
    static func chain(
        _ change: (inout Chain.Setup) -> Void = { _ in }, campaign: JSON = [:]
    ) throws -> Chain {
        let chain = try Chain.start { setup in
            setup.moreOffers = [offer("premium")]
            change(&setup)
        }
        try chain.tracker.call(
            "POST", "/networks", ["key": "other", "click_id_param": "sub", "currency": "EUR"])
        try chain.tracker.call(
            "POST", "/offers",
            ["key": "third", "network": "other", "url": "https://third.example/"])
        try chain.tracker.call(
            "POST", "/landers",
            ["key": "quiz", "url": "https://lp.example/?cid={click_id}&z={var1}"])
        var patch = campaign
        if patch["flow"].isNull { patch["flow"] = flow }
        try chain.tracker.call("PATCH", "/campaigns/summer", patch)
        return chain
    }

    private static func offer(_ key: String) -> JSON {
        [
            "key": .string(key), "network": "net",
            "url": .string(
                "https://\(key).example/?s2={click_id}&e={external_id}&z={var1}&l={lander_id}"),
        ]
    }

    private static let flow: JSON = [
        "paths": [
            [
                "landers": [["lander": "quiz"]],
                "offers": [
                    ["offer": "fit", "weight": 100], ["offer": "premium", "weight": 0],
                    ["offer": "third", "weight": 0],
                ],
            ]
        ]
    ]

    /// The click ID that the lander's URL carries.
    private func visit(_ chain: Chain, _ query: String = "subid=W8d&zone=39485") throws -> String {
        try chain.visit(query, idParameter: "cid").clickID
    }

    private func location(_ chain: Chain, _ target: String, fields: HTTPFields = [:]) throws
        -> String
    {
        let response = try chain.tracker.get(target, fields: fields)
        guard response.status == 302, let location = response.location else {
            throw TestFailure("\(target): \(response.status) \(response.text)")
        }
        return location
    }

    @Test
    func `a lander click is on disk before its visitor goes on, and its conversion is its offer's`()
        throws
    {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        let location = try location(chain, "/o/2?cid=\(clickID)")
        #expect(
            location == "https://premium.example/?s2=\(clickID)&e=W8d&z=39485&l=1")
        try chain.tracker.kill()
        try chain.tracker.restart()
        var journey = try chain.journey(clickID)
        #expect(journey["lander"] == "quiz" && journey["offer"] == "fit")
        let landerClicks = journey["lander_clicks"].array
        #expect(landerClicks.count == 1 && landerClicks[0]["number"] == 2)
        #expect(landerClicks[0]["offer"] == "premium")
        #expect(landerClicks[0]["location"].string == location)
        #expect(try seconds(from: journey["at"], to: landerClicks[0]["at"]) >= 0)
        #expect(try chain.network.call("cid=\(clickID)&payout=5").verdict == "accepted")
        journey = try chain.journey(clickID)
        #expect(journey["conversions"][0]["offer"] == "premium")
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1 && row["lander_views"] == 1 && row["lander_clicks"] == 1)
        #expect(row["lander_ctr"] == "1.000000")
        let trace = try chain.tracker.command("trace", clickID)
        #expect(trace.output.contains("lander click 2"), "\(trace.output)")
        #expect(trace.output.contains("→ \(location)"))
        #expect(try chain.tracker.command("check").exitCode == 0)
    }

    @Test func `offers are numbered from 1, and any is the one that was chosen`() throws {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        let fit = "https://offer.example/land?s2=\(clickID)"
        // A number that the path doesn't have: the visitor shall arrive.
        for target in ["/o", "/o/", "/o/1", "/o/any", "/o/any", "/o/4", "/o/100"] {
            #expect(try location(chain, "\(target)?cid=\(clickID)") == fit, "\(target)")
        }
        #expect(
            try location(chain, "/o/3?click_id=\(clickID.uppercased())")
                == "https://third.example/?sub=\(clickID)")
        for target in ["/o/0", "/o/101", "/o/-1", "/o/2x", "/o/1/2", "/o/Any"] {
            #expect(try chain.tracker.get("\(target)?cid=\(clickID)").status == 404, "\(target)")
        }
        #expect(try chain.tracker.post("/o/1?cid=\(clickID)", form: "").status == 405)
        #expect(try chain.tracker.get("/offers?cid=\(clickID)").status == 404)
        let numbers = try chain.journey(clickID)["lander_clicks"].array.map(\.["number"])
        #expect(numbers == [1, 1, 1, "any", "any", 4, 100, 3])
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["lander_views"] == 1 && row["lander_clicks"] == 8 && row["lander_passed"] == 1)
    }

    @Test func `the last place of an offer is given to who comes by its number`() throws {
        let flow: JSON = ["paths": [["offers": [["offer": "premium"], ["offer": "third"]]]]]
        let chain = try Self.chain(
            {
                $0.moreOffers[0]["traffic_caps"] = ["clicks_total": 3]
                $0.moreOffers[0]["overflow_offer"] = "fit"
            }, campaign: ["flow": flow])
        let hosts = try (1...5).map { _ in
            String(try location(chain, "/o/1?campaign=summer").dropFirst(8).prefix { $0 != "." })
        }
        #expect(hosts == ["premium", "premium", "premium", "offer", "offer"])
        let used = try chain.tracker.call("GET", "/offers/premium")["traffic_caps_used"]
        #expect(used["clicks_total"] == 3)
    }

    @Test func `who comes to a lander that was loaded ahead counts when it goes on`() throws {
        let chain = try Self.chain()
        let ahead = try Chain.visit(
            chain.tracker.get("/c/summer", fields: ["Sec-Purpose": "prefetch"]), "cid")
        #expect(
            try location(chain, "/o/2?cid=\(ahead.clickID)").hasPrefix("https://premium.example/"))
        #expect(
            try chain.network.call("cid=\(ahead.clickID)&payout=5").verdict == "accepted")
        let journey = try chain.journey(ahead.clickID)
        #expect(journey["lander_clicks"].array.count == 1)
        #expect(journey["conversions"][0]["offer"] == "premium")
    }

    @Test func `a sample's link leads on and leaves nothing behind`() throws {
        let chain = try Self.chain()
        let sample = try chain.tracker.call("POST", "/campaigns/summer/simulate", [:])
        let lander = try #require(sample["answer"]["headers"]["Location"].string)
        let clickID = try #require(URLQuery(ofTarget: lander)["cid"], "\(lander)")
        _ = try location(chain, "/o/1?cid=\(clickID)")
        #expect(try chain.tracker.command("check").exitCode == 0)
        let rows = try chain.tracker.call("GET", "/report?group=campaign")["rows"].array
        #expect(rows.allSatisfy { $0["lander_clicks"] == 0 })
    }

    @Test func `whoever is no visitor follows a lander's link and counts nowhere`() throws {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        let crawler: HTTPFields = [
            "User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/bot.html)"
        ]
        let fit = "https://offer.example/land?s2=\(clickID)"
        #expect(try location(chain, "/o?cid=\(clickID)", fields: crawler) == fit)
        let bot = try Chain.visit(chain.tracker.get("/c/summer", fields: crawler), "cid").clickID
        _ = try location(chain, "/o?cid=\(bot)")
        _ = try location(chain, "/o?campaign=summer", fields: crawler)
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1 && row["lander_views"] == 1 && row["lander_clicks"] == 0)
        #expect(try chain.journey(clickID)["lander_clicks"].array.isEmpty)
        #expect(try location(chain, "/o?cid=\(clickID)") == fit)
        #expect(try chain.journey(clickID)["lander_clicks"].array.count == 1)
    }

    @Test func `a full offer's visitors go to its overflow behind a lander too`() throws {
        let flow: JSON = [
            "paths": [
                [
                    "landers": [["lander": "quiz"]],
                    "offers": [["offer": "premium"], ["offer": "third", "weight": 0]],
                ]
            ]
        ]
        let chain = try Self.chain(
            {
                $0.moreOffers[0]["traffic_caps"] = ["clicks_total": 1]
                $0.moreOffers[0]["overflow_offer"] = "fit"
            }, campaign: ["flow": flow])
        var hosts: [String] = []
        for _ in 1...3 {
            let clickID = try visit(chain)
            for target in ["/o", "/o/any", "/o/1"] {
                let location = try location(chain, "\(target)?cid=\(clickID)")
                hosts.append(String(location.dropFirst("https://".count).prefix { $0 != "." }))
            }
        }
        #expect(
            hosts == Array(repeating: "premium", count: 3) + Array(repeating: "offer", count: 6))
        // The button of another offer that is full leads to the click's own.
        try chain.tracker.call("PATCH", "/offers/third", ["traffic_caps": ["clicks_total": 0]])
        let clickID = try visit(chain)
        #expect(try location(chain, "/o/2?cid=\(clickID)").hasPrefix("https://offer.example/"))
        try chain.tracker.call("PATCH", "/offers/third", ["traffic_caps": ["clicks_total": 9]])
        #expect(try location(chain, "/o/2?cid=\(clickID)").hasPrefix("https://third.example/"))
    }

    @Test func `HEAD tells where a link leads and records nothing`() throws {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        let head = try chain.tracker.head("/o/2?cid=\(clickID)")
        #expect(head.location?.hasPrefix("https://premium.example/?s2=\(clickID)") == true)
        #expect(try chain.journey(clickID)["lander_clicks"] == [])
    }

    @Test func `the cookie names the click where the link does not`() throws {
        for (publicURL, attributes) in [
            ("https://track.example", ["Path=/", "HttpOnly", "Secure", "SameSite=None"]),
            ("http://track.example", ["Path=/", "HttpOnly", "SameSite=Lax"]),
        ] {
            let chain = try Self.chain {
                $0.options.environment = ["CLICKRELAY_PUBLIC_URL": publicURL]
            }
            let response = try chain.tracker.get("/c/summer?zone=1")
            let clickID = try #require(response.locationParameter("cid"))
            let parts = try #require(response.fields["set-cookie"]).split(separator: ";")
                .map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(parts[0] == "cr_click=\(clickID)")
            #expect(Set(parts.dropFirst().filter { !$0.hasPrefix("Max-Age=") }) == Set(attributes))
            let cookie: HTTPFields = ["Cookie": "a=b; cr_click=\(clickID)"]
            // A click ID of another tracker, or of nobody, is none.
            for query in [
                "", "?cid=", "?cid={click_id}", "?cid=\(String(repeating: "7", count: 26))",
            ] {
                let location = try location(chain, "/o/2\(query)", fields: cookie)
                #expect(location.hasPrefix("https://premium.example/?s2=\(clickID)"))
            }
            // The link's own goes first: the visitor may have come again since.
            let other = try visit(chain, "zone=2")
            #expect(
                try location(chain, "/o/2?cid=\(other)", fields: cookie)
                    .hasPrefix("https://premium.example/?s2=\(other)"))
            #expect(try chain.journey(clickID)["lander_clicks"].array.count == 4)
        }
    }

    @Test
    func `without a click the link's campaign takes the visitor, and else nothing is made up`()
        throws
    {
        let chain = try Self.chain()
        let location = try location(
            chain, "/o/2?campaign=summer&subid=E1&zone=5&cid=\(String(repeating: "0", count: 26))")
        let clickID = try #require(URLQuery(ofTarget: location)["s2"])
        #expect(location == "https://premium.example/?s2=\(clickID)&e=E1&z=5&l=1")
        let journey = try chain.journey(clickID)
        #expect(journey["offer"] == "premium" && journey["external_id"] == "E1")
        #expect(journey["lander_clicks"][0]["offer"] == "premium")
        for query in [
            "", "?cid=x", "?campaign=nothing", "?cid=\(String(repeating: "0", count: 26))",
        ] {
            let response = try chain.tracker.get("/o/1\(query)")
            #expect(response.status == 404 && response.fields["cache-control"] == "no-store")
        }
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1 && row["lander_clicks"] == 1)
    }

    @Test func `a conversion is of the offer of the network that reports it`() throws {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        for number in [3, 1, 2] { _ = try location(chain, "/o/\(number)?cid=\(clickID)") }
        let key = try chain.tracker.call("GET", "/networks/other")["postback_key"].string
        let other = FakeNetwork(tracker: chain.tracker, key: try #require(key))
        #expect(try other.call("cid=\(clickID)&payout=3&txid=a").verdict == "accepted")
        #expect(try chain.network.call("cid=\(clickID)&payout=4&txid=b").verdict == "accepted")
        let offers = try chain.journey(clickID)["conversions"].array.map(\.["offer"])
        // The newest press that led to the network's own offer.
        #expect(offers == ["third", "premium"])
    }

    @Test func `an open lander keeps its numbers when the flow changes, or its campaign ends`()
        throws
    {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        try chain.tracker.call(
            "PATCH", "/campaigns/summer",
            [
                "flow": ["paths": [["offers": [["offer": "third"]]]]],
                "redirect": "303",
            ])
        try chain.tracker.call("PATCH", "/offers/premium", ["url": "https://new.example/?s={cid}"])
        let response = try chain.tracker.get("/o/2?cid=\(clickID)")
        #expect(response.status == 303)
        #expect(response.location == "https://new.example/?s=\(clickID)", "in its present wording")
        try chain.tracker.call("DELETE", "/campaigns/summer")
        #expect(try chain.tracker.get("/o/2?cid=\(clickID)").status == 303)
        #expect(try chain.journey(clickID)["lander_clicks"].array.count == 2)
    }

    @Test func `a visitor whose click can't be read goes on and is counted`() throws {
        let chain = try Self.chain()
        let clickID = try visit(chain)
        _ = try chain.tracker.terminate()
        let clicks = chain.tracker.dataDirectory + "/clicks"
        for name in try FileManager.default.contentsOfDirectory(atPath: clicks) {
            try FileManager.default.removeItem(atPath: "\(clicks)/\(name)")
        }
        try chain.tracker.restart()
        #expect(
            try location(chain, "/o/2?cid=\(clickID)")
                == "https://premium.example/?s2=\(clickID)&e=&z=&l=")
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["lander_clicks"] == 1 && row["lander_views"] == 0)
        #expect(row["lander_ctr"].isNull)
    }

    @Test func `at a domain, its campaign takes whom no click tells of, or its fallback URL does`()
        throws
    {
        let chain = try Self.chain()
        for (host, campaign) in [("a.example", "summer"), ("b.example", .null)] as [(JSON, JSON)] {
            try chain.tracker.call(
                "POST", "/domains",
                [
                    "host": host, "campaign": campaign,
                    "fallback_url": "https://fallback.example/?c={click_id}",
                ])
        }
        func get(_ target: String, at host: String) throws -> HTTPResponse {
            try HTTPConnection(port: chain.tracker.port).request(
                "GET", target, fields: ["Host": host])
        }
        let taken = try get("/o/2?zone=3", at: "a.example")
        let clickID = try #require(taken.locationParameter("s2"))
        #expect(taken.location?.hasPrefix("https://premium.example/") == true)
        #expect(try chain.journey(clickID)["vars"] == ["zone": "3"])
        #expect(try get("/o/2", at: "b.example").location == "https://fallback.example/?c=")
        // A click goes on at every domain of its tracker, and at no other host.
        for (host, status) in [
            ("a.example", 302), ("b.example:8080", 302), ("localhost", 302), ("c.example", 404),
        ] {
            #expect(try get("/o/1?cid=\(clickID)", at: host).status == status, "\(host)")
            #expect(
                try get("/api/click?campaign=summer", at: host).status
                    == (status == 302 ? 200 : 404), "\(host)")
        }
        let direct = try get("/api/click?campaign=summer", at: "a.example").json
        let link = try #require(direct["offers"][0]["url"].string)
        #expect(link.hasPrefix("http://a.example/o/1?cid="), "\(link)")
    }

    @Test func `a lander's visitor goes on by the campaign's mode, with the parameters it passes`()
        throws
    {
        let chain = try Self.chain(campaign: ["redirect": "meta", "pass_params": ["gclid"]])
        let page = try RefreshPage(chain.tracker.get("/c/summer?zone=1&gclid=%3C%22"))
        let address = try #require(page.address)
        let clickID = try #require(URLQuery(ofTarget: address)["cid"])
        #expect(address.hasSuffix("&gclid=%3C%22"))
        let next = try RefreshPage(chain.tracker.get("/o/1?cid=\(clickID)"))
        let location = "https://offer.example/land?s2=\(clickID)&gclid=%3C%22"
        #expect(next.address == location)
        #expect(try chain.journey(clickID)["lander_clicks"][0]["location"].string == location)
    }
}

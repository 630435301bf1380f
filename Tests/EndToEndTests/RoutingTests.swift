import TestSupport
import Testing

/// Campaigns whose flows have rules, landers and fallbacks, as their visitors meet them.
@Suite struct RoutingTests {
    private static func path(_ offer: String) -> JSON { ["offers": [["offer": .string(offer)]]] }

    private static func offer(_ key: String) -> JSON {
        [
            "key": .string(key), "network": "net",
            "url": .string("https://\(key).example/?s2={click_id}"),
        ]
    }

    @Test func `a rule sends its visitors to its own offer, and the click keeps which`() throws {
        let chain = try Chain.start {
            $0.moreOffers = [Self.offer("premium")]
            $0.campaign["flow"] = [
                "rules": [
                    [
                        "name": "blocked", "when": ["ip": "192.0.2.0/24"],
                        "paths": [Self.path("fit")],
                    ],
                    [
                        "when": ["var1": ["39485", "7"], "language": "de"],
                        "paths": [Self.path("premium")],
                    ],
                ],
                "paths": [Self.path("fit")],
            ]
        }
        let german: HTTPFields = ["Accept-Language": "de-AT,de;q=0.9,en;q=0.8"]
        let premium = try Chain.visit(chain.tracker.get("/c/summer?zone=7", fields: german))
        #expect(premium.location == "https://premium.example/?s2=\(premium.clickID)")
        let journey = try chain.journey(premium.clickID)
        #expect(journey["rule"] == 2)
        #expect(journey["path"] == 1)
        #expect(journey["offer"] == "premium")
        #expect(journey["location"].string == premium.location)
        let other = try chain.visit("zone=7")
        #expect(other.location.hasPrefix("https://offer.example/land"))
        #expect(try chain.journey(other.clickID)["rule"].isNull)
        // A conversion belongs to the offer that was chosen, and keeps the rule.
        #expect(
            try chain.network.call("cid=\(premium.clickID)&payout=5").verdict == "accepted")
        #expect(try chain.journey(premium.clickID)["conversions"][0]["offer"] == "premium")
    }

    @Test func `a change of the flow holds for the next click and leaves the last ones theirs`()
        throws
    {
        let chain = try Chain.start { $0.moreOffers = [Self.offer("premium")] }
        let before = try chain.visit()
        let version = try chain.journey(before.clickID)["flow_version"]
        try chain.tracker.call(
            "PATCH", "/campaigns/summer", ["flow": ["paths": [Self.path("premium")]]])
        let after = try chain.visit()
        #expect(after.location.hasPrefix("https://premium.example/"))
        #expect(try chain.journey(before.clickID)["flow_version"] == version)
        #expect(try chain.journey(before.clickID)["location"].string == before.location)
        #expect(try chain.journey(after.clickID)["flow_version"] != version)
        // What decides nothing makes no version.
        try chain.tracker.call("PATCH", "/campaigns/summer", ["name": "Winter"])
        let third = try chain.visit()
        #expect(
            try chain.journey(third.clickID)["flow_version"]
                == chain.journey(after.clickID)["flow_version"])
    }

    @Test func `campaigns that share a flow follow its changes`() throws {
        let chain = try Chain.start { $0.moreOffers = [Self.offer("premium")] }
        try chain.tracker.call("POST", "/flows", ["key": "main", "paths": [Self.path("premium")]])
        try chain.tracker.call("PATCH", "/campaigns/summer", ["flow": "main"])
        try chain.tracker.call(
            "POST", "/campaigns", ["key": "winter", "source": "push", "flow": "main"])
        for key in ["summer", "winter"] {
            #expect(
                try chain.visit(campaign: key).location.hasPrefix("https://premium.example/"))
        }
        try chain.tracker.call("PATCH", "/flows/main", ["paths": [Self.path("fit")]])
        for key in ["summer", "winter"] {
            #expect(try chain.visit(campaign: key).location.hasPrefix("https://offer.example/"))
        }
        #expect(try chain.tracker.api("DELETE", "/flows/main").status == 409)
        #expect(try chain.tracker.api("DELETE", "/offers/fit").status == 409)
    }

    @Test func `a path with a lander leads there first, with the click ID`() throws {
        let chain = try Chain.start()
        try chain.tracker.call(
            "POST", "/landers",
            [
                "key": "quiz", "name": "Quiz",
                "url": "https://lp.example/?c={click_id}&l={lander_id}",
            ])
        let path: JSON = [
            "landers": [["lander": "quiz"]], "offers": [["offer": "fit"]],
        ]
        try chain.tracker.call("PATCH", "/campaigns/summer", ["flow": ["paths": [path]]])
        let visit = try chain.visit(idParameter: "c")
        #expect(visit.location == "https://lp.example/?c=\(visit.clickID)&l=1")
        let journey = try chain.journey(visit.clickID)
        #expect(journey["lander"] == "quiz")
        #expect(journey["offer"] == "fit")
        #expect(journey["location"].string == visit.location)
        #expect(try chain.tracker.api("DELETE", "/landers/quiz").status == 409)
        // A new wording leaves where the visitor was sent as it was.
        try chain.tracker.call("PATCH", "/landers/quiz", ["url": "https://lp2.example/?c={cid}"])
        #expect(try chain.journey(visit.clickID)["location"].string == visit.location)
        #expect(try chain.visit(idParameter: "c").location.hasPrefix("https://lp2.example/"))
    }

    @Test func `whom no path takes goes to the campaign's fallback URL, and is a click`() throws {
        let chain = try Chain.start {
            $0.campaign["fallback_url"] = "https://else.example/?from={campaign}&z={var1}"
            $0.campaign["flow"] = [
                "rules": [["when": ["var1": "7"], "paths": [Self.path("fit")]]]
            ]
        }
        let response = try chain.tracker.get("/c/summer?zone=8&subid=E1")
        #expect(response.location == "https://else.example/?from=summer&z=8")
        let report = try chain.tracker.call("GET", "/report?group=campaign")
        #expect(report["totals"]["clicks"] == 1)
        let found = try chain.tracker.call("GET", "/clicks/E1")
        let click = found["items"].array.first ?? found
        #expect(click["rule"] == -1)
        #expect(click["offer"].isNull)
        #expect(click["location"].string == response.location)
        _ = try chain.visit("zone=7")
    }

    @Test(
        arguments: [
            (["paths": []], "flow.paths"),
            (["paths": [["weight": 0, "offers": [["offer": "fit"]]]]], "flow.paths"),
            (["paths": [["offers": []]]], "flow.paths[0].offers"),
            (["paths": [["offers": [["offer": "fit", "weight": 0]]]]], "flow.paths[0].offers"),
            (["paths": [["offers": [["offer": "nosuch"]]]]], "flow.paths[0].offers[0].offer"),
            (
                [
                    "rules": [["when": ["var1": "1"], "paths": []]],
                    "paths": [["offers": [["offer": "fit"]]]],
                ],
                "flow.rules[0].paths"
            ),
            (
                [
                    "rules": [["when": ["var99": "1"], "paths": [["offers": [["offer": "fit"]]]]]],
                    "paths": [["offers": [["offer": "fit"]]]],
                ], "flow.rules[0].when.var99"
            ),
            (
                [
                    "rules": [
                        [
                            "when": ["user_agent": ["matches": "(a{1,900}){1,900}"]],
                            "paths": [["offers": [["offer": "fit"]]]],
                        ]
                    ],
                    "paths": [["offers": [["offer": "fit"]]]],
                ], "flow.rules[0].when.user_agent.matches"
            ),
            (
                ["paths": [["landers": [["lander": "nosuch"]], "offers": [["offer": "fit"]]]]],
                "flow.paths[0].landers[0].lander"
            ),
            ("nosuch", "flow"),
        ] as [(JSON, String)])
    func `a flow that can't work is refused with its field`(flow: JSON, field: String) throws {
        let chain = try Chain.start()
        let answer = try chain.tracker.api("PATCH", "/campaigns/summer", ["flow": flow])
        #expect(answer.status == 422, "\(answer.text)")
        let fields = try answer.json["errors"].array.map { $0["field"].string }
        #expect(fields.first == field, "\(answer.text)")
        // Visitors go on as before.
        _ = try chain.visit()
    }

    @Test func `the command line keeps landers and flows`() throws {
        let chain = try Chain.start()
        let directory = try TemporaryDirectory()
        let documents: KeyValuePairs<String, JSON> = [
            "lander": ["key": "quiz", "url": "https://lp.example/?c={cid}"],
            "flow": [
                "key": "main",
                "paths": [["landers": [["lander": "quiz"]], "offers": [["offer": "fit"]]]],
            ],
        ]
        for (kind, document) in documents {
            let file = try directory.write(document.text, to: "\(kind).json")
            let result = try chain.tracker.command(kind, "apply", file)
            #expect(result.exitCode == 0, "\(result.error)")
        }
        #expect(try chain.tracker.command("lander", "list").output.contains("quiz"))
        #expect(try chain.tracker.command("flow", "show", "main").output.contains("quiz"))
        #expect(try chain.tracker.command("lander", "archive", "quiz").exitCode == 4)
    }
}

import TestSupport
import Testing

/// Visits that pages and servers tell of at `/api/click`, as programs make them.
@Suite struct DirectClickTests {
    private func post(
        _ chain: Chain, _ body: JSON, type: String = "text/plain;charset=UTF-8",
        fields: HTTPFields = [:]
    ) throws -> HTTPResponse {
        var all = fields
        all.all.append(("Content-Type", type))
        return try chain.tracker.connect().request(
            "POST", "/api/click", fields: all, body: Array(body.text.utf8))
    }

    @Test func `a page's visit is decided and on disk before it is answered`() throws {
        let chain = try LanderTests.chain()
        let response = try post(
            chain,
            [
                "campaign": "summer", "query": "?subid=W8d&zone=5",
                "referrer": "https://ad.example/",
            ],
            fields: [
                "User-Agent": "Browser/1", "Referer": "https://lp.example/",
                "Origin": "https://lp.example",
            ])
        #expect(response.status == 200)
        #expect(response.fields["access-control-allow-origin"] == "*")
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["content-type"] == "application/json")
        let decision = try response.json
        let clickID = try #require(decision["click_id"].string)
        #expect(decision["campaign"] == "summer" && decision["path"] == 1)
        #expect(
            decision["rule"].isNull && decision["lander"] == "quiz" && decision["offer"] == "fit")
        #expect(decision["location"].string == "https://lp.example/?cid=\(clickID)&z=5")
        #expect(decision["offers"].array.map(\.["offer"]) == ["fit", "premium", "third"])
        try chain.tracker.kill()
        try chain.tracker.restart(onSamePort: true)
        let journey = try chain.journey(clickID)
        #expect(journey["external_id"] == "W8d" && journey["vars"] == ["zone": "5"])
        #expect(journey["user_agent"] == "Browser/1" && journey["ip"] == "127.0.0.1")
        #expect(journey["referrer"] == "https://ad.example/")
        #expect(journey["location"] == decision["location"])
        // The decision's own link goes on, at the address that was called.
        let url = try #require(decision["offers"][1]["url"].string)
        #expect(url == "http://tracker.test/o/2?cid=\(clickID)")
        let next = try chain.tracker.get(String(url.dropFirst("http://tracker.test".utf8.count)))
        #expect(next.location == "https://premium.example/?s2=\(clickID)&e=W8d&z=5&l=1")
    }

    @Test func `a query is enough, and a form`() throws {
        let chain = try LanderTests.chain()
        let get = try chain.tracker.get("/api/click?campaign=summer&zone=7&subid=a+b").json
        let form = try chain.tracker.post("/api/click", form: "zone=7&campaign=summer&subid=a+b")
            .json
        for decision in [get, form] {
            let journey = try chain.journey(try #require(decision["click_id"].string))
            #expect(journey["external_id"] == "a+b" && journey["vars"] == ["zone": "7"])
        }
    }

    @Test func `a server with a token tells whose visit it is`() throws {
        let chain = try LanderTests.chain(campaign: [
            "flow": [
                "rules": [
                    [
                        "when": ["ip": "2001:db8::/32", "language": "de", "header:x-shop": "1"],
                        "paths": [["offers": [["offer": "premium"]]]],
                    ]
                ],
                "paths": [["offers": [["offer": "fit"]]]],
            ]
        ])
        let visit: JSON = [
            "campaign": "summer", "params": ["zone": "é\"<", "subid": "S 1"], "ip": "2001:db8::7",
            "user_agent": "Visitor/2", "referrer": "https://ad.example/x", "language": "de-AT",
            "headers": ["X-Shop": "1"],
        ]
        for fields in [[:], ["Authorization": "Bearer x"], ["Authorization": "Basic x"]]
            as [HTTPFields]
        {
            let refused = try post(chain, visit, fields: fields)
            #expect(refused.status == 401 && refused.fields["www-authenticate"] == "Bearer")
            #expect(try refused.json["detail"].string?.contains("ip") == true)
        }
        let answer = try post(
            chain, visit, type: "application/json",
            fields: [
                "Authorization": "bearer \(try chain.tracker.bearer())", "User-Agent": "Server/1",
                "Accept-Language": "fr",
            ])
        let decision = try answer.json
        #expect(
            decision["rule"] == 1 && decision["offer"] == "premium" && decision["lander"].isNull)
        let clickID = try #require(decision["click_id"].string)
        let journey = try chain.journey(clickID)
        #expect(journey["ip"] == "2001:db8::7" && journey["user_agent"] == "Visitor/2")
        #expect(journey["referrer"] == "https://ad.example/x")
        #expect(journey["vars"] == ["zone": "é\"<"] && journey["external_id"] == "S 1")
        #expect(journey["location"] == decision["location"])
    }

    @Test func `what can't be a visit is refused by its field, and nothing is recorded`() throws {
        let chain = try LanderTests.chain()
        for (body, status, field) in [
            ([:], 422, "campaign"), (["campaign": "nothing"], 404, nil),
            (["campaign": "summer", "lander": "nothing"], 422, "lander"),
            (["campaign": "summer", "landr": "quiz"], 422, "landr"),
            (["campaign": "summer", "ip": "x"], 422, "ip"),
            (["campaign": "summer", "user_agent": "a\r\nb"], 422, "user_agent"),
            (["campaign": "summer", "headers": ["Host": "evil"]], 422, "params"),
            (
                ["campaign": "summer", "query": .string(String(repeating: "x", count: 15_001))],
                422, "query"
            ),
        ] as [(JSON, Int, String?)] {
            let response = try post(chain, body)
            #expect(response.status == status, "\(body.text)")
            #expect(response.fields["content-type"] == "application/problem+json")
            // A page must be able to read why.
            #expect(response.fields["access-control-allow-origin"] == "*")
            #expect(try response.json["errors"][0]["field"].string == field, "\(body.text)")
        }
        let broken = try chain.tracker.post(
            "/api/click", form: "{\"campaign\":", type: "text/plain")
        #expect(broken.status == 422 && broken.text.contains("JSON"))
        let options = try chain.tracker.connect().request("OPTIONS", "/api/click")
        #expect(options.status == 204)
        #expect(options.fields["access-control-allow-headers"] == "Content-Type")
        #expect(try chain.tracker.head("/api/click?campaign=summer").status == 405)
        let totals = try chain.tracker.call("GET", "/report?group=campaign")["totals"]
        #expect(totals["clicks"] == 0)
    }

    @Test func `a body that is no visit's is refused without reading it`() throws {
        let chain = try Chain.start()
        let members = (0..<8000).map { "\"unknown\($0)\": 1" }.joined(separator: ",")
        let large = try chain.tracker.post(
            "/api/click", form: "{\(members)}", type: "application/json")
        #expect(large.status == 413)
        let some = (0..<2000).map { "\"unknown\($0)\": 1" }.joined(separator: ",")
        let refused = try chain.tracker.post(
            "/api/click", form: "{\"campaign\": \"summer\",\(some)}", type: "application/json")
        #expect(refused.status == 422)
        #expect(try refused.json["errors"].array.count == 20)
    }

    @Test func `the lander that the visitor is on counts as seen`() throws {
        let chain = try LanderTests.chain()
        try chain.tracker.call(
            "POST", "/landers", ["key": "story", "url": "https://story.example/?c={click_id}"])
        let decision = try post(chain, ["campaign": "summer", "lander": "story"]).json
        let clickID = try #require(decision["click_id"].string)
        #expect(decision["lander"] == "story")
        #expect(try chain.journey(clickID)["lander"] == "story")
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1 && row["lander_views"] == 1)
    }

    @Test func `the script is small, kept by browsers, and asked for anew when it changed`() throws
    {
        let chain = try Chain.start()
        let script = try chain.tracker.get("/t.js")
        #expect(script.status == 200 && script.body.count < 6000)
        #expect(script.fields["content-type"] == "text/javascript; charset=utf-8")
        #expect(script.fields["cache-control"] == "public, max-age=3600")
        #expect(script.fields["access-control-allow-origin"] == "*")
        #expect(script.fields["cross-origin-resource-policy"] == "cross-origin")
        #expect(script.fields["x-content-type-options"] == "nosniff")
        let tag = try #require(script.fields["etag"])
        for known in [tag, "W/\(tag)", "\"x\", \(tag)"] {
            let same = try chain.tracker.get("/t.js", fields: ["If-None-Match": known])
            #expect(same.status == 304 && same.body.isEmpty)
        }
        #expect(try chain.tracker.get("/t.js", fields: ["If-None-Match": "\"x\""]).status == 200)
        #expect(try chain.tracker.head("/t.js").status == 200)
        #expect(try chain.tracker.post("/t.js", form: "").status == 405)
    }
}

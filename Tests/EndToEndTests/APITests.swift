import TestSupport
import Testing

/// The administration API as a program sees it.
@Suite struct APITests {
    /// An RFC 9457 answer; returns the fields it names.
    @discardableResult
    private func expectProblem(
        _ response: HTTPResponse, _ statuses: Int...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String] {
        #expect(
            statuses.contains(response.status), "\(response.status) \(response.text)",
            sourceLocation: sourceLocation)
        #expect(
            response.fields["content-type"]?.hasPrefix("application/problem+json") == true,
            sourceLocation: sourceLocation)
        let problem = try response.json
        #expect(problem["status"].int == response.status, sourceLocation: sourceLocation)
        #expect(problem["title"].string?.isEmpty == false, sourceLocation: sourceLocation)
        for error in problem["errors"].array {
            #expect(error["message"].string?.isEmpty == false, sourceLocation: sourceLocation)
        }
        return problem["errors"].array.compactMap { $0["field"].string }
    }

    @Test func `nothing is answered without the right token`() throws {
        let tracker = try TrackerProcess.start()
        let bearer = try tracker.bearer()
        for authorization in [
            nil, "Bearer", "Bearer ", "Bearer wrong", "Bearer \(bearer)x",
            "Bearer \(bearer.dropLast())", "Basic \(bearer)", bearer,
        ] {
            for path in ["/sources", "/status", "/nosuch", "/clicks/x"] {
                let fields = HTTPFields(authorization.map { [("Authorization", $0)] } ?? [])
                let response = try tracker.get("/api/v1\(path)", fields: fields)
                try expectProblem(response, 401)
                #expect(response.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
            }
        }
        let good = try tracker.get(
            "/api/v1/sources", fields: ["authorization": "bearer \(bearer)"])
        #expect(good.status == 200, "the scheme's name is compared without case")
    }

    @Test func `a revoked token is refused from the next request on`() throws {
        let tracker = try TrackerProcess.start()
        #expect(try tracker.api("GET", "/status").status == 200)
        let made = try tracker.command("token", "create", "laptop")
        let bearer = made.line
        let fields: HTTPFields = ["Authorization": "Bearer \(bearer)"]
        #expect(try tracker.get("/api/v1/sources", fields: fields).status == 200)
        #expect(try tracker.command("token", "revoke", "laptop").exitCode == 0)
        #expect(try tracker.get("/api/v1/sources", fields: fields).status == 401)
        #expect(try tracker.api("GET", "/status").status == 200)
    }

    @Test func `what is created is read back, listed, replaced, merged and archived`() throws {
        let tracker = try TrackerProcess.start()
        let source: JSON = [
            "key": "push", "name": "Push", "external_id_param": "subid", "cost_param": "cost",
            "currency": "USD", "params": ["zone": "var1"], "destinations": [],
        ]
        let created = try tracker.api("POST", "/sources", source)
        #expect(created.status == 201)
        let made = try created.json
        #expect(made["id"].int != nil)
        for (name, value) in source.object { #expect(made[name] == value, "\(name)") }
        #expect(try tracker.call("GET", "/sources/push") == made)
        #expect(try tracker.list("/sources") == [made])

        let merged = try tracker.call("PATCH", "/sources/push", ["name": "Push 2"])
        #expect(merged["name"] == "Push 2" && merged["external_id_param"] == "subid")
        var replacement = source
        replacement["name"] = "Push 3"
        replacement["params"] = ["site": "var2"]
        let replaced = try tracker.call("PUT", "/sources/push", replacement)
        #expect(replaced["params"] == ["site": "var2"] && replaced["id"] == made["id"])

        #expect([200, 204].contains(try tracker.api("DELETE", "/sources/push").status))
        #expect(try tracker.list("/sources").filter { $0["archived"].bool != true }.isEmpty)
    }

    @Test func `a key is taken once and never changes`() throws {
        let tracker = try TrackerProcess.start()
        let network: JSON = ["key": "net", "name": "Net", "click_id_param": "s2"]
        try tracker.call("POST", "/networks", network)
        try expectProblem(tracker.api("POST", "/networks", network), 400, 409, 422)
        let renamed = try tracker.api("PATCH", "/networks/net", ["key": "other"])
        if renamed.status == 200 { #expect(try renamed.json["key"] == "net") }
        #expect(try tracker.call("GET", "/networks/net")["key"] == "net")
        try expectProblem(tracker.api("GET", "/networks/other"), 404)
    }

    @Test func `a network's answer says where to send postbacks`() throws {
        let tracker = try TrackerProcess.start(
            .init(environment: ["CLICKRELAY_PUBLIC_URL": "https://t.example"]))
        let network = try tracker.call(
            "POST", "/networks", ["key": "net", "name": "Net", "click_id_param": "s2"])
        let key = try #require(network["postback_key"].string)
        #expect(key.utf8.count >= 8)
        #expect(
            network["postback_url"].string?.hasPrefix("https://t.example/postback/\(key)") == true)
        let other = try tracker.call(
            "POST", "/networks", ["key": "net2", "name": "Net 2", "click_id_param": "s2"])
        #expect(other["postback_key"] != network["postback_key"])
        // It stays the same when other things change.
        let patched = try tracker.call("PATCH", "/networks/net", ["name": "N"])
        #expect(patched["postback_key"] == network["postback_key"])
    }

    @Test func `a mistake is named with its field`() throws {
        let tracker = try TrackerProcess.start()
        try tracker.call("POST", "/sources", ["key": "push", "name": "Push"])
        try tracker.call(
            "POST", "/networks", ["key": "net", "name": "Net", "click_id_param": "s2"])
        try tracker.call(
            "POST", "/offers",
            ["key": "o", "name": "O", "network": "net", "url": "https://o.example/?s2={click_id}"])
        let cases: [(path: String, body: JSON, field: String)] = [
            ("/sources", ["name": "No key"], "key"),
            ("/sources", ["key": "UPPER", "name": "x"], "key"),
            ("/sources", ["key": "", "name": "x"], "key"),
            ("/sources", ["key": .string(String(repeating: "a", count: 65)), "name": "x"], "key"),
            ("/sources", ["key": "a", "name": "x", "currency": "XXQ"], "currency"),
            ("/sources", ["key": "a", "name": 7], "name"),
            ("/sources", ["key": "a", "name": "x", "params": ["zone": "var99"]], "params"),
            (
                "/sources",
                [
                    "key": "a", "name": "x",
                    "destinations": [["key": "d", "method": "GET", "url": "ftp://x.example/"]],
                ], "url"
            ),
            (
                "/sources",
                [
                    "key": "a", "name": "x",
                    "destinations": [
                        ["key": "d", "method": "DELETE", "url": "http://x.example/"]
                    ],
                ], "method"
            ),
            (
                "/sources",
                [
                    "key": "a", "name": "x",
                    "destinations": [
                        [
                            "key": "d", "method": "GET", "url": "http://x.example/",
                            "statuses": ["aproved"],
                        ]
                    ],
                ], "statuses"
            ),
            (
                "/sources",
                [
                    "key": "a", "name": "x",
                    "destinations": [
                        [
                            "key": "d", "method": "GET", "url": "http://x.example/",
                            "headers": ["X-A": "b\r\nX-Evil: 1"],
                        ]
                    ],
                ], "headers"
            ),
            ("/networks", ["key": "n", "name": "x", "status_map": ["1": "good"]], "status_map"),
            ("/networks", ["key": "n", "name": "x", "payout_unit": "cents"], "payout_unit"),
            ("/networks", ["key": "n", "name": "x", "repeat": "never"], "repeat"),
            (
                "/offers", ["key": "p", "name": "x", "network": "nosuch", "url": "http://a.b/"],
                "network"
            ),
            (
                "/offers",
                ["key": "p", "name": "x", "network": "net", "url": "javascript:alert(1)"], "url"
            ),
            ("/offers", ["key": "p", "name": "x", "network": "net"], "url"),
            (
                "/offers",
                [
                    "key": "p", "name": "x", "network": "net", "url": "http://a.b/",
                    "payout": ["amount": "ten", "currency": "USD"],
                ], "payout"
            ),
            (
                "/campaigns",
                [
                    "key": "c", "name": "x", "source": "nosuch",
                    "flow": ["paths": [["weight": 1, "offers": [["offer": "o", "weight": 1]]]]],
                ], "source"
            ),
            (
                "/campaigns",
                [
                    "key": "c", "name": "x", "source": "push",
                    "flow": [
                        "paths": [
                            ["weight": 1, "offers": [["offer": "nosuch", "weight": 1]]]
                        ]
                    ],
                ], "offer"
            ),
            (
                "/campaigns",
                ["key": "c", "name": "x", "source": "push", "cost": ["model": "free"]], "cost"
            ),
        ]
        for (path, body, field) in cases {
            let response = try tracker.api("POST", path, body)
            let fields = try expectProblem(response, 400, 422)
            #expect(
                fields.contains { $0.contains(field) }, "\(path) \(body.text): \(response.text)")
        }
        // None of them left anything behind.
        #expect(try tracker.list("/sources").count == 1)
        #expect(try tracker.list("/offers").count == 1)
        #expect(try tracker.list("/campaigns").isEmpty)
    }

    @Test func `an unknown token is refused with the nearest name`() throws {
        let chain = try Chain.start()
        for (path, body, field, nearest) in [
            ("/offers/fit", ["url": "https://o.example/?s2={clik_id}"], "url", "click_id"),
            (
                "/offers/fit", ["url": "https://o.example/?s2={click_id}&c={contry}"], "url",
                "country"
            ),
            (
                "/sources/push",
                [
                    "destinations": [
                        [
                            "key": "main", "method": "GET", "statuses": [], "events": [],
                            "url": "https://s.example/?id={exteral_id}",
                        ]
                    ]
                ], "url", "external_id"
            ),
        ] as [(String, JSON, String, String)] {
            let response = try chain.tracker.api("PATCH", path, body)
            let fields = try expectProblem(response, 400, 422)
            #expect(fields.contains { $0.contains(field) }, "\(response.text)")
            #expect(response.text.contains(nearest), "\(response.text)")
        }
        #expect(try chain.visit().location.hasPrefix("https://offer.example/land?s2="))
    }

    @Test func `bodies that are no object are refused`() throws {
        let tracker = try TrackerProcess.start()
        for text in ["", "{", "[]", "7", "null", "{\"key\":}", "{\"a\":1}{", "\u{ff}"] {
            try expectProblem(tracker.api("POST", "/sources", text: text), 400, 422)
        }
        let deep = String(repeating: "[", count: 100_000)
        try expectProblem(tracker.api("POST", "/sources", text: deep), 400, 413, 422)
        #expect(try tracker.api("GET", "/status").status == 200)
    }

    @Test func `unknown paths and methods are problems too`() throws {
        let tracker = try TrackerProcess.start()
        try expectProblem(tracker.api("GET", "/nosuch"), 404)
        try expectProblem(tracker.api("GET", "/sources/nosuch"), 404)
        try expectProblem(tracker.api("GET", "/conversions/nosuch"), 404)
        try expectProblem(tracker.api("PATCH", "/sources/nosuch", ["name": "x"]), 404)
        try expectProblem(tracker.api("DELETE", "/sources/nosuch"), 404)
        let odd = try tracker.api("DELETE", "/status")
        try expectProblem(odd, 404, 405)
        for id in ["nosuch", "00000000000000000000000000", "..%2f", "%00"] {
            try expectProblem(tracker.api("GET", "/clicks/\(id)"), 400, 404)
        }
    }

    @Test func `a long list comes page by page, each item once`() throws {
        let tracker = try TrackerProcess.start()
        for index in 0..<25 {
            try tracker.call(
                "POST", "/networks",
                ["key": "n\(index)", "name": "Net \(index)", "click_id_param": "s2"])
        }
        for size in [1, 7, 24, 25, 26, 1000] {
            let keys = try tracker.list("/networks", pageSize: size).compactMap { $0["key"].string }
            #expect(keys.count == 25 && Set(keys).count == 25, "pages of \(size)")
        }
        let page = try tracker.call("GET", "/networks?limit=7")
        #expect(page["items"].array.count == 7 && !page["next_cursor"].isNull)
        #expect(try tracker.call("GET", "/networks")["next_cursor"].isNull)
        for limit in ["0", "-1", "1001", "abc", "99999999999999999999"] {
            let response = try tracker.api("GET", "/networks?limit=\(limit)")
            #expect([200, 400, 422].contains(response.status), "limit=\(limit)")
        }
        try expectProblem(tracker.api("GET", "/networks?cursor=nonsense"), 400, 422)
    }

    @Test func `conversions are found by what they are asked for`() throws {
        let chain = try Chain.start()
        var conversions: [String] = []
        for index in 0..<6 {
            let visit = try chain.visit("subid=\(index)")
            let answer = try chain.network.call(
                "cid=\(visit.clickID)&payout=\(index)&txid=T\(index)"
                    + "&event=\(index < 2 ? "lead" : "sale")"
                    + "&status=\(index % 2 == 0 ? "approved" : "pending")")
            conversions.append(try #require(answer.conversion))
            if index == 0 {
                let found = try chain.tracker.list("/conversions?click_id=\(visit.clickID)")
                #expect(found.map { $0["id"].id } == [answer.conversion])
            }
        }
        func ids(_ filter: String) throws -> Set<String> {
            Set(try chain.tracker.list("/conversions?\(filter)").compactMap { $0["id"].id })
        }
        #expect(try ids("") == Set(conversions))
        #expect(try ids("status=pending") == Set([conversions[1], conversions[3], conversions[5]]))
        #expect(try ids("event=lead") == Set(conversions[..<2]))
        #expect(try ids("event=sale&status=approved") == Set([conversions[2], conversions[4]]))
        #expect(try ids("transaction_id=T3") == [conversions[3]])
        #expect(try ids("campaign=summer&network=net").count == 6)
        #expect(try ids("transaction_id=nosuch").isEmpty)
        let pages = try chain.tracker.list("/conversions", pageSize: 4).compactMap { $0["id"].id }
        #expect(pages.count == 6 && Set(pages) == Set(conversions))
        let one = try chain.tracker.call("GET", "/conversions/\(conversions[2])")
        #expect(one["transaction_id"] == "T2" && one["revisions"].array.count == 1)
        #expect(one["offer"] == "fit" && one["test"] == false)
    }

    @Test func `a change holds from the next click after its answer`() throws {
        let chain = try Chain.start { $0.options.environment = ["CLICKRELAY_LOOPS": "3"] }
        // Enough connections to have some on every loop.
        let connections = try (0..<12).map { _ in try chain.tracker.connect() }
        for round in 0..<40 {
            try chain.tracker.call(
                "PATCH", "/offers/fit",
                ["url": .string("https://offer.example/v\(round)?s2={click_id}")])
            for connection in connections {
                let location = try connection.request("GET", "/c/summer").location ?? ""
                #expect(location.hasPrefix("https://offer.example/v\(round)?"))
            }
        }
        try chain.tracker.call("DELETE", "/campaigns/summer")
        for connection in connections {
            #expect(try connection.request("GET", "/c/summer").status == 404)
        }
    }

    @Test func `the status tells versions, queues and sizes`() throws {
        let chain = try Chain.start()
        _ = try chain.visit()
        let status = try chain.tracker.call("GET", "/status")
        #expect(status.object.count >= 3, "\(status.text)")
        #expect(status.text.contains("version"))
        #expect(try chain.tracker.get("/healthz").status == 200)
        #expect(try chain.tracker.get("/readyz").status == 200)
    }

    @Test func `entities survive a restart`() throws {
        // Named, because the kernel may pick another port for the second start.
        let chain = try Chain.start {
            $0.options.environment = ["CLICKRELAY_PUBLIC_URL": "https://t.example"]
        }
        let before = try chain.tracker.call("GET", "/campaigns/summer")
        try chain.tracker.kill()
        try chain.tracker.restart()
        #expect(try chain.tracker.call("GET", "/campaigns/summer") == before)
        let visit = try chain.visit("subid=A")
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        #expect(try chain.source.await(1).count == 1)
    }
}

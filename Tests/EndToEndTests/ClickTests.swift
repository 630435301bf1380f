import TestSupport
import Testing

/// What a visitor gets for opening a campaign URL, and what is kept of it.
@Suite struct ClickTests {
    @Test func `unknown and archived campaigns are 404 and record nothing`() throws {
        let chain = try Chain.start()
        for path in ["/c/nosuch", "/c/", "/c", "/c/summer/x", "/C/summer", "/c/Summer"] {
            let response = try chain.tracker.get("\(path)?subid=1")
            #expect(response.status == 404, "\(path)")
            #expect(response.location == nil)
        }
        _ = try chain.visit()
        try chain.tracker.call("DELETE", "/campaigns/summer")
        #expect(try chain.tracker.get("/c/summer").status == 404)
        let report = try chain.tracker.call("GET", "/report?group=campaign")
        #expect(report["totals"]["clicks"] == 1)
    }

    @Test func `HEAD gets the Location without a click ID and records nothing`() throws {
        let chain = try Chain.start {
            $0.offer["url"] = "https://offer.example/land?s2={click_id}&z={var1}"
        }
        let response = try chain.tracker.head("/c/summer?subid=1&zone=9")
        #expect(response.status == 302)
        #expect(response.location == "https://offer.example/land?s2=&z=9")
        _ = try chain.visit("zone=1")
        #expect(try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"] == 1)
    }

    @Test func `an offer URL without a click ID token gets the network's parameter`() throws {
        let chain = try Chain.start { $0.network["click_id_param"] = "aff_sub" }
        for (template, prefix) in [
            ("https://offer.example/land", "https://offer.example/land?aff_sub="),
            ("https://offer.example/land?a=1", "https://offer.example/land?a=1&aff_sub="),
            ("https://offer.example/{var1}", "https://offer.example/9?aff_sub="),
        ] {
            try chain.tracker.call("PATCH", "/offers/fit", ["url": .string(template)])
            let visit = try chain.visit("zone=9", idParameter: "aff_sub")
            #expect(visit.location == prefix + visit.clickID)
            #expect(try chain.journey(visit.clickID)["offer"] == "fit")
        }
    }

    @Test func `every click has its own ID`() throws {
        let chain = try Chain.start()
        let ids = Locked<[String]>([])
        try concurrently(4) { _ in
            for _ in 0..<100 {
                let visit = try chain.visit("subid=same")
                ids.with { $0.append(visit.clickID) }
            }
        }
        #expect(Set(ids.current).count == 400)
        #expect(
            ids.current.allSatisfy { id in
                id.allSatisfy { "0123456789abcdefghjkmnpqrstvwxyz".contains($0) }
            })
    }

    @Test func `tokens are filled in, encoded unless raw, and empty without a value`() throws {
        let chain = try Chain.start {
            $0.offer["url"] = .string(
                "https://offer.example/l?s2={subid}&e={external_id}&z={var1}&none={var2}"
                    + "&k={var:keyword}&raw={var:keyword:raw}&c={cost}&ua={user_agent}"
                    + "&ref={referrer}&ip={ip}&t={timestamp}&ms={timestamp_ms}&iso={timestamp_iso8601}"
            )
        }
        let before = try secondsSince1970(
            chain.tracker.call("GET", "/clicks/\(chain.visit().clickID)")["at"])
        let response = try chain.tracker.get(
            "/c/summer?subid=a%26b&zone=39485&keyword=shoes+red%2Fblue%3F&unused=1",
            fields: ["User-Agent": "Mozilla/5.0 (X11)", "Referer": "https://p.example/?q=1&r=2"])
        let visit = try Chain.visit(response)
        let query = URLQuery(ofTarget: visit.location)
        #expect(query.rawValue("e") == "a%26b")
        #expect(query.rawValue("z") == "39485")
        #expect(query.rawValue("none") == "")
        #expect(query.rawValue("k") == "shoes%20red%2Fblue%3F")
        #expect(query.rawValue("raw")?.hasPrefix("shoes%20red/blue?") == true)
        #expect(query["c"] == "0.012")
        #expect(query["ua"] == "Mozilla/5.0 (X11)")
        #expect(query.rawValue("ref") == percentEncoded("https://p.example/?q=1&r=2"))
        #expect(query["ip"] == "127.0.0.1")
        let time = try #require(query["t"].flatMap { Double($0) })
        #expect(time >= before.rounded(.down) && time < before + 60)
        #expect(query["ms"]?.hasPrefix(query["t"] ?? "x") == true)
        #expect(query["iso"]?.hasSuffix("Z") == true)
        #expect(try chain.journey(visit.clickID)["location"].string == visit.location)
    }

    @Test(arguments: ["{var1}", "{var1:raw}", "{var:zone}", "{var:zone:raw}"])
    func `no control character of a visitor reaches the Location`(token: String) throws {
        let chain = try Chain.start {
            $0.offer["url"] = .string("https://offer.example/l?s2={click_id}&z=\(token)")
        }
        for value in [
            "x%0D%0ASet-Cookie:%20evil=1", "x%0ASet-Cookie:%20evil=1", "%00", "a%09b%7Fc",
            "%22%3E%3Cscript%3E", "'%22%60%5C", "%E2%80%AE%C2%85", "%FF%FE",
            "%0d%0a%0d%0a%3Chtml%3E",
        ] {
            let response = try chain.tracker.get("/c/summer?zone=\(value)")
            #expect(response.status == 302)
            #expect(response.fields["set-cookie"] == nil)
            let location = try #require(response.location)
            #expect(
                location.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") },
                "\(location)")
            let sent = percentDecodedBytes(URLQuery(ofTarget: location).rawValue("z") ?? "")
            if !token.hasSuffix("raw}") { #expect(sent == percentDecodedBytes(value), "\(value)") }
        }
    }

    @Test(arguments: [
        "W8d", "a%20b", "a%2Bb", "%C3%BC%F0%9F%92%A9", "%FF%FE%80", "%00%01%0D%0A%7F", "%25%32%35",
        "..%2F%2e%2e", "%22%3C%3E%5C%60%7B%7D", "a'b(c)d*e!f~g", "==%26%23%3F",
    ])
    func `the external ID is given back byte for byte`(encoded: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=\(encoded)&zone=1")
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        let sent = try chain.source.await(1)[0].query.rawValue("id") ?? ""
        #expect(percentDecodedBytes(sent) == percentDecodedBytes(encoded))
        #expect(!sent.contains("+"))
    }

    @Test(arguments: [("%zz%", "%zz%"), ("%2", "%2"), ("a+b/=", "a+b/="), ("100%", "100%")])
    func `an external ID that is not well encoded stays as it came`(sent: String, kept: String)
        throws
    {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=\(sent)")
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        #expect(
            try chain.source.await(1).map(\.target)
                == ["/conv?id=\(percentEncoded(kept))&value=1"])
    }

    @Test func `a click without an external ID counts, and nobody is told of its conversion`()
        throws
    {
        // The source could not tell which click is meant: the delivery is there, dead, and says so.
        let chain = try Chain.start()
        for query in ["", "subid=", "other=1"] {
            let visit = try chain.visit(query)
            #expect(try chain.network.call("cid=\(visit.clickID)&payout=2").verdict == "accepted")
            let delivery = try chain.delivery(of: visit.clickID, "is dead") {
                $0["state"] == "dead"
            }
            #expect(delivery["reason"].string?.contains("external ID") == true)
            #expect(delivery["attempts"].array.isEmpty)
        }
        #expect(chain.source.count == 0)
        #expect(try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"] == 3)
    }

    @Test func `ten thousand clicks follow the weights`() throws {
        let chain = try Chain.start { setup in
            setup.moreOffers = ["b", "c"].map { key in
                var offer = setup.offer
                offer["key"] = .string(key)
                offer["name"] = .string(key)
                offer["url"] = .string("https://\(key).example/land?s2={click_id}")
                return offer
            }
            setup.campaign["flow"] = [
                "paths": [
                    ["weight": 70, "offers": [["offer": "fit", "weight": 1]]],
                    [
                        "weight": 30,
                        "offers": [["offer": "b", "weight": 25], ["offer": "c", "weight": 75]],
                    ],
                ]
            ]
        }
        let counts = Locked<[String: Int]>([:])
        try concurrently(2) { _ in
            // Pipelined, as many as a connection may owe answers for.
            let connection = try chain.tracker.connect()
            let request =
                "GET /c/summer?subid=x HTTP/1.1\r\nHost: t.example\r\nUser-Agent: b\r\n\r\n"
            for _ in 0..<200 {
                try connection.send(String(repeating: request, count: 25))
                for _ in 0..<25 {
                    let location = try connection.receive().location ?? ""
                    let host = String(location.dropFirst(8).prefix { $0 != "/" })
                    counts.with { $0[host, default: 0] += 1 }
                }
            }
        }
        // Five standard deviations of a binomial of 10,000.
        let seen = counts.current
        #expect(seen.values.reduce(0, +) == 10_000)
        #expect((6771...7229).contains(seen["offer.example"] ?? 0), "\(seen)")
        #expect((618...882).contains(seen["b.example"] ?? 0), "\(seen)")
        #expect((2041...2459).contains(seen["c.example"] ?? 0), "\(seen)")
        #expect(
            try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"] == 10_000)
    }

    @Test func `a path or offer of weight nought is never taken`() throws {
        let chain = try Chain.start { setup in
            var other = setup.offer
            other["key"] = "b"
            other["name"] = "b"
            other["url"] = "https://b.example/?s2={click_id}"
            setup.moreOffers = [other]
            setup.campaign["flow"] = [
                "paths": [
                    ["weight": 0, "offers": [["offer": "b", "weight": 100]]],
                    [
                        "weight": 1,
                        "offers": [["offer": "fit", "weight": 1], ["offer": "b", "weight": 0]],
                    ],
                ]
            ]
        }
        for _ in 0..<200 {
            #expect(try chain.visit().location.hasPrefix("https://offer.example/"))
        }
    }

    @Test(
        arguments: [
            (["model": "cpc", "amount": "0.012"], "", "0.012"),
            (["model": "cpm", "amount": "1.5"], "", "0.0015"),
            (["model": "param"], "cost=0.0345", "0.0345"),
            (["model": "param"], "cost=2", "2"),
            (["model": "cpc", "amount": "0.1"], "cost=9", "0.1"),
        ] as [(JSON, String, String)])
    func `the cost of a click follows its campaign's model`(
        cost: JSON, query: String, amount: String
    ) throws {
        let chain = try Chain.start { $0.campaign["cost"] = cost }
        let visits = try (0..<3).map { _ in try chain.visit(query) }
        for visit in visits {
            #expect(
                try chain.journey(visit.clickID)["cost"]
                    == ["amount": .string(amount), "currency": "USD"])
        }
    }

    @Test(
        arguments: [
            (["model": "none"], ""), (["model": "param"], ""), (["model": "param"], "cost=abc"),
            (["model": "param"], "cost=%7Bcost%7D"),
        ] as [(JSON, String)])
    func `a click without a known cost costs nothing`(cost: JSON, query: String) throws {
        let chain = try Chain.start { $0.campaign["cost"] = cost }
        let visit = try chain.visit(query)
        let kept = try chain.journey(visit.clickID)["cost"]
        #expect(kept.isNull || kept["amount"] == "0", "\(kept.text)")
    }

    @Test(arguments: [
        ("", "full", "127.0.0.1"), ("127.0.0.1", "full", "203.0.113.77"),
        ("10.0.0.0/8,127.0.0.1", "full", "203.0.113.77"), ("10.0.0.0/8", "full", "127.0.0.1"),
        ("127.0.0.1", "truncate", "203.0.113.0"), ("127.0.0.1", "none", nil),
    ])
    func `a forwarded address counts from a trusted proxy, as far as the policy keeps it`(
        trusted: String, policy: String, kept: String?
    ) throws {
        let chain = try Chain.start {
            $0.options.environment = [
                "CLICKRELAY_TRUSTED_PROXIES": trusted, "CLICKRELAY_IP_POLICY": policy,
            ]
        }
        // What the visitor wrote comes first; the proxy appends what it saw.
        let response = try chain.tracker.get(
            "/c/summer?subid=A", fields: ["X-Forwarded-For": "198.51.100.1, 203.0.113.77"])
        let ip = try chain.journey(Chain.visit(response).clickID)["ip"].string
        #expect(ip == kept || (kept == nil && ip == ""))
    }

    @Test func `the report adds up what was sent`() throws {
        let chain = try Chain.start { setup in
            var second = setup.campaign
            second["key"] = "winter"
            second["name"] = "Winter"
            second["cost"] = ["model": "cpm", "amount": "2"]
            setup.campaign = second
        }
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": "summer", "name": "Summer", "source": "push", "redirect": "302",
                "cost": ["model": "cpc", "amount": "0.012"],
                "flow": ["paths": [["weight": 1, "offers": [["offer": "fit", "weight": 1]]]]],
            ])
        let visits = try (0..<10).map { try chain.visit("subid=s\($0)") }
        let winter = try (0..<5).map { try chain.visit("subid=w\($0)", campaign: "winter") }
        for (visit, query) in [
            (visits[0], "payout=10&status=approved"), (visits[1], "payout=2.5&status=approved"),
            (visits[1], "payout=2.5&status=approved"), (visits[2], "payout=7&status=pending"),
            (visits[3], "payout=4&status=rejected"), (visits[4], "payout=3&status=approved"),
            (visits[4], "payout=3&status=chargeback"), (winter[0], "payout=0.1&status=approved"),
        ] { _ = try chain.network.call("cid=\(visit.clickID)&txid=1&\(query)") }

        let report = try chain.tracker.call("GET", "/report?group=campaign")
        let rows = report["rows"].array
        #expect(rows.count == 2)
        let summer = try #require(rows.first { $0["campaign"] == "summer" })
        #expect(summer["clicks"] == 10)
        #expect(summer["conversions"] == 5)
        #expect(summer["approved"] == 2 && summer["pending"] == 1)
        #expect(summer["rejected"] == 1 && summer["chargeback"] == 1)
        #expect(summer["revenue"] == ["amount": "12.5", "currency": "USD"])
        #expect(summer["cost"] == ["amount": "0.12", "currency": "USD"])
        #expect(summer["profit"] == ["amount": "12.38", "currency": "USD"])
        let other = try #require(rows.first { $0["campaign"] == "winter" })
        #expect(other["clicks"] == 5 && other["conversions"] == 1)
        #expect(other["cost"]["amount"] == "0.01" && other["revenue"]["amount"] == "0.1")
        #expect(report["totals"]["clicks"] == 15 && report["totals"]["conversions"] == 6)
        #expect(report["totals"]["revenue"]["amount"] == "12.6")
        #expect(report["totals"]["profit"]["amount"] == "12.47")
        #expect(!report["formulas"].object.isEmpty)
    }

    @Test func `a visitor behind a proxy can't choose the address that is kept`() throws {
        let chain = try Chain.start {
            $0.options.environment = ["CLICKRELAY_TRUSTED_PROXIES": "127.0.0.0/8"]
        }
        let connection = try chain.tracker.connect()
        // The visitor's own field, and behind it the one that the proxy has added.
        try connection.send(
            "GET /c/summer HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 192.0.2.1\r\n"
                + "X-Forwarded-For: 198.51.100.7\r\n\r\n")
        let visit = try Chain.visit(connection.receive())
        #expect(try chain.journey(visit.clickID)["ip"].string == "198.51.100.7")
    }
}

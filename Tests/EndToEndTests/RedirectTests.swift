import TestSupport
import Testing

/// The redirect modes of the built binary, as a client without a browser sees them.
@Suite struct RedirectTests {
    /// Where the visitor ends, page by page.
    private func walk(_ chain: Chain, _ target: String) throws -> String {
        let response = try chain.tracker.get(target)
        if let location = response.location { return location }
        let address = try #require(try RefreshPage(response).address)
        guard address.hasPrefix("../") else { return address }
        return try walk(chain, String(address.dropFirst(2)))
    }

    @Test func `each mode leads to the offer, and its click is on disk`() throws {
        let chain = try Chain.start {
            $0.offer["url"] = "https://offer.example/land?s2={click_id}&z={var1}"
        }
        var locations: [String] = []
        for mode in ["302", "303", "307", "meta", "double_meta", "js"] {
            try chain.tracker.call("PATCH", "/campaigns/summer", ["redirect": .string(mode)])
            let head = try chain.tracker.head("/c/summer?zone=7")
            #expect(head.status == (Int(mode) ?? 200) && head.body.isEmpty)
            locations.append(try walk(chain, "/c/summer?zone=%3C7"))
        }
        try chain.tracker.kill()
        try chain.tracker.restart()
        for location in locations {
            let clickID = try #require(URLQuery(ofTarget: location)["s2"])
            #expect(try chain.journey(clickID)["location"].string == location)
            #expect(location.hasSuffix("&z=%3C7"))
        }
        let totals = try chain.tracker.call("GET", "/report?group=campaign")["totals"]
        #expect(totals["clicks"] == 6, "HEAD leaves none, nor does a second page")
    }

    @Test func `parameters are passed on by choice`() throws {
        let chain = try Chain.start()
        for (choice, suffix) in [
            ([], ""), (["gclid"], "&gclid=G%2F1"),
            ("all", "&s3=x&gclid=G%2F1&zone=7"), (["zone", "subid"], "&zone=7&subid=W"),
        ] as [(JSON, String)] {
            try chain.tracker.call("PATCH", "/campaigns/summer", ["pass_params": choice])
            let visit = try chain.visit("subid=W&s3=x&s2=evil&gclid=G/1&zone=7&cost=1")
            #expect(visit.location == "https://offer.example/land?s2=\(visit.clickID)\(suffix)")
            #expect(try chain.journey(visit.clickID)["location"].string == visit.location)
        }
    }

    @Test func `a mode or policy that there is not is refused by its field`() throws {
        let chain = try Chain.start()
        let answer = try chain.tracker.api(
            "PATCH", "/campaigns/summer",
            ["redirect": "301", "referrer_policy": "none", "pass_params": "some"])
        #expect(answer.status == 422)
        let fields = try answer.json["errors"].array.compactMap { $0["field"].string }
        #expect(fields == ["redirect", "referrer_policy", "pass_params"])
        let shown = try chain.tracker.call("GET", "/campaigns/summer")
        #expect(shown["redirect"] == "302" && shown["pass_params"] == [])
        #expect(shown["referrer_policy"] == "strict-origin-when-cross-origin")
    }

    @Test func `the page after the first goes on to what was issued and nowhere else`() throws {
        let chain = try Chain.start { $0.campaign["redirect"] = "double_meta" }
        let first = try RefreshPage(chain.tracker.get("/c/summer"))
        let own = String(try #require(first.address).dropFirst(2))
        #expect(try chain.tracker.get(own).status == 200)
        for target in ["/r/x?https://evil.example/", own + "&x", "/r", "/r/"] {
            let response = try chain.tracker.get(target)
            #expect(response.status == 404 && !response.text.contains("evil"), "\(target)")
        }
        // A signature holds through a restart: visitors are between two pages then.
        _ = try chain.tracker.terminate()
        try chain.tracker.restart()
        #expect(try chain.tracker.get(own).status == 200)
    }
}

import Domain
import Store
import TestSupport
import Testing

@Suite struct SourceTemplateTests {
    @Test func `every entry loads, and applies without an account`() throws {
        let bench = try Bench()
        let list = try bench.call("GET", "/templates/sources?limit=1000")
        #expect(list.items.count >= 67)
        for item in list.items {
            let key = try #require(item["key"]?.stringValue)
            let made = try bench.call("POST", "/sources", ["template": .string(key)])
            #expect(made.status == 201, "\(key): \(made.json)")
            let needs = item["account_needs"]?.objectValue ?? []
            #expect(made["account_needs"] == item["account_needs"])
            for destination in made["destinations"]?.arrayValue ?? [] {
                #expect(destination["enabled"] == .bool(needs.isEmpty), "\(key)")
            }
            let notes = made["template_notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(
                notes.contains { $0.contains("not all of this") }
                    == (item["confidence"] == "low"))
            // What was read back replaces, and changes nothing.
            let put = try bench.call("PUT", "/sources/\(key)", made.json)
            #expect(put.status == 200 && put.json == made.json, "\(key)")
        }
        #expect(try bench.call("GET", "/templates/sources/propelerads").status == 404)
    }

    @Test func `a campaign's URL carries the source's own macros`() throws {
        let bench = try Bench()
        try bench.call("POST", "/sources", ["template": "propellerads", "key": "p"])
        try bench.call("POST", "/sources", ["key": "plain"])
        try bench.call("POST", "/networks", ["key": "n"])
        try bench.call(
            "POST", "/offers",
            ["key": "o", "network": "n", "url": "https://o.example/?s={click_id}"])
        var campaign: JSONValue = [
            "key": "c", "source": "p", "flow": ["paths": [["offers": [["offer": "o"]]]]],
        ]
        let made = try bench.call("POST", "/campaigns", campaign)
        #expect(made.status == 201, "\(made.json)")
        #expect(
            made["url_with_tokens"]
                == "https://t.example/c/c?visitor_id=${SUBID}&cost={cost}&zoneid={zoneid}&campaignid={campaignid}&bannerid={bannerid}"
        )
        #expect(try bench.call("PUT", "/campaigns/c", made.json).json == made.json)
        campaign = ["source": "plain"]
        #expect(try bench.call("PATCH", "/campaigns/c", campaign)["url_with_tokens"] == .null)
    }

    @Test func `an account value changes the call and keeps what it is told of`() throws {
        let bench = try Bench()
        let account: JSONValue = ["AID": "1", "TID": "2"]
        try bench.call("POST", "/sources", ["template": "propellerads", "account": account])
        let shown = try bench.call("GET", "/sources/propellerads")
        var destination = try #require(shown["destinations"]?.arrayValue?.first?.objectValue)
        destination.removeAll { $0.name == "statuses" }
        destination.append(JSONMember(name: "statuses", value: ["approved"]))
        try bench.call(
            "PATCH", "/sources/propellerads", ["destinations": [.object(destination)]])
        let moved = try bench.call(
            "PATCH", "/sources/propellerads", ["account": ["TID": "9"]])
        let after = moved["destinations"]?.arrayValue?.first
        #expect(after?["url"]?.stringValue?.contains("aid=1&pid=&tid=9&") == true)
        #expect(after?["statuses"] == ["approved"] && after?["enabled"] == true)
        let emptied = try bench.call(
            "PATCH", "/sources/propellerads", ["account": ["TID": nil]])
        #expect(emptied["destinations"]?.arrayValue?.first?["enabled"] == false)
        #expect(emptied["account_needs"]?["TID"] == "tracker id in the same URL")
    }

    @Test func `a new secret changes what was edited by hand in the secret only`() throws {
        let bench = try Bench()
        try bench.call(
            "POST", "/sources",
            [
                "template": "meta",
                "account": [
                    "PIXEL_ID": "12", "ACCESS_TOKEN": "t0k&en", "EVENT_NAME": "Lead",
                    "LANDING_URL": "https://l.example/",
                ],
            ])
        let shown = try bench.call("GET", "/sources/meta")
        var edited = try #require(shown["destinations"]?.arrayValue?.first?.objectValue)
        let place = try #require(edited.firstIndex { $0.name == "url" })
        edited[place].value = "https://graph.example/v99.0/12/events?access_token=<ACCESS_TOKEN>"
        edited.removeAll { $0.name == "enabled" }
        edited.append(JSONMember(name: "enabled", value: false))
        try bench.call("PATCH", "/sources/meta", ["destinations": [.object(edited)]])
        let patched = try bench.call(
            "PATCH", "/sources/meta", ["account": ["ACCESS_TOKEN": "n3w", "EVENT_NAME": "Sale"]])
        #expect(patched.status == 200, "\(patched.json)")
        let kept = try #require(
            bench.ledger.catalog.sources.all.first?.value.destinations.first)
        #expect(kept.url.text == "https://graph.example/v99.0/12/events?access_token=n3w")
        #expect(kept.bodyDocument?.encoded().contains("\"Sale\"") == true)
        #expect(!kept.isEnabled)
    }

    @Test func `an unfinished call is not tested`() throws {
        let bench = try Bench()
        try bench.call(
            "POST", "/sources", ["template": "google_ads", "account": ["CUSTOMER_ID": "1"]])
        let answer = try bench.call("POST", "/destinations/google_ads/google_ads/test")
        #expect(answer.status == 409, "\(answer.json)")
        #expect(answer["detail"]?.stringValue?.contains("<DEVELOPER_TOKEN>") == true)
    }

    @Test func `an account's secrets are not shown, and stay when they come back masked`() throws {
        let bench = try Bench()
        let list = try bench.call("GET", "/templates/sources?limit=1000")
        for item in list.items {
            let key = try #require(item["key"]?.stringValue)
            let needs = (item["account_needs"]?.objectValue ?? []).map(\.name)
            let account = needs.map {
                JSONMember(name: $0, value: $0.hasSuffix("_ID") ? "4711" : .string("v&\($0)"))
            }
            let made = try bench.call(
                "POST", "/sources", ["template": .string(key), "account": .object(account)])
            #expect(made.status == 201, "\(key): \(made.json)")
            for name in needs where AccountSecrets.isSecret(name) {
                for form in ["v&\(name)", "v%26\(name)"] {
                    #expect(!made.json.encoded().contains(form), "\(key): \(name)")
                }
                #expect(made["account"]?[name] == "…")
            }
            let stored = bench.ledger.catalog.sources.all.last?.value
            let put = try bench.call("PUT", "/sources/\(key)", made.json)
            #expect(put.status == 200 && put.json == made.json, "\(key): \(put.json)")
            let patched = try bench.call(
                "PATCH", "/sources/\(key)",
                ["account": made["account"] ?? [:], "name": .string(key)])
            #expect(patched.status == 200, "\(key): \(patched.json)")
            #expect(bench.ledger.catalog.sources.all.last?.value.account == stored?.account)
            #expect(
                bench.ledger.catalog.sources.all.last?.value.destinations == stored?.destinations,
                "\(key)")
            // A document that leaves the call to the template.
            let bare = try bench.call(
                "PUT", "/sources/\(key)",
                ["template": .string(key), "account": made["account"] ?? [:]])
            #expect(bare.status == 200 && bare["destinations"] == made["destinations"], "\(key)")
        }
    }

    @Test func `what can't be filled is refused where it stands`() throws {
        let bench = try Bench()
        let stray = try bench.call("POST", "/sources", ["key": "s", "account": ["A": "1"]])
        #expect(stray.status == 422 && stray.fields == ["account"])
        let wrong = try bench.call(
            "POST", "/sources", ["template": "meta", "account": ["PIXELID": "1"]])
        #expect(wrong.status == 422 && wrong.fields == ["account.PIXELID"])
        try bench.call("POST", "/sources", ["template": "meta"])
        let shown = try bench.call("GET", "/sources/meta")
        var destination = try #require(shown["destinations"]?.arrayValue?.first?.objectValue)
        destination.removeAll { $0.name == "enabled" }
        let forced = try bench.call(
            "PATCH", "/sources/meta", ["destinations": [.object(destination)]])
        #expect(forced.status == 422 && forced.fields.contains("destinations[0].enabled"))
    }
}

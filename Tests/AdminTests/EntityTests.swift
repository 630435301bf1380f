import Domain
import Testing

@Suite struct EntityTests {
    static let source: JSONValue = [
        "key": "push", "name": "Push", "external_id_param": "subid", "currency": "USD",
        "params": ["zone": "var1"],
    ]
    static let network: JSONValue = ["key": "net", "name": "Net", "click_id_param": "s2"]
    static let offer: JSONValue = [
        "key": "fit", "name": "Fit", "network": "net", "url": "https://o.example/land?a=b",
        "payout": ["amount": "9.99", "currency": "USD"],
    ]
    static let campaign: JSONValue = [
        "key": "summer", "name": "Summer", "source": "push",
        "cost": ["model": "cpc", "amount": "0.012"],
        "flow": ["paths": [["offers": [["offer": "fit"]]]]],
    ]

    static func bench() throws -> Bench {
        let bench = try Bench()
        for (path, body) in [
            ("/sources", source), ("/networks", network), ("/offers", offer),
            ("/campaigns", campaign),
        ] {
            let made = try bench.call("POST", path, body)
            try #require(made.status == 201, "\(path): \(made.json.encoded())")
        }
        return bench
    }

    @Test(arguments: ["sources/push", "networks/net", "offers/fit", "campaigns/summer"])
    func `what was created is shown, listed, and can be put back as it was read`(path: String)
        throws
    {
        let bench = try Self.bench()
        let shown = try bench.call("GET", "/\(path)")
        #expect(shown.status == 200 && shown["id"] == 1)
        #expect(shown.header("content-type") == "application/json")
        let kind = path.prefix { $0 != "/" }
        let list = try bench.call("GET", "/\(kind)")
        #expect(list.items == [shown.json] && list["next_cursor"] == .null)

        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let put = try bench.call("PUT", "/\(path)", shown.json)
        #expect(put.status == 200 && put.json == shown.json, "the same again changes nothing")
    }

    @Test func `the answer to a creation says where it is`() throws {
        let bench = try Bench()
        let made = try bench.call("POST", "/sources", Self.source)
        #expect(made.header("Location") == "/api/v1/sources/push")
        for name in ["created_at", "updated_at"] {
            #expect(made[name] == .string(bench.clock.now.rfc3339))
        }
        #expect(made["archived_at"] == .null)
    }

    @Test func `a network tells its postback URL and a campaign its own`() throws {
        let bench = try Self.bench()
        let network = try bench.call("GET", "/networks/net")
        let key = try #require(network["postback_key"]?.stringValue)
        #expect(network["postback_url"] == "https://t.example/postback/\(key)")
        let patched = try bench.call("PATCH", "/networks/net", ["name": "Other"])
        #expect(patched["postback_key"] == .string(key))
        #expect(try bench.call("GET", "/campaigns/summer")["url"] == "https://t.example/c/summer")
    }

    @Test func `a key is taken once`() throws {
        let bench = try Self.bench()
        let again = try bench.call("POST", "/sources", Self.source)
        #expect(again.status == 409)
        #expect(again.header("content-type") == "application/problem+json")
        #expect(try bench.call("GET", "/sources").items.count == 1)
    }

    @Test func `PUT creates, replaces, and keeps the number`() throws {
        let bench = try Bench()
        let made = try bench.call("PUT", "/sources/push", ["name": "Push"])
        #expect(made.status == 201 && made["key"] == "push")
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let replaced = try bench.call("PUT", "/sources/push", ["key": "push", "cost_param": "c"])
        #expect(replaced.status == 200 && replaced["id"] == made["id"])
        #expect(replaced["name"] == "push", "what is left out gets its default")
        #expect(replaced["created_at"] == made["created_at"])
        #expect(replaced["updated_at"] == .string(bench.clock.now.rfc3339))
    }

    @Test func `a key can't be changed`() throws {
        let bench = try Self.bench()
        for method in ["PUT", "PATCH"] {
            let answer = try bench.call(method, "/sources/push", ["key": "other"])
            #expect(answer.status == 422 && answer.fields == ["key"])
        }
        #expect(try bench.call("GET", "/sources/other").status == 404)
        let same = try bench.call("PATCH", "/sources/push", ["key": "push", "name": "P"])
        #expect(same.status == 200)
    }

    @Test func `PATCH merges objects, removes nulls and replaces arrays`() throws {
        let bench = try Self.bench()
        let patched = try bench.call(
            "PATCH", "/sources/push", ["params": ["zone": nil, "site": "var2"], "cost_param": "c"])
        #expect(patched.status == 200)
        #expect(patched["params"] == ["site": "var2"])
        #expect(patched["cost_param"] == "c" && patched["external_id_param"] == "subid")
        let removed = try bench.call("PATCH", "/sources/push", ["external_id_param": nil])
        #expect(removed["external_id_param"] == .null)
        let campaign = try bench.call("PATCH", "/campaigns/summer", ["cost": ["amount": "1"]])
        #expect(campaign["cost"] == ["model": "cpc", "amount": "1"])
        let nothing = try bench.call("PATCH", "/campaigns/summer", [:])
        #expect(nothing.json == campaign.json)
        let other = try bench.call(
            "PATCH", "/campaigns/summer", ["cost": ["model": "revshare", "percent": "20"]])
        #expect(
            other["cost"] == ["model": "revshare", "percent": "20"], "nothing of the other model")
    }

    @Test func `a patch that breaks the document changes nothing`() throws {
        let bench = try Self.bench()
        let before = try bench.call("GET", "/campaigns/summer")
        for (patch, field) in [
            (["source": "nosuch"], "source"), (["source": nil], "source"),
            (["flow": ["paths": []]], "flow.paths"), (["nmae": "x"], "nmae"),
            (
                ["flow": ["paths": [["offers": [["offer": "nosuch"]]]]]],
                "flow.paths[0].offers[0].offer"
            ),
        ] as [(JSONValue, String)] {
            let answer = try bench.call("PATCH", "/campaigns/summer", patch)
            #expect(answer.status == 422 && answer.fields == [field], "\(patch.encoded())")
        }
        #expect(try bench.call("GET", "/campaigns/summer").json == before.json)
    }

    @Test func `an archived entity is shown but not listed, and PUT brings it back`() throws {
        let bench = try Self.bench()
        #expect(try bench.call("DELETE", "/sources/push").status == 409, "a campaign uses it")
        #expect(try bench.call("DELETE", "/networks/net").status == 409, "an offer uses it")
        #expect(try bench.call("DELETE", "/offers/fit").status == 409, "a campaign uses it")

        let archived = try bench.call("DELETE", "/campaigns/summer")
        #expect(archived.status == 200)
        #expect(archived["archived_at"] == .string(bench.clock.now.rfc3339))
        #expect(try bench.call("GET", "/campaigns/summer").json == archived.json)
        #expect(try bench.call("GET", "/campaigns").items.isEmpty)
        #expect(try bench.call("GET", "/campaigns?archived=1").items == [archived.json])
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let again = try bench.call("DELETE", "/campaigns/summer")
        #expect(again.status == 200 && again.json == archived.json, "archiving twice is once")

        #expect(try bench.call("POST", "/campaigns", Self.campaign).status == 409)
        #expect(try bench.call("PATCH", "/campaigns/summer", ["name": "S"]).status == 409)
        let back = try bench.call("PUT", "/campaigns/summer", archived.json)
        #expect(back.status == 200 && back["archived_at"] == .null && back["id"] == archived["id"])
        #expect(try bench.call("GET", "/campaigns").items == [back.json])
    }

    @Test func `what nothing uses any more can be archived`() throws {
        let bench = try Self.bench()
        for path in ["/campaigns/summer", "/sources/push", "/offers/fit", "/networks/net"] {
            #expect(try bench.call("DELETE", path).status == 200)
        }
        let revived = try bench.call("PUT", "/campaigns/summer", Self.campaign)
        #expect(revived.status == 422)
        #expect(revived.fields == ["source", "flow.paths[0].offers[0].offer"])
    }

    @Test func `every mistake of a document is named at once`() throws {
        let bench = try Bench()
        let answer = try bench.call(
            "POST", "/sources",
            [
                "key": "UPPER", "currency": "XXQ",
                "destinations": [["key": "d", "url": "ftp://x.example/{exteral_id}"]],
            ])
        #expect(answer.status == 422)
        #expect(answer.fields == ["key", "currency", "destinations[0].url"])
        #expect(answer["status"] == 422 && answer["title"]?.stringValue?.isEmpty == false)
        #expect(answer["detail"]?.stringValue?.contains("currency must be") == true)
        #expect(answer["type"] == "urn:clickrelay:problem:validation")
        #expect(try bench.call("GET", "/sources").items.isEmpty)
    }

    @Test func `what is missing is named beside other mistakes`() throws {
        let bench = try Self.bench()
        let document: JSONValue = [
            "key": "winter", "source": "nosuch", "cost": ["model": "free"],
            "flow": ["paths": [["offers": [["offer": "fit"], ["offer": "none"]]]]],
        ]
        for (method, path) in [
            ("POST", "/campaigns"), ("PUT", "/campaigns/winter"),
        ] {
            let answer = try bench.call(method, path, document)
            #expect(answer.status == 422)
            #expect(answer.fields == ["cost.model", "source", "flow.paths[0].offers[1].offer"])
        }
        let patched = try bench.call(
            "PATCH", "/campaigns/summer", ["source": "nosuch", "cost": ["model": "free"]])
        #expect(patched.fields == ["cost.model", "source"])
        let offer = try bench.call("PATCH", "/offers/fit", ["network": "none", "url": "x"])
        #expect(offer.fields == ["url", "network"])
    }

    @Test func `an unknown entity is not found by any method`() throws {
        let bench = try Self.bench()
        for path in ["/sources/nosuch", "/sources/NOT%20A%20KEY", "/offers/%FF"] {
            for method in ["GET", "PATCH", "DELETE"] {
                let answer = try bench.call(method, path, [:])
                #expect(answer.status == 404, "\(method) \(path)")
                #expect(answer["status"] == 404)
            }
        }
        #expect(try bench.call("PUT", "/sources/NOT%20A%20KEY", [:]).status == 422)
    }

    @Test func `a list comes page by page, each item once, and ends`() throws {
        let bench = try Bench()
        for index in 1...25 {
            try bench.call("POST", "/sources", ["key": "s\(index)"])
        }
        for size in [1, 7, 24, 25, 26, 1000] {
            var keys: [String] = []
            var cursor = ""
            repeat {
                let page = try bench.call("GET", "/sources?limit=\(size)\(cursor)")
                #expect(page.items.count <= size)
                keys += page.items.compactMap { $0["key"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(keys == (1...25).map { "s\($0)" }, "pages of \(size)")
        }
    }
}

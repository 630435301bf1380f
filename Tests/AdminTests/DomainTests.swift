import Domain
import TestSupport
import Testing

@Suite struct DomainTests {
    @Test func `a domain can be put back as it was read, and changed in part`() throws {
        let bench = try EntityTests.bench()
        let made = try bench.call(
            "POST", "/domains", ["host": "Go.Example", "campaign": "summer"])
        #expect(made.status == 201, "\(made.json.encoded())")
        #expect(made["key"] == "go-example" && made["host"] == "go.example")
        #expect(made["url"] == "https://go.example/" && made["fallback_url"] == .null)
        #expect(made.header("Location") == "/api/v1/domains/go-example")
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let shown = try bench.call("GET", "/domains/go-example")
        let put = try bench.call("PUT", "/domains/go-example", shown.json)
        #expect(put.status == 200 && put.json == shown.json, "the same again changes nothing")
        let changed = try bench.call(
            "PATCH", "/domains/go-example",
            ["campaign": .null, "fallback_url": "https://f.example/"])
        #expect(changed["campaign"] == .null && changed["host"] == "go.example")
        #expect(changed["fallback_url"] == "https://f.example/")
        #expect(try bench.call("GET", "/domains").items == [changed.json])
    }

    @Test func `a host is one domain as long as that lives`() throws {
        let bench = try EntityTests.bench()
        try bench.call("POST", "/domains", ["key": "one", "host": "go.example"])
        let second: JSONValue = ["key": "two", "host": "GO.example."]
        let refused = try bench.call("POST", "/domains", second)
        #expect(refused.status == 422 && refused.fields == ["host"])
        #expect(try bench.call("DELETE", "/domains/one").status == 200)
        #expect(try bench.call("POST", "/domains", second).status == 201)
        let back = try bench.call("PUT", "/domains/one", ["host": "go.example"])
        #expect(back.status == 422 && back.fields == ["host"])
    }

    @Test func `a campaign is not archived under a domain that leads to it`() throws {
        let bench = try EntityTests.bench()
        let nobody = try bench.call(
            "POST", "/domains", ["host": "go.example", "campaign": "winter"])
        #expect(nobody.status == 422 && nobody.fields == ["campaign"])
        try bench.call("POST", "/domains", ["host": "go.example", "campaign": "summer"])
        #expect(try bench.call("DELETE", "/campaigns/summer").status == 409)
        try bench.call("DELETE", "/domains/go-example")
        #expect(try bench.call("DELETE", "/campaigns/summer").status == 200)
        let back = try bench.call(
            "PUT", "/domains/go-example", ["host": "go.example", "campaign": "summer"])
        #expect(back.status == 422 && back.fields == ["campaign"])
    }
}

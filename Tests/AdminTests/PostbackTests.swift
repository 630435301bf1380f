import Domain
import Testing

@Suite struct PostbackTests {
    @Test func `a received call is shown as it came`() throws {
        let bench = try EntityTests.bench()
        let id = try bench.convert(bench.click())
        let shown = try bench.call("GET", "/postbacks/1")
        #expect(shown.status == 200)
        let expected: [(String, JSONValue)] = [
            ("id", 1), ("received_at", .string(bench.clock.now.rfc3339)), ("network", "net"),
            ("sender", "198.51.100.7"), ("verdict", "accepted"), ("message", "recorded"),
            ("conversion", .string(id.description)),
            (
                "request",
                [
                    "method": "POST", "target": "/postback/k?cid=\u{fffd}",
                    "headers": ["Host": "t.example", "X-A": "1, 2"], "body": "a=1",
                ]
            ),
        ]
        for (name, value) in expected { #expect(shown[name] == value, "\(name)") }
        for id in ["2", "0", "-1", "x", "99999999999999999999"] {
            #expect(try bench.call("GET", "/postbacks/\(id)").status == 404)
        }
    }

    @Test func `calls are found by network, verdict, click, conversion and time`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        try bench.convert(click)
        try bench.refuse(.payoutNotNumber)
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        try bench.refuse(.keyUnknown, network: nil)
        try bench.refuse(.parked, click: click.rowID)
        func ids(_ filter: String) throws -> [JSONValue] {
            try bench.call("GET", "/postbacks?\(filter)").items.compactMap { $0["id"] }
        }
        #expect(try ids("") == [4, 3, 2, 1])
        #expect(try ids("network=net") == [4, 2, 1])
        #expect(try ids("verdict=payout_not_number") == [2])
        #expect(try ids("click_id=\(bench.text(click))") == [4, 1])
        #expect(try ids("conversion=cv1") == [1])
        #expect(try ids("from=\(bench.clock.now.rfc3339)") == [4, 3])
        #expect(try ids("to=\(bench.clock.now.rfc3339)") == [2, 1])
        #expect(try ids("limit=2") == [4, 3])
        #expect(try ids("limit=2&cursor=3") == [2, 1])
        let stray = try bench.call("GET", "/postbacks/3")
        #expect(stray["network"] == .null && stray["conversion"] == .null)
        let wrong = try bench.call("GET", "/postbacks?verdict=acepted&conversion=1")
        #expect(wrong.status == 422 && wrong.fields == ["verdict", "conversion"])
    }

    @Test func `a list shows the beginning of a long body, the call itself all of it`() throws {
        let bench = try EntityTests.bench()
        for count in [4096, 4097] {
            let body = String(repeating: "x", count: count)
            let id = try bench.refuse(.tooLarge, body: body)
            let shown = try bench.call("GET", "/postbacks/\(id)")
            #expect(shown["request"]?["body"] == .string(body))
            #expect(shown["request"]?["body_truncated"] == nil)
            let listed = try #require(bench.call("GET", "/postbacks?limit=1").items.first)
            #expect(listed["request"]?["body"] == .string(String(body.prefix(4096))))
            #expect(listed["request"]?["body_truncated"] == (count > 4096 ? true : nil))
        }
    }
}

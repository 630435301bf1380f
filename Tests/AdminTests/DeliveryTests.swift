import Domain
import Store
import Testing

@Suite struct DeliveryTests {
    @Test func `a delivery is shown with its call and its attempts`() throws {
        let bench = try EntityTests.bench()
        try bench.convert(bench.click(), delivery: Bench.delivery)
        let attempt = Attempt(
            number: 1, at: bench.clock.now, status: 500, milliseconds: 12, error: nil,
            excerpt: [0x6F, 0xFF])
        let retryAt = bench.clock.now.advanced(by: .seconds(10))
        try bench.write { transaction throws(StoreError) in
            try transaction.record(attempt, of: DeliveryID(1), outcome: .retry(at: retryAt))
        }
        let shown = try bench.call("GET", "/deliveries/1")
        let expected: [(String, JSONValue)] = [
            ("id", 1), ("conversion", "cv1"), ("revision", 1), ("destination", "push/main"),
            ("state", "waiting"), ("reason", .null), ("due_at", .string(retryAt.rfc3339)),
            (
                "request",
                [
                    "method": "POST", "url": "https://source.example/conv?id=W8d",
                    "headers": ["X-Key": "k"], "body": "{\"a\":1}",
                ]
            ),
            (
                "attempts",
                [
                    [
                        "at": .string(attempt.at.rfc3339), "status": 500, "ms": 12, "error": nil,
                        "excerpt": "o\u{fffd}",
                    ]
                ]
            ),
        ]
        for (name, value) in expected { #expect(shown[name] == value, "\(name)") }
        #expect(try bench.call("GET", "/deliveries").items == [shown.json])
        for id in ["2", "0", "x", "99999999999999999999"] {
            for (method, path) in [("GET", ""), ("POST", "/retry"), ("POST", "/cancel")] {
                #expect(try bench.call(method, "/deliveries/\(id)\(path)").status == 404)
            }
        }
    }

    @Test func `a dead delivery is due again at once when it is retried`() throws {
        let bench = try EntityTests.bench()
        try bench.convert(bench.click(), delivery: Bench.delivery)
        let attempt = Attempt(
            number: 1, at: bench.clock.now, status: 410, milliseconds: 1, error: "gone",
            excerpt: [])
        try bench.write { transaction throws(StoreError) in
            try transaction.record(attempt, of: DeliveryID(1), outcome: .dead("410 Gone"))
        }
        #expect(try bench.call("GET", "/deliveries/1")["reason"] == "410 Gone")
        bench.clock.now = bench.clock.now.advanced(by: .seconds(600))
        let retried = try bench.call("POST", "/deliveries/1/retry")
        #expect(retried.status == 200 && retried["state"] == "waiting")
        #expect(retried["due_at"] == .string(bench.clock.now.rfc3339))
        #expect(retried["reason"] == .null && retried["attempts"]?.arrayValue?.count == 1)
    }

    @Test func `only a waiting delivery can be cancelled and only an open one retried`() throws {
        let bench = try EntityTests.bench()
        try bench.convert(bench.click(), delivery: Bench.delivery)
        let cancelled = try bench.call("POST", "/deliveries/1/cancel")
        #expect(cancelled.status == 200 && cancelled["state"] == "cancelled")
        #expect(try bench.call("POST", "/deliveries/1/cancel").status == 409)
        #expect(try bench.call("POST", "/deliveries/1/retry")["state"] == "waiting")
        let attempt = Attempt(
            number: 1, at: bench.clock.now, status: 200, milliseconds: 1, error: nil, excerpt: [])
        try bench.write { transaction throws(StoreError) in
            try transaction.record(attempt, of: DeliveryID(1), outcome: .delivered)
        }
        #expect(try bench.call("POST", "/deliveries/1/retry").status == 409)
        #expect(try bench.call("GET", "/deliveries/1")["state"] == "delivered")
        #expect(try bench.call("GET", "/deliveries/1/retry").status == 405)
    }

    @Test func `deliveries are found by state, destination, conversion and click`() throws {
        let bench = try EntityTests.bench()
        let clicks = [try bench.click(sequence: 0), try bench.click(sequence: 1)]
        for click in clicks { try bench.convert(click, delivery: Bench.delivery) }
        try bench.call("POST", "/deliveries/1/cancel")
        func ids(_ filter: String) throws -> [JSONValue] {
            try bench.call("GET", "/deliveries?\(filter)").items.compactMap { $0["id"] }
        }
        #expect(try ids("") == [2, 1])
        #expect(try ids("state=cancelled") == [1])
        #expect(try ids("destination=push/main&state=waiting") == [2])
        #expect(try ids("destination=push%2Fother").isEmpty)
        #expect(try ids("conversion=cv2") == [2])
        #expect(try ids("click_id=\(bench.text(clicks[0]))") == [1])
        #expect(try ids("limit=1&cursor=2") == [1])
        let wrong = try bench.call("GET", "/deliveries?state=waitin")
        #expect(wrong.status == 422 && wrong.fields == ["state"])
    }

    @Test func `each destination tells what waits and how long acceptance takes`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<3 {
            try bench.convert(bench.click(sequence: sequence), delivery: Bench.delivery)
        }
        let dueAt = bench.clock.now
        let attempt = Attempt(
            number: 1, at: bench.clock.now.advanced(by: .milliseconds(900)), status: 200,
            milliseconds: 100, error: nil, excerpt: [])
        try bench.write { transaction throws(StoreError) in
            try transaction.record(attempt, of: DeliveryID(1), outcome: .delivered)
        }
        try bench.call("POST", "/deliveries/2/cancel")
        try bench.call(
            "POST", "/sources",
            [
                "key": "other", "name": "Other",
                "destinations": [
                    ["key": "x", "method": "GET", "url": "https://x.example/?id={external_id}"]
                ],
            ])
        let today = bench.clock.now.day
        let list = try bench.call("GET", "/destinations")
        #expect(list["from"] == .string(today.advanced(by: -6).text))
        #expect(list["to"] == .string(today.text) && list["next_cursor"] == .null)
        #expect(list["formulas"]?["p50_ms, p99_ms"]?.stringValue?.contains("6.25 %") == true)
        let names = list.items.map { $0["destination"] }
        #expect(names.contains("push/main") && names.contains("other/x"))
        let main = try #require(list.items.first { $0["destination"] == "push/main" })
        let expected: [(String, JSONValue)] = [
            ("waiting", 1), ("delivered", 1), ("dead", 0), ("cancelled", 1), ("accepted", 1),
            ("oldest_due_at", .string(dueAt.rfc3339)),
        ]
        for (name, value) in expected { #expect(main[name] == value, "\(name)") }
        for name in ["p50_ms", "p99_ms"] {
            #expect((1000...1063).contains(main[name]?.int64Value ?? 0))
        }
        let other = try #require(list.items.first { $0["destination"] == "other/x" })
        #expect(other["origin"] == "https://x.example" && other["waiting"] == 0)
        #expect(other["oldest_due_at"] == .null && other["p99_ms"] == .null)

        let page = try bench.call("GET", "/destinations?limit=1")
        #expect(page.items.count == 1 && page["next_cursor"] == "1")
        let rest = try bench.call("GET", "/destinations?limit=5&cursor=1")
        #expect(page.items + rest.items == list.items)
        #expect(try bench.call("GET", "/destinations?destination=other/x").items == [other])
        bench.clock.now = bench.clock.now.advanced(by: .seconds(86_400))
        let tomorrow = try bench.call("GET", "/destinations?days=1&destination=push/main").items
        #expect(tomorrow.first?["accepted"] == 0 && tomorrow.first?["p50_ms"] == .null)
        for days in ["0", "93", "x"] {
            let wrong = try bench.call("GET", "/destinations?days=\(days)")
            #expect(wrong.status == 422 && wrong.fields == ["days"])
        }
    }
}

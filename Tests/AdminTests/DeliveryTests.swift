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
}

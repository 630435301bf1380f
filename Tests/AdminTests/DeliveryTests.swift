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
                    "headers": ["X-Note": "k"], "body": "{\"a\":1}",
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

    /// So many deliveries to push/main, of which every third is dead, and the last one delivered.
    private func bench(count: Int) throws -> Bench {
        let bench = try EntityTests.bench()
        for sequence in 0..<count {
            try bench.convert(bench.click(sequence: sequence), delivery: Bench.delivery)
        }
        let at = bench.clock.now
        try bench.write { transaction throws(StoreError) in
            for id in 1...count where id % 3 == 0 || id == count {
                let attempt = Attempt(
                    number: 1, at: at, status: 500, milliseconds: 1, error: "x", excerpt: [])
                try transaction.record(
                    attempt, of: DeliveryID(Int64(id)),
                    outcome: id == count ? .delivered : .dead("given up"))
            }
        }
        return bench
    }

    private func count(_ bench: Bench, _ state: String) throws -> Int {
        try bench.call("GET", "/deliveries?limit=1000&state=\(state)").items.count
    }

    @Test func `a selection is retried part by part, and each of it once`() throws {
        let bench = try bench(count: 300)
        #expect(try count(bench, "dead") == 99)
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        var cursor = ""
        var (changed, parts) = (0, 0)
        repeat {
            let part = try bench.call("POST", "/deliveries/retry?state=dead&limit=40\(cursor)")
            #expect(part.status == 200 && part["refused"] == 0, "\(part.json)")
            changed += Int(part["changed"]?.int64Value ?? 0)
            parts += 1
            // One that came later is not meant, whatever becomes of it.
            if parts == 1 {
                try bench.convert(bench.click(sequence: 999), delivery: Bench.delivery)
                let at = bench.clock.now
                try bench.write { transaction throws(StoreError) in
                    let attempt = Attempt(
                        number: 1, at: at, status: 500, milliseconds: 1, error: "x", excerpt: [])
                    try transaction.record(attempt, of: DeliveryID(301), outcome: .dead("new"))
                }
            }
            cursor = part["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty && parts < 10
        #expect(changed == 99 && parts == 3)
        #expect(try count(bench, "dead") == 1 && count(bench, "waiting") == 299)
        let retried = try bench.call("GET", "/deliveries/3")
        #expect(retried["due_at"] == .string(bench.clock.now.rfc3339))
        #expect(retried["reason"] == .null)
    }

    @Test func `one call retries all of a selection, however many reads it takes`() throws {
        let bench = try bench(count: 2600)
        let rehearsal = try bench.call("POST", "/deliveries/retry?destination=push/main&dry_run=1")
        #expect(rehearsal["dry_run"] == true && rehearsal["changed"] == 2599)
        #expect(try bench.call("POST", "/deliveries/cancel?all=1&dry_run=1")["changed"] == 1733)
        #expect(try bench.call("POST", "/deliveries/retry?state=dead&dry_run=1")["changed"] == 866)
        #expect(try count(bench, "dead") == 866)
        let all = try bench.call("POST", "/deliveries/retry?all=1")
        #expect(all["changed"] == 2599 && all["refused"] == 0 && all["next_cursor"] == .null)
        #expect(all["dry_run"] == false)
        #expect(try count(bench, "dead") == 0)
        #expect(try bench.call("POST", "/deliveries/cancel?all=1")["changed"] == 2599)
        #expect(try bench.call("POST", "/deliveries/cancel?all=1")["changed"] == 0)
    }

    @Test func `a selection is cancelled, and what can't be changed stays`() throws {
        let bench = try bench(count: 9)
        let cancelled = try bench.call("POST", "/deliveries/cancel?destination=push/main")
        #expect(cancelled["changed"] == 6 && cancelled["refused"] == 0)
        #expect(cancelled["next_cursor"] == .null && cancelled["refusals"] == [])
        #expect(try count(bench, "cancelled") == 6 && count(bench, "dead") == 2)
        // Cancelled ones come back only by their name.
        #expect(
            try bench.call("POST", "/deliveries/retry?destination=push/main")["changed"] == 2)
        #expect(
            try bench.call("POST", "/deliveries/retry?state=cancelled&conversion=cv1")["changed"]
                == 1)
        #expect(try count(bench, "cancelled") == 5 && count(bench, "delivered") == 1)
        #expect(
            try bench.call("POST", "/deliveries/cancel?origin=https://other.example")["changed"]
                == 0)
        let day = bench.clock.now.day
        #expect(
            try bench.call(
                "POST", "/deliveries/cancel?to=\(day.advanced(by: -1).text)")["changed"] == 0)
        #expect(
            try bench.call(
                "POST", "/deliveries/cancel?from=\(day.text)&to=\(day.text)")["changed"] == 3)
    }

    @Test func `what was dead from the start is refused with the reason`() throws {
        let bench = try EntityTests.bench()
        try bench.convert(
            bench.click(),
            delivery: NewDelivery(
                destination: "push/main", request: Bench.delivery.request,
                deadReason: "no external ID"))
        let rehearsal = try bench.call("POST", "/deliveries/retry?state=dead&dry_run=1")
        #expect(rehearsal["changed"] == 0 && rehearsal["refused"] == 1)
        let answer = try bench.call("POST", "/deliveries/retry?state=dead")
        #expect(answer["changed"] == 0 && answer["refused"] == 1)
        let refusal = try #require(answer["refusals"]?.arrayValue?.first)
        #expect(refusal["delivery"] == 1)
        #expect(refusal["message"]?.stringValue?.contains("no external ID") == true)
    }

    @Test(arguments: [
        ("retry", ""), ("cancel", ""), ("retry?limit=5", ""), ("retry?state=delivered", "state"),
        ("cancel?state=dead", "state"), ("retry?state=dead&cursor=5", "cursor"),
        ("retry?state=dead&cursor=5-4", "cursor"), ("retry?stat=dead", "stat"),
        ("retry?all=0", ""), ("retry?all=x", "all"), ("retry?dry_run=1", ""),
        ("cancel?state=waiting&render=1", "render"), ("retry?state=dead&limit=100001", "limit"),
    ])
    func `a selection of all or of what can't be is refused`(target: String, field: String) throws {
        let bench = try bench(count: 3)
        let wrong = try bench.call("POST", "/deliveries/\(target)")
        #expect(wrong.status == 422 && wrong.fields.contains(field), "\(wrong.json)")
        #expect(try count(bench, "waiting") == 2 && count(bench, "dead") == 0)
    }
}

import Domain
import Store
import Testing

@Suite struct PauseTests {
    private static func bench() throws -> Bench {
        let bench = try EntityTests.bench()
        try bench.convert(bench.click(), delivery: Bench.delivery)
        return bench
    }

    @Test func `a pause is listed, shown on what it holds, and lifted`() throws {
        let bench = try Self.bench()
        let made = try bench.call(
            "POST", "/pauses", ["destination": "push/main", "reason": "their API is down"])
        #expect(made.status == 201)
        let expected: [(String, JSONValue)] = [
            ("id", 1), ("destination", "push/main"), ("host", .null),
            ("reason", "their API is down"), ("paused_at", .string(bench.clock.now.rfc3339)),
            ("resumed_at", .null),
        ]
        for (name, value) in expected { #expect(made[name] == value, "\(name)") }
        #expect(try bench.call("GET", "/pauses").items == [made.json])
        let delivery = try bench.call("GET", "/deliveries/1")
        #expect(delivery["paused"] == made.json && delivery["state"] == "waiting")
        #expect(try bench.call("GET", "/status")["outbound"]?["pauses"] == [made.json])
        let numbers = try bench.call("GET", "/destinations?destination=push/main").items
        #expect(numbers.first?["paused"] == made.json)

        let twice = try bench.call("POST", "/pauses", ["destination": "push/main"])
        #expect(twice.status == 409)
        #expect(twice["detail"]?.stringValue?.contains("pause 1") == true)
        let dueAt = delivery["due_at"]
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let ended = try bench.call("DELETE", "/pauses/1")
        #expect(ended.status == 200)
        #expect(ended["resumed_at"] == .string(bench.clock.now.rfc3339))
        #expect(try bench.call("GET", "/pauses").items.isEmpty)
        let after = try bench.call("GET", "/deliveries/1")
        #expect(after["paused"] == .null && after["due_at"] == dueAt)
        #expect(try bench.call("DELETE", "/pauses/1").status == 409)
        for id in ["2", "x"] { #expect(try bench.call("DELETE", "/pauses/\(id)").status == 404) }
        #expect(try bench.call("POST", "/pauses", ["destination": "push/main"])["id"] == 2)
    }

    @Test func `a host is paused by its name or by one of its origins`() throws {
        let bench = try Self.bench()
        for (text, name) in [
            ("Source.Example", "source.example"),
            ("https://source.example:443", "https://source.example"),
        ] {
            let made = try bench.call("POST", "/pauses", ["host": .string(text)])
            #expect(made.status == 201 && made["host"] == .string(name), "\(made.json)")
            #expect(try bench.call("GET", "/deliveries/1")["paused"] == made.json)
            let id = try #require(made["id"]?.int64Value)
            try bench.call("DELETE", "/pauses/\(id)")
        }
    }

    @Test(arguments: [
        ("{\"destination\":\"push/mian\"}", "destination"),
        ("{\"host\":\"other.example\"}", "host"),
        ("{\"host\":\"a b\"}", "host"), ("{}", "destination"),
        ("{\"destination\":1}", "destination"),
        ("{\"destination\":\"push/main\",\"host\":\"source.example\"}", "destination"),
        ("{\"destnation\":\"push/main\"}", "destnation"), ("[]", ""),
        ("{\"destination\":\"push/main\",\"reason\":\"a\\nb\"}", "reason"),
        ("{\"destination\":\"push/main\",\"reason\":1}", "reason"),
    ])
    func `a pause of nothing is refused with the field`(body: String, field: String) throws {
        let bench = try Self.bench()
        let wrong = try bench.call("POST", "/pauses", text: body)
        #expect(wrong.status == 422 && wrong.fields == [field], "\(wrong.json)")
        #expect(try bench.call("GET", "/pauses").items.isEmpty)
    }

    @Test func `pauses are bounded in number, lasting and ended`() throws {
        let bench = try Self.bench()
        try bench.write { tx throws(StoreError) in
            for number in 0..<Pauses.lastingMax {
                _ = try tx.pause(.destination("a/\(number)"), reason: "", at: bench.clock.now)
            }
        }
        #expect(try bench.call("POST", "/pauses", ["destination": "push/main"]).status == 409)
        try bench.write { tx throws(StoreError) in
            for number in 1...Pauses.lastingMax {
                _ = try tx.resume(Int64(number), at: bench.clock.now)
            }
            for _ in 0..<5 {
                let pause = try tx.pause(.destination("b/b"), reason: "", at: bench.clock.now)
                _ = try tx.resume(pause.id, at: bench.clock.now)
            }
        }
        #expect(try bench.call("DELETE", "/pauses/1").status == 404)
        #expect(try bench.call("DELETE", "/pauses/6").status == 409)
    }
}

import TestSupport
import Testing

/// How deliveries fail, wait and are tried again.
@Suite struct DeliveryTests {
    /// One conversion whose first attempt is answered as scripted, and its delivery after that.
    private func firstAttempt(
        _ chain: Chain, within seconds: Double = 20
    ) throws -> (clickID: String, delivery: JSON) {
        let visit = try chain.visit("subid=A")
        let answer = try chain.network.call("cid=\(visit.clickID)&payout=1")
        #expect(answer.verdict == "accepted")
        let delivery = try chain.delivery(of: visit.clickID, within: seconds, "was tried") {
            Chain.attempts(of: $0) == 1
        }
        return (visit.clickID, delivery)
    }

    /// Forces the next attempt and returns the delivery once it has that many.
    private func retry(_ chain: Chain, _ clickID: String, _ delivery: JSON, attempts: Int) throws
        -> JSON
    {
        let id = try #require(delivery["id"].id)
        try chain.tracker.call("POST", "/deliveries/\(id)/retry")
        return try chain.delivery(of: clickID, "was tried \(attempts) times") {
            Chain.attempts(of: $0) == attempts
        }
    }

    @Test func `a failed delivery waits about ten seconds and keeps its key`() throws {
        let chain = try Chain.start(answer: { _, before in before < 2 ? .status(500) : .ok })
        var (clickID, delivery) = try firstAttempt(chain)
        #expect(delivery["state"] == "waiting")
        #expect(delivery["attempts"][0]["status"] == 500)
        #expect(delivery["attempts"][0]["ms"].int != nil)
        #expect(delivery["attempts"][0]["excerpt"] == "OK")
        // From its end on.
        let attempt = delivery["attempts"][0]
        let length = Double(try #require(attempt["ms"].int)) / 1000
        let pause = try seconds(from: attempt["at"], to: delivery["due_at"]) - length
        #expect((9.5...13).contains(pause), "\(pause)")

        delivery = try retry(chain, clickID, delivery, attempts: 2)
        #expect(delivery["state"] == "waiting")
        delivery = try retry(chain, clickID, delivery, attempts: 3)
        #expect(delivery["state"] == "delivered")
        #expect(delivery["attempts"].array.map { $0["status"] } == [500, 500, 200])
        let keys = chain.source.received.map { $0.idempotencyKey }
        #expect(keys.count == 3 && Set(keys).count == 1 && keys[0]?.isEmpty == false)
        #expect(Set(chain.source.targets).count == 1)

        let other = try chain.visit("subid=B")
        _ = try chain.network.call("cid=\(other.clickID)&payout=1")
        #expect(try chain.source.await(4)[3].idempotencyKey != keys[0])
    }

    @Test func `a failed delivery is tried again without anybody's help`() throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .status(503) : .ok })
        let (clickID, _) = try firstAttempt(chain)
        let delivery = try chain.delivery(of: clickID, within: 30, "is delivered") {
            $0["state"] == "delivered"
        }
        let pause = try seconds(
            from: delivery["attempts"][0]["at"], to: delivery["attempts"][1]["at"])
        #expect((9.5...20).contains(pause), "\(pause)")
        #expect(chain.source.count == 2)
    }

    @Test func `the waiting time survives a restart`() throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .status(503) : .ok })
        let (clickID, before) = try firstAttempt(chain)
        try chain.tracker.kill()
        try chain.tracker.restart()
        let after = try chain.deliveries(clickID)[0]
        #expect(after["due_at"] == before["due_at"] && after["state"] == "waiting")
        let delivery = try chain.delivery(of: clickID, within: 30, "is delivered") {
            $0["state"] == "delivered"
        }
        #expect(delivery["attempts"].array.count == 2)
        #expect(Set(chain.source.received.map { $0.idempotencyKey }).count == 1)
    }

    @Test func `Retry-After is honoured`() throws {
        let chain = try Chain.start(answer: { _, before in
            before == 0 ? .init(503, fields: ["Retry-After": "1800"]) : .ok
        })
        let (_, delivery) = try firstAttempt(chain)
        let pause = try seconds(from: delivery["attempts"][0]["at"], to: delivery["due_at"])
        #expect((1799...2200).contains(pause), "\(pause)")
        #expect(delivery["state"] == "waiting")
    }

    @Test func `Retry-After counts for a day at most`() throws {
        let chain = try Chain.start(answer: { _, _ in
            .init(429, fields: ["Retry-After": "99999999999"])
        })
        let (_, delivery) = try firstAttempt(chain)
        let pause = try seconds(from: delivery["attempts"][0]["at"], to: delivery["due_at"])
        #expect((9...105_000).contains(pause), "\(pause)")
        #expect(delivery["state"] == "waiting")
    }

    @Test func `410 Gone ends a delivery at once, and a retry by hand revives it`() throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .status(410) : .ok })
        let (clickID, delivery) = try firstAttempt(chain)
        #expect(delivery["state"] == "dead")
        #expect(delivery["reason"].string?.isEmpty == false)
        #expect(try retry(chain, clickID, delivery, attempts: 2)["state"] == "delivered")
    }

    @Test func `redirects are not followed`() throws {
        let elsewhere = try FakeTrafficSource()
        let location = elsewhere.url + "/stolen"
        let chain = try Chain.start(answer: { _, _ in .init(302, fields: ["Location": location]) })
        let (clickID, delivery) = try firstAttempt(chain)
        #expect(delivery["attempts"][0]["status"] == 302 && delivery["state"] == "waiting")
        _ = try retry(chain, clickID, delivery, attempts: 2)
        #expect(elsewhere.count == 0)
    }

    @Test func `a text in the body decides where the destination names one`() throws {
        let chain = try Chain.start(answer: { _, before in
            .init(200, body: before == 0 ? "ERROR: unknown tag" : "all OK here")
        }) { setup in
            setup.source["destinations"] = .array(
                setup.destinations.map { destination in
                    var strict = destination
                    strict["success"] = ["status": [200, 299], "body_contains": "OK"]
                    return strict
                })
        }
        let (clickID, delivery) = try firstAttempt(chain)
        #expect(delivery["state"] == "waiting")
        #expect(delivery["attempts"][0]["excerpt"].string?.contains("unknown tag") == true)
        #expect(try retry(chain, clickID, delivery, attempts: 2)["state"] == "delivered")
    }

    @Test(arguments: [FakeTrafficSource.Answer.Manner.close, .reset, .garbage, .stall])
    func `a receiver that misbehaves is an attempt with an error`(
        manner: FakeTrafficSource.Answer.Manner
    ) throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .manner(manner) : .ok }) {
            // The one that ends by it; the others say something before.
            if manner == .stall {
                $0.options.environment = ["CLICKRELAY_OUTBOUND_TIMEOUT_MS": "3000"]
            }
        }
        let (clickID, delivery) = try firstAttempt(chain)
        #expect(delivery["state"] == "waiting")
        #expect(delivery["attempts"][0]["error"].string?.isEmpty == false)
        let retried = try retry(chain, clickID, delivery, attempts: 2)
        #expect(retried["state"] == "delivered", "\(retried.text)")
    }

    @Test func `nobody listening is an attempt with an error`() throws {
        let chain = try Chain.start()
        chain.source.stop()
        let (_, delivery) = try firstAttempt(chain)
        #expect(delivery["state"] == "waiting")
        #expect(delivery["attempts"][0]["error"].string?.isEmpty == false)
    }

    @Test func `an endless answer is cut off`() throws {
        let flood = try FaultyPeer(
            .floods("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 60_000)))
        let chain = try Chain.start { setup in
            setup.options.environment = ["CLICKRELAY_OUTBOUND_TIMEOUT_MS": "2000"]
            var endless = setup.destination("main", "/")
            endless["url"] = .string(flood.url + "/conv?id={external_id}")
            setup.destinations = [endless]
        }
        let (_, delivery) = try firstAttempt(chain)
        #expect((delivery["attempts"][0]["excerpt"].string ?? "").utf8.count <= 4096)
        #expect(try chain.tracker.get("/healthz").status == 200)
    }

    @Test func `loopback is refused unless the destination allows it`() throws {
        let chain = try Chain.start { setup in
            setup.source["destinations"] = .array(
                setup.destinations.map { destination in
                    var strict = destination
                    strict["allow_private"] = false
                    return strict
                })
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let delivery = try chain.delivery(of: visit.clickID, "is refused") {
            $0["reason"].string != nil || $0["attempts"][0]["error"].string != nil
        }
        #expect(delivery["state"] == "waiting" || delivery["state"] == "dead")
        let said =
            (delivery["reason"].string ?? "") + (delivery["attempts"][0]["error"].string ?? "")
        #expect(said.contains("loopback") || said.contains("127.0.0.1"), "\(said)")
        #expect(chain.source.count == 0)
    }

    @Test(arguments: [
        "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0.0.0.0",
    ])
    func `loopback by any other name is refused`(host: String) throws {
        let chain = try Chain.start()
        let url = "http://\(host):\(chain.source.port)/conv?id={external_id}"
        let answer = try chain.tracker.api(
            "PATCH", "/sources/push",
            [
                "destinations": [
                    [
                        "key": "main", "method": "GET", "url": .string(url), "statuses": [],
                        "events": [], "allow_private": false,
                    ]
                ]
            ])
        // Refused when it's saved or when it's called: either is right, a call is not.
        if answer.status == 200 {
            let visit = try chain.visit("subid=A")
            _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
            _ = try chain.delivery(of: visit.clickID, "is refused") {
                $0["reason"].string != nil || $0["attempts"][0]["error"].string != nil
            }
        }
        #expect(chain.source.count == 0)
    }

    @Test func `a stalled receiver doesn't delay another one`() throws {
        let stalled = try FaultyPeer(.stalls)
        let chain = try Chain.start { setup in
            // So that none of its calls ends before the others' are made.
            setup.options.environment = ["CLICKRELAY_OUTBOUND_TIMEOUT_MS": "600000"]
            var slow = setup.destination("slow", "/")
            slow["url"] = .string(stalled.url + "/conv?id={external_id}")
            setup.destinations = [slow, setup.destination("fast", "/fast?id={external_id}")]
        }
        for index in 0..<60 {
            let visit = try chain.visit("subid=\(index)")
            _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        }
        try chain.source.await(60, within: 120)
        #expect(Set(chain.source.targets).count == 60)
        #expect(stalled.accepted > 0 && stalled.open == stalled.accepted, "none of them has ended")
    }

    @Test func `one host gets no more calls at once than allowed`() throws {
        let chain = try Chain.start(answer: { _, _ in .init(200, delay: 0.2) }) {
            $0.options.environment = ["CLICKRELAY_OUTBOUND_PER_HOST": "2"]
        }
        for index in 0..<8 {
            let visit = try chain.visit("subid=\(index)")
            _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        }
        let times = try chain.source.await(8).map(\.receivedAt)
        for index in 2..<8 {
            // The third can't begin before one of the two before it has had its answer.
            #expect(times[index] - times[index - 2] > 180_000_000)
        }
    }

    @Test func `a retry by the command line works and an unknown delivery is 404`() throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .status(500) : .ok })
        let (clickID, delivery) = try firstAttempt(chain)
        let id = try #require(delivery["id"].id)
        let result = try chain.tracker.command("deliveries", "retry", id)
        #expect(result.exitCode == 0, "\(result.error)")
        _ = try chain.delivery(of: clickID, "is delivered") { $0["state"] == "delivered" }
        #expect(try chain.tracker.api("POST", "/deliveries/999999/retry").status == 404)
        #expect(try chain.tracker.command("deliveries", "retry", "999999").exitCode == 3)
    }
}

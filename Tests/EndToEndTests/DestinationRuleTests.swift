import TestSupport
import Testing

/// Which conversions a destination is told of, with which value, and how its answer is read.
@Suite struct DestinationRuleTests {
    private static func destination(
        _ setup: Chain.Setup, _ key: String, _ members: [String: JSON]
    ) -> JSON {
        var all: [String: JSON] = [
            "key": .string(key),
            "url": .string(setup.sourceURL + "/\(key)?id={external_id}&v={payout}&c={currency}"),
            "allow_private": true,
        ]
        for (name, value) in members { all[name] = value }
        return .object(all)
    }

    private static func answer(_ status: Int, _ body: String) -> FakeTrafficSource.Answer {
        var answer = FakeTrafficSource.Answer.status(status)
        answer.body = body
        return answer
    }

    /// What the journey says of destinations that were not told, by revision.
    private static func notSent(_ chain: Chain, _ clickID: String) throws -> [String: String] {
        let journey = try chain.journey(clickID)
        var reasons: [String: String] = [:]
        for conversion in journey["conversions"].array {
            for revision in conversion["revisions"].array {
                for item in revision["not_sent"].array {
                    reasons[item["destination"].string ?? "?"] = item["reason"].string ?? "?"
                }
            }
        }
        return reasons
    }

    @Test func `what a destination does not ask for is recorded with the reason`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                Self.destination(setup, "all", [:]),
                Self.destination(setup, "large", ["payout": ["min": "10"]]),
                Self.destination(setup, "small", ["payout": ["max": "10"]]),
                Self.destination(setup, "off", ["enabled": false]),
                Self.destination(setup, "sales", ["events": ["sale"]]),
                Self.destination(setup, "bad", ["statuses": ["rejected"]]),
            ]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=10.01")
        try chain.source.await(2)
        #expect(
            chain.source.targets.sorted()
                == ["/all?id=A&v=10.01&c=USD", "/large?id=A&v=10.01&c=USD"])
        #expect(
            try Self.notSent(chain, visit.clickID) == [
                "push/small": "it asks for a payout of at most 10",
                "push/off": "it is disabled",
                "push/sales": "it asks for event sale",
                "push/bad": "it asks for status rejected",
            ])
        #expect(
            try chain.tracker.command("trace", visit.clickID).output
                .contains("not sent to push/off: it is disabled"))
        let test = try chain.visit("subid=B")
        _ = try chain.network.call("cid=\(test.clickID)&payout=10.01&test=1")
        #expect(
            try Self.notSent(chain, test.clickID)["push/all"] == "a test call is sent nowhere")
        let quiet = try chain.visit("subid=C")
        _ = try chain.network.call("cid=\(quiet.clickID)&payout=10.01&disable_postback=1")
        #expect(
            try Self.notSent(chain, quiet.clickID)["push/large"]
                == "the call asked for no outbound postback (disable_postback)")
    }

    @Test func `a value rule changes what is told, not what is counted`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                Self.destination(setup, "part", ["value": ["percent": "33.3"]]),
                Self.destination(setup, "fixed", ["value": ["fixed": "2", "currency": "EUR"]]),
            ]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=10")
        try chain.source.await(2)
        #expect(
            chain.source.targets.sorted() == ["/fixed?id=A&v=2&c=EUR", "/part?id=A&v=3.33&c=USD"])
        let journey = try chain.journey(visit.clickID)
        #expect(journey["conversions"][0]["payout"]["amount"] == "10")
    }

    @Test func `a destination may hear of a click's first conversion only`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [Self.destination(setup, "first", ["first_only": true])]
        }
        let visit = try chain.visit("subid=A")
        for query in [
            "payout=1&test=1", "payout=2&txid=1&status=pending", "payout=3&txid=2",
            "payout=2&txid=1&status=approved", "payout=4&event=sale",
        ] {
            _ = try chain.network.call("cid=\(visit.clickID)&\(query)")
        }
        try chain.source.await(2)
        try eventually("nothing left waiting") {
            try chain.tracker.list("/deliveries").allSatisfy { $0["state"] == "delivered" }
        }
        // The first conversion, and its revision.
        #expect(chain.source.targets == ["/first?id=A&v=2&c=USD", "/first?id=A&v=2&c=USD"])
        let deliveries = try chain.deliveries(visit.clickID)
        #expect(deliveries.count == 2)
        #expect(
            try Self.notSent(chain, visit.clickID)["push/first"]
                == "it asks for the first conversion of a click only")
    }

    @Test func `a delayed destination waits, and can be told at once by hand`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                Self.destination(setup, "late", ["delay_seconds": 1_728_000]),
                Self.destination(setup, "soon", ["delay_seconds": 1]),
            ]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        try chain.source.await(1)
        #expect(chain.source.targets == ["/soon?id=A&v=1&c=USD"])
        let late = try #require(
            try chain.deliveries(visit.clickID).first { $0["destination"] == "push/late" })
        #expect(late["state"] == "waiting" && late["attempts"].array.isEmpty)
        _ = try chain.tracker.call("POST", "/deliveries/\(late["id"].int ?? 0)/retry")
        try chain.source.await(2)
        #expect(chain.source.targets.last == "/late?id=A&v=1&c=USD")
    }

    @Test func `an answer whose JSON says no is tried again`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                Self.destination(
                    setup, "api",
                    ["success": ["body_json": ["path": "code", "equals": 0]]])
            ]
        }
        chain.source.answer { _, _ in Self.answer(200, #"{"code":40001,"message":"no"}"#) }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        try chain.source.await(1)
        try eventually("the refusal is recorded") {
            try chain.deliveries(visit.clickID)[0]["attempts"].array.count == 1
        }
        let refused = try chain.deliveries(visit.clickID)[0]
        #expect(refused["state"] == "waiting")
        #expect(
            refused["attempts"][0]["error"] == #"answered 200 with 40001 at "code", not 0"#)
        chain.source.answer { _, _ in Self.answer(200, #"{"code":0}"#) }
        _ = try chain.tracker.call("POST", "/deliveries/\(refused["id"].int ?? 0)/retry")
        try eventually("it is delivered") {
            try chain.deliveries(visit.clickID)[0]["state"] == "delivered"
        }
    }

    @Test func `a delivery keeps its wording until somebody asks for today's`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [Self.destination(setup, "main", [:])]
        }
        chain.source.answer { _, _ in Self.answer(500, "{}") }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1&status=pending")
        try chain.source.await(1)
        // A later revision must not change what this delivery tells.
        _ = try chain.network.call("cid=\(visit.clickID)&payout=9&status=approved")
        try chain.source.await(2)
        var source = try chain.tracker.call("GET", "/sources/push").object
        let url = chain.source.url + "/mended?id={external_id}&s={status}&v={payout}"
        source["destinations"] = [["key": "main", "url": .string(url), "allow_private": true]]
        _ = try chain.tracker.call("PUT", "/sources/push", .object(source))
        chain.source.answer { _, _ in Self.answer(200, "{}") }

        let first = try #require(
            try chain.deliveries(visit.clickID).first { $0["revision"].int == 1 })
        let second = try #require(
            try chain.deliveries(visit.clickID).first { $0["revision"].int == 2 })
        _ = try chain.tracker.call("POST", "/deliveries/\(first["id"].int ?? 0)/retry?render=1")
        try chain.source.await(3)
        #expect(chain.source.targets[2] == "/mended?id=A&s=pending&v=1")
        _ = try chain.tracker.call("POST", "/deliveries/\(second["id"].int ?? 0)/retry")
        try chain.source.await(4)
        #expect(chain.source.targets[3] == "/main?id=A&v=9&c=USD")
        try eventually("both are delivered") {
            try chain.deliveries(visit.clickID).allSatisfy { $0["state"] == "delivered" }
        }
    }

    @Test func `a click without an external ID can be told once the template needs none`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [Self.destination(setup, "main", [:])]
        }
        let visit = try chain.visit("")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let dead = try #require(try chain.deliveries(visit.clickID).first)
        #expect(dead["state"] == "dead")
        let path = "/deliveries/\(dead["id"].int ?? 0)/retry?render=1"
        #expect(try chain.tracker.api("POST", path).status == 409)
        let command = try chain.tracker.command(
            "deliveries", "retry", "--render", "\(dead["id"].int ?? 0)")
        #expect(command.exitCode == 4 && command.error.contains("today's template"))
        var source = try chain.tracker.call("GET", "/sources/push").object
        let url = chain.source.url + "/own?c={click_id}"
        source["destinations"] = [["key": "main", "url": .string(url), "allow_private": true]]
        _ = try chain.tracker.call("PUT", "/sources/push", .object(source))
        _ = try chain.tracker.call("POST", path)
        try chain.source.await(1)
        #expect(chain.source.targets == ["/own?c=\(visit.clickID)"])
    }
}

import TestSupport
import Testing

/// What is told to which destination, in which form.
@Suite struct DestinationTests {
    @Test func `destinations hear the statuses and events they ask for`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                setup.destination("approved", "/approved?id={external_id}", ["approved"]),
                setup.destination("sales", "/sales?id={external_id}", events: ["sale"]),
                setup.destination(
                    "both", "/both?id={external_id}", ["pending", "rejected"], events: ["lead"]),
                setup.destination("all", "/all?id={external_id}"),
            ]
        }
        let visits = try (0..<4).map { try chain.visit("subid=\($0)") }
        for (index, query) in [
            "event=sale&status=approved", "event=sale&status=pending", "event=lead&status=pending",
            "event=lead&status=approved",
        ].enumerated() {
            _ = try chain.network.call("cid=\(visits[index].clickID)&payout=1&\(query)")
        }
        let expected = [
            "/all?id=0", "/all?id=1", "/all?id=2", "/all?id=3", "/approved?id=0", "/approved?id=3",
            "/both?id=2", "/sales?id=0", "/sales?id=1",
        ]
        try chain.source.await(expected.count)
        try eventually("nothing left waiting") {
            try chain.tracker.list("/deliveries").allSatisfy { $0["state"] == "delivered" }
        }
        #expect(chain.source.targets.sorted() == expected)
        let names = try chain.deliveries(visits[0].clickID).compactMap { $0["destination"].string }
        #expect(names.sorted() == ["push/all", "push/approved", "push/sales"])
    }

    @Test func `a campaign's own destinations come beside the source's`() throws {
        let chain = try Chain.start { setup in
            setup.campaign["destinations"] = .array([
                setup.destination("extra", "/extra?c={click_id}")
            ])
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        try chain.source.await(2)
        #expect(
            chain.source.targets.sorted() == ["/conv?id=A&value=1", "/extra?c=\(visit.clickID)"])
    }

    @Test func `conversion tokens are filled in and empty parameters dropped`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                setup.destination(
                    "main",
                    "/conv?fixed=1&gone=&id={external_id}&c={clickid}&p={payout}&m={payout_minor}"
                        + "&cur={currency}&s={status:approved=1 pending=2}&e={event}&tx={txid}"
                        + "&a={param1}&z={var1}&conv={conversion_id}&h={sha256:external_id}")
            ]
        }
        let visit = try chain.visit("subid=abc")
        let answer = try chain.network.call(
            "cid=\(visit.clickID)&payout=12.50&currency=eur&status=hold&event=sale")
        let call = try chain.source.await(1)[0]
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(
            call.target
                == "/conv?fixed=1&gone=&id=abc&c=\(visit.clickID)&p=12.5&m=1250&cur=EUR&s=2&e=sale"
                + "&conv=\(answer.conversion ?? "?")&h=\(hash)")

        let other = try chain.visit("subid=abc&zone=7")
        _ = try chain.network.call(
            "cid=\(other.clickID)&payout=3&txid=T%2F1&param1=x%26y&status=approved")
        let query = try chain.source.await(2)[1].query
        #expect(query["s"] == "1" && query.rawValue("tx") == "T%2F1")
        #expect(query.rawValue("a") == "x%26y" && query["z"] == "7")
        #expect(query["e"] == "conversion" && query["cur"] == "USD")
    }

    @Test func `a POST destination sends its JSON body with real numbers`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                [
                    "key": "api", "method": "POST",
                    "url": .string(setup.sourceURL + "/v1/events?v=2"),
                    "headers": ["X-Api-Key": "k-1"],
                    "body": [
                        "data": [
                            [
                                "event": "{event}", "id": "{external_id}",
                                "value": "{payout:number}", "text": "{payout}",
                                "when": "at {timestamp}", "time": "{timestamp:number}",
                                "user": ["hash": "{sha256:external_id}"], "fixed": 3, "no": .null,
                            ]
                        ]
                    ],
                    "statuses": [], "events": [], "allow_private": true,
                ]
            ]
        }
        let visit = try chain.visit("subid=abc")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=12.50&event=sale")
        let call = try chain.source.await(1)[0]
        #expect(call.method == "POST" && call.target == "/v1/events?v=2")
        #expect(call.fields["x-api-key"] == "k-1")
        #expect(call.fields["content-type"]?.hasPrefix("application/json") == true)
        let item = try JSON(parsing: call.text)["data"][0]
        #expect(item["event"] == "sale" && item["id"] == "abc")
        #expect(item["value"] == .double(12.5) && item["text"] == "12.5")
        #expect(item["when"].string?.hasPrefix("at 1") == true)
        #expect(item["time"].int != nil && item["time"].string == nil)
        #expect(
            item["user"]["hash"]
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(item["fixed"] == 3)
        let kept = try chain.deliveries(visit.clickID)[0]["request"]
        #expect(kept["method"] == "POST" && kept["body"].string == call.text)
    }

    @Test func `hostile values can't break out of a JSON body or a header`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                [
                    "key": "api", "method": "POST", "url": .string(setup.sourceURL + "/e"),
                    "body": ["id": "{external_id}", "ua": "{user_agent}", "tx": "{txid}"],
                    "statuses": [], "events": [], "allow_private": true,
                ]
            ]
        }
        let hostile = "\",\"admin\":true,\"x\":\"\\\r\n\u{0}</script>\u{202e}"
        let visit = try Chain.visit(
            chain.tracker.get(
                "/c/summer?subid=\(percentEncoded(hostile))",
                fields: ["User-Agent": "a\"b\\c"]))
        _ = try chain.network.report(["cid": visit.clickID, "payout": "1", "txid": hostile])
        let call = try chain.source.await(1)[0]
        let body = try JSON(parsing: call.text)
        #expect(body["id"].string == hostile && body["tx"].string == hostile)
        #expect(body["ua"].string == "a\"b\\c")
        #expect(body["admin"].isNull)
    }

    @Test func `hostile values can't split a header or a URL`() throws {
        let chain = try Chain.start { setup in
            var destination = setup.destination(
                "main", "/conv?id={external_id}&raw={external_id:raw}")
            destination["headers"] = ["X-Click": "id {external_id}", "X-Order": "{txid}"]
            setup.destinations = [destination]
        }
        let hostile = "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n\u{0}\u{7f}"
        let visit = try chain.visit("subid=\(percentEncoded(hostile))")
        _ = try chain.network.report(["cid": visit.clickID, "payout": "1", "txid": "b\nX-Evil: 2"])
        _ = try chain.delivery(of: visit.clickID, "is delivered") { $0["state"] == "delivered" }
        #expect(chain.source.count == 1)
        let call = chain.source.received[0]
        #expect(call.fields["x-evil"] == nil)
        #expect(call.fields["x-click"]?.hasPrefix("id a") == true)
        #expect(call.fields["x-order"]?.hasPrefix("b") == true)
        #expect(call.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        #expect(percentDecoded(call.query.rawValue("id") ?? "") == hostile)
    }

    @Test func `a POST destination with a text body sends a form`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                [
                    "key": "form", "method": "POST", "url": .string(setup.sourceURL + "/form"),
                    "headers": ["Content-Type": "application/x-www-form-urlencoded"],
                    "body": "id={external_id}&value={payout}", "statuses": [], "events": [],
                    "allow_private": true,
                ]
            ]
        }
        let visit = try chain.visit("subid=abc")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=2.50")
        let call = try chain.source.await(1)[0]
        #expect(call.fields["content-type"] == "application/x-www-form-urlencoded")
        #expect(call.text == "id=abc&value=2.5")
    }

    @Test func `two destinations with the same address are two deliveries`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = ["one", "two"].map { key in
                [
                    "key": .string(key), "url": .string(setup.sourceURL + "/same?c={click_id}"),
                    "allow_private": true,
                ]
            }
        }
        let visit = try chain.visit("subid=abc")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=2.50")
        let calls = try chain.source.await(2)
        #expect(calls[0].target == calls[1].target)
        #expect(calls[0].fields["idempotency-key"] != calls[1].fields["idempotency-key"])
    }

    @Test func `a form leaves out what has no value`() throws {
        let chain = try Chain.start { setup in
            setup.destinations = [
                [
                    "key": "form", "method": "POST", "url": .string(setup.sourceURL + "/form"),
                    "body": "order={transaction_id}&value={payout}", "allow_private": true,
                ]
            ]
        }
        let visit = try chain.visit("subid=abc")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=2.50")
        #expect(try chain.source.await(1)[0].text == "value=2.5")
    }

    @Test func `a postback may ask that nobody is told`() throws {
        let chain = try Chain.start()
        let quiet = try chain.visit("subid=quiet")
        let loud = try chain.visit("subid=loud")
        #expect(
            try chain.network.call("cid=\(quiet.clickID)&payout=1&disable_postback=1").verdict
                == "accepted")
        _ = try chain.network.call("cid=\(loud.clickID)&payout=1")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=loud&value=1"])
        #expect(try chain.deliveries(quiet.clickID).isEmpty)
    }

    @Test func `a change of the template does not touch what was rendered`() throws {
        let chain = try Chain.start(answer: { _, before in before == 0 ? .status(500) : .ok })
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let failed = try chain.delivery(of: visit.clickID, "was tried") {
            Chain.attempts(of: $0) == 1
        }
        try chain.tracker.call(
            "PATCH", "/sources/push",
            [
                "destinations": [
                    [
                        "key": "main", "method": "GET",
                        "url": .string(chain.source.url + "/new?id={external_id}"), "statuses": [],
                        "events": [], "allow_private": true,
                    ]
                ]
            ])
        let id = try #require(failed["id"].id)
        try chain.tracker.call("POST", "/deliveries/\(id)/retry")
        #expect(try chain.source.await(2)[1].target == "/conv?id=A&value=1")
        let next = try chain.visit("subid=B")
        _ = try chain.network.call("cid=\(next.clickID)&payout=1")
        #expect(try chain.source.await(3)[2].target == "/new?id=B")
    }
}

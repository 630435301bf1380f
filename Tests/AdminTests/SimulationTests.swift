import Domain
import Store
import TestSupport
import Testing

/// `POST /campaigns/…/simulate`: what is told of a visit, and what is refused.
@Suite struct SimulationTests {
    private static func bench() throws -> Bench {
        let bench = try EntityTests.bench()
        for (method, path, body) in [
            (
                "PATCH", "/sources/push",
                [
                    "destinations": [
                        [
                            "key": "main", "statuses": ["approved"],
                            "url":
                                "https://s.example/c?e={external_id}&p={payout}&z={var1}&w={var9}",
                            "headers": ["X-Api-Key": "secret-of-ours", "X-Zone": "{var1}"],
                        ],
                        [
                            "key": "hold", "statuses": ["pending"], "method": "POST",
                            "url": "https://s.example/h", "body": ["id": "{click_id}"],
                        ],
                    ]
                ]
            ),
            ("PATCH", "/networks/net", ["parameters": ["cid": ["aff"]]]),
            (
                "PATCH", "/campaigns/summer",
                [
                    "destinations": [["key": "c", "url": "https://c.example/{campaign}"]],
                    "flow": [
                        "rules": [
                            [
                                "name": "off", "enabled": false, "when": [:],
                                "paths": [["offers": [["offer": "fit"]]]],
                            ],
                            [
                                "when": ["any": [["country": ["US"]], ["var1": ["7", "8"]]]],
                                "paths": [["offers": [["offer": "fit"]]]],
                            ],
                            [
                                "name": "all", "when": [:],
                                "paths": [
                                    ["weight": 1, "offers": [["offer": "fit"]]],
                                    ["weight": 3, "offers": [["offer": "fit"]]],
                                ],
                            ],
                            ["when": ["var1": "9"], "paths": [["offers": [["offer": "fit"]]]]],
                        ],
                        "paths": [["offers": [["offer": "fit"]]]],
                    ],
                ]
            ),
        ] as [(String, String, JSONValue)] {
            let changed = try bench.call(method, path, body)
            try #require(changed.status == 200, "\(changed.json.encoded())")
        }
        return bench
    }

    private static func simulate(_ bench: Bench, _ body: JSONValue = [:]) throws -> Bench.Answer {
        try bench.call("POST", "/campaigns/summer/simulate", body)
    }

    @Test func `every rule is told with what came of it`() throws {
        let bench = try Self.bench()
        let told = try Self.simulate(bench, ["query": "zone=39&subid=W8", "language": "de-AT,de"])
        #expect(told.status == 200, "\(told.json.encoded())")
        let rules = told["rules"]?.arrayValue ?? []
        #expect(
            rules.map { $0["result"] }
                == ["disabled", "condition_failed", "taken", "not_tried"])
        #expect(rules[0]["name"] == "off" && rules[0]["why"] == "it is disabled")
        #expect(
            rules[1]["failed"] == [
                ["condition": "country in US", "value": .null, "unknown": true],
                ["condition": "var1 in 7, 8", "value": "39", "unknown": false],
            ])
        #expect(
            rules[1]["why"]
                == "country in US: the location files don't tell; var1 in 7, 8: it is 39"
        )
        #expect(rules[2]["paths"]?.arrayValue?.map { $0["share"] } == ["0.25", "0.75"])
        #expect(rules[3]["why"] == "rule 3 took the visitor before")
        let decision = told["decision"]
        #expect(decision?["rule"] == 3 && decision?["offer"] == "fit")
        #expect(decision?["lander"] == .null && decision?["fallback"] == .null)
        #expect(decision?["flow_version"] == told["campaign"]?["flow_version"])
        let visit = told["visit"]
        #expect(visit?["language"] == "de-at" && visit?["external_id"] == "W8")
        #expect(visit?["params"] == [["name": "zone", "value": "39"]])
        #expect(visit?["cost"] == ["amount": "0.012", "currency": "USD"])
        #expect(visit?["recorded"] == true && visit?["counted"] == true)
    }

    @Test func `the network's call and what follows from it are told`() throws {
        let bench = try Self.bench()
        let told = try Self.simulate(
            bench, ["query": "zone=39&subid=W8%2F", "conversion": ["payout": "12.50"]])
        let id = try #require(told["visit"]?["click_id"]?.stringValue)
        #expect(
            told["postback"]?["url"]
                == .string(
                    "https://t.example/postback/<key>?aff=\(id)&payout=12.5&status=approved"
                        + "&txid=clickrelay-test"))
        #expect(told["postback"]?["verdict"] == "accepted")
        #expect(
            told["postback"]?["conversion"]?["payout"] == ["amount": "12.5", "currency": "USD"])
        let calls = told["calls"]?.arrayValue ?? []
        #expect(
            calls.map { $0["destination"] } == ["push/main", "campaign:summer/c", "push/hold"])
        #expect(
            calls[0]["request"]?["url"] == "https://s.example/c?e=W8%2F&p=12.5&z=39")
        #expect(calls[0]["empty_tokens"] == ["{var9}"])
        #expect(calls[0]["request"]?["headers"]?["X-Zone"] == "39")
        #expect(!told.json.encoded().contains("secret-of-ours"))
        #expect(calls[1]["request"]?["url"] == "https://c.example/summer")
        #expect(calls[2]["sent"] == false && calls[2]["request"] == .null)
        #expect(calls[2]["why"] == "it asks for status pending")

        let pending = try Self.simulate(bench, ["conversion": ["status": "pending"]])
        // Without an amount the offer's counts.
        #expect(
            pending["postback"]?["conversion"]?["payout"] == ["amount": "9.99", "currency": "USD"])
        let held = pending["calls"]?.arrayValue?.first { $0["destination"] == "push/hold" }
        let other = try #require(pending["visit"]?["click_id"]?.stringValue)
        #expect(held?["request"]?["body"] == .string("{\"id\":\"\(other)\"}"))

        // No external ID: kept as dead, and told so.
        let without = try Self.simulate(bench)["calls"]?.arrayValue?.first
        #expect(without?["sent"] == false)
        #expect(without?["why"]?.stringValue?.contains("without an external ID") == true)
    }

    @Test func `what the network would be refused for is told`() throws {
        let bench = try Self.bench()
        try bench.call(
            "PATCH", "/networks/net",
            [
                "strict_events": true, "events": ["sale"], "require_transaction_id": true,
                "signature": ["secret": "s3cret-s3cret", "parameter": "sig"],
                "allowed_ips": ["192.0.2.0/24"],
            ])
        let unknown = try Self.simulate(bench, ["conversion": ["event": "sole"]])
        #expect(unknown["postback"]?["verdict"] == "event_unknown")
        #expect(unknown["postback"]?["message"]?.stringValue?.contains("did you mean") == true)
        #expect(unknown["postback"]?["conversion"] == .null && unknown["calls"] == [])
        let missing = try Self.simulate(bench, ["conversion": ["transaction_id": ""]])
        #expect(missing["postback"]?["verdict"] == "transaction_id_required")
        #expect(missing["postback"]?["allowed_ips"] == ["192.0.2.0/24"])
        #expect(missing["postback"]?["signature"]?.stringValue?.contains("sig holds") == true)
        #expect(!missing.json.encoded().contains("s3cret"))
        try bench.call("PATCH", "/networks/net", ["ignore_statuses": ["approved"]])
        let ignored = try Self.simulate(bench, ["conversion": ["event": "sale"]])
        // Its other words for the status are used then.
        #expect(ignored["postback"]?["verdict"] == "accepted")
    }

    @Test func `an archived campaign and an unknown host take no visitor`() throws {
        let bench = try Self.bench()
        try bench.call(
            "POST", "/domains",
            [
                "key": "go", "host": "go.example", "fallback_url": "https://f.example/?c={cid}",
            ])
        let foreign = try Self.simulate(bench, ["host": "other.example"])
        #expect(foreign["answer"]?["status"] == 404)
        #expect(foreign["visit"]?["recorded"] == false && foreign["postback"] == .null)
        for host in ["GO.example", "localhost", "127.0.0.1"] {
            let served = try Self.simulate(bench, ["host": .string(host)])
            #expect(served["answer"]?["status"] == 302, "\(host)")
        }

        try bench.call("DELETE", "/campaigns/summer")
        let archived = try Self.simulate(bench)
        #expect(archived["answer"]?["status"] == 404 && archived["calls"] == [])
        #expect(archived["decision"]?["why"] == "the campaign is archived")
        #expect(archived["campaign"]?["archived"] == true)
        let atDomain = try Self.simulate(bench, ["host": "go.example"])
        #expect(atDomain["answer"]?["status"] == 302)
        #expect(atDomain["answer"]?["headers"]?["Location"] == "https://f.example/?c=")
    }

    @Test func `what can't be is refused by name`() throws {
        let bench = try Self.bench()
        let wrong = try Self.simulate(
            bench, ["qery": "x", "ip": "nowhere", "conversion": ["status": "won"]])
        #expect(wrong.status == 422 && Set(wrong.fields) == ["qery", "ip", "conversion.status"])
        #expect(wrong["detail"]?.stringValue?.contains("did you mean \"query\"?") == true)
        #expect(try Self.simulate(bench, []).status == 422)
        #expect(try bench.call("POST", "/campaigns/summer/simulate", text: "{").status == 400)
        #expect(try bench.call("POST", "/campaigns/summer/simulate").status == 200)
        #expect(try bench.call("POST", "/campaigns/none/simulate").status == 404)
        #expect(try bench.call("POST", "/campaigns/%00/simulate").status == 404)
        #expect(try bench.call("GET", "/campaigns/summer/simulate").status == 405)
        #expect(
            try bench.call("POST", "/campaigns/summer/simulate?dry_run=1").fields == ["dry_run"])
    }
}

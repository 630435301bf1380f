import TestSupport
import Testing

/// What the traffic costs, through the real binary: campaign URLs, postbacks and the report.
@Suite struct CostTests {
    private static func chain(_ cost: JSON, source: [String: JSON] = [:]) throws -> Chain {
        try Chain.start { setup in
            setup.campaign["cost"] = cost
            for (name, value) in source { setup.source[name] = value }
        }
    }

    /// Cost and currency of each row of `amounts` in the report's totals.
    private static func costs(_ tracker: TrackerProcess) throws -> [String] {
        try tracker.call("GET", "/report")["totals"]["amounts"].array.map {
            "\($0["cost"]["amount"].string ?? "-") \($0["currency"].string ?? "-")"
        }
    }

    @Test func `the URL's cost is read by its unit, format and currency, lost clicks reckoned in`()
        throws
    {
        let chain = try Self.chain(
            [
                "model": "param", "unit": "minor", "number_format": "comma", "loss_percent": "20",
                "currency": "EUR",
            ], source: ["cost_currency_param": "cur"])
        let first = try chain.visit("subid=a&cost=1.234,5&cur=USD")
        _ = try chain.visit("subid=b&cost=80")
        _ = try chain.visit("subid=c&cost=%7Bcost%7D&cur=EUR")
        let jpy = try chain.visit("subid=d&cost=80&cur=jpy")
        let cost = try chain.journey(first.clickID)["cost"]
        #expect(cost["amount"].string == "15.43125" && cost["currency"].string == "USD")
        #expect(try chain.journey(jpy.clickID)["cost"]["amount"].string == "100")
        #expect(try Self.costs(chain.tracker) == ["1 EUR", "100 JPY", "15.43125 USD"])
        let totals = try chain.tracker.call("GET", "/report")["totals"]
        #expect(totals["clicks"].int == 4 && totals["clicks_without_cost"].int == 1)
    }

    @Test func `a source that charges for conversions is paid for those that count`() throws {
        let chain = try Self.chain(["model": "cpa", "amount": "3.5"])
        let click = try chain.visit("subid=a&cost=7").clickID
        #expect(try chain.journey(click)["cost"]["amount"].string == "0")
        #expect(try chain.network.call("cid=\(click)&payout=10&status=pending").status == 200)
        #expect(try Self.costs(chain.tracker) == ["0 USD"])
        for query in ["payout=10&status=approved", "payout=5&txid=2", "payout=5&txid=3&test=1"] {
            #expect(try chain.network.call("cid=\(click)&\(query)").status == 200)
        }
        #expect(try Self.costs(chain.tracker) == ["7 USD"])
        // The price that is agreed on from now on is not the one of what was recorded.
        try chain.tracker.call(
            "PATCH", "/campaigns/summer", ["cost": ["model": "revshare", "percent": "25"]])
        #expect(try chain.network.call("cid=\(click)&payout=8&txid=2").verdict == "updated")
        #expect(try Self.costs(chain.tracker) == ["7 USD"])
        #expect(try chain.network.call("cid=\(click)&payout=8&txid=4").verdict == "accepted")
        let totals = try chain.tracker.call("GET", "/report")["totals"]
        #expect(totals["cost"]["amount"].string == "9" && totals["profit"]["amount"].string == "17")
        #expect(totals["cpa"].string == "3.000000")
        #expect(
            try chain.network.call("cid=\(click)&payout=8&txid=4&status=chargeback").verdict
                == "updated")
        #expect(try Self.costs(chain.tracker) == ["7 USD"])
        let list = try chain.tracker.command("campaign", "list")
        #expect(list.output.contains("revshare 25 %"), "\(list.output)")
    }

    @Test(
        arguments: [
            (["model": "cpc"], "cost.amount"), (["model": "cpa", "percent": "3"], "cost.percent"),
            (["model": "revshare", "percent": "101"], "cost.percent"),
            (["model": "param", "unit": "cent"], "cost.unit"),
            (["model": "cpm", "amount": "1", "loss_percent": "100"], "cost.loss_percent"),
            (["model": "cpv", "amount": "1"], "cost.model"),
        ] as [(JSON, String)])
    func `a cost that means nothing is refused with its field named`(cost: JSON, field: String)
        throws
    {
        let chain = try Chain.start()
        let answer = try chain.tracker.api(
            "PUT", "/campaigns/summer",
            [
                "source": "push", "cost": cost,
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
        #expect(answer.status == 422)
        #expect(try answer.json["errors"].array.contains { $0["field"].string == field })
        #expect(try chain.tracker.call("GET", "/campaigns/summer")["cost"]["model"].string == "cpc")
    }
}

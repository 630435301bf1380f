import Domain
import Postbacks
import Store
import TestSupport
import Testing

/// What conversions cost where the traffic source charges for them.
@Suite struct CostTests {
    private static func bench(_ cost: JSONValue) throws -> PostbackBench {
        try PostbackBench(
            PostbackBench.Setup(
                source: [
                    "destinations": [["key": "all", "url": "https://s.example/c?cost={cost}"]]
                ], campaign: ["cost": cost]))
    }

    private static func text(_ money: Money?) -> String? {
        money.map { "\($0.amountText) \($0.currency.code)" }
    }

    private static func sums(_ bench: PostbackBench) throws -> [String] {
        try bench.read { (reader) throws(StoreError) in
            try reader.conversionCosts(from: Instant(micros: 0), to: Instant(micros: .max))
        }.map { "\($0.conversions): \(Amount.format($0.costNanos)) \($0.currency.code)" }.sorted()
    }

    @Test func `a conversion costs its price in the statuses that count`() throws {
        let bench = try Self.bench(["model": "cpa", "amount": "3.5", "currency": "EUR"])
        let cid = try bench.click(costNanos: 0).text
        bench.call("cid=\(cid)&payout=10&status=pending")
        #expect(Self.text(try bench.conversions().first?.cost) == "0 EUR")
        #expect(try Self.sums(bench) == [])
        bench.call("cid=\(cid)&payout=10&status=approved")
        #expect(Self.text(try bench.conversions().first?.cost) == "3.5 EUR")
        bench.call("cid=\(cid)&payout=10&status=approved&txid=2")
        bench.call("cid=\(cid)&payout=10&status=approved&txid=3&test=1")
        #expect(try Self.sums(bench) == ["2: 7 EUR"])
        bench.call("cid=\(cid)&payout=10&status=chargeback")
        #expect(try Self.sums(bench) == ["1: 3.5 EUR"])
        #expect(
            try bench.deliveries().map(\.request.url) == [
                "https://s.example/c?cost=0", "https://s.example/c?cost=3.5",
                "https://s.example/c?cost=3.5", "https://s.example/c?cost=0",
            ])
    }

    @Test func `a share of the payout follows the payout`() throws {
        let bench = try Self.bench(["model": "revshare", "percent": "33.3"])
        let cid = try bench.click(costNanos: nil).text
        bench.call("cid=\(cid)&payout=10&currency=GBP&status=approved")
        #expect(try Self.sums(bench) == ["1: 3.33 GBP"])
        bench.call("cid=\(cid)&payout=-1&currency=EUR&status=approved")
        #expect(try Self.sums(bench) == ["1: -0.333 EUR"])
        bench.call("cid=\(cid)&payout=5&currency=EUR&status=rejected")
        #expect(try Self.sums(bench) == [])
    }

    @Test func `a conversion keeps the price that it was first recorded with`() throws {
        let bench = try Self.bench(["model": "cpa", "amount": "3"])
        let old = try bench.click(costNanos: 0).text
        bench.call("cid=\(old)&payout=10&status=pending")
        try bench.perform { (tx) throws(StoreError) in
            guard let campaign = tx.catalog.campaigns[bench.campaign],
                case .object(var members) = campaign.value.document
            else { throw .notFound("campaign") }
            members.removeAll { $0.name == "cost" }
            members.append(
                JSONMember(name: "cost", value: ["model": "cpa", "amount": "4"]))
            do {
                _ = try tx.put(Campaign(document: .object(members)), at: PostbackBench.start)
            } catch {
                throw .conflict("\(error)")
            }
        }
        bench.call("cid=\(old)&payout=10&status=approved")
        bench.call("cid=\(old)&payout=10&status=approved&txid=2")
        #expect(try bench.conversions().map { Self.text($0.cost) } == ["3 USD", "4 USD"])
        #expect(try Self.sums(bench) == ["2: 7 USD"])
    }

    @Test func `a click that was paid for makes its conversions cost nothing`() throws {
        let bench = try Self.bench(["model": "cpa", "amount": "3"])
        bench.call("cid=\(try bench.click().text)&payout=10&status=approved")
        #expect(try bench.conversions().map(\.cost) == [nil])
        #expect(try Self.sums(bench) == [])
    }
}

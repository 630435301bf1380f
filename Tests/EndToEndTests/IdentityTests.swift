import TestSupport
import Testing

/// Which calls are the same conversion, which a revision of it, which a new one.
@Suite struct IdentityTests {
    private func chain() throws -> Chain {
        try Chain.start { setup in
            setup.destinations = [
                setup.destination(
                    "all", "/conv?id={external_id}&v={payout}&s={status}&e={event}&r={revision}")
            ]
        }
    }

    @Test func `a changed status is a new revision and is told once`() throws {
        let chain = try chain()
        let visit = try chain.visit("subid=A")
        let base = "cid=\(visit.clickID)&txid=1&payout=5"
        let first = try chain.network.call(base + "&status=pending")
        #expect(first.verdict == "accepted" && first.revision == 1)
        let second = try chain.network.call(base + "&status=approved")
        #expect(second.verdict == "updated" && second.revision == 2)
        #expect(second.conversion == first.conversion)
        // Same status in the network's other word: nothing changed.
        #expect(try chain.network.call(base + "&status=confirmed").verdict == "duplicate")
        // Back again: changes are accepted in any order and all kept.
        let third = try chain.network.call(base + "&status=pending")
        #expect(third.verdict == "updated" && third.revision == 3)

        try chain.source.await(3)
        #expect(
            chain.source.targets.sorted() == [
                "/conv?id=A&v=5&s=approved&e=conversion&r=2",
                "/conv?id=A&v=5&s=pending&e=conversion&r=1",
                "/conv?id=A&v=5&s=pending&e=conversion&r=3",
            ])
        let conversion = try chain.journey(visit.clickID)["conversions"]
        #expect(conversion.array.count == 1)
        #expect(conversion[0]["status"] == "pending")
        #expect(conversion[0]["revisions"].array.map { $0["revision"] } == [1, 2, 3])
    }

    @Test func `a changed amount is a new revision, however it is written`() throws {
        let chain = try chain()
        let visit = try chain.visit("subid=A")
        let base = "cid=\(visit.clickID)&txid=1"
        #expect(try chain.network.call(base + "&payout=5").verdict == "accepted")
        #expect(try chain.network.call(base + "&payout=5.00").verdict == "duplicate")
        #expect(try chain.network.call(base + "&payout=5,0").verdict == "duplicate")
        let changed = try chain.network.call(base + "&payout=5.01")
        #expect(changed.verdict == "updated" && changed.revision == 2)
        #expect(
            try chain.journey(visit.clickID)["conversions"][0]["payout"]["amount"] == "5.01")
    }

    @Test func `another order, event or click is another conversion`() throws {
        let chain = try chain()
        let visit = try chain.visit("subid=A")
        let other = try chain.visit("subid=B")
        var conversions: Set<String> = []
        for query in [
            "cid=\(visit.clickID)&payout=5", "cid=\(visit.clickID)&payout=5&txid=1",
            "cid=\(visit.clickID)&payout=5&txid=2",
            "cid=\(visit.clickID)&payout=5&txid=1&event=sale",
            "cid=\(other.clickID)&payout=5&txid=1",
        ] {
            let answer = try chain.network.call(query)
            #expect(answer.verdict == "accepted", "\(query)")
            conversions.insert(answer.conversion ?? "")
        }
        #expect(conversions.count == 5)
        #expect(try chain.journey(visit.clickID)["conversions"].array.count == 4)
        #expect(try chain.source.await(5).count == 5)
        #expect(try chain.tracker.list("/conversions").count == 5)
    }

    @Test func `transaction IDs are compared byte for byte`() throws {
        let chain = try chain()
        let visit = try chain.visit()
        for transaction in ["abc", "ABC", "abc%20", "%C3%BC", "0", "00"] {
            let query = "cid=\(visit.clickID)&payout=5&txid=\(transaction)"
            #expect(try chain.network.call(query).verdict == "accepted", "\(transaction)")
            #expect(try chain.network.call(query).verdict == "duplicate", "\(transaction)")
        }
    }

    @Test func `a network that ignores repeats changes nothing`() throws {
        let chain = try Chain.start { $0.network["repeat"] = "ignore" }
        let visit = try chain.visit("subid=A")
        let first = try chain.network.call("cid=\(visit.clickID)&payout=5")
        let second = try chain.network.call("cid=\(visit.clickID)&payout=6&status=rejected")
        #expect(second.verdict == "duplicate" && second.conversion == first.conversion)
        #expect(
            try chain.journey(visit.clickID)["conversions"][0]["payout"]["amount"] == "5")
    }

    @Test func `a network that adds makes a conversion of every call without an order`() throws {
        let chain = try Chain.start { $0.network["repeat"] = "add" }
        let visit = try chain.visit("subid=A")
        for query in ["payout=5", "payout=5", "payout=5&txid=1"] {
            let answer = try chain.network.call("cid=\(visit.clickID)&\(query)")
            #expect(answer.verdict == "accepted", "\(query)")
        }
        #expect(
            try chain.network.call("cid=\(visit.clickID)&payout=5&txid=1").verdict == "duplicate")
        #expect(try chain.journey(visit.clickID)["conversions"].array.count == 3)
    }

    @Test func `two networks sending the same call at once make one conversion`() throws {
        let chain = try chain()
        for round in 0..<20 {
            let visit = try chain.visit("subid=R\(round)")
            let verdicts = Locked<[String]>([])
            try concurrently(4) { _ in
                let verdict = try chain.network.call("cid=\(visit.clickID)&payout=5&txid=1").verdict
                verdicts.with { $0.append(verdict) }
            }
            #expect(
                verdicts.current.sorted() == ["accepted", "duplicate", "duplicate", "duplicate"])
        }
        try chain.source.await(20)
        try eventually("all delivered") {
            try chain.tracker.list("/deliveries").allSatisfy { $0["state"] == "delivered" }
        }
        #expect(chain.source.count == 20)
    }
}

import TestSupport
import Testing

/// The main job: click, redirect, postback, forwarded conversion.
@Suite struct ChainTests {
    @Test func `a conversion reaches the traffic source with its own click ID`() throws {
        let chain = try Chain.start()
        let response = try chain.tracker.get("/c/summer?subid=W8d-77&zone=39485")
        let visit = try Chain.visit(response)
        #expect(visit.location == "https://offer.example/land?s2=\(visit.clickID)")
        #expect(response.fields["cache-control"]?.contains("no-store") == true)
        #expect(response.fields["server"] == nil)

        let answer = try chain.network.report([
            "cid": visit.clickID, "payout": "12.50", "txid": "77", "status": "approved",
        ])
        #expect(answer.status == 200)
        #expect(answer.verdict == "accepted")
        #expect(answer.revision == 1)
        #expect(answer.conversion != nil && answer.postback != nil && !answer.message.isEmpty)
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=W8d-77&value=12.5"])
        #expect(chain.source.received[0].method == "GET")
    }

    @Test func `the journey of a click shows every hop`() throws {
        let chain = try Chain.start()
        let visit = try Chain.visit(
            chain.tracker.get(
                "/c/summer?subid=W8d&zone=39485&creative=7",
                fields: ["User-Agent": "Probe/1.0 (test)", "Referer": "https://pub.example/a"]))
        let answer = try chain.network.report([
            "cid": visit.clickID, "payout": "3", "txid": "T-1", "event": "sale", "status": "1",
        ])
        _ = try chain.delivery(of: visit.clickID, "is delivered") { $0["state"] == "delivered" }

        let click = try chain.journey(visit.clickID)
        #expect(click["click_id"].string == visit.clickID)
        #expect(click["campaign"] == "summer" && click["source"] == "push")
        #expect(click["offer"] == "fit" && click["path"] == 1)
        #expect(click["external_id"] == "W8d")
        #expect(click["location"].string == visit.location)
        #expect(click["cost"] == ["amount": "0.012", "currency": "USD"])
        #expect(click["vars"]["zone"] == "39485" && click["vars"]["creative"] == "7")
        #expect(click["ip"] == "127.0.0.1")
        #expect(click["user_agent"] == "Probe/1.0 (test)")
        #expect(click["referrer"] == "https://pub.example/a")

        let conversion = click["conversions"][0]
        #expect(conversion["id"].id == answer.conversion)
        #expect(conversion["event"] == "sale" && conversion["transaction_id"] == "T-1")
        #expect(conversion["status"] == "approved" && conversion["network_status"] == "1")
        #expect(conversion["payout"] == ["amount": "3", "currency": "USD"])
        #expect(conversion["revisions"].array.count == 1)
        #expect(conversion["revisions"][0]["postback"].id == answer.postback)

        let postback = click["postbacks"][0]
        #expect(postback["verdict"] == "accepted" && postback["network"] == "net")
        #expect(postback["request"]["target"].string?.hasPrefix("/postback/") == true)

        let delivery = click["deliveries"][0]
        #expect(delivery["conversion"].id == answer.conversion)
        #expect(delivery["destination"] == "push/main" && delivery["revision"] == 1)
        #expect(
            delivery["request"]["url"].string == chain.source.url + "/conv?id=W8d&value=3")
        #expect(delivery["attempts"].array.count == 1)
        #expect(delivery["attempts"][0]["status"] == 200)
        #expect(try seconds(from: click["at"], to: delivery["attempts"][0]["at"]) >= 0)
    }

    @Test func `a repeated postback tells the traffic source once`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=G-1")
        let query = "cid=\(visit.clickID)&txid=77&payout=1.25"
        let first = try chain.network.call(query)
        #expect(first.verdict == "accepted")
        for _ in 0..<3 {
            let again = try chain.network.call(query)
            #expect(again.status == 200 && again.verdict == "duplicate")
            #expect(again.conversion == first.conversion)
        }
        // A later conversion's call arrives, and the repeats' would have come before it.
        let other = try chain.visit("subid=G-2")
        #expect(try chain.network.call("cid=\(other.clickID)&payout=2").verdict == "accepted")
        try eventually("the second conversion's call") {
            chain.source.targets.contains("/conv?id=G-2&value=2")
        }
        #expect(
            chain.source.targets.sorted() == ["/conv?id=G-1&value=1.25", "/conv?id=G-2&value=2"])
    }

    /// What the thousand visitors' networks report, and what the source has to hear of it.
    private struct Plan: Sendable {
        var calls: [(parameters: [(String, String)], verdict: String)] = []
        var expected: [String] = []
    }

    private static func plan(visitor: Int, clickID: String) -> Plan {
        var plan = Plan()
        let id = "v\(visitor)"
        let amount = "\(visitor % 50 + 1).\(visitor % 10)1"
        func call(_ status: String?, _ verdict: String, amount: String = amount, tx: String = "1") {
            var parameters = [("cid", clickID), ("payout", amount), ("txid", "\(id)-\(tx)")]
            if let status { parameters.append(("status", status)) }
            plan.calls.append((parameters, verdict))
        }
        switch visitor % 8 {
        case 0:  // never converts
            break
        case 1:
            call("approved", "accepted")
            plan.expected = ["/conv?id=\(id)&value=\(amount)"]
        case 2:  // the network repeats itself
            call("approved", "accepted")
            call("approved", "duplicate")
            call("confirmed", "duplicate")
            plan.expected = ["/conv?id=\(id)&value=\(amount)"]
        case 3:  // pending first: the destination wants approved only
            call("pending", "accepted")
            call("approved", "updated")
            call("approved", "duplicate")
            plan.expected = ["/conv?id=\(id)&value=\(amount)"]
        case 4:
            call("rejected", "accepted")
        case 5:  // two orders of one visitor, without a status
            call(nil, "accepted")
            call(nil, "accepted", tx: "2")
            plan.expected = Array(repeating: "/conv?id=\(id)&value=\(amount)", count: 2)
        case 6:  // the amount is corrected
            call("approved", "accepted")
            call("approved", "updated", amount: "70.5")
            plan.expected = ["/conv?id=\(id)&value=\(amount)", "/conv?id=\(id)&value=70.5"]
        default:  // approved, then taken back
            call("approved", "accepted")
            call("chargeback", "updated")
            call("chargeback", "duplicate")
            plan.expected = ["/conv?id=\(id)&value=\(amount)"]
        }
        return plan
    }

    @Test func `a thousand visitors with mixed statuses and repeats arrive exactly once`() throws {
        // One call in ten is answered 500 the first time, so that retries are part of it.
        let refused = Locked<Set<String>>([])
        let chain = try Chain.start(answer: { request, _ in
            guard request.query["id"]?.hasSuffix("1") == true, let key = request.idempotencyKey,
                refused.with({ $0.insert(key).inserted })
            else { return .ok }
            return .status(500)
        })
        let expected = Locked<[String]>([])
        let calls = Locked(0)
        try concurrently(4) { worker in
            for visitor in stride(from: worker, to: 1000, by: 4) {
                let visit = try chain.visit("subid=v\(visitor)&zone=\(visitor % 7)")
                let plan = Self.plan(visitor: visitor, clickID: visit.clickID)
                for call in plan.calls {
                    let answer = try chain.network.report(
                        call.parameters, as: [.query, .form, .json][visitor % 3])
                    #expect(answer.verdict == call.verdict, "visitor \(visitor): \(answer.message)")
                    #expect(answer.status == 200)
                }
                expected.with { $0 += plan.expected }
                calls.with { $0 += plan.calls.count }
            }
        }

        func delivered() -> [String] {
            // A call answered 500 wasn't delivered; the attempt that follows it was.
            var seen: Set<String> = []
            return chain.source.received.filter { request in
                guard request.query["id"]?.hasSuffix("1") == true else { return true }
                return !seen.insert(request.idempotencyKey ?? "").inserted
            }.map(\.target)
        }
        // The first retry comes after about ten seconds.
        try eventually(within: 60, "all \(expected.current.count) deliveries") {
            delivered().count >= expected.current.count
        }
        try eventually("nothing left waiting") {
            try chain.tracker.list("/deliveries").allSatisfy { $0["state"] == "delivered" }
        }
        #expect(delivered().sorted() == expected.current.sorted())
        let keys = Dictionary(grouping: chain.source.received) { $0.idempotencyKey ?? "none" }
        #expect(keys.count == expected.current.count, "one key per delivery")
        #expect(try chain.tracker.list("/postbacks").count == calls.current)
    }
}

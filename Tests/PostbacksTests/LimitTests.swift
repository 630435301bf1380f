import Domain
import Postbacks
import Store
import Testing

/// Conversion windows and caps: what comes past them is parked with its value.
@Suite struct LimitTests {
    private func bench(
        offer: JSONValue = .null, campaign: JSONValue = .null, window: JSONValue = .null
    ) throws -> PostbackBench {
        var setup = PostbackBench.Setup()
        setup.offer["payout"] = ["amount": "5", "currency": "USD"]
        setup.offer["caps"] = offer
        setup.offer["conversion_window_hours"] = window
        setup.campaign["caps"] = campaign
        return try PostbackBench(setup)
    }

    private func send(
        _ bench: PostbackBench, _ query: String, at seconds: Int64
    ) -> PostbackBench.Answer {
        bench.send(
            Postback(
                receivedAt: PostbackBench.start.advanced(by: .seconds(seconds)), sender: nil,
                method: "GET", target: Array("/postback/k1?\(query)".utf8), headers: [], body: []))
    }

    private func rules(_ bench: PostbackBench) -> PostbackRecorder {
        PostbackRecorder(clickIDs: bench.keys)
    }

    private func replay(_ bench: PostbackBench, _ id: Int64) throws -> PostbackOutcome {
        let rules = rules(bench)
        return try bench.perform { (tx) throws(StoreError) in
            try rules.replay(PostbackID(id), in: tx, now: PostbackBench.start).now
        }
    }

    private func assign(
        _ bench: PostbackBench, _ id: Int64, to click: ClickID? = nil, force: Bool = true
    ) throws -> PostbackOutcome {
        let rules = rules(bench)
        return try bench.perform { (tx) throws(StoreError) in
            try rules.assign(
                PostbackID(id), to: click, ignoresLimits: force, in: tx, now: PostbackBench.start
            ).now
        }
    }

    private func sweep(_ bench: PostbackBench) throws -> Int {
        let rules = rules(bench)
        return try bench.perform { (tx) throws(StoreError) in
            try rules.matchParked(after: nil, in: tx, now: PostbackBench.start).matched
        }
    }

    private func waiting(_ bench: PostbackBench) throws -> [Int64] {
        try bench.postbacks().filter(\.isWaiting).map(\.id.rawValue)
    }

    private func setOffer(_ bench: PostbackBench, _ caps: JSONValue) throws {
        try bench.perform { (tx) throws(StoreError) in
            guard let offer = tx.catalog.offers.all.first?.value,
                case .object(let members) = offer.document,
                let changed = try? Offer(
                    document: .object(
                        members.filter { $0.name != "caps" }
                            + [JSONMember(name: "caps", value: caps)]))
            else { throw .conflict("no offer") }
            _ = try tx.put(changed, at: PostbackBench.start)
        }
    }

    @Test func `the window ends so many hours after the click`() throws {
        let bench = try bench(window: 2)
        let cid = try bench.click().text
        #expect(send(bench, "cid=\(cid)&txid=1", at: 7200).verdict == .accepted)
        let late = send(bench, "cid=\(cid)&txid=2&payout=7", at: 7201)
        #expect(late.verdict == .parked && late.conversionID == nil)
        #expect(late.message.contains("offer fit's conversion_window_hours is 2"))
        // What is known may change at any time, and a test is limited by nothing.
        #expect(send(bench, "cid=\(cid)&txid=1&status=chargeback", at: 9999).verdict == .updated)
        #expect(send(bench, "cid=\(cid)&txid=3&test=1", at: 9999).verdict == .test)
        #expect(try bench.conversions().filter { !$0.isTest }.count == 1)
        #expect(try bench.deliveries().count == 2)
        #expect(try waiting(bench) == [2])
    }

    @Test func `a day takes so many conversions, and the next as many again`() throws {
        let bench = try bench(offer: ["conversions_per_day": 2])
        let cid = try bench.click().text
        let midnight: Int64 = 12 * 3600
        let verdicts = [0, 1, 2, midnight - 1, midnight, midnight + 1, midnight + 2]
            .enumerated().map { send(bench, "cid=\(cid)&txid=\($0)", at: $1).verdict }
        #expect(
            verdicts == [
                .accepted, .accepted, .parked, .parked, .accepted, .accepted, .parked,
            ])
        #expect(send(bench, "cid=\(cid)&txid=0", at: 3).verdict == .duplicate)
    }

    @Test func `what will not be paid leaves its room to others`() throws {
        let bench = try bench(campaign: ["conversions_total": 1])
        let cid = try bench.click().text
        #expect(bench.call("cid=\(cid)&txid=1").verdict == .accepted)
        let parked = bench.call("cid=\(cid)&txid=2")
        #expect(parked.verdict == .parked)
        #expect(parked.message.contains("campaign summer's conversions_total is 1"))
        // A refused sale takes no room; a refused first one gives its own back.
        #expect(bench.call("cid=\(cid)&txid=3&status=rejected").verdict == .accepted)
        #expect(bench.call("cid=\(cid)&txid=1&status=rejected").verdict == .updated)
        #expect(bench.call("cid=\(cid)&txid=4").verdict == .accepted)
        #expect(bench.call("cid=\(cid)&txid=5").verdict == .parked)
        // And taken up again it counts, whatever the cap says.
        #expect(bench.call("cid=\(cid)&txid=1&status=approved").verdict == .updated)
    }

    @Test func `money is capped to the last nano, and updates go beyond it and say so`() throws {
        let bench = try bench(offer: ["payout_per_day": "10"])
        let cid = try bench.click().text
        #expect(bench.call("cid=\(cid)&txid=1&payout=4").verdict == .accepted)
        #expect(bench.call("cid=\(cid)&txid=2&payout=6.000000001").verdict == .parked)
        #expect(bench.call("cid=\(cid)&txid=3&payout=6").verdict == .accepted)
        #expect(bench.call("cid=\(cid)&txid=4&payout=0.1").verdict == .parked)
        #expect(bench.call("cid=\(cid)&txid=5&payout=0").verdict == .accepted)
        let raised = bench.call("cid=\(cid)&txid=1&payout=40")
        #expect(raised.verdict == .updated)
        #expect(raised.message.contains("the update passes a limit: offer fit's payout_per_day"))
        let other = bench.call("cid=\(cid)&txid=6&payout=99&currency=EUR")
        #expect(other.verdict == .accepted)
        #expect(other.message.contains("caps in USD don't limit payouts in EUR"))
        // Down again: there is room for just as much as is left.
        #expect(!bench.call("cid=\(cid)&txid=1&payout=1").message.contains("passes"))
        #expect(bench.call("cid=\(cid)&txid=7&payout=3.000000001").verdict == .parked)
        #expect(bench.call("cid=\(cid)&txid=8&payout=3").verdict == .accepted)
    }

    @Test func `a parked call is counted by a replay once there is room, and only then`() throws {
        let bench = try bench(offer: ["conversions_total": 1])
        let cid = try bench.click().text
        bench.call("cid=\(cid)&txid=1")
        bench.call("cid=\(cid)&txid=2&payout=8")
        #expect(try sweep(bench) == 0 && bench.postbacks().count == 2, "people go on with it")
        #expect(try replay(bench, 2).verdict == .parked)
        #expect(try waiting(bench) == [2])
        try setOffer(bench, ["conversions_total": 2])
        #expect(try sweep(bench) == 0)
        #expect(try replay(bench, 2).verdict == .accepted)
        #expect(try waiting(bench).isEmpty)
        #expect(try replay(bench, 2).verdict == .duplicate)
        #expect(try bench.conversions().map(\.payout.amountText) == ["5", "8"])
    }

    @Test func `a parked call is counted by hand in spite of a limit, once`() throws {
        let bench = try bench(offer: ["conversions_total": 1])
        let cid = try bench.click().text
        bench.call("cid=\(cid)&txid=1")
        let parked = bench.postback("cid=\(cid)&txid=2&payout=8")
        #expect(bench.send(parked).verdict == .parked)
        #expect(try assign(bench, 2, force: false).verdict == .parked)
        let counted = try assign(bench, 2)
        #expect(counted.verdict == .accepted)
        #expect(counted.message.contains("counted by hand, though offer fit's conversions_total"))
        #expect(try waiting(bench).isEmpty)
        #expect(try assign(bench, 2).verdict == .duplicate)
        #expect(try assign(bench, 3).verdict == .duplicate, "the vain one stands for the same call")
        let conversion = try #require(try bench.conversions().last)
        #expect(conversion.convertedAt == parked.receivedAt && conversion.transactionID == "2")
        #expect(try bench.deliveries().count == 2)
        #expect(try bench.postbacks().map(\.replayOf?.rawValue) == [nil, nil, 2, 2, 2, 2])
        // It counts, and those that come after it are past the limit by two.
        #expect(bench.call("cid=\(cid)&txid=3").message.contains("there are 2"))
    }

    @Test func `a call whose click is lost is assigned to another, whose ID its source is told`()
        throws
    {
        var setup = PostbackBench.Setup()
        setup.source["destinations"] = [
            ["key": "all", "url": "https://s.example/?id={external_id}&cid={click_id}"]
        ]
        let bench = try PostbackBench(setup)
        let lost = bench.lostClick()
        bench.call("cid=\(lost.text)&txid=1&payout=8")
        #expect(throws: StoreError.self) { try assign(bench, 1) }
        #expect(throws: StoreError.self) { try assign(bench, 1, to: bench.lostClick()) }
        let other = try bench.click(externalID: "OTHER")
        let counted = try assign(bench, 1, to: other)
        #expect(counted.verdict == .accepted)
        #expect(counted.message.contains("assigned by hand to click \(other.text)"))
        #expect(
            try bench.deliveries().map(\.request.url)
                == ["https://s.example/?id=OTHER&cid=\(other.text)"])
        #expect(try waiting(bench).isEmpty)
        #expect(try assign(bench, 1, to: other).verdict == .duplicate)
        #expect(try assign(bench, 1, to: bench.click()).verdict == .duplicate)
        #expect(try replay(bench, 1).verdict == .duplicate)
        // Should the click appear after all, the call is still counted once.
        _ = try bench.click(as: lost)
        #expect(try replay(bench, 1).verdict == .duplicate)
        #expect(try sweep(bench) == 0)
        #expect(try bench.conversions().count == 1)
    }

    @Test func `only parked calls are assigned`() throws {
        let bench = try PostbackBench()
        bench.call("cid=\(try bench.click().text)")
        bench.call("cid=x")
        for id in [1, 2, 99] as [Int64] {
            #expect(throws: StoreError.self) { try assign(bench, id) }
        }
        #expect(try bench.postbacks().count == 2)
    }

    @Test func `a call whose click appears past a limit is held and looked at no more`() throws {
        let bench = try bench(offer: ["conversions_total": 1])
        let lost = bench.lostClick()
        bench.call("cid=\(lost.text)&txid=1")
        bench.call("cid=\(try bench.click().text)&txid=2")
        _ = try bench.click(as: lost)
        #expect(try sweep(bench) == 0)
        let told = try bench.postbacks()
        #expect(told.count == 3 && told[2].replayOf == PostbackID(1))
        #expect(told[2].message.contains("conversions_total"))
        for _ in 0..<3 { #expect(try sweep(bench) == 0) }
        #expect(try bench.postbacks().count == 3 && waiting(bench) == [1])
        #expect(try assign(bench, 1).verdict == .accepted)
    }

    @Test func `a refused call that a replay parks waits from then on`() throws {
        let bench = try bench(offer: ["conversions_total": 0])
        let cid = try bench.click().text
        #expect(bench.call("cid=\(cid)&payout=1,234").verdict == .payoutAmbiguous)
        try bench.perform { (tx) throws(StoreError) in
            guard let network = try? Network(document: ["key": "net", "number_format": "point"])
            else { throw .conflict("no network") }
            _ = try tx.put(network, newPostbackKey: "k2", at: PostbackBench.start)
        }
        #expect(try replay(bench, 1).verdict == .parked)
        #expect(try waiting(bench) == [1])
        #expect(try assign(bench, 2).verdict == .accepted)
        #expect(try waiting(bench).isEmpty)
    }

    @Test func `sums are exact whatever comes, across a restart`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click().text
        var random = SystemRandomNumberGenerator()
        var sent: [String] = []
        for _ in 0..<300 {
            let query =
                "cid=\(cid)&txid=\(Int.random(in: 0..<20, using: &random))"
                + "&payout=\(Int.random(in: -9...9, using: &random)).\(Int.random(in: 0...999_999_999, using: &random))"
                + "&status=\(ConversionStatus.allCases.randomElement(using: &random)?.rawValue ?? "")"
                + "&currency=\(Bool.random(using: &random) ? "USD" : "EUR")"
                + (Int.random(in: 0..<9, using: &random) == 0 ? "&test=1" : "")
            sent.append(query)
            bench.call(query)
        }
        var expected = LimitUsage()
        for conversion in try bench.conversions() where conversion.countsTowardsLimits {
            expected.conversions += 1
            expected.payouts[conversion.payout.currency, default: 0] +=
                Int128(conversion.payout.nanos)
        }
        bench.ledger.stop()
        let again = try Ledger(
            bench.data, options: Ledger.Options(), observers: Ledger.Observers())
        defer { again.stop() }
        for scope in [LimitScope.campaign(bench.campaign), .offer(OfferID(1))] {
            for day in [nil, PostbackBench.start.day] {
                var kept = try PostbackBench.perform(again) { (tx) throws(StoreError) in
                    try tx.usage(of: scope, on: day)
                }
                kept.payouts = kept.payouts.filter {
                    expected.payouts[$0.key] != nil || $0.value != 0
                }
                #expect(kept == expected, "\(sent)")
            }
        }
        let check = DirectoryCheck(bench.data)
        check.run()
        #expect(!check.faults.contains { $0.message.contains("sums") }, "\(check.faults)")
    }
}

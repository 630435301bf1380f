import Domain
import Postbacks
import Store
import Testing

/// Calls that are judged again by today's rules.
@Suite struct ReplayTests {
    private static let later = PostbackBench.start.advanced(by: .seconds(86_400))

    private func replay(_ id: Int64, _ bench: PostbackBench, isDryRun: Bool = false) throws
        -> ReplayOutcome
    {
        let rules = PostbackRecorder(clickIDs: bench.keys)
        return try bench.perform { (tx) throws(StoreError) in
            let run: (LedgerTransaction) throws(StoreError) -> ReplayOutcome = {
                (tx) throws(StoreError) in
                try rules.replay(PostbackID(id), in: tx, now: Self.later)
            }
            return isDryRun ? try tx.rehearse(run) : try run(tx)
        }
    }

    private func change(_ members: [JSONMember], _ bench: PostbackBench) throws {
        let document = JSONValue.object([JSONMember(name: "key", value: "net")] + members)
        let network = try Network(document: document)
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.put(network, newPostbackKey: "unused", at: Self.later)
        }
    }

    private func states(_ bench: PostbackBench) throws -> [String] {
        try bench.conversions().map {
            "\($0.event)/\($0.transactionID) \($0.status.rawValue) \($0.payout.amountText) r\($0.revision)"
        }
    }

    @Test func `a refused call is counted once its network's settings are right`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        let call = bench.postback("cid=\(cid.text)&payout=1,234&txid=7")
        #expect(bench.send(call).verdict == .payoutAmbiguous)
        #expect(try replay(1, bench, isDryRun: true).now.verdict == .payoutAmbiguous)

        try change([JSONMember(name: "number_format", value: "point")], bench)
        let rehearsed = try replay(1, bench, isDryRun: true)
        #expect(rehearsed.original.verdict == "payout_ambiguous")
        #expect(rehearsed.now.verdict == .accepted)
        #expect(rehearsed.now.change?.before == nil)
        #expect(rehearsed.now.change?.after.payout.amountText == "1234")
        #expect(rehearsed.now.change?.destinations == ["push/all"])
        #expect(try bench.conversions().isEmpty && bench.deliveries().isEmpty)
        #expect(try bench.postbacks().count == 1)

        let first = try replay(1, bench)
        #expect(first.now.verdict == .accepted)
        let conversion = try #require(try bench.conversions().first)
        #expect(conversion.convertedAt == call.receivedAt)
        let kept = try #require(try bench.postbacks().last)
        #expect(kept.replayOf == PostbackID(1) && kept.call.target == call.target)
        #expect(kept.call.receivedAt == Self.later && kept.call.sender == call.sender)
        #expect(try bench.deliveries().map(\.revision) == [1])

        // Twice, and the replay itself too.
        #expect(try replay(1, bench).now.verdict == .duplicate)
        #expect(try replay(kept.id.rawValue, bench).now.verdict == .duplicate)
        #expect(try bench.postbacks().map(\.replayOf?.rawValue) == [nil, 1, 1, 1])
        #expect(try states(bench) == ["conversion/7 approved 1234 r1"])
        #expect(try bench.deliveries().count == 1)
    }

    @Test func `a counted call takes the status that its word means today`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        bench.call("cid=\(cid.text)&payout=5&status=7")
        #expect(try states(bench) == ["conversion/ pending 5 r1"])
        try change([JSONMember(name: "status_map", value: ["7": "approved"])], bench)
        let outcome = try replay(1, bench)
        #expect(outcome.now.verdict == .updated && outcome.now.revision == 2)
        #expect(outcome.now.change?.before?.status == .pending)
        #expect(try replay(1, bench).now.verdict == .duplicate)
        #expect(try states(bench) == ["conversion/ approved 5 r2"])
    }

    @Test func `a replay does not undo what a later call reported`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        bench.call("cid=\(cid.text)&payout=abc&status=pending")
        bench.call("cid=\(cid.text)&payout=5&status=pending")
        bench.call("cid=\(cid.text)&payout=5&status=approved")
        for id: Int64 in [1, 2, 3, 2] {
            let outcome = try replay(id, bench)
            #expect(outcome.now.verdict == (id == 1 ? .payoutNotNumber : .duplicate))
            #expect(outcome.now.change == nil)
            #expect(id != 2 || outcome.now.message.contains("postback 3"))
        }
        #expect(try states(bench) == ["conversion/ approved 5 r2"])
    }

    @Test func `a counted call is not counted again under another identity`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        bench.call("cid=\(cid.text)&payout=5&oid=77")
        bench.call("cid=\(cid.text)&payout=5&oid=78")
        #expect(try states(bench) == ["conversion/ approved 5 r1"])
        try change([JSONMember(name: "parameters", value: ["txid": ["oid"]])], bench)
        #expect(try replay(1, bench).now.verdict == .duplicate)
        // This one was taken for a repeat, and is an order of its own.
        #expect(try replay(2, bench).now.verdict == .accepted)
        #expect(try replay(2, bench).now.verdict == .duplicate)
        #expect(
            try states(bench) == ["conversion/ approved 5 r1", "conversion/78 approved 5 r1"])
    }

    @Test(arguments: ["add", "ignore", "update"])
    func `replaying everything twice changes nothing`(repeats: String) throws {
        var setup = PostbackBench.Setup()
        setup.network = ["repeat": .string(repeats)]
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        let lost = bench.lostClick()
        for query in [
            "cid=\(cid.text)&payout=5", "cid=\(cid.text)&payout=6&status=hold",
            "cid=\(cid.text)&payout=5", "cid=\(cid.text)&txid=1&payout=3",
            "cid=\(cid.text)&txid=1&payout=3&status=refund", "cid=\(lost.text)&payout=1",
            "cid=\(cid.text)&payout=1&test=1", "cid=no",
        ] { bench.call(query) }
        let states = try states(bench)
        let deliveries = try bench.deliveries().count
        for _ in 1...2 {
            for id in Int64(1)...8 { _ = try replay(id, bench) }
        }
        #expect(try self.states(bench) == states)
        #expect(try bench.deliveries().count == deliveries)
    }

    @Test func `under repeat add a call that was refused is counted once`() throws {
        var setup = PostbackBench.Setup()
        setup.network = ["repeat": "add"]
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        bench.call("cid=\(cid.text)&payout=1,234")
        bench.call("cid=\(cid.text)&payout=5")
        try change(
            [
                JSONMember(name: "repeat", value: "add"),
                JSONMember(name: "number_format", value: "comma"),
            ], bench)
        #expect(try replay(1, bench).now.verdict == .accepted)
        #expect(try replay(1, bench).now.verdict == .duplicate)
        #expect(
            try states(bench) == ["conversion/ approved 5 r1", "conversion/ approved 1.234 r1"])
    }

    @Test func `a call to a key that exists by now is counted`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        let call = bench.postback("cid=\(cid.text)&payout=5", key: "k%32")
        #expect(bench.send(call, key: "k2").verdict == .keyUnknown)
        #expect(try replay(1, bench).now.postbackID == nil)
        #expect(try bench.postbacks().count == 1)
        let other = try Network(document: ["key": "other"])
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.put(other, newPostbackKey: "k2", at: PostbackBench.start)
        }
        #expect(try replay(1, bench).now.verdict == .accepted)
    }

    @Test func `there must be a call, and its text`() throws {
        let bench = try PostbackBench()
        #expect(throws: StoreError.notFound("there is no postback 1")) { try replay(1, bench) }
    }
}

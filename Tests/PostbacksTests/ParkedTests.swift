import Crypto
import Domain
import Postbacks
import Store
import Testing

/// Calls that wait for their click.
@Suite struct ParkedTests {
    private func sweep(_ bench: PostbackBench, after cursor: PostbackID? = nil) throws
        -> ParkedSweep
    {
        let recorder = PostbackRecorder(clickIDs: bench.keys)
        return try bench.perform { (tx) throws(StoreError) in
            try recorder.matchParked(
                after: cursor, in: tx, now: PostbackBench.start.advanced(by: .seconds(3600)))
        }
    }

    private func waiting(_ bench: PostbackBench) throws -> [Int64] {
        try bench.postbacks().filter(\.isWaiting).map(\.id.rawValue)
    }

    @Test func `a parked call is counted when its click appears`() throws {
        let bench = try PostbackBench()
        let first = bench.lostClick()
        let second = bench.lostClick()
        let call = bench.postback("cid=\(first.text)&payout=5&txid=1")
        #expect(bench.send(call).verdict == .parked)
        bench.call("cid=\(second.text)&payout=7")
        #expect(try waiting(bench) == [1, 2])
        #expect(try sweep(bench) == ParkedSweep(matched: 0, next: nil))
        #expect(try bench.postbacks().count == 2, "nothing is recorded of a vain look")

        _ = try bench.click(as: first)
        #expect(try sweep(bench).matched == 1)
        #expect(try waiting(bench) == [2])
        let conversion = try #require(try bench.conversions().first)
        #expect(conversion.convertedAt == call.receivedAt && conversion.transactionID == "1")
        #expect(try bench.deliveries().count == 1)
        #expect(try sweep(bench).matched == 0)
        #expect(try bench.conversions().count == 1)
    }

    @Test func `only a call that has lost its text is given up`() throws {
        let bench = try PostbackBench()
        let click = bench.lostClick()
        let rowID = try #require(bench.keys.open(click)?.rowID)
        let ids = try bench.perform { (tx) throws(StoreError) in
            var ids: [PostbackID] = []
            for target in ["", "/postback/k1?payout=5"] {
                let id = try tx.insert(
                    Postback(
                        receivedAt: PostbackBench.start, sender: nil, method: "GET",
                        target: Array(target.utf8), headers: [], body: []),
                    networkID: NetworkID(1), clickRowID: rowID, conversionID: nil,
                    verdict: .parked, message: "")
                try tx.park(id, click: rowID, isHeld: false)
                ids.append(id)
            }
            return ids
        }
        _ = try bench.click(as: click)
        #expect(try sweep(bench).lost == [ids[0]])
        #expect(try waiting(bench) == [ids[1].rawValue])
    }

    @Test func `a replay by hand ends the waiting too, one that parks again does not`() throws {
        let bench = try PostbackBench()
        let lost = bench.lostClick()
        bench.call("cid=\(lost.text)&payout=5")
        let rules = PostbackRecorder(clickIDs: bench.keys)
        func replay() throws -> PostbackVerdict {
            try bench.perform { (tx) throws(StoreError) in
                try rules.replay(PostbackID(1), in: tx, now: PostbackBench.start).now.verdict
            }
        }
        #expect(try replay() == .parked)
        #expect(try waiting(bench) == [1])
        _ = try bench.click(as: lost)
        #expect(try replay() == .accepted)
        #expect(try waiting(bench).isEmpty)
    }

    @Test func `a call that waits for its campaign is looked at without effect`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click(campaign: CampaignID(99))
        bench.call("cid=\(cid.text)&payout=5")
        #expect(try sweep(bench).matched == 0)
        #expect(try waiting(bench) == [1] && bench.postbacks().count == 1)
    }

    @Test func `more than one look takes are looked at in turn`() throws {
        let bench = try PostbackBench()
        let lost = bench.lostClick()
        for number in 0..<PostbackRecorder.sweepMax {
            bench.call("cid=\(lost.text)&payout=1&txid=\(number)")
        }
        let last = bench.lostClick()
        bench.call("cid=\(last.text)&payout=1")
        _ = try bench.click(as: last)
        let first = try sweep(bench)
        #expect(
            first == ParkedSweep(matched: 0, next: PostbackID(Int64(PostbackRecorder.sweepMax))))
        #expect(try sweep(bench, after: first.next) == ParkedSweep(matched: 1, next: nil))
    }
}

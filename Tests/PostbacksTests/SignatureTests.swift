import Crypto
import Domain
import Postbacks
import Store
import Testing

/// Calls that a network signs.
@Suite struct SignatureTests {
    private static let secret = "s3cret"

    private func bench(timestamp: String? = nil) throws -> PostbackBench {
        var setup = PostbackBench.Setup()
        setup.network = [
            "signature": [
                "secret": .string(Self.secret), "timestamp_parameter": .string(orNull: timestamp),
                "window_seconds": 60,
            ]
        ]
        return try PostbackBench(setup)
    }

    private func code(_ query: String) -> String {
        Hex.text(HMACSHA256.code(key: Array(Self.secret.utf8), Array(query.utf8)))
    }

    @Test func `a signed call is accepted wherever its signature stands`() throws {
        let bench = try bench()
        let cid = try bench.click()
        for (number, upper) in [false, true, false].enumerated() {
            let query = "cid=\(cid.text)&payout=1%2E5&txid=\(number)"
            let code = upper ? code(query).uppercased() : code(query)
            let signed =
                [
                    "\(query)&sig=\(code)", "SIG=\(code)&\(query)",
                    query.replacing("&payout", with: "&sig=\(code)&payout"),
                ][number]
            #expect(bench.call(signed).verdict == .accepted)
        }
        #expect(try bench.conversions().count == 3)
    }

    @Test func `what was not signed, or changed since, is refused and kept`() throws {
        let bench = try bench()
        let cid = try bench.click()
        let query = "cid=\(cid.text)&payout=1"
        let code = code(query)
        for wrong in [
            query, "\(query)&sig=", "\(query)&sig=\(code.dropLast(2))", "\(query)0&sig=\(code)",
            "\(query)&sig=\(code)&sig=\(code)", "\(query)&sig=zz\(code.dropFirst(2))",
            "\(query)&&sig=\(code)", "payout=1&cid=\(cid.text)&sig=\(code)", "sig=\(code)", "",
        ] {
            let answer = bench.call(wrong)
            #expect(answer.verdict == .signatureWrong && answer.httpStatus == 403, "\(wrong)")
            #expect(!answer.message.contains(Self.secret) && !answer.message.contains(code))
        }
        #expect(try bench.conversions().isEmpty)
        #expect(try bench.postbacks().count == 10)
    }

    @Test func `a body is not signed and not read`() throws {
        let bench = try bench()
        let cid = try bench.click()
        let query = "cid=\(cid.text)"
        let call = bench.postback(
            "\(query)&sig=\(code(query))", method: "POST",
            type: "application/x-www-form-urlencoded", body: "payout=1000000")
        let answer = bench.send(call)
        #expect(answer.verdict == .accepted && answer.message.contains("body"))
        #expect(try bench.conversions().map(\.payout.nanos) == [0])
    }

    @Test(arguments: [
        (-61, false), (-60, true), (0, true), (60, true), (61, false),
    ])
    func `the time must lie within the window`(offset: Int64, isAccepted: Bool) throws {
        let bench = try bench(timestamp: "ts")
        let cid = try bench.click()
        // The bench's next call comes one second after its start.
        let second = PostbackBench.start.micros / 1_000_000 + 1 + offset
        for (number, time) in ["\(second)", "\(second * 1000)"].enumerated() {
            let fresh = try self.bench(timestamp: "ts")
            let own = number == 0 ? bench : fresh
            let click = number == 0 ? cid : try fresh.click()
            let query = "cid=\(click.text)&payout=1&ts=\(time)"
            let answer = own.call("\(query)&sig=\(code(query))")
            #expect(answer.verdict == (isAccepted ? .accepted : .signatureWrong))
        }
    }

    @Test func `a time that is missing or no number is refused`() throws {
        let bench = try bench(timestamp: "ts")
        let cid = try bench.click()
        for time in ["", "&ts=", "&ts=x", "&ts=-5", "&ts=99999999999999999", "&ts=1&ts=1"] {
            let query = "cid=\(cid.text)&payout=1\(time)"
            #expect(bench.call("\(query)&sig=\(code(query))").verdict == .signatureWrong)
        }
    }

    @Test func `a replay looks at the time when the call came`() throws {
        let bench = try bench(timestamp: "ts")
        let cid = try bench.click()
        let query = "cid=\(cid.text)&payout=1,234&ts=\(PostbackBench.start.micros / 1_000_000)"
        #expect(bench.call("\(query)&sig=\(code(query))").verdict == .payoutAmbiguous)
        let rules = PostbackRecorder(clickIDs: bench.keys)
        let outcome = try bench.perform { (tx) throws(StoreError) in
            try rules.replay(
                PostbackID(1), in: tx, now: PostbackBench.start.advanced(by: .seconds(99_999)))
        }
        #expect(outcome.now.verdict == .payoutAmbiguous)
    }

    @Test func `repeat rules are looked up by event`() throws {
        var setup = PostbackBench.Setup()
        setup.network = ["repeat": ["default": "update", "sale": "ignore", "rebill": "add"]]
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        for event in ["lead", "sale", "rebill"] {
            bench.call("cid=\(cid.text)&payout=1&event=\(event)")
            bench.call("cid=\(cid.text)&payout=2&event=\(event)")
        }
        let verdicts = try bench.postbacks().map(\.verdict)
        #expect(
            verdicts == ["accepted", "updated", "accepted", "duplicate", "accepted", "accepted"])
    }
}

import Domain
import Postbacks
import Store
import Testing

/// Payouts in the reporting currency, as they are recorded.
@Suite struct ReportingTests {
    private static func bench(_ rates: [(String, String, Int64)]) throws -> PostbackBench {
        let bench = try PostbackBench()
        let euro = try #require(Currency("EUR"))
        let rates = try rates.map {
            ExchangeRate(
                currency: try #require(Currency($0.0)), day: try #require(Day($0.1)), nanos: $0.2)
        }
        try bench.perform { (tx) throws(StoreError) in
            try tx.setReportingCurrency(euro, at: PostbackBench.start)
            try tx.put(rates, reporting: euro, at: PostbackBench.start)
        }
        return bench
    }

    private func text(_ reporting: ReportingAmount?) -> String? {
        reporting.map {
            "\($0.money.amountText) \($0.money.currency.code) by \(Amount.format($0.rateNanos))"
        }
    }

    @Test func `an amount is kept beside its conversion, with the rate of the day`() throws {
        let bench = try Self.bench([
            ("USD", "2026-11-19", 800_000_000), ("USD", "2026-11-20", 921_300_000),
            ("USD", "2026-11-21", 700_000_000),
        ])
        let cid = try bench.click().text
        #expect(
            bench.call("cid=\(cid)&payout=12.5&currency=USD&status=pending").verdict == .accepted)
        #expect(bench.call("cid=\(cid)&payout=-3&currency=USD&status=approved").verdict == .updated)
        let conversion = try #require(try bench.conversions().first)
        #expect(conversion.payout.amountText == "-3", "the original stays")
        #expect(text(conversion.reporting) == "-2.7639 EUR by 0.9213")
        let revisions = try bench.revisions(of: conversion)
        #expect(
            revisions.map { text($0.reporting) }
                == ["11.51625 EUR by 0.9213", "-2.7639 EUR by 0.9213"])
        let other = bench.call("cid=\(cid)&payout=5&currency=EUR&txid=2")
        #expect(other.verdict == .accepted && !other.message.contains("converted"))
        #expect(text(try bench.conversions().last?.reporting) == "5 EUR by 1")
    }

    @Test func `a revision of a later day is converted by the conversion's own day`() throws {
        let bench = try Self.bench([
            ("USD", "2026-11-20", 500_000_000), ("USD", "2026-11-21", 700_000_000),
        ])
        let cid = try bench.click().text
        bench.call("cid=\(cid)&payout=1&currency=USD&status=pending")
        func nextDay(_ query: String) -> Postback {
            let call = bench.postback(query)
            return Postback(
                receivedAt: call.receivedAt.advanced(by: .seconds(86_400)), sender: call.sender,
                method: call.method, target: call.target, headers: call.headers, body: call.body)
        }
        let revised = bench.send(nextDay("cid=\(cid)&payout=3&currency=USD&status=approved"))
        #expect(revised.verdict == .updated)
        let new = bench.send(nextDay("cid=\(cid)&payout=3&currency=USD&txid=2"))
        #expect(new.verdict == .accepted)
        #expect(
            try bench.conversions().map { text($0.reporting) }
                == ["1.5 EUR by 0.5", "2.1 EUR by 0.7"])
    }

    @Test func `without a rate, and beyond an amount's limit, nothing is converted and it is said`()
        throws
    {
        let bench = try Self.bench([
            ("USD", "2026-11-21", 1_000_000_000), ("GBP", "2026-11-01", .max),
        ])
        let cid = try bench.click().text
        let missing = bench.call("cid=\(cid)&payout=1&currency=USD&txid=1")
        #expect(missing.verdict == .accepted)
        #expect(missing.message.contains("no exchange rate of USD holds on 2026-11-20"))
        let large = bench.call("cid=\(cid)&payout=12&currency=GBP&txid=2")
        #expect(large.verdict == .accepted && large.message.contains("too large"))
        #expect(try bench.conversions().map(\.reporting) == [nil, nil])
    }

    @Test func `a changed rate rewrites nothing, and a recomputation does`() throws {
        let bench = try Self.bench([("USD", "2026-11-01", 500_000_000)])
        let cid = try bench.click().text
        bench.call("cid=\(cid)&payout=1&currency=USD&status=pending")
        let dollar = try #require(Currency("USD"))
        let euro = try #require(Currency("EUR"))
        let changed = ExchangeRate(
            currency: dollar, day: try #require(Day("2026-11-20")), nanos: 2_000_000_000)
        try bench.perform { (tx) throws(StoreError) in
            try tx.put([changed], reporting: euro, at: PostbackBench.start)
        }
        bench.call("cid=\(cid)&payout=1&currency=USD&status=approved")
        let before = try #require(try bench.conversions().first)
        #expect(text(before.reporting) == "2 EUR by 2", "a revision is converted when it comes")
        #expect(text(try bench.revisions(of: before)[0].reporting) == "0.5 EUR by 0.5")

        let rehearsed = try bench.perform { (tx) throws(StoreError) in
            try tx.recompute([before.id], reporting: euro, operation: nil)
        }
        #expect(rehearsed.map(\.revisions) == [1])
        #expect(text(try bench.revisions(of: before)[0].reporting) == "0.5 EUR by 0.5")
        let done = try bench.perform { (tx) throws(StoreError) in
            let operation = try tx.beginRecomputation(
                reporting: euro, from: nil, to: nil, at: PostbackBench.start)
            return try tx.recompute(
                [before.id, ConversionID(99)], reporting: euro, operation: operation)
        }
        #expect(done == rehearsed)
        #expect(
            try bench.revisions(of: before).map { text($0.reporting) }
                == Array(
                    repeating: "2 EUR by 2", count: 2))
        let again = try bench.perform { (tx) throws(StoreError) in
            try tx.recompute([before.id], reporting: euro, operation: nil)
        }
        #expect(again.isEmpty)
        let kept = try bench.read { (reader) throws(StoreError) in
            try reader.recomputations(limit: 10, cursor: nil).items
        }
        #expect(kept.map(\.examined) == [2] && kept.map(\.changed) == [1])
        #expect(kept.first?.at == PostbackBench.start)
    }

    @Test func `nothing is converted where no reporting currency is set`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click().text
        let answer = bench.call("cid=\(cid)&payout=1&currency=USD")
        #expect(answer.verdict == .accepted && !answer.message.contains("converted"))
        let conversion = try #require(try bench.conversions().first)
        #expect(conversion.reporting == nil)
        #expect(try bench.revisions(of: conversion).map(\.reporting) == [nil])
    }
}

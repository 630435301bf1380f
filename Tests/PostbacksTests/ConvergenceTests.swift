import Crypto
import Domain
import Foundation
import Postbacks
import Store
import TestSupport
import Testing

/// Whatever the order and however often calls repeat, an identity ends in its last accepted state.
@Suite struct ConvergenceTests {
    private struct Identity: Hashable {
        let click: Int
        let event: String
        let transaction: String
    }

    private struct Report: Hashable {
        let identity: Identity
        let status: String
        let payout: Int?

        func query(_ clicks: [ClickID]) -> String {
            "cid=\(clicks[identity.click].text)&event=\(identity.event)&txid=\(identity.transaction)"
                + "&status=\(status)" + (payout.map { "&payout=\($0)" } ?? "")
        }
    }

    private func report(_ random: inout SeededRandom) -> Report {
        let statuses = ["pending", "approved", "rejected", "chargeback"]
        return Report(
            identity: Identity(
                click: Int.random(in: 0..<3, using: &random),
                event: Bool.random(using: &random) ? "sale" : "lead",
                transaction: ["", "a", "b"].randomElement(using: &random) ?? ""),
            status: statuses.randomElement(using: &random) ?? "",
            payout: Bool.random(using: &random) ? Int.random(in: 0...2, using: &random) : nil)
    }

    /// The rule of the contract in a few lines, to compare with.
    private struct Model {
        var states: [Identity: (status: String, payout: Int, revision: Int)] = [:]

        mutating func take(_ report: Report) -> PostbackVerdict {
            guard let old = states[report.identity] else {
                states[report.identity] = (report.status, report.payout ?? 0, 1)
                return .accepted
            }
            let payout = report.payout ?? old.payout
            if old.status == report.status, old.payout == payout { return .duplicate }
            states[report.identity] = (report.status, payout, old.revision + 1)
            return .updated
        }
    }

    private func check(_ bench: PostbackBench, _ model: Model, _ clicks: [ClickID]) throws {
        let conversions = try bench.conversions()
        #expect(conversions.count == model.states.count)
        var expected: Set<String> = []
        for conversion in conversions {
            let click = try #require(
                clicks.firstIndex { bench.keys.open($0)?.rowID == conversion.click.rowID })
            let identity = Identity(
                click: click, event: conversion.event, transaction: conversion.transactionID)
            let state = try #require(model.states[identity])
            #expect(conversion.status.rawValue == state.status)
            #expect(conversion.payout.nanos == Int64(state.payout) * 1_000_000_000)
            #expect(conversion.revision == state.revision)
            let revisions = try bench.revisions(of: conversion)
            #expect(revisions.map(\.number) == Array(1...state.revision))
            // No two revisions beside one another are alike.
            for (left, right) in zip(revisions, revisions.dropFirst()) {
                #expect(left.status != right.status || left.payout != right.payout)
            }
            for number in 1...state.revision {
                expected.formUnion([
                    "\(conversion.id) \(number) push/all", "\(conversion.id) \(number) push/again",
                ])
            }
        }
        let told = try bench.deliveries().map {
            "\($0.conversionID) \($0.revision) \($0.destination)"
        }
        #expect(Set(told) == expected && told.count == expected.count)
    }

    private func bench() throws -> PostbackBench {
        var setup = PostbackBench.Setup()
        setup.source["destinations"] = [
            ["key": "all", "url": "https://s.example/?id={external_id}&v={payout}&r={revision}"],
            ["key": "again", "url": "https://t.example/?id={external_id}"],
        ]
        return try PostbackBench(setup)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `one after another, calls follow the model`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let bench = try bench()
        let clicks = try (0..<3).map { _ in try bench.click() }
        var model = Model()
        var sent: [Report] = []
        for _ in 0..<60 {
            // A third of the calls repeats an older one.
            let isRepeat = !sent.isEmpty && Int.random(in: 0..<3, using: &random) == 0
            let next = isRepeat ? sent.randomElement(using: &random) : nil
            let report = next ?? report(&random)
            sent.append(report)
            let answer = bench.call(report.query(clicks))
            #expect(answer.verdict == model.take(report), "\(report)")
        }
        try check(bench, model, clicks)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `from several threads, calls follow the order they were recorded in`(seed: UInt64) throws {
        let bench = try bench()
        let clicks = try (0..<3).map { _ in try bench.click() }
        let recorded = Locked<[Int64: (Report, PostbackVerdict)]>([:])
        try concurrently(4) { thread in
            var random = SeededRandom(seed &* 100 &+ UInt64(thread))
            for _ in 0..<60 {
                let report = report(&random)
                let answer = bench.call(report.query(clicks))
                guard let id = answer.postbackID?.rawValue else {
                    throw TestFailure("\(answer)")
                }
                recorded.with { $0[id] = (report, answer.verdict) }
            }
        }
        let all = recorded.current
        #expect(all.keys.sorted() == Array(1...240))
        var model = Model()
        for id in 1...240 as ClosedRange<Int64> {
            guard let (report, verdict) = all[id] else { continue }
            #expect(verdict == model.take(report), "postback \(id)")
        }
        try check(bench, model, clicks)
    }

    @Test func `as many conversions as identities, whoever repeats`() throws {
        let bench = try bench()
        let clicks = try (0..<50).map { _ in try bench.click() }
        let accepted = Locked(0)
        try concurrently(4) { thread in
            var random = SeededRandom(UInt64(thread) + 1)
            for _ in 0..<100 {
                let click = clicks.randomElement(using: &random) ?? clicks[0]
                let order = Int.random(in: 0..<3, using: &random)
                let answer = bench.call("cid=\(click.text)&txid=\(order)&payout=1")
                if answer.verdict == .accepted { accepted.with { $0 += 1 } }
            }
        }
        let conversions = try bench.conversions()
        #expect(conversions.count == accepted.current)
        #expect(
            Set(conversions.map { "\($0.click.rowID.rawValue) \($0.transactionID)" }).count
                == conversions.count)
        #expect(try bench.deliveries().count == 2 * conversions.count)
    }

    // MARK: The same calls in another order

    /// What became of every conversion, told without numbers that depend on the order of arrival.
    private func outcomes(_ bench: PostbackBench, _ clicks: [ClickID]) throws -> [String] {
        let deliveries = try bench.deliveries()
        return try bench.conversions().map { conversion in
            let click = clicks.firstIndex { bench.keys.open($0)?.rowID == conversion.click.rowID }
            let revisions = try bench.revisions(of: conversion).map {
                "\($0.status.rawValue) \($0.payout.amountText)"
            }
            let told = deliveries.filter { $0.conversionID == conversion.id }.map {
                "\($0.revision) \($0.destination)"
            }
            return "\(click ?? -1) \(conversion.event)/\(conversion.transactionID): "
                + "\(revisions.joined(separator: " > ")), told \(told.sorted())"
        }.sorted()
    }

    /// A call that comes again after a different one of its identity is a change back, which the
    /// contract keeps; so what may vary is how identities interleave, and how often each call is
    /// repeated before its identity's next.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `however identities interleave and calls repeat, each ends in the same state`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        var lives: [Identity: [Report]] = [:]
        for _ in 0..<50 {
            let report = report(&random)
            lives[report.identity, default: []].append(report)
        }
        let all = lives.values.sorted { "\($0[0].identity)" < "\($1[0].identity)" }

        func run(_ send: (PostbackBench, [ClickID]) throws -> Void) throws -> [String] {
            let bench = try bench()
            let clicks = try (0..<3).map { _ in try bench.click() }
            try send(bench, clicks)
            return try outcomes(bench, clicks)
        }
        let once = try run { bench, clicks in
            for report in all.joined() { bench.call(report.query(clicks)) }
        }
        #expect(once.count == all.count)

        let mixed = try run { bench, clicks in
            var left = all.map {
                $0.flatMap { Array(repeating: $0, count: Int.random(in: 1...3, using: &random)) }
            }
            while !left.isEmpty {
                let index = Int.random(in: left.indices, using: &random)
                bench.call(left[index].removeFirst().query(clicks))
                if left[index].isEmpty { left.remove(at: index) }
            }
        }
        #expect(mixed == once)

        let threaded = try run { bench, clicks in
            try concurrently(4) { thread in
                var random = SeededRandom(seed &* 10 &+ UInt64(thread))
                for life in stride(from: thread, to: all.count, by: 4).map({ all[$0] }) {
                    for report in life {
                        for _ in 0..<Int.random(in: 1...3, using: &random) {
                            bench.call(report.query(clicks))
                        }
                    }
                }
            }
        }
        #expect(threaded == once)
    }

    /// Every way to say the same: no order and no number of repeats makes a difference.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `calls that say the same make one revision in any order`(seed: UInt64) throws {
        let bench = try bench()
        let clicks = try (0..<3).map { _ in try bench.click() }
        let ways = [
            "payout=1.25", "payout=1.250", "revenue=1,25", "amount=%201.25&status=approved",
            "payout=1.25&status=PAID", "payout_minor=125&cnv_status=confirmed",
            "sum=%2B1.25&cur=usd",
            "payout=1.2500000000&currency=USD&status=sale&return=OK",
        ]
        try concurrently(4) { thread in
            var random = SeededRandom(seed &* 10 &+ UInt64(thread))
            var calls = ways + ways
            calls.shuffle(using: &random)
            for call in calls {
                for click in clicks.shuffled(using: &random) {
                    for order in ["1", "2"] {
                        bench.call("cid=\(click.text)&txid=\(order)&\(call)")
                    }
                }
            }
        }
        #expect(
            try outcomes(bench, clicks)
                == (0..<3).flatMap { click in
                    ["1", "2"].map {
                        "\(click) conversion/\($0): approved 1.25, "
                            + "told [\"1 push/again\", \"1 push/all\"]"
                    }
                })
        #expect(try bench.postbacks().count == 4 * 2 * 8 * 6)
    }
}

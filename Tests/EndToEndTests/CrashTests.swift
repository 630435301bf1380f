import Foundation
import TestSupport
import Testing

/// `SIGKILL` at a random moment under load, over and over: nothing acknowledged is lost, and the
/// traffic source hears nothing twice but what was in flight at a kill.
///
/// `CLICKRELAY_CRASH_KILLS` (10) and `CLICKRELAY_CRASH_SEED` (the clock) change a run, and with
/// `CLICKRELAY_CRASH_RESTART_MS` the server must serve again within that time after each kill;
/// `Tests/crash` sets them.
@Suite struct CrashTests {
    /// What the clients were answered before the kills.
    private struct Acknowledged: Sendable {
        var clicks: [AcknowledgedClick] = []
        /// Each with the target of the call that tells the traffic source.
        var postbacks: [(kept: AcknowledgedPostback, target: String)] = []
        /// Postbacks that were sent and not answered: they may exist or not.
        var unanswered: Set<String> = []
    }

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment["CLICKRELAY_CRASH_\(name)"].flatMap { UInt64($0) }
    }

    @Test func `kills under load lose nothing acknowledged and repeat nothing`() throws {
        try kill(Int(Self.setting("KILLS") ?? 10), clock: nil)
    }

    /// Across midnights, and back: the clicks of days to come are kept as well as any.
    @Test func `kills while the clock jumps lose nothing acknowledged and repeat nothing`() throws {
        try kill(Int(Self.setting("KILLS") ?? 6), clock: try FaultShim())
    }

    private func kill(_ kills: Int, clock: FaultShim?) throws {
        let seed = Self.setting("SEED") ?? monotonicNanos()
        var random = SeededRandom(seed)
        let directory = try TemporaryDirectory()
        var slowest: UInt64 = 0
        let chain = try Chain.start { setup in
            setup.directory = directory
            if let clock { setup.options.environment = clock.environment(directory) }
            setup.destinations = [
                setup.destination("main", "/conv?id={external_id}&tx={transaction_id}&v={payout}")
            ]
        }
        let all = Locked(Acknowledged())
        for round in 1...kills {
            do {
                let before = all.current
                // Half of the jumps come under load, the others while no server runs.
                if round % 2 == 0 { try jump(clock, &random) }
                try load(chain, all, round: round, random: &random) {
                    if round % 2 == 1 { try jump(clock, &$0) }
                }
                let killed = monotonicNanos()
                try chain.tracker.restart()
                guard try chain.tracker.get("/readyz").status == 200 else {
                    throw TestFailure("it is not ready")
                }
                slowest = max(slowest, monotonicNanos() - killed)
                try verify(chain, before: before, all: all.current, round: round, random: &random)
            } catch {
                throw TestFailure("round \(round) of seed \(seed): \(error)")
            }
        }
        if clock != nil {
            let days = directory.entries(of: "data/clicks").filter { $0.hasSuffix(".db") }
            #expect(days.count > 1, "the clock did not jump, seed \(seed)")
        }
        // All that is due at any of the times there were is due now.
        try clock?.setClock(ahead: Self.jumpMax)
        try verifyDeliveries(chain, all.current, kills: kills, seed: seed)
        do {
            try chain.tracker.verifyJourneys(all.current.clicks, all.current.postbacks.map(\.kept))
        } catch {
            throw TestFailure("seed \(seed): \(error)")
        }
        print("crash: serving again within \(slowest / 1_000_000) ms of each restart")
        if let limit = Self.setting("RESTART_MS") {
            #expect(slowest / 1_000_000 <= limit, "slow restart, seed \(seed)")
        }
        #expect(try chain.tracker.terminate() == 0)
        let check = try chain.tracker.command("check")
        #expect(check.exitCode == 0, "seed \(seed): \(check.output)\(check.error)")
    }

    /// Less than half of the time after which deliveries are given up.
    private static let jumpMax: Int64 = 30 * 3600

    /// Sets the server's clock to any time within its range.
    private func jump(_ clock: FaultShim?, _ random: inout SeededRandom) throws {
        try clock?.setClock(ahead: Int64.random(in: -Self.jumpMax...Self.jumpMax, using: &random))
    }

    /// Clients in a loop until the server is killed under them.
    /// - Parameter meanwhile: done while they are at it.
    private func load(
        _ chain: Chain, _ all: Locked<Acknowledged>, round: Int, random: inout SeededRandom,
        meanwhile: (inout SeededRandom) throws -> Void
    ) throws {
        let seeds = (0..<4).map { _ in random.next() }
        let ended = Locked(0)
        for worker in 0..<4 {
            Thread.detachNewThread {
                // The kill ends each client with an error; that's the loop's way out.
                do {
                    if worker < 2 {
                        try visitors(chain, all, "\(round)-\(worker)")
                    } else {
                        try network(chain, all, "\(round)-\(worker)", seeds[worker])
                    }
                } catch {}
                ended.with { $0 += 1 }
            }
        }
        let begun = all.with { $0.postbacks.count }
        try eventually("the load runs") { all.with { $0.postbacks.count } >= begun + 3 }
        usleep(UInt32.random(in: 10_000...200_000, using: &random))
        try meanwhile(&random)
        usleep(UInt32.random(in: 10_000...200_000, using: &random))
        try chain.tracker.kill()
        try eventually("the clients notice") { ended.current == 4 }
        // Calls the dead server had sent may still be unread; they belong to its life.
        try chain.source.settle()
        chain.source.setMark(round)
    }

    private func visitors(_ chain: Chain, _ all: Locked<Acknowledged>, _ name: String) throws {
        let connection = try chain.tracker.connect()
        for number in 0... {
            let externalID = "x\(name)-\(number)"
            let visit = try Chain.visit(connection.request("GET", "/c/summer?subid=\(externalID)"))
            let click = AcknowledgedClick(clickID: visit.clickID, externalID: externalID)
            all.with { $0.clicks.append(click) }
            if number % 8 == 7 { usleep(1000) }  // leaves the other clients their share
        }
    }

    private func network(
        _ chain: Chain, _ all: Locked<Acknowledged>, _ name: String, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let connection = try chain.tracker.connect()
        for number in 0... {
            guard let click = all.with({ $0.clicks.randomElement(using: &random) }) else {
                usleep(1000)
                continue
            }
            let transaction = "t\(name)-\(number)"
            let amount = "\(number % 90 + 1).\(number % 9 + 1)"
            let query = "cid=\(click.clickID)&txid=\(transaction)&payout=\(amount)"
            let target = "/conv?id=\(click.externalID)&tx=\(transaction)&v=\(amount)"
            all.with { _ = $0.unanswered.insert(target) }
            let answer = try PostbackAnswer(
                connection.request("GET", "/postback/\(chain.network.key)?\(query)"))
            guard answer.verdict == "accepted", let conversion = answer.conversion else {
                Issue.record("\(query): \(answer.json.text)")
                continue
            }
            let postback = AcknowledgedPostback(
                clickID: click.clickID, transactionID: transaction, query: query,
                conversion: conversion)
            all.with {
                $0.unanswered.remove(target)
                $0.postbacks.append((postback, target))
            }
        }
    }

    /// That networks find clicks and their own reports again. The newest of this round, which were
    /// in danger, and a sample of the rounds before it: after the last each one is looked for.
    private func verify(
        _ chain: Chain, before: Acknowledged, all: Acknowledged, round: Int,
        random: inout SeededRandom
    ) throws {
        let clicks =
            Array(all.clicks[before.clicks.count...].suffix(150))
            + before.clicks.shuffled(using: &random).prefix(20)
        try concurrently(6) { worker in
            for (index, click) in clicks.enumerated() where index % 6 == worker {
                let answer = try chain.network.call(
                    "cid=\(click.clickID)&txid=v\(round)-\(index)&payout=1&disable_postback=1")
                #expect(
                    answer.verdict == "accepted", "click of round \(round): \(answer.json.text)")
            }
        }
        let postbacks =
            Array(all.postbacks[before.postbacks.count...])
            + before.postbacks.shuffled(using: &random).prefix(20)
        try concurrently(6) { worker in
            for (index, postback) in postbacks.enumerated() where index % 6 == worker {
                let answer = try chain.network.call(postback.kept.query)
                #expect(
                    answer.verdict == "duplicate",
                    "acknowledged in round \(round): \(answer.json.text)")
            }
        }
    }

    private func verifyDeliveries(
        _ chain: Chain, _ all: Acknowledged, kills: Int, seed: UInt64
    ) throws {
        let expected = Set(all.postbacks.map(\.target))
        #expect(expected.count == all.postbacks.count)
        // A call in flight at a kill is due again at start, others at their time.
        try eventually(within: 90, "all \(expected.count) deliveries, seed \(seed)") {
            expected.subtracting(chain.source.targets).isEmpty
        }
        var repeats = 0
        for (target, calls) in Dictionary(grouping: chain.source.received, by: \.target) {
            #expect(
                expected.contains(target) || all.unanswered.contains(target),
                "nobody asked for \(target)")
            guard calls.count > 1 else { continue }
            repeats += calls.count - 1
            #expect(
                Set(calls.map { $0.idempotencyKey ?? "none" }).count == 1,
                "\(target) was repeated under another key, seed \(seed)")
            // A second call is right only in a later life of the server than the first.
            #expect(
                Set(calls.map(\.mark)).count == calls.count,
                "\(target) was repeated without a kill between, seed \(seed)")
        }
        print(
            "crash: seed \(seed), \(kills) kills, \(all.clicks.count) clicks, "
                + "\(all.postbacks.count) postbacks, \(repeats) calls repeated after a kill")
    }
}

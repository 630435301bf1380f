import Foundation
import TestSupport
import Testing

/// `SIGKILL` in the middle of heavy delivery, over and over: nothing is lost, and only calls that
/// were in flight are repeated, each with its `Idempotency-Key`.
///
/// What was in flight the data directory itself says: whatever it has as delivered right after a
/// kill must never be called again.
@Suite struct DeliveryCrashTests {
    private static let conversions = 1500

    /// Of the server's environment, so that many calls are in flight at a kill.
    private static let concurrency = 96

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment["CLICKRELAY_CRASH_\(name)"].flatMap { UInt64($0) }
    }

    /// Quick, slow, and one that fails now and then: three hosts of one traffic source.
    private struct Receivers {
        let all: [FakeTrafficSource]
        private let refused: Locked<Set<String>>

        init() throws {
            let refused = Locked<Set<String>>([])
            self.refused = refused
            all = [
                try FakeTrafficSource(),
                try FakeTrafficSource { _, _ in .init(delay: 0.05) },
                // Never five in a row, and none twice: it's told again ten seconds later.
                try FakeTrafficSource { request, before in
                    guard before % 7 == 3 else { return .ok }
                    return refused.with { $0.insert(request.idempotencyKey ?? "").inserted }
                        ? .status(500) : .ok
                },
            ]
        }

        func wasRefused(_ call: RecordedRequest) -> Bool {
            refused.with { $0.contains(call.idempotencyKey ?? "") }
        }

        var calls: [RecordedRequest] { all.flatMap(\.received) }
        var count: Int { all.reduce(0) { $0 + $1.count } }

        /// Calls that the dead server had sent may still be unread; they belong to its life.
        func settle(mark: Int) throws {
            for receiver in all {
                try receiver.settle()
                receiver.setMark(mark)
            }
        }
    }

    @Test func `ten kills in the middle of deliveries repeat only what was in flight`() throws {
        let kills = Int(Self.setting("KILLS") ?? 10)
        let seed = Self.setting("SEED") ?? monotonicNanos()
        var random = SeededRandom(seed)
        let receivers = try Receivers()
        let chain = try Chain.start { setup in
            setup.options.environment["CLICKRELAY_OUTBOUND_CONCURRENCY"] = "\(Self.concurrency)"
            setup.options.environment["CLICKRELAY_OUTBOUND_PER_HOST"] = "32"
            setup.destinations = receivers.all.enumerated().map { index, receiver in
                [
                    "key": .string("r\(index)"), "method": "GET",
                    "url": .string(
                        "\(receiver.url)/conv?id={external_id}&tx={transaction_id}"),
                    "allow_private": true,
                ]
            }
        }
        let expected = try backlog(chain)
        #expect(receivers.count == 0, "all of it waits behind a pause")
        #expect(
            try chain.tracker.command("deliveries", "resume", "--host", "127.0.0.1").exitCode == 0)

        var recorded: [Set<String>] = [[]]
        for round in 1...kills {
            // Whatever is left is shared out, so that each kill comes in the middle of it.
            let left = max(0, expected.count * 3 - receivers.count)
            let share = max(1, left / (kills - round + 2))
            let target = receivers.count + Int.random(in: 1...share, using: &random)
            try eventually(within: 60, "\(target) calls, round \(round), seed \(seed)") {
                receivers.count >= target
            }
            try chain.tracker.kill()
            try receivers.settle(mark: round)
            recorded.append(try delivered(chain))
            #expect(
                recorded[round].isSuperset(of: recorded[round - 1]), "round \(round), seed \(seed)")
            try chain.tracker.restart()
        }
        try eventually(within: 90, "every delivery is delivered, seed \(seed)") {
            let numbers = try chain.tracker.call("GET", "/destinations")["items"].array
            return numbers.reduce(0) { $0 + ($1["delivered"].int ?? 0) } == expected.count * 3
        }
        #expect(try chain.tracker.terminate() == 0)
        let check = try chain.tracker.command("check")
        #expect(check.exitCode == 0, "seed \(seed): \(check.output)\(check.error)")
        let repeated = verify(receivers, expected, recorded, seed: seed)
        print(
            "delivery crash: seed \(seed), \(kills) kills, \(receivers.count) calls, "
                + "\(repeated) of them repeated those in flight")
    }

    /// Conversions that wait behind a pause of their host.
    ///
    /// - Returns: the targets that every receiver is to be called with.
    private func backlog(_ chain: Chain) throws -> Set<String> {
        #expect(
            try chain.tracker.command("deliveries", "pause", "--host", "127.0.0.1").exitCode == 0)
        let all = Locked<Set<String>>([])
        try concurrently(6) { worker in
            for number in 0..<Self.conversions / 6 {
                let name = "x\(worker)-\(number)"
                let visit = try chain.visit("subid=\(name)")
                let answer = try chain.network.call("cid=\(visit.clickID)&txid=t\(name)&payout=1")
                guard answer.verdict == "accepted" else { throw TestFailure(answer.json.text) }
                all.with { _ = $0.insert("/conv?id=\(name)&tx=t\(name)") }
            }
        }
        return all.current
    }

    /// The IDs of all that is recorded as delivered, read while no server runs.
    private func delivered(_ chain: Chain) throws -> Set<String> {
        let list = try chain.tracker.command(
            "deliveries", "list", "--state", "delivered", "--limit", "100000", "--json")
        guard list.exitCode == 0 else { throw TestFailure(list.error) }
        return Set(try JSON(parsing: list.output)["items"].array.compactMap { $0["id"].id })
    }

    /// - Parameter recorded: what was delivered by the data directory, at each kill.
    /// - Returns: how many calls were made again because a kill came before their result was kept.
    private func verify(
        _ receivers: Receivers, _ expected: Set<String>, _ recorded: [Set<String>], seed: UInt64
    ) -> Int {
        for receiver in receivers.all {
            #expect(Set(receiver.targets) == expected, "seed \(seed)")
        }
        let calls = Dictionary(grouping: receivers.calls, by: Self.id)
        #expect(calls.count == expected.count * 3, "a key each, seed \(seed)")
        var repeated = 0
        for (id, calls) in calls {
            #expect(
                Set(calls.map { $0.idempotencyKey ?? "none" }).count == 1
                    && Set(calls.map(\.target)).count == 1, "\(id), seed \(seed)")
            for call in calls {
                #expect(
                    !recorded[call.mark].contains(id),
                    "\(call.target) was called again in life \(call.mark), seed \(seed)")
            }
            let lives = Dictionary(grouping: calls, by: \.mark)
            // Within one life only what was refused is called again.
            for calls in lives.values where calls.count > 1 {
                #expect(receivers.wasRefused(calls[0]), "\(calls[0].target), seed \(seed)")
            }
            if lives.count > 1, !receivers.wasRefused(calls[0]) { repeated += lives.count - 1 }
        }
        return repeated
    }

    /// The delivery's, out of `clickrelay-<id>-<time>`.
    private static func id(_ call: RecordedRequest) -> String {
        let parts = (call.idempotencyKey ?? "").split(separator: "-")
        return parts.count > 1 ? String(parts[1]) : "none"
    }
}

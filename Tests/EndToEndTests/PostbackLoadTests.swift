import Foundation
import TestSupport
import Testing

/// Many connections report at once and repeat one another.
///
/// `CLICKRELAY_LOAD_POSTBACKS` (100000) is how many calls are sent; see `Tests/run --help`.
@Suite struct PostbackLoadTests {
    private static let connections = 64
    /// Calls sent before their answers are read; the server lets 32 wait.
    private static let burst = 16

    private struct Tally: Sendable {
        var accepted = 0
        var duplicate = 0
        var other: [String] = []
    }

    @Test func `as many conversions as identities, however many connections repeat them`() throws {
        let count =
            ProcessInfo.processInfo.environment["CLICKRELAY_LOAD_POSTBACKS"].flatMap { Int($0) }
            ?? 100_000
        let seed = monotonicNanos()
        let chain = try Chain.start { $0.destinations = [] }
        let visits = try (0..<500).map { _ in try chain.visit().clickID }

        // Three in ten calls repeat another; who comes first is for the connections to race out.
        let distinct = count * 7 / 10
        var random = SeededRandom(seed)
        var identities = Array(0..<distinct)
        for _ in distinct..<count {
            identities.append(Int.random(in: 0..<max(distinct, 1), using: &random))
        }
        identities.shuffle(using: &random)
        let shuffled = identities

        let tallies = Locked(Tally())
        try concurrently(Self.connections) { number in
            let mine = stride(from: number, to: shuffled.count, by: Self.connections).map {
                shuffled[$0]
            }
            let tally = try send(mine, visits, chain)
            tallies.with {
                $0.accepted += tally.accepted
                $0.duplicate += tally.duplicate
                $0.other += tally.other
            }
        }
        let tally = tallies.current
        #expect(tally.other.isEmpty, "\(tally.other.prefix(3))")
        #expect(tally.accepted == distinct && tally.duplicate == count - distinct, "seed \(seed)")
        let totals = try chain.tracker.call("GET", "/report")["totals"]
        #expect(totals["conversions"].int == distinct, "seed \(seed): \(totals.text)")
        try checkIdentities(chain, distinct)
    }

    /// Every identity once.
    private func checkIdentities(_ chain: Chain, _ distinct: Int) throws {
        var seen: Set<String> = []
        var cursor: String?
        repeat {
            let next = cursor.map { "&cursor=\(percentEncoded($0))" } ?? ""
            let answer = try chain.tracker.api("GET", "/conversions?limit=1000\(next)")
            // Not `JSON`, whose decoding of a hundred thousand items takes a minute.
            let page = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            let items = try #require(page?["items"] as? [[String: Any]])
            for item in items {
                let identity = "\(item["click_id"] ?? "") \(item["transaction_id"] ?? "")"
                #expect(seen.insert(identity).inserted, "\(identity) twice")
            }
            cursor = page?["next_cursor"] as? String
        } while cursor != nil
        #expect(seen.count == distinct)
    }

    private func send(_ identities: [Int], _ visits: [String], _ chain: Chain) throws -> Tally {
        let connection = try chain.tracker.connect()
        var tally = Tally()
        for start in stride(from: 0, to: identities.count, by: Self.burst) {
            let part = identities[start..<min(start + Self.burst, identities.count)]
            try connection.send(
                part.map {
                    "GET /postback/\(chain.network.key)?cid=\(visits[$0 % visits.count])"
                        + "&txid=\($0 / visits.count)&payout=1.25 HTTP/1.1\r\nHost: t\r\n\r\n"
                }.joined())
            for _ in part {
                let response = try connection.receive(within: 60)
                let text = response.text
                if response.status == 200, text.contains("\"accepted\"") {
                    tally.accepted += 1
                } else if response.status == 200, text.contains("\"duplicate\"") {
                    tally.duplicate += 1
                } else {
                    tally.other.append("\(response.status) \(text)")
                }
            }
        }
        return tally
    }
}

import TestSupport
import Testing

/// Every `HostileReceiver` on real sockets, all of them at once, and a good one beside them.
@Suite struct HostileReceiverTests {
    /// A receiver that runs, and the click whose conversion it's told of.
    private struct Party {
        let receiver: HostileReceiver
        let host: Host
        var clickID = ""
    }

    private enum Host {
        case faulty(FaultyPeer, scheme: String)
        case source(FakeTrafficSource)
        case tls(TLSReceiver)
        case nobody

        init(_ peer: HostileReceiver.Peer) throws {
            switch peer {
            case .faulty(let mode): self = .faulty(try FaultyPeer(mode), scheme: "http")
            case .faultyTLS(let mode): self = .faulty(try FaultyPeer(mode), scheme: "https")
            case .answers(let answers):
                self = .source(
                    try FakeTrafficSource { _, before in answers[min(before, answers.count - 1)] })
            case .showsCertificate(let pick):
                self = .tls(try TLSReceiver(pick(TestCertificates.shared.get())))
            case .showsOwnCertificate: self = .tls(try TLSReceiver(name: "IP:127.0.0.1"))
            case .nobody: self = .nobody
            }
        }

        var url: String {
            switch self {
            case .faulty(let peer, let scheme): "\(scheme)://127.0.0.1:\(peer.port)"
            case .source(let source): source.url
            case .tls(let receiver): receiver.url
            case .nobody: "http://127.0.0.1:1"
            }
        }
    }

    /// A source, with one destination at `url`, and a campaign of the same name.
    private func add(_ name: String, _ url: String, to chain: Chain) throws {
        try chain.tracker.call(
            "POST", "/sources",
            [
                "key": .string(name), "name": .string(name), "external_id_param": "subid",
                "currency": "USD",
                "destinations": [
                    [
                        "key": "main", "method": "GET", "url": .string(url + "/?id={external_id}"),
                        "allow_private": true,
                    ]
                ],
            ])
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": .string(name), "name": .string(name), "source": .string(name),
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
    }

    /// Makes a conversion of which `campaign`'s source is to be told.
    private func convert(_ chain: Chain, _ campaign: String, _ id: Int = 0) throws -> String {
        let visit = try chain.visit("subid=\(id)", campaign: campaign)
        let answer = try chain.network.call("cid=\(visit.clickID)&payout=1")
        guard answer.verdict == "accepted" else { throw TestFailure(answer.json.text) }
        return visit.clickID
    }

    @Test func `what receivers do wrong is recorded, is tried again, and delays nobody else`()
        throws
    {
        let authority = try TestCertificates.shared.get().authorityFile
        let chain = try Chain.start {
            $0.options.environment = [
                "CLICKRELAY_OUTBOUND_TIMEOUT_MS": "\(HostileReceiver.timeoutMilliseconds)",
                // OpenSSL's own way of naming the authorities that are trusted.
                "SSL_CERT_FILE": authority,
            ]
        }
        // Those that keep a call until its time is up come last, so that they are busy meanwhile.
        var parties = try HostileReceiver.all
            .sorted { $0.outcome.millisecondsMin < $1.outcome.millisecondsMin }
            .map { Party(receiver: $0, host: try Host($0.peer)) }
        for party in parties { try add(party.receiver.name, party.host.url, to: chain) }

        var firstStall: UInt64?
        for index in parties.indices {
            let millisecondsMin = parties[index].receiver.outcome.millisecondsMin
            if millisecondsMin == HostileReceiver.timeoutMilliseconds, firstStall == nil {
                firstStall = monotonicNanos()
            }
            parties[index].clickID = try convert(chain, parties[index].receiver.name)
        }
        let worstDelay = try delayOfGoodDeliveries(chain)
        // They came while others were still being waited for.
        let calls = chain.source.received
        let stallsEnd =
            try #require(firstStall) + UInt64(HostileReceiver.timeoutMilliseconds) * 1_000_000
        #expect(calls.allSatisfy { $0.receivedAt < stallsEnd })
        print("hostile receivers: good deliveries took at most \(worstDelay / 1_000_000) ms")

        for party in parties { try check(party, chain) }
        try checkConnections(of: parties, chain)
        try checkRepetition(parties, chain)
        #expect(try chain.tracker.get("/healthz").status == 200)
    }

    /// - Returns: the longest time from the network's answer to the source's call, in nanoseconds.
    private func delayOfGoodDeliveries(_ chain: Chain) throws -> UInt64 {
        let accepted = Locked([UInt64](repeating: 0, count: 20))
        try concurrently(10) { worker in
            for index in [worker, worker + 10] {
                _ = try convert(chain, "summer", index)
                accepted.with { $0[index] = monotonicNanos() }
            }
        }
        return try chain.source.await(20).map { call in
            let index = Int(call.query["id"] ?? "") ?? 0
            return call.receivedAt - min(call.receivedAt, accepted.current[index])
        }.max() ?? 0
    }

    /// What is kept of the first attempt, and when the next one is due.
    private func check(_ party: Party, _ chain: Chain) throws {
        let (name, outcome) = (party.receiver.name, party.receiver.outcome)
        let delivery = try chain.delivery(of: party.clickID, "to \(name) was tried") {
            Chain.attempts(of: $0) >= 1
        }
        let attempts = delivery["attempts"].array
        let first = attempts[0]
        #expect(first["status"].int == outcome.status, "\(name): \(first.text)")
        let error = first["error"].string
        if outcome.errors.isEmpty {
            #expect(error == nil, "\(name): \(first.text)")
        } else {
            #expect(
                outcome.errors.contains { error?.contains($0) == true }, "\(name): \(first.text)")
        }
        if let excerpt = outcome.excerpt {
            #expect(first["excerpt"].string == excerpt, "\(name): \(first.text)")
        }
        let milliseconds = try #require(first["ms"].int)
        #expect(milliseconds >= outcome.millisecondsMin, "\(name): \(first.text)")
        #expect(
            outcome.millisecondsMin > 0 || milliseconds < HostileReceiver.timeoutMilliseconds,
            "\(name): \(first.text)")

        guard outcome.state == "waiting" else {
            #expect(delivery["state"].string == outcome.state, "\(name): \(delivery.text)")
            #expect(attempts.count == 1, "\(name): \(delivery.text)")
            return
        }
        let end = try secondsSince1970(first["at"]) + Double(milliseconds) / 1000
        if attempts.count == 1 {
            #expect(delivery["state"] == "waiting", "\(name): \(delivery.text)")
            #expect(delivery["reason"] == first["error"], "\(name): \(delivery.text)")
            let pause = try secondsSince1970(delivery["due_at"]) - end
            #expect(outcome.pause.contains(pause), "\(name): \(pause) s")
        } else {
            // A slow machine: the second attempt was quicker than this look.
            let pause = try secondsSince1970(attempts[1]["at"]) - end
            #expect(pause >= outcome.pause.lowerBound, "\(name): \(pause) s")
        }
    }

    /// Answers without end are cut off, and HTTP/1.0 connections used once.
    private func checkConnections(of parties: [Party], _ chain: Chain) throws {
        for party in parties {
            guard case .faulty(let peer, _) = party.host else { continue }
            let name = party.receiver.name
            // The next attempts may come any moment, but no connection outlives its attempt.
            try eventually("the connections to \(name) are closed") { peer.open == 0 }
            // 64 KiB are read of each; the rest is what the kernels' buffers take.
            #expect(peer.flooded < 64 << 20, "\(name): \(peer.flooded) bytes")
            if name.hasPrefix("http-10"), party.receiver.outcome.state == "delivered" {
                #expect(peer.accepted == 1, "\(name)")
                let clickID = try convert(chain, name, 1)
                _ = try chain.delivery(of: clickID, "to \(name) is delivered") {
                    $0["state"] == "delivered"
                }
                #expect(peer.accepted == 2, "\(name)")
            }
        }
    }

    private func checkRepetition(_ parties: [Party], _ chain: Chain) throws {
        for party in parties where party.receiver.name == "500-then-200" {
            let delivery = try chain.delivery(of: party.clickID, within: 30, "is delivered") {
                $0["state"] == "delivered"
            }
            #expect(delivery["attempts"].array.map { $0["status"] } == [500, 200])
            guard case .source(let source) = party.host else { continue }
            #expect(Set(source.received.map(\.idempotencyKey)).count == 1)
        }
        for party in parties {
            guard case .source(let source) = party.host else { continue }
            switch party.receiver.outcome.pause.lowerBound {
            case 100...: #expect(source.count == 1, "\(party.receiver.name)")
            default: #expect((1...3).contains(source.count), "\(party.receiver.name)")
            }
        }
    }
}

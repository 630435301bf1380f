import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct EntityStoreTests {
    private typealias Bench = StoreBench

    private func key(_ text: String) throws -> EntityKey { try #require(EntityKey(text)) }

    private func outcome<Value: Sendable>(
        _ bench: StoreBench,
        _ work: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Value
    ) -> String {
        do {
            _ = try bench.perform(work)
            return "done"
        } catch let error as StoreError {
            switch error {
            case .conflict: return "conflict"
            case .notFound: return "not found"
            case .invalid(let invalid): return invalid.errors.map(\.field).joined(separator: " ")
            case .storage, .unreadable: return "\(error)"
            }
        } catch {
            return "\(error)"
        }
    }

    @Test func `what is used can't be archived, and what is archived lives again`() throws {
        let bench = try Bench()
        try bench.install()
        let (src, net) = (try key("src"), try key("net"))
        let (fit, summer, none) = (try key("fit"), try key("summer"), try key("none"))
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.archive(src, of: Source.self, at: Bench.noon)
            }
                == "conflict")
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.archive(net, of: Network.self, at: Bench.noon)
            }
                == "conflict")
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.archive(fit, of: Offer.self, at: Bench.noon)
            }
                == "conflict")
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.archive(none, of: Offer.self, at: Bench.noon)
            }
                == "not found")
        let later = Bench.noon.advanced(by: .seconds(1))
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.archive(summer, of: Campaign.self, at: later)
            _ = try tx.archive(fit, of: Offer.self, at: later)
            _ = try tx.archive(net, of: Network.self, at: later)
            _ = try tx.archive(src, of: Source.self, at: later)
        }
        let catalog = bench.ledger.catalog
        #expect(catalog.campaigns[summer]?.archivedAt == later)
        // Its network still receives.
        #expect(catalog.networkByPostbackKey["k1"] != nil)
        let campaign = try Bench.campaign()
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.put(campaign, at: later) }
                == "source flow.paths[0].offers[0].offer")
        let source = try Source(document: ["key": "src", "name": "Again"])
        let stored = try bench.perform { (tx) throws(StoreError) in try tx.put(source, at: later) }
        #expect(!stored.isArchived && stored.id.rawValue == 1 && stored.createdAt == Bench.noon)
        #expect(stored.updatedAt == later)
        // The same after a restart.
        bench.ledger.stop()
        let again = try Bench(bench.directory)
        #expect(again.ledger.catalog.campaigns[summer]?.archivedAt == later)
        #expect(again.ledger.catalog.sources[src]?.value.name == "Again")
    }

    @Test func `references to what is not there are refused by field`() throws {
        let bench = try Bench()
        let offer = try Offer(document: ["key": "o", "network": "net", "url": "https://o.example/"])
        let campaign = try Bench.campaign()
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.put(offer, at: Bench.noon) }
                == "network")
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.put(campaign, at: Bench.noon) }
                == "source flow.paths[0].offers[0].offer")
        let plain = try Network(document: ["key": "net"])
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.put(plain, newPostbackKey: "k1", at: Bench.noon)
        }
        // Nothing would carry the click ID.
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.put(offer, at: Bench.noon) } == "url"
        )
        #expect(bench.ledger.catalog.offers.all.isEmpty)
    }

    @Test func `a network can't drop the parameter that its offers need`() throws {
        let bench = try Bench()
        try bench.install()
        let plain = try Network(document: ["key": "net"])
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.put(plain, newPostbackKey: "k2", at: Bench.noon)
            } == "click_id_param")
        let network = try #require(bench.ledger.catalog.networks.all.first)
        #expect(network.value.clickIDParameter == "s2")
    }

    @Test func `every wording of an offer is kept and each is one version`() throws {
        let bench = try Bench()
        try bench.install()
        func put(_ url: String) throws -> Int64 {
            let offer = try Offer(
                document: ["key": "fit", "network": "net", "url": .string(url)])
            return try bench.perform { (tx) throws(StoreError) in
                let stored = try tx.put(offer, at: Bench.noon)
                return tx.catalog.currentVersions[stored.id]?.id ?? 0
            }
        }
        #expect(try put("https://o.example/2") == 2)
        #expect(try put("https://o.example/") == 1)
        let renamed = try Network(document: ["key": "net", "click_id_param": "sub"])
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.put(renamed, newPostbackKey: "other", at: Bench.noon)
        }
        let catalog = bench.ledger.catalog
        let offer = try #require(catalog.offers.all.first)
        #expect(catalog.currentVersions[offer.id]?.url == "https://o.example/?sub={click_id}")
        #expect(catalog.offerVersions.count == 3)
        // The postback key is made once.
        #expect(catalog.networkByPostbackKey.keys.sorted() == ["k1"])
        bench.ledger.stop()
        let again = try Bench(bench.directory)
        #expect(again.ledger.catalog.offerVersions == catalog.offerVersions)
        #expect(again.ledger.catalog.currentVersions == catalog.currentVersions)
    }

    @Test func `two networks can't have one postback key`() throws {
        let bench = try Bench()
        try bench.install()
        let other = try Network(document: ["key": "other"])
        #expect(
            outcome(bench) { (tx) throws(StoreError) in
                try tx.put(other, newPostbackKey: "k1", at: Bench.noon)
            } == "conflict")
        #expect(bench.ledger.catalog.networks.all.count == 1 && bench.ledger.failure == nil)
    }

    @Test func `click ID keys come back oldest first`() throws {
        let bench = try Bench()
        let keys: [[UInt8]] = [[UInt8](repeating: 1, count: 16), [UInt8](repeating: 0, count: 16)]
        try bench.perform { (tx) throws(StoreError) in
            for key in keys { try tx.addClickKey(key, at: Bench.noon) }
        }
        #expect(try bench.perform { (tx) throws(StoreError) in try tx.clickKeys() } == keys)
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.addClickKey([1], at: Bench.noon) }
                == "conflict")
    }

    @Test func `a token is valid until it is revoked`() throws {
        let bench = try Bench()
        let digests = (1...3).map { [UInt8](repeating: $0, count: 32) }
        try bench.perform { (tx) throws(StoreError) in
            for (digest, name) in zip(digests, ["a", "a", "b"]) {
                _ = try tx.addToken(name: name, sha256: digest, at: Bench.noon)
            }
        }
        func valid() -> [Bool] { digests.map { bench.ledger.hasToken(sha256: $0) } }
        #expect(valid() == [true, true, true])
        let revoked = try bench.perform { (tx) throws(StoreError) in
            try tx.revokeTokens("a", at: Bench.noon)
        }
        #expect(revoked.map(\.id) == [1, 2])
        #expect(valid() == [false, false, true])
        #expect(
            outcome(bench) { (tx) throws(StoreError) in try tx.revokeTokens("a", at: Bench.noon) }
                == "not found")
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.revokeTokens("3", at: Bench.noon)
        }
        #expect(try bench.perform { (tx) throws(StoreError) in try tx.validTokenDigests() }.isEmpty)
        #expect(try bench.perform { (tx) throws(StoreError) in try tx.tokens() }.count == 3)
    }

    @Test func `reads report their errors and go on`() throws {
        let bench = try Bench()
        do {
            _ = try bench.read { (_) throws(StoreError) -> Int in throw .notFound("x") }
            Issue.record("no error")
        } catch {
            #expect(error as? StoreError == .notFound("x"))
        }
        #expect(try bench.read { (reader) throws(StoreError) in try reader.clickDays() }.isEmpty)
        bench.readers.stop()
        do {
            _ = try bench.read { (_) throws(StoreError) in 1 }
            Issue.record("no error")
        } catch {
            guard case .storage? = error as? StoreError else {
                Issue.record("\(error)")
                return
            }
        }
    }
}

import Clicks
import Crypto
import Domain
import Foundation
import Net
import Store
import TestSupport
import Testing

/// Lander clicks when the disk or the calendar is against them.
@Suite struct LanderClickTests {
    private static let offers = [
        "http://one.example/?s={cid}", "http://two.example/?s={cid}&z={var1}",
    ]

    private func landerClicks(_ harness: ClickHarness, _ rowID: ClickRowID) throws -> [LanderClick]
    {
        try harness.perform { tx throws(StoreError) in
            try tx.landerClicks(of: rowID)
        }
    }

    @Test func `a visitor of last week's click goes on, and the ledger keeps it`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: Self.offers)
        let now = Instant(micros: Clock.wallMicros())
        let old = now.advanced(by: .seconds(-7 * 86_400))
        let rowID = ClickRowID(
            milliseconds: old.milliseconds - ClickRowID.epochMilliseconds, node: 0, sequence: 1)
        let campaign = try #require(harness.ledger.catalog.campaigns.all.first)
        let version = try #require(harness.ledger.catalog.flowVersions[campaign.id])
        var batch = ClickBatch()
        batch.rows = [
            NewClick(
                rowID: rowID, campaignID: campaign.id, flowVersion: version.id, rule: 0, path: 1,
                landerVersion: nil, offerVersion: 1, costNanos: nil, currency: .usDollar,
                externalID: .none, ip: nil, userAgent: .none, referrer: .none,
                parameterNames: .none, parameterValues: .none)
        ]
        let outcome = Locked<ClickOutcome?>(nil)
        harness.store.store(batch) { result in outcome.with { $0 = result } }
        try eventually("the click is stored") { outcome.current == .stored }
        let clickID = harness.keys.seal(
            ClickIdentity(rowID: rowID, campaignID: campaign.id)
        ).text
        for _ in 0..<2 {
            let response = try harness.get("/o/2?cid=\(clickID)")
            #expect(response.location == "http://two.example/?s=\(clickID)&z=")
        }
        let kept = try landerClicks(harness, rowID)
        #expect(kept.map(\.number) == [.nth(2), .nth(2)])
        let inFile = try ClickReader(DataDirectory(path: harness.directory.path))
            .landerClicks(of: rowID)
        #expect(inFile.isEmpty, "the day is finished")
    }

    @Test func `no lander click gets the ID of one that an earlier run has stored`() throws {
        // Its clock was a minute ahead, but for its clicks, which lie where this run begins. Shortly
        // before midnight that would be another day, which this is not about.
        func ahead() -> Instant { Instant(micros: Clock.wallMicros()).advanced(by: .seconds(61)) }
        while ahead().day != Instant(micros: Clock.wallMicros()).day { usleep(100_000) }
        let now = Instant(micros: Clock.wallMicros())
        func rowID(_ milliseconds: Int64, _ sequence: Int) -> ClickRowID {
            ClickRowID(
                milliseconds: now.milliseconds - ClickRowID.epochMilliseconds + milliseconds,
                node: 0, sequence: sequence)
        }
        let harness = try ClickHarness(newest: [rowID(60_000, 0)])
        defer { harness.stop() }
        try harness.set(offers: Self.offers)
        let clickID = try #require(harness.get("/c/summer").locationParameter("s"))
        let click = try #require(ClickID(clickID).flatMap { harness.keys.open($0) })
        #expect(click.rowID.milliseconds == rowID(60_001, 0).milliseconds)
        // Those that the counter comes to next, but one.
        let taken = [1, 2, 4].map { rowID(60_001, click.rowID.sequence + $0) }
        var batch = ClickBatch()
        batch.landerClicks = taken.map {
            LanderClick(
                id: $0, clickRowID: click.rowID, campaignID: click.campaignID, number: .any,
                offerVersion: 1)
        }
        let outcome = Locked<ClickOutcome?>(nil)
        harness.store.store(batch) { result in outcome.with { $0 = result } }
        try eventually("they are stored") { outcome.current == .stored }
        for _ in 0..<2 { #expect(try harness.get("/o/2?cid=\(clickID)").status == 302) }
        let all = try landerClicks(harness, click.rowID)
        #expect(all.count == 5 && all.count { $0.number == .nth(2) } == 2)
    }

    @Test func `while the disk fails a visitor goes on, and it's stored when it works again`()
        throws
    {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: Self.offers)
        let clickID = try #require(harness.get("/c/summer?zone=7").locationParameter("s"))
        let identity = try #require(ClickID(clickID).flatMap { harness.keys.open($0) })
        try FileMover.hide(harness.directory.file("clicks"))
        try eventually("the failure is told") {
            harness.events.current.contains("clicks_not_stored")
        }
        let during = try harness.get("/c/summer?zone=8")
        let held = try #require(during.locationParameter("s"))
        // Its click can't be read: what the visit came with is not known.
        #expect(
            try harness.get("/o/2?cid=\(held)").location == "http://two.example/?s=\(held)&z=")
        try FileMover.bringBack(harness.directory.file("clicks"))
        try eventually("storing works again") {
            harness.events.current.contains("clicks_stored_again")
        }
        let heldID = try #require(ClickID(held).flatMap { harness.keys.open($0) })
        #expect(try landerClicks(harness, heldID.rowID).map(\.number) == [.nth(2)])
        #expect(try landerClicks(harness, identity.rowID).isEmpty)
        #expect(
            try harness.get("/o/2?cid=\(clickID)").location
                == "http://two.example/?s=\(clickID)&z=7")
    }

    @Test func `where records come first, a disk that fails refuses the press`() throws {
        var options = ClickStore.Options()
        options.redirectsOnFailure = false
        let harness = try ClickHarness(options: options)
        defer { harness.stop() }
        try harness.set(offers: Self.offers)
        let clickID = try #require(harness.get("/c/summer").locationParameter("s"))
        try FileMover.hide(harness.directory.file("clicks"))
        try eventually("the failure is told") {
            harness.events.current.contains("clicks_not_stored")
        }
        let refused = try harness.get("/o/1?cid=\(clickID)")
        #expect(refused.status == 503 && refused.fields["retry-after"] == "1")
        try FileMover.bringBack(harness.directory.file("clicks"))
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `no link makes the handler trap or answer another address`(seed: UInt64) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: Self.offers)
        let clickID = try #require(harness.get("/c/summer").locationParameter("s"))
        var random = SeededRandom(seed)
        let pieces = [
            "/o", "/", "1", "2", "any", "?cid=", clickID, "&", "=", "%", "%00", "campaign=summer",
            "%0d%0aX:", "'", "\"", "<", "é".addingPercentEncoding(withAllowedCharacters: []) ?? "",
        ]
        let connection = try HTTPConnection(port: harness.port)
        for _ in 0..<100 {
            let target =
                "/o"
                + (0..<Int.random(in: 0...8, using: &random)).map { _ in
                    pieces.randomElement(using: &random) ?? ""
                }.joined()
            guard target.hasPrefix("/o/") || target == "/o" || target.hasPrefix("/o?") else {
                continue
            }
            let response = try connection.request("GET", target)
            #expect([302, 404].contains(response.status), "\(target)")
            if let location = response.location {
                #expect(
                    location.hasPrefix("http://one.example/?s=")
                        || location.hasPrefix("http://two.example/?s="), "\(target)")
            }
        }
    }
}

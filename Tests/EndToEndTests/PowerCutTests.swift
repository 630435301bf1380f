import Foundation
import TestSupport
import Testing

/// What a kill does not show: at a power cut everything is lost that was not synced, or any part of
/// it. The server's writes and syncs are recorded under load, and the disk of many moments is put
/// together from them, checked, and served from.
///
/// `CLICKRELAY_CRASH_CUTS` (4) and `CLICKRELAY_CRASH_SEED` (the clock) change a run; `Tests/crash`
/// sets them.
@Suite struct PowerCutTests {
    /// What was acknowledged, and how far the recording was by then.
    private struct Acknowledged: Sendable {
        var clicks: [(at: Int, kept: AcknowledgedClick)] = []
        var postbacks: [(at: Int, kept: AcknowledgedPostback)] = []
    }

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment["CLICKRELAY_CRASH_\(name)"].flatMap { UInt64($0) }
    }

    @Test func `whatever a power cut leaves holds all that was acknowledged`() throws {
        let cuts = Int(Self.setting("CUTS") ?? 4)
        let seed = Self.setting("SEED") ?? monotonicNanos()
        var random = SeededRandom(seed)
        let shim = try FaultShim()
        let directory = try TemporaryDirectory()
        let chain = try Chain.start { setup in
            setup.directory = directory
            setup.options.environment = shim.environment(directory, records: true)
        }
        let begun = shim.recordedCount
        let all = Locked(Acknowledged())
        // With a kill between, so that logs are recovered, too. Long enough for checkpoints.
        for life in 0..<2 {
            if life > 0 {
                try chain.tracker.kill()
                try chain.tracker.restart()
            }
            try load(chain, shim, all, name: "\(life)", seconds: cuts > 20 ? 7 : 1.5)
        }
        try chain.tracker.kill()
        let recording = try Data(
            contentsOf: URL(fileURLWithPath: shim.recording), options: .alwaysMapped)
        let acknowledged = all.current
        #expect(acknowledged.clicks.count > 50 && acknowledged.postbacks.count > 10)
        var disk = RecordedDisk(recording, root: directory.file("data"))
        for cut in Self.moments(cuts, begun, acknowledged, recording.count, &random) {
            let fate = RecordedDisk.Fate.allCases.randomElement(using: &random) ?? .lost
            do {
                try disk.advance(to: cut)
                try verify(disk, fate, cut, acknowledged, chain.network.key, &random)
            } catch {
                throw TestFailure("byte \(cut) of seed \(seed), \(fate): \(error)")
            }
        }
        print(
            "power cuts: seed \(seed), \(cuts) cuts in \(recording.count) bytes, "
                + "\(acknowledged.clicks.count) clicks, \(acknowledged.postbacks.count) postbacks")
    }

    /// Half of them right after something was acknowledged.
    private static func moments(
        _ count: Int, _ begun: Int, _ all: Acknowledged, _ end: Int, _ random: inout SeededRandom
    ) -> [Int] {
        let acknowledged = all.clicks.map(\.at) + all.postbacks.map(\.at)
        return (0..<count).map { number in
            number % 2 == 0
                ? acknowledged.randomElement(using: &random) ?? end
                : Int.random(in: begun...end, using: &random)
        }.sorted()
    }

    private func load(
        _ chain: Chain, _ shim: FaultShim, _ all: Locked<Acknowledged>, name: String,
        seconds: Double
    ) throws {
        let end = monotonicNanos() + UInt64(seconds * 1e9)
        // However slow the machine is, the cuts must have something to take.
        let least = all.with { (clicks: $0.clicks.count + 30, postbacks: $0.postbacks.count + 6) }
        try concurrently(4) { worker in
            let connection = try chain.tracker.connect()
            var random = SeededRandom(UInt64(worker))
            for number in 0... {
                let now = monotonicNanos()
                if now > end {
                    let isEnough = all.with {
                        $0.clicks.count >= least.clicks && $0.postbacks.count >= least.postbacks
                    }
                    if isEnough { return }
                    if now > end + 120_000_000_000 { throw TestFailure("too little load") }
                }
                if worker < 2 {
                    let externalID = "x\(name)-\(worker)-\(number)"
                    let visit = try Chain.visit(
                        connection.request("GET", "/c/summer?subid=\(externalID)"))
                    let at = shim.recordedCount
                    let click = AcknowledgedClick(clickID: visit.clickID, externalID: externalID)
                    all.with { $0.clicks.append((at, click)) }
                } else if let click = all.with({ $0.clicks.randomElement(using: &random) })?.kept {
                    let transaction = "t\(name)-\(worker)-\(number)"
                    let query = "cid=\(click.clickID)&txid=\(transaction)&payout=1"
                    let answer = try PostbackAnswer(
                        connection.request("GET", "/postback/\(chain.network.key)?\(query)"))
                    guard answer.verdict == "accepted", let conversion = answer.conversion else {
                        throw TestFailure(answer.json.text)
                    }
                    let at = shim.recordedCount
                    let postback = AcknowledgedPostback(
                        clickID: click.clickID, transactionID: transaction, query: query,
                        conversion: conversion)
                    all.with { $0.postbacks.append((at, postback)) }
                }
                usleep(4000)
            }
        }
    }

    private func verify(
        _ disk: RecordedDisk, _ fate: RecordedDisk.Fate, _ cut: Int, _ all: Acknowledged,
        _ key: String, _ random: inout SeededRandom
    ) throws {
        let place = try TemporaryDirectory()
        try disk.write(to: place.file("data"), fate, random: &random)
        let check = try TrackerProcess.run(["check", "--data-dir", place.file("data")])
        guard check.exitCode == 0 else { throw TestFailure(check.output + check.error) }
        let tracker = try TrackerProcess.start(in: place)
        let network = FakeNetwork(tracker: tracker, key: key)
        let clicks = all.clicks.filter { $0.at <= cut }.sorted { $0.at < $1.at }
        let postbacks = all.postbacks.filter { $0.at <= cut }.sorted { $0.at < $1.at }
        try tracker.verifyJourneys(clicks.map(\.kept), postbacks.map(\.kept))
        // That networks find them, too: the newest, which were in danger, and a sample.
        for click in clicks.suffix(40) + clicks.shuffled(using: &random).prefix(20) {
            let answer = try network.call(
                "cid=\(click.kept.clickID)&txid=v\(random.next())&payout=1&disable_postback=1")
            guard answer.verdict == "accepted" else {
                throw TestFailure("click acknowledged at \(click.at): \(answer.json.text)")
            }
        }
        for postback in postbacks.suffix(40) + postbacks.shuffled(using: &random).prefix(20) {
            let answer = try network.call(postback.kept.query)
            guard answer.verdict == "duplicate" else {
                throw TestFailure("postback acknowledged at \(postback.at): \(answer.json.text)")
            }
        }
    }
}

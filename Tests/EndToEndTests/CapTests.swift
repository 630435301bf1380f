import Foundation
import TestSupport
import Testing

/// Caps on traffic, through the real binary.
@Suite struct CapTests {
    private static let fit = "https://offer.example/land"
    private static let spare = "https://spare.example/"

    private static func start(_ caps: JSON, _ change: (inout Chain.Setup) -> Void = { _ in })
        throws -> Chain
    {
        let chain = try Chain.start {
            $0.moreOffers = [
                [
                    "key": "spare", "network": "net",
                    "url": .string("\(spare)?s2={click_id}"),
                ]
            ]
            change(&$0)
        }
        try chain.tracker.call(
            "PATCH", "/offers/fit", ["traffic_caps": caps, "overflow_offer": "spare"])
        return chain
    }

    /// Where many visitors are sent who come at the same time, each on a connection of its own.
    private func race(_ chain: Chain, connections: Int, visits: Int) throws -> [String] {
        let locations = Locked<[String]>([])
        let failures = Locked<[String]>([])
        let ended = Locked(0)
        let isOpen = Locked(false)
        for _ in 0..<connections {
            let connection = try chain.tracker.connect()
            Thread.detachNewThread {
                do {
                    // All at once: the first don't get a start.
                    try eventually("the start") { isOpen.current }
                    for _ in 0..<visits {
                        let visit = try Chain.visit(
                            connection.request("GET", "/c/summer", within: 60))
                        locations.with { $0.append(visit.location) }
                    }
                } catch {
                    failures.with { $0.append("\(error)") }
                }
                ended.with { $0 += 1 }
            }
        }
        isOpen.with { $0 = true }
        try eventually(within: 120, "all visitors were answered") { ended.current == connections }
        #expect(failures.current == [])
        return locations.current
    }

    @Test func `64 connections race for the last 100 of a cap, and exactly 100 pass`() throws {
        let chain = try Self.start(["clicks_per_day": 150, "clicks_total": 120])
        let first = try (0..<20).map { _ in try chain.visit().location }
        #expect(first.allSatisfy { $0.hasPrefix(Self.fit) })
        let locations = try race(chain, connections: 64, visits: 10)
        #expect(locations.count == 640)
        #expect(locations.filter { $0.hasPrefix(Self.fit) }.count == 100)
        #expect(locations.filter { $0.hasPrefix(Self.spare) }.count == 540)
        let used = try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"]
        #expect(used["clicks_today"] == 120 && used["clicks_total"] == 120)
        let shown = try chain.tracker.command("offer", "show", "fit")
        #expect(shown.output.contains("clicks_today"), "\(shown.output)")
        // Still so when the count is taken anew from what is on disk.
        try chain.tracker.kill()
        try chain.tracker.restart()
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        #expect(try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"] == used)
    }

    @Test func `whom nothing takes is told so, and is a click with its cost`() throws {
        let chain = try Chain.start { $0.campaign["traffic_caps"] = ["clicks_total": 1] }
        _ = try chain.visit()
        let answer = try chain.tracker.get("/c/summer?subid=E7")
        #expect(answer.status == 404 && answer.text.contains("nowhere"))
        let direct = try chain.tracker.post(
            "/api/click", json: ["campaign": "summer", "query": "subid=E8"])
        #expect(direct.status == 404)
        #expect(try direct.json["detail"].string?.contains("recorded") == true)
        for id in ["E7", "E8"] {
            let click = try chain.tracker.call("GET", "/clicks/\(id)")
            #expect(click["rule"] == -1 && click["path"] == 0 && click["location"].isNull)
        }
        let totals = try chain.tracker.call("GET", "/report?group=campaign")["totals"]
        #expect(totals["clicks"] == 3)
        #expect(totals["cost"]["amount"].string == "0.036", "\(totals.text)")
    }

    @Test func `kills in the middle leave the count exact`() throws {
        let chain = try Self.start(["clicks_per_day": 600]) {
            $0.campaign["flow"] = [
                "paths": [
                    [
                        "name": "main", "offers": [["offer": "fit"]],
                        "traffic_caps": ["clicks_total": 100_000],
                    ]
                ]
            ]
        }
        let passed = Locked<Set<String>>([])
        for _ in 0..<3 {
            let ended = Locked(0)
            for _ in 0..<4 {
                let connection = try chain.tracker.connect()
                Thread.detachNewThread {
                    // The kill ends each client with an error; that's the loop's way out.
                    do {
                        // All of them in all rounds leave some of the cap's places for the end.
                        for _ in 0..<45 {
                            let visit = try Chain.visit(connection.request("GET", "/c/summer"))
                            guard visit.location.hasPrefix(Self.fit) else { break }
                            passed.with { _ = $0.insert(visit.clickID) }
                            usleep(1_000)
                        }
                    } catch {}
                    ended.with { $0 += 1 }
                }
            }
            let before = passed.with(\.count)
            try eventually(within: 120, "the load runs") { passed.with(\.count) >= before + 40 }
            try chain.tracker.kill()
            try eventually("the clients notice") { ended.current == 4 }
            try chain.tracker.restart()
        }
        let offer = try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"]
        let path = try chain.tracker.call("GET", "/campaigns/summer")["traffic_caps_used"]["paths"][
            0]
        let clicks = try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"]
        #expect(path["name"] == "main")
        #expect(path["clicks_total"] == clicks && offer["clicks_total"] == clicks)
        // Who was on the way at a kill is on disk and was told nothing: no more of those than there
        // were connections.
        let known = try #require(clicks.int)
        let answered = passed.with(\.count)
        #expect(known >= answered && known <= answered + 12)
        let rest = try race(chain, connections: 16, visits: 40)
        #expect(rest.filter { $0.hasPrefix(Self.fit) }.count == 600 - known)
    }

    @Test func `caps are changed by documents, which say what is wrong with them`() throws {
        let chain = try Self.start(["clicks_total": 0])
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        let offer = try chain.tracker.call("GET", "/offers/fit")
        #expect(offer["traffic_caps"]["time_zone"] == "UTC")
        // What was read can be sent back, the counts with it.
        #expect(
            try chain.tracker.call("PUT", "/offers/fit", offer)["updated_at"]
                == offer["updated_at"])
        try chain.tracker.call("PATCH", "/offers/fit", ["traffic_caps": ["clicks_total": 1]])
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        try chain.tracker.call("PATCH", "/offers/fit", ["traffic_caps": .null])
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        #expect(try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"].isNull)
        for (patch, field) in [
            (["traffic_caps": ["clicks_per_day": "many"]], "traffic_caps.clicks_per_day"),
            (["overflow_offer": "nosuch"], "overflow_offer"),
            (["overflow_offer": "fit"], "overflow_offer"),
        ] as [(JSON, String)] {
            let answer = try chain.tracker.api("PATCH", "/offers/fit", patch)
            #expect(answer.status == 422)
            #expect(try answer.json["errors"][0]["field"].string == field, "\(answer.text)")
        }
    }

    @Test func `conversions close the way once there are enough, and open it when one is refused`()
        throws
    {
        let chain = try Self.start(["conversions_per_day": 2])
        let visits = try (0..<3).map { _ in try chain.visit() }
        #expect(try chain.network.call("cid=\(visits[0].clickID)&txid=a").verdict == "accepted")
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        #expect(
            try chain.network.call("cid=\(visits[1].clickID)&txid=b&status=pending").verdict
                == "accepted")
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        // For who came before, it is no limit.
        #expect(try chain.network.call("cid=\(visits[2].clickID)&txid=c").verdict == "accepted")
        let used = try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"]
        #expect(used["conversions_today"] == 3 && used["conversions_total"] == 3)
        try chain.tracker.kill()
        try chain.tracker.restart()
        #expect(try chain.tracker.call("GET", "/offers/fit")["traffic_caps_used"] == used)
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        for (index, name) in ["a", "c"].enumerated() {
            let click = visits[index * 2].clickID
            #expect(
                try chain.network.call("cid=\(click)&txid=\(name)&status=rejected").verdict
                    == "updated")
        }
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        let check = try chain.tracker.command("check")
        #expect(check.exitCode == 0, "\(check.output)\(check.error)")
    }

    @Test func `payout closes an offer, a path and a campaign, each by its own cap`() throws {
        let chain = try Self.start(["payout_total": "10"])
        let first = try chain.visit()
        #expect(
            try chain.network.call("cid=\(first.clickID)&txid=a&payout=9.99").verdict == "accepted")
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        // Another currency says nothing about a cap in dollars.
        #expect(
            try chain.network.call("cid=\(first.clickID)&txid=b&payout=50&currency=EUR").status
                == 200)
        #expect(try chain.visit().location.hasPrefix(Self.fit))
        #expect(
            try chain.network.call("cid=\(first.clickID)&txid=c&payout=0.01").verdict == "accepted")
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        try chain.tracker.call("PATCH", "/offers/fit", ["traffic_caps": .null])
        // What was earned before the cap was set counts, on whichever place the path was.
        let named: JSON = ["name": "main", "offers": [["offer": "fit"]]]
        try chain.tracker.call("PATCH", "/campaigns/summer", ["flow": ["paths": [named]]])
        let second = try chain.visit()
        #expect(
            try chain.network.call("cid=\(second.clickID)&txid=d&payout=5").verdict == "accepted")
        var capped = named
        capped["traffic_caps"] = ["payout_per_day": "8", "currency": "USD"]
        try chain.tracker.call(
            "PATCH", "/campaigns/summer",
            [
                "flow": [
                    "rules": [["paths": [capped]]],
                    "paths": [["offers": [["offer": "spare"]]]],
                ]
            ])
        let third = try chain.visit()
        #expect(third.location.hasPrefix(Self.fit))
        #expect(
            try chain.network.call("cid=\(third.clickID)&txid=e&payout=3").verdict == "accepted")
        #expect(try chain.visit().location.hasPrefix(Self.spare))
        try chain.tracker.call(
            "PATCH", "/campaigns/summer",
            [
                "traffic_caps": ["payout_total": "17.99", "currency": "USD"],
                "fallback_url": "https://else.example/",
            ])
        #expect(
            try chain.tracker.get("/c/summer").location == "https://else.example/")
        let used = try chain.tracker.call("GET", "/campaigns/summer")["traffic_caps_used"]
        #expect(used["payout_total"]["USD"] == "18", "\(used.text)")
        #expect(used["paths"][0]["payout_today"]["USD"] == "8", "\(used.text)")
        let answer = try chain.tracker.api(
            "PATCH", "/campaigns/summer",
            ["traffic_caps": ["payout_total": "1", "currency": .null]])
        #expect(answer.status == 422)
        #expect(try answer.json["errors"][0]["field"] == "traffic_caps.currency")
    }
}

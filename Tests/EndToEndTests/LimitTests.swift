import Foundation
import TestSupport
import Testing

/// Windows, caps, calls counted by hand, and callers that fail too often, through the real binary.
@Suite struct LimitTests {
    @Test func `past a cap a conversion is parked, over a restart, and counted by hand`() throws {
        let chain = try Chain.start {
            $0.offer["caps"] = ["conversions_per_day": 1_000, "conversions_total": 1]
        }
        let click = try chain.visit("subid=W8d")
        let other = try chain.visit("subid=W8e")
        #expect(try chain.network.call("cid=\(click.clickID)&txid=1").verdict == "accepted")
        #expect(try chain.tracker.terminate() == 0)
        try chain.tracker.restart()
        let parked = try chain.network.call("cid=\(other.clickID)&txid=2&payout=7")
        #expect(parked.status == 200 && parked.verdict == "parked" && parked.conversion == nil)
        #expect(parked.message.contains("offer fit's conversions_total is 1"))
        #expect(
            try chain.network.call("cid=\(click.clickID)&txid=1&status=rejected").verdict
                == "updated")
        let id = try #require(parked.postback)

        let dry = try chain.tracker.command("postbacks", "assign", id, "--dry-run")
        #expect(dry.exitCode == 0 && dry.output.contains("approved 7 USD"))
        #expect(try chain.tracker.list("/conversions").count == 1)
        let done = try chain.tracker.command("postbacks", "assign", id, "--json")
        #expect(done.exitCode == 0, "\(done.error)")
        #expect(try done.json["items"].array.map { $0["new"]["verdict"].string } == ["accepted"])
        let delivery = try chain.delivery(of: other.clickID, "delivered") {
            $0["state"].string == "delivered"
        }
        #expect(delivery["revision"].int == 1)
        let again = try chain.tracker.command("postbacks", "assign", id)
        #expect(again.exitCode == 0 && again.output.contains("duplicate"))
        #expect(try chain.tracker.list("/postbacks?waiting=1").isEmpty)
        #expect(try chain.tracker.command("postbacks", "assign", "1").exitCode == 4)
        #expect(try chain.tracker.command("postbacks", "assign", "99").exitCode == 3)
        #expect(try chain.tracker.command("postbacks", "assign").exitCode == 2)
    }

    @Test func `after the window a conversion is parked and can be given to another click`() throws
    {
        let chain = try Chain.start {
            $0.campaign["conversion_window_hours"] = 1
            $0.campaign["caps"] = ["payout_total": "20", "currency": "USD"]
        }
        let click = try chain.visit("subid=W8d")
        let other = try chain.visit("subid=W8e")
        let wrong = try chain.tracker.command(
            "postbacks", "assign", "1", "--click", other.clickID)
        #expect(wrong.exitCode == 3)
        #expect(
            try chain.network.call("cid=\(click.clickID)&txid=1&payout=15").verdict == "accepted")
        let parked = try chain.network.call("cid=\(click.clickID)&txid=2&payout=6")
        #expect(parked.verdict == "parked")
        #expect(parked.message.contains("campaign summer's payout_total is 20 USD"))
        let id = try #require(parked.postback)
        let done = try chain.tracker.command("postbacks", "assign", id, "--click", other.clickID)
        #expect(done.exitCode == 0, "\(done.error)")
        let conversions = try chain.tracker.list("/conversions?click_id=\(other.clickID)")
        #expect(conversions.map { $0["payout"]["amount"].string } == ["6"])
        let late = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 2 * 3600))
        let entered = try chain.tracker.call(
            "POST", "/conversions",
            [["cid": .string(click.clickID), "txid": "3", "at": .string(late), "payout": "1"]])
        #expect(entered["items"].array.map { $0["verdict"].string } == ["parked"])
        let message = try #require(entered["items"].array.first?["message"].string)
        #expect(message.contains("campaign summer's conversion_window_hours is 1"))
        let campaign = try chain.tracker.call("GET", "/campaigns/summer")
        #expect(campaign["conversion_window_hours"].int == 1)
        #expect(campaign["caps"]["payout_total"].string == "20")
    }

    @Test func `a caller that fails too often is refused, and still served when it is right`()
        throws
    {
        let chain = try Chain.start()
        let click = try chain.visit("subid=W8d")
        let made = try chain.tracker.command("token", "create", "me")
        #expect(made.exitCode == 0)
        let guess = FakeNetwork(tracker: chain.tracker, key: "guess")
        // A slow machine is allowed one more each second.
        let refused = try eventually(within: 60, "a refusal") { () -> PostbackAnswer? in
            let answer = try guess.call("cid=\(click.clickID)")
            return answer.status == 404 ? nil : answer
        }
        #expect(refused.status == 429 && refused.verdict == "rate_limited")
        #expect(refused.response.fields["retry-after"] == "60")
        #expect(try chain.network.call("cid=\(click.clickID)").verdict == "accepted")

        let path = "/api/v1/sources"
        let wrong = try eventually(within: 60, "a refusal") { () -> HTTPResponse? in
            let answer = try chain.tracker.get(path, fields: ["Authorization": "Bearer wrong"])
            return answer.status == 401 ? nil : answer
        }
        #expect(wrong.status == 429 && wrong.fields["retry-after"] == "60")
        #expect(try wrong.json["type"].string == "urn:clickrelay:problem:rate-limited")
        let right = try chain.tracker.get(path, fields: ["Authorization": "Bearer \(made.line)"])
        #expect(right.status == 200)
        #expect(try chain.tracker.get(path).status == 401)
        let status = try chain.tracker.call("GET", "/status")
        #expect((status["rate_limited"].int ?? 0) >= 2)
    }
}

import Crypto
import Domain
import Foundation
import Postbacks
import Store
import TestSupport
import Testing

@Suite struct RecorderTests {
    private static func members(_ members: [String: JSON]) throws -> [String: JSONValue] {
        try members.mapValues { try JSONValue(parsing: $0.text) }
    }

    @Test(
        arguments: PostbackCase.identities + PostbackCase.faults + PostbackCase.dialects
            + PostbackCase.matrix.filter { $0.template == nil })
    func `calls get their verdicts, conversions and deliveries`(test: PostbackCase) throws {
        var setup = PostbackBench.Setup()
        setup.network = try Self.members(test.network)
        setup.offer = try Self.members(test.offer)
        let bench = try PostbackBench(setup)
        let ids = [
            "FOREIGN": ClickID(block: 7 << 100 | 12345).text, "LOST": bench.lostClick().text,
            "BARE": try bench.click(externalID: nil).text,
            "CID2": try bench.click(externalID: "EXT2").text, "CID": try bench.click().text,
        ]
        for (index, step) in test.calls.enumerated() {
            let filled = step.filled(ids)
            let call = bench.postback(
                filled.query, method: step.method, key: step.key, type: step.type,
                body: filled.body, sender: step.sender)
            let answer = bench.send(call, key: step.key)
            let what = "call \(index + 1), \(step.query): \(answer)"
            #expect(answer.verdict.rawValue == step.verdict.rawValue, "\(what)")
            #expect(answer.httpStatus == step.status, "\(what)")
            for word in step.says { #expect(answer.message.contains(word), "\(what)") }
            #expect(answer.postbackID?.rawValue == Int64(index + 1), "\(what)")
            let kept = try #require(try bench.postbacks().last)
            #expect(kept.call == call && kept.verdict == answer.verdict.rawValue, "\(what)")
            #expect(kept.message == answer.message, "\(what)")
            #expect(kept.conversionID == answer.conversionID, "\(what)")
            #expect((kept.networkID == nil) == (step.verdict == .keyUnknown), "\(what)")
        }
        let conversions = try bench.conversions()
        #expect(try conversions.map { try text(of: $0, bench) } == test.conversions)
        let told = try bench.deliveries().map { delivery in
            #expect(delivery.destination == "push/all" && delivery.state == .waiting)
            return String(delivery.request.url.dropFirst("https://s.example/c?".utf8.count))
        }
        if let expected = test.told { #expect(told == expected) }
    }

    private func text(of conversion: Conversion, _ bench: PostbackBench) throws -> String {
        let revisions = try bench.revisions(of: conversion)
        #expect(revisions.map(\.number) == Array(1...revisions.count))
        #expect(revisions.last?.number == conversion.revision)
        #expect(revisions.last?.status == conversion.status)
        #expect(revisions.last?.payout == conversion.payout)
        #expect(revisions.last?.networkStatus == conversion.networkStatus)
        #expect(revisions.first?.at == conversion.convertedAt)
        let states = revisions.map {
            "\($0.status.rawValue) \($0.payout.amountText) \($0.payout.currency.code)"
        }
        return "\(conversion.event)/\(conversion.transactionID): "
            + states.joined(separator: " > ") + (conversion.isTest ? " (test)" : "")
    }

    @Test func `a conversion copies its click and keeps its first time`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click(externalID: "W8d/+", parameters: [("zone", "39485"), ("x", "")])
        let first = bench.postback(
            "cid=\(cid.text)&payout=1&status=hold&param1=a&param10=z&x=%ff")
        #expect(bench.send(first).verdict == .accepted)
        let second = bench.postback("cid=\(cid.text)&payout=2&status=Paid&param1=b&param2=c")
        #expect(bench.send(second).verdict == .updated)

        let conversion = try #require(try bench.conversions().first)
        let rowID = try #require(bench.keys.open(cid)?.rowID)
        let click = try #require(
            try bench.read { (reader) throws(StoreError) in try reader.clicks.click(rowID) })
        #expect(conversion.click == click)
        #expect(conversion.click.externalID == Array("W8d/+".utf8))
        #expect(conversion.convertedAt == first.receivedAt)
        #expect(conversion.networkStatus == "Paid")
        #expect(conversion.extras == ["b", "c"] + Array(repeating: nil, count: 7) + ["z"])
        let revisions = try bench.revisions(of: conversion)
        #expect(revisions.map(\.at) == [first.receivedAt, second.receivedAt])
        #expect(revisions.map(\.networkStatus) == ["hold", "Paid"])
        #expect(revisions.map(\.postbackID.rawValue) == [1, 2])
    }

    @Test func `a refused call is found with its click`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        let lost = bench.lostClick()
        bench.call("cid=\(cid.text)&payout=abc")
        bench.call("cid=\(lost.text)&payout=1")
        bench.call("cid=nope")
        let rows = try bench.postbacks().map(\.clickRowID)
        #expect(rows == [bench.keys.open(cid)?.rowID, bench.keys.open(lost)?.rowID, nil])
    }

    @Test func `a click of a campaign that does not exist is parked`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click(campaign: CampaignID(99))
        let answer = bench.call("cid=\(cid.text)&payout=3")
        #expect(answer.verdict == .parked && answer.message.contains("99"))
        let other = try bench.click(offerVersion: 77)
        #expect(bench.call("cid=\(other.text)&payout=3").verdict == .parked)
        #expect(try bench.conversions().isEmpty)
    }

    @Test func `an archived network still receives`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        try bench.perform { (tx) throws(StoreError) in
            _ = try tx.archive(try key("summer"), of: Campaign.self, at: PostbackBench.start)
            _ = try tx.archive(try key("fit"), of: Offer.self, at: PostbackBench.start)
            _ = try tx.archive(try key("net"), of: Network.self, at: PostbackBench.start)
            _ = try tx.archive(try key("push"), of: Source.self, at: PostbackBench.start)
        }
        #expect(bench.call("cid=\(cid.text)&payout=3").verdict == .accepted)
        #expect(try bench.deliveries().count == 1)
    }

    @Test func `another network's offer is noted`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        try bench.perform { (tx) throws(StoreError) in
            guard let other = try? Network(document: ["key": "other"]) else { return }
            _ = try tx.put(other, newPostbackKey: "k9", at: PostbackBench.start)
        }
        let answer = bench.send(bench.postback("cid=\(cid.text)&payout=1", key: "k9"), key: "k9")
        #expect(answer.verdict == .accepted && answer.message.contains("another network"))
    }

    @Test func `an external ID that a destination needs and a click has not`() throws {
        var setup = PostbackBench.Setup()
        setup.source["destinations"] = [
            ["key": "needs", "url": "https://s.example/a?id={external_id}&v={payout}"],
            ["key": "free", "url": "https://s.example/b?v={payout}&c={click_id}"],
        ]
        let bench = try PostbackBench(setup)
        let cid = try bench.click(externalID: nil)
        let answer = bench.call("cid=\(cid.text)&payout=1")
        #expect(answer.verdict == .accepted && answer.message.contains("external_id_param"))
        let deliveries = try bench.deliveries()
        #expect(deliveries.map(\.state) == [.dead, .waiting])
        #expect(deliveries[0].request.url == "https://s.example/a?v=1")
        #expect(deliveries[0].reason?.contains("external ID") == true)
        #expect(deliveries[1].request.url == "https://s.example/b?v=1&c=\(cid.text)")
    }

    @Test func `destinations of source and campaign are told side by side`() throws {
        var setup = PostbackBench.Setup()
        setup.source["key"] = "same"
        setup.campaign["key"] = "same"
        let destination: JSONValue = [["key": "d", "url": "https://s.example/?id={external_id}"]]
        setup.source["destinations"] = destination
        setup.campaign["destinations"] = destination
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        #expect(bench.call("cid=\(cid.text)&payout=1").verdict == .accepted)
        #expect(try bench.deliveries().map(\.destination) == ["same/d", "campaign:same/d"])
    }

    @Test func `a message says when nobody wanted to know`() throws {
        var setup = PostbackBench.Setup()
        setup.source["destinations"] = [
            ["key": "a", "url": "https://s.example/?v={payout}", "statuses": ["approved"]],
            [
                "key": "b", "url": "https://s.example/?v={payout}", "events": ["sale"],
                "enabled": false,
            ],
        ]
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        let answer = bench.call("cid=\(cid.text)&payout=1&status=hold&event=sale")
        #expect(answer.message.contains("no destination") && answer.message.contains("pending"))
        #expect(try bench.deliveries().isEmpty)
        bench.call("cid=\(cid.text)&payout=1&status=approved&event=sale")
        #expect(try bench.deliveries().map(\.destination) == ["push/a"])
    }

    /// The catalogue's destinations with their account values filled in.
    @Test(arguments: [
        (
            "visitor_id",
            "http://ad.propellerads.com/conversion.php?aid=3911&pid=&tid=88172"
                + "&visitor_id={external_id}&payout={payout}",
            "http://ad.propellerads.com/conversion.php?aid=3911&pid=&tid=88172"
                + "&visitor_id=w8d4%20_x&payout=12.5"
        ),
        (
            "conversions_tracking",
            "https://s.magsrv.com/tag.php?goal=d41d8cd98f00b204e9800998ecf8427e&value={payout}"
                + "&tag={external_id}",
            "https://s.magsrv.com/tag.php?goal=d41d8cd98f00b204e9800998ecf8427e&value=12.5"
                + "&tag=w8d4%20_x"
        ),
        (
            "aclid",
            "https://ads.trafficjunky.net/tj_ads_pt?a=11&member_id=22&cb={timestamp}"
                + "&cti={transaction_id}&ctv={payout}&ctd=sale&aclid={external_id}",
            "https://ads.trafficjunky.net/tj_ads_pt?a=11&member_id=22&cb=1795176001"
                + "&cti=TX%2F1&ctv=12.5&ctd=sale&aclid=w8d4%20_x"
        ),
    ])
    func `PropellerAds, ExoClick and TrafficJunky get what they expect`(
        parameter: String, template: String, expected: String
    ) throws {
        var setup = PostbackBench.Setup()
        setup.source["external_id_param"] = .string(parameter)
        setup.source["destinations"] = [
            ["key": "s2s", "url": .string(template), "statuses": ["approved"]]
        ]
        let bench = try PostbackBench(setup)
        let cid = try bench.click(externalID: "w8d4 _x")
        #expect(bench.call("cid=\(cid.text)&payout=12.50&txid=TX%2F1").verdict == .accepted)
        #expect(try bench.deliveries().map(\.request.url) == [expected])
    }

    @Test func `a POST is stored as it will be sent`() throws {
        var setup = PostbackBench.Setup()
        setup.source["params"] = ["zone": "var1"]
        setup.source["destinations"] = [
            [
                "key": "api", "method": "POST", "url": "https://s.example/v1?u={user_agent}",
                "headers": ["X-Key": "k {txid}"],
                "body": [
                    "v": "{payout:number}", "id": "{external_id}", "z": "{var1}",
                    "t": "{timestamp:number}",
                    "c": "{country}", "h": "{sha256:external_id}",
                    "ms": "{click_timestamp_ms:number}",
                    "ip": "{ip}", "n": "{payout_minor:number}", "cv": "{conversion_id}",
                ],
                "success": ["status": [200, 201], "body_contains": "OK"], "allow_private": true,
            ],
            ["key": "form", "method": "POST", "url": "https://s.example/f", "body": "v={payout}"],
            [
                "key": "own", "method": "POST", "url": "https://s.example/o", "body": ["a": 1],
                "headers": ["content-type": "application/vnd.x+json"],
            ],
        ]
        let bench = try PostbackBench(setup)
        let cid = try bench.click(
            externalID: "a\"b\r\n\u{0}\u{202e}", parameters: [("zone", "z\\1")])
        bench.call("cid=\(cid.text)&payout=12.50&txid=T%0d%0aX:1")
        let deliveries = try bench.deliveries()
        let request = deliveries[0].request
        #expect(request.url == "https://s.example/v1?u=Browser%2F1")
        #expect(
            request.headers == [
                .init(name: "X-Key", value: "k TX:1"),
                .init(name: "Content-Type", value: "application/json"),
            ])
        let body = try JSONValue(parsing: String(decoding: request.body ?? [], as: UTF8.self))
        #expect(body["v"] == .number("12.5") && body["n"] == .number("1250"))
        #expect(body["id"] == "a\"b\r\n\u{0}\u{202e}" && body["z"] == "z\\1")
        #expect(body["t"] == .number("1795176001") && body["c"] == nil)
        #expect(body["h"]?.stringValue?.utf8.count == 64 && body["cv"] == "cv1")
        #expect(body["ms"] == .number("1795176000000") && body["ip"] == "198.51.100.7")
        #expect(request.success == SuccessRule(statuses: 200...201, bodyContains: "OK"))
        #expect(request.allowsPrivate && request.method == .post)
        #expect(deliveries[1].request.body == Array("v=12.5".utf8))
        #expect(
            deliveries[1].request.headers
                == [.init(name: "Content-Type", value: "application/x-www-form-urlencoded")])
        #expect(
            deliveries[2].request.headers
                == [.init(name: "content-type", value: "application/vnd.x+json")])
    }

    @Test func `an address that nobody could call is dead at once`() throws {
        var setup = PostbackBench.Setup()
        setup.source["destinations"] = [
            ["key": "d", "url": "https://s.example/?a={external_id}&b={external_id}"]
        ]
        let bench = try PostbackBench(setup)
        // "https://s.example/?a=" and "&b=" are 24 bytes, and the limit is 16,384.
        let fits = try bench.click(externalID: String(repeating: "x", count: 8180))
        let long = try bench.click(externalID: String(repeating: "x", count: 8181))
        bench.call("cid=\(fits.text)&payout=1")
        bench.call("cid=\(long.text)&payout=1")
        let deliveries = try bench.deliveries()
        #expect(deliveries.map(\.request.url.utf8.count) == [16_384, 16_384])
        #expect(deliveries.map(\.state) == [.waiting, .dead])
    }

    @Test func `a stray call's body is cut, a network's is kept whole`() throws {
        let bench = try PostbackBench()
        let body = String(repeating: "b", count: 100_000)
        let stray = bench.postback("", method: "POST", key: "none", body: body)
        #expect(bench.send(stray, key: "none").verdict == .keyUnknown)
        #expect(
            bench.send(bench.postback("", method: "POST", body: body)).verdict == .clickIDMissing)
        let kept = try bench.read { (reader) throws(StoreError) in
            [try reader.postback(PostbackID(1)), try reader.postback(PostbackID(2))]
        }
        #expect(
            kept.map { $0?.call.body.count } == [PostbackRecorder.strayBodyMax, 100_000])
        #expect(
            try bench.read { (reader) throws(StoreError) in try reader.strayPostbackCount() } == 1)
    }

    @Test func `what was queued when the ledger stopped is answered 503 and not kept`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        bench.ledger.stop()
        let answer = bench.call("cid=\(cid.text)&payout=1")
        #expect(answer == .storageUnavailable && answer.httpStatus == 503)
        #expect(try bench.postbacks().isEmpty)
    }

    @Test func `parameters beyond the bound are noted wherever they stand`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        let many = (0..<QueryParameters.pairsMax - 2).map { "x\($0)=1" }.joined(separator: "&")
        let fits = "cid=\(cid.text)&payout=1&\(many)"
        #expect(!bench.call(fits).message.contains("not read"))
        #expect(bench.call(fits + "&y=1").message.contains("not read"))
        let form = bench.postback("", method: "POST", body: fits + "&y=1")
        #expect(bench.send(form).message.contains("not read"))
        let split = bench.postback("y=1", method: "POST", body: fits)
        #expect(bench.send(split).message.contains("not read"))
    }

    @Test func `a click file that can't be read is 503 for its clicks only`() throws {
        let bench = try PostbackBench()
        let cid = try bench.click()
        let day = try #require(bench.keys.open(cid)?.rowID.day).advanced(by: -1)
        let path = bench.data.clickFilePath(day)
        try Data("this is no database, however long it may be ………".utf8).write(
            to: URL(fileURLWithPath: path))
        let yesterday = bench.keys.seal(
            ClickIdentity(
                rowID: ClickRowID(
                    milliseconds: day.start.milliseconds - ClickRowID.epochMilliseconds, node: 0,
                    sequence: 0), campaignID: bench.campaign))
        #expect(bench.call("cid=\(yesterday.text)&payout=1") == .storageUnavailable)
        #expect(bench.logged.current == ["postback_not_recorded"])
        #expect(bench.call("cid=\(cid.text)&payout=1").verdict == .accepted)
        #expect(try bench.postbacks().map(\.verdict) == ["accepted"])
    }

    private func key(_ text: String) throws(StoreError) -> EntityKey {
        guard let key = EntityKey(text) else { throw .notFound(text) }
        return key
    }
}

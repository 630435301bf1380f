import Crypto
import Domain
import Postbacks
import Store
import TestSupport
import Testing

/// The pixel on a real loop and socket: the same verdicts as a postback, and always the image.
@Suite struct PixelTests {
    private typealias Served = HandlerTests.Served

    private func expectImage(
        _ response: HTTPResponse, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isImage =
            response.status == 200 && response.fields["content-type"] == "image/gif"
            && response.body.count == 43 && response.body.starts(with: Array("GIF89a".utf8))
            && response.body.last == 0x3B
        #expect(isImage, "\(response.status) \(response.body)", sourceLocation: sourceLocation)
        #expect(response.fields["cache-control"] == "no-store", sourceLocation: sourceLocation)
        #expect(response.fields["retry-after"] == nil, sourceLocation: sourceLocation)
    }

    @Test func `a pixel records a conversion once`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        for _ in 0..<2 {
            expectImage(
                try served.request("GET", "/pixel/k1.gif?cid=\(cid.text)&payout=2&txid=7"))
        }
        let conversions = try served.bench.conversions()
        #expect(conversions.count == 1 && conversions[0].transactionID == "7")
        #expect(conversions[0].payout.amountText == "2")
        let kept = try served.bench.postbacks()
        #expect(kept.map(\.verdict) == ["accepted", "duplicate"])
        #expect(kept[0].call.method == "GET" && kept[0].conversionID == conversions[0].id)
        #expect(kept[0].call.target == Array("/pixel/k1.gif?cid=\(cid.text)&payout=2&txid=7".utf8))
        #expect(try served.bench.deliveries().count == 1)
    }

    @Test(arguments: [
        ("/pixel/k1.gif", "click_id_missing"), ("/pixel/k1.gif?cid=x", "click_id_malformed"),
        ("/pixel/k1.gif?cid={subid}", "macro_not_replaced"),
        ("/pixel/k2.gif?cid=x", "key_unknown"), ("/pixel/.gif", "key_unknown"),
        ("/pixel/k1.gif.gif", "key_unknown"), ("/pixel/a/k1.gif", "key_unknown"),
        ("/pixel/%6b1.gif?cid=x&return=OK", "click_id_malformed"),
    ])
    func `what is wrong is kept and not shown`(target: String, verdict: String) throws {
        let served = try Served()
        expectImage(try served.request("GET", target))
        #expect(try served.bench.postbacks().map(\.verdict) == [verdict])
    }

    @Test func `the visitor's cookie names the click where the URL names none`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let other = try served.bench.click()
        let cookie: HTTPFields = ["Cookie": "a=1; cr_click=\(cid.text); session=secret"]
        expectImage(
            try served.request("GET", "/pixel/k1.gif?payout=2&txid=1", fields: cookie))
        // What the URL says wins, under any of its names.
        expectImage(
            try served.request(
                "GET", "/pixel/k1.gif?clickid=\(other.text)&payout=3&txid=2", fields: cookie))
        expectImage(
            try served.request(
                "GET", "/pixel/k1.gif?payout=4", fields: ["Cookie": "cr_click=nonsense"]))
        let kept = try served.bench.postbacks()
        #expect(kept.map(\.verdict) == ["accepted", "accepted", "click_id_missing"])
        #expect(kept[0].message.contains("cookie"))
        let conversions = try served.bench.conversions()
        #expect(
            Set(conversions.map { "\($0.click.rowID.rawValue) \($0.payout.amountText)" })
                == [
                    "\(served.bench.keys.open(cid)?.rowID.rawValue ?? 0) 2",
                    "\(served.bench.keys.open(other)?.rowID.rawValue ?? 0) 3",
                ])
        // Other people's cookies are not kept.
        let cookies = kept.flatMap(\.call.headers).filter { $0.name.lowercased() == "cookie" }
        #expect(
            cookies.map { String(decoding: $0.value, as: UTF8.self) }
                == Array(repeating: "cr_click=\(cid.text)", count: 2))
    }

    @Test func `a postback reads no cookie`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let answer = try served.request(
            "GET", "/postback/k1?payout=2", fields: ["Cookie": "cr_click=\(cid.text)"])
        #expect(answer.status == 400)
        #expect(try served.bench.postbacks().map(\.verdict) == ["click_id_missing"])
    }

    @Test(arguments: ["/pixel/k1", "/pixel/k1.png", "/pixel/k1.gif/", "/pixel", "/pixels/k1.gif"])
    func `other paths are no pixels`(target: String) throws {
        let served = try Served()
        #expect(try served.request("GET", target).status == 418)
    }

    @Test func `a beacon counts, HEAD does not, other methods are kept as refused`() throws {
        let served = try Served()
        let cid = try served.bench.click()
        let target = "/pixel/k1.gif?cid=\(cid.text)&payout=2"
        let head = try served.request("HEAD", target)
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.fields["content-type"] == "image/gif")
        #expect(head.fields["content-length"] == "43")
        #expect(try served.bench.postbacks().isEmpty)
        expectImage(try served.request("POST", target, body: []))
        expectImage(try served.request("PUT", target))
        #expect(
            try served.bench.postbacks().map(\.verdict) == ["accepted", "method_not_allowed"])
    }

    @Test func `allowed addresses hold for pixels, whose calls come from visitors`() throws {
        var setup = PostbackBench.Setup()
        setup.network["allowed_ips"] = ["203.0.113.0/24"]
        let served = try Served(setup)
        expectImage(try served.request("GET", "/pixel/k1.gif?cid=x"))
        #expect(try served.bench.postbacks().map(\.verdict) == ["ip_not_allowed"])
    }

    @Test func `a ledger that can't write still answers with the image`() throws {
        let served = try Served()
        served.bench.ledger.stop()
        expectImage(try served.request("GET", "/pixel/k1.gif?cid=x"))
    }
}

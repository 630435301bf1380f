import TestSupport
import Testing

/// Conversions that a visitor's browser reports.
@Suite struct PixelTests {
    @Test func `a pixel counts through the visitor's browser`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=A")
        let target = "/pixel/\(chain.network.key).gif?cid=\(visit.clickID)&payout=2.5&txid=1"
        for _ in 0..<2 {
            let pixel = try chain.tracker.get(target, fields: ["Referer": "https://shop.example/"])
            #expect(pixel.status == 200 && pixel.fields["content-type"] == "image/gif")
            #expect(pixel.fields["cache-control"] == "no-store" && pixel.body.count == 43)
        }
        #expect(try chain.tracker.head(target).status == 200)
        #expect(try chain.tracker.get("/pixel/nokey.gif").fields["content-type"] == "image/gif")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=A&value=2.5"])
        let calls = try chain.journey(visit.clickID)["postbacks"].array
        #expect(calls.compactMap { $0["verdict"].string }.sorted() == ["accepted", "duplicate"])
        #expect(calls[0]["request"]["target"].string == target)
    }

    @Test func `the cookie of the redirect is enough for a pixel`() throws {
        // As behind a proxy that speaks TLS.
        let chain = try Chain.start {
            $0.options.environment = ["CLICKRELAY_PUBLIC_URL": "https://track.example"]
        }
        let redirect = try chain.tracker.get("/c/summer?subid=B")
        let cookie = try #require(redirect.fields["set-cookie"]).split(separator: ";")
        #expect(cookie.contains(" HttpOnly") && cookie.contains(" SameSite=None"))
        #expect(cookie.contains(" Secure"))
        let clickID = try #require(redirect.locationParameter("s2"))
        #expect(cookie.first.map(String.init) == "cr_click=\(clickID)")
        let pixel = try chain.tracker.get(
            "/pixel/\(chain.network.key).gif?payout=4",
            fields: ["Cookie": "theme=dark; cr_click=\(clickID)"])
        #expect(pixel.status == 200 && pixel.body.count == 43)
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=B&value=4"])
        #expect(try chain.tracker.head("/c/summer?subid=B").fields["set-cookie"] == nil)
        // Browsers would not send it to a pixel over plain http.
        let plain = try Chain.start()
        #expect(try plain.tracker.get("/c/summer?subid=B").fields["set-cookie"] == nil)
    }
}

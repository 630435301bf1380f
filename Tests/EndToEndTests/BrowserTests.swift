import TestSupport
import Testing

/// Where a real browser ends, and what the offer learns of where it came from.
@Suite(
    .serialized,
    .enabled(if: Browser.isInstalled, "chromium is not installed: apt-get install chromium"))
struct BrowserTests {
    /// Two sites in one: `localhost`, whose page sends the visitor to a campaign, and `127.0.0.1`,
    /// whose page is the offer and tells what its scripts can see.
    private static func site(_ request: RecordedRequest, _ tracker: String)
        -> FakeTrafficSource.Answer
    {
        let script: String
        switch request.path {
        case "/ad": script = "location.href = '\(tracker)/c/summer' + location.search"
        case "/offer":
            script = """
                fetch('/report?' + new URLSearchParams({
                    address: location.href, referrer: document.referrer}))
                """
        default: return .ok
        }
        return FakeTrafficSource.Answer(
            fields: ["Content-Type": "text/html"],
            body: "<!doctype html><title>x</title><script>\(script)</script>")
    }

    private static let query =
        "zone=%22%27%3C%2Fscript%3E%E2%80%A8%00%26amp%3B&kw=x%26amp%3By%3B%2F%3F&gclid=a+b"

    /// Mode, policy, and the site whose address the offer sees as the referrer.
    static let walks = [
        ("302", "unsafe-url", "ad"), ("302", "no-referrer", ""),
        ("303", "strict-origin-when-cross-origin", "ad"), ("307", "strict-origin", "ad"),
        ("meta", "strict-origin-when-cross-origin", "tracker"), ("meta", "no-referrer", ""),
        ("double_meta", "unsafe-url", ""), ("js", "origin", "tracker"), ("js", "no-referrer", ""),
        ("js", "same-origin", ""),
    ]

    @Test(arguments: walks)
    func `a visitor arrives at the offer`(mode: String, policy: String, referrer: String) throws {
        let chain = try Chain.start { setup in
            setup.offer["url"] = .string(
                setup.sourceURL + "/offer?s2={click_id}&z={var1}&kw={var:kw:raw}")
            setup.campaign["redirect"] = .string(mode)
            setup.campaign["referrer_policy"] = .string(policy)
            setup.campaign["pass_params"] = ["gclid"]
        }
        let tracker = "http://127.0.0.1:\(chain.tracker.port)"
        chain.source.answer { request, _ in Self.site(request, tracker) }
        let ad = "http://localhost:\(chain.source.port)"
        let browser = try Browser(opening: "\(ad)/ad?\(Self.query)")
        let report = try eventually(within: 60, "the offer's page tells") {
            chain.source.received.first { $0.path == "/report" }
        }
        withExtendedLifetime(browser) {}
        let address = try #require(report.query["address"])
        let clickID = try #require(URLQuery(ofTarget: address)["s2"])
        let journey = try chain.journey(clickID)
        #expect(journey["location"].string == address)
        #expect(URLQuery(ofTarget: address)["z"] == "\"'</script>\u{2028}\u{0}&amp;")
        #expect(URLQuery(ofTarget: address).rawValue("kw") == "x")
        #expect(URLQuery(ofTarget: address).names.contains("amp;y;/?"))
        #expect(address.hasSuffix("&gclid=a%20b"))
        let sites = ["ad": "\(ad)/", "tracker": "\(tracker)/", "": ""]
        #expect(report.query["referrer"] == sites[referrer])
        #expect(
            chain.source.received.first { $0.path == "/offer" }?.fields["referer"] ?? ""
                == sites[referrer])
        // One visit is one click, however many pages it took.
        let clicks = try chain.tracker.call("GET", "/report?group=campaign")["totals"]["clicks"]
        #expect(clicks == 1)
    }
}

import Foundation
import TestSupport
import Testing

/// Lander pages in a real browser: the button's link, the click cookie, and `/t.js`.
@Suite(
    .serialized,
    .enabled(if: Browser.isInstalled, "chromium is not installed: apt-get install chromium"))
struct LanderBrowserTests {
    /// The lander is on another site (`localhost`) than tracker and offer (`127.0.0.1`); ports don't
    /// part sites, nor cookies.
    private static func chain(_ page: @escaping @Sendable (RecordedRequest, String) -> String)
        throws -> Chain
    {
        let chain = try LanderTests.chain { setup in
            setup.offer["url"] = .string(setup.sourceURL + "/offer/1?s2={click_id}&z={var1}")
        }
        let lander = "http://localhost:\(chain.source.port)/lander"
        try chain.tracker.call("PATCH", "/landers/quiz", ["url": .string(lander)])
        try chain.tracker.call(
            "PATCH", "/offers/premium",
            ["url": .string(chain.source.url + "/offer/2?s2={click_id}&e={external_id}&z={var1}")])
        let tracker = "http://127.0.0.1:\(chain.tracker.port)"
        chain.source.answer { request, _ in
            switch request.path {
            case "/lander":
                FakeTrafficSource.Answer(
                    fields: [
                        "Content-Type": "text/html; charset=utf-8",
                        // As strict as a page with the tracker's script can be.
                        "Content-Security-Policy":
                            "default-src 'none'; script-src 'self' \(tracker); "
                            + "connect-src 'self' \(tracker); form-action \(tracker) \(chain.source.url)",
                    ], body: "<!doctype html><title>x</title>" + page(request, tracker))
            case "/page.js":
                FakeTrafficSource.Answer(
                    fields: ["Content-Type": "text/javascript"], body: pageScript)
            case "/offer/1", "/offer/2":
                FakeTrafficSource.Answer(fields: ["Content-Type": "text/html"], body: "offer")
            default: .ok
            }
        }
        return chain
    }

    /// Tells what it finds, then presses the button; the first time it reloads the page before.
    private static let pageScript = """
        (window.clickrelay ? clickrelay.ready : Promise.resolve(null)).then(id =>
          fetch('/report?' + new URLSearchParams({id, cookie: document.cookie,
            link: document.querySelector('a') ? document.querySelector('a').href : '',
            any: window.clickrelay ? clickrelay.offerURL('any') : ''}))
        ).then(() => {
          if (document.documentElement.dataset.reload !== undefined ||
              document.body.dataset.reload !== undefined) {
            if (!sessionStorage.getItem('seen')) {
              sessionStorage.setItem('seen', '1');
              return location.reload();
            }
          }
          (document.querySelector('a') || document.querySelector('button')).click();
        });
        """

    private func offer(_ chain: Chain, _ number: Int) throws -> RecordedRequest {
        try eventually(within: 60, "the offer's page is asked for") {
            chain.source.received.first { $0.path == "/offer/\(number)" }
        }
    }

    private func reports(_ chain: Chain) -> [RecordedRequest] {
        chain.source.received.filter { $0.path == "/report" }
    }

    @Test func `the redirect's cookie is enough for the lander's button`() throws {
        let chain = try Self.chain { _, tracker in
            "<body><a href=\"\(tracker)/o/2\">go on</a><script src=\"/page.js\"></script>"
        }
        let browser = try Browser(
            opening: "http://127.0.0.1:\(chain.tracker.port)/c/summer?subid=W8d&zone=39485")
        let offer = try offer(chain, 2)
        withExtendedLifetime(browser) {}
        let clickID = try #require(offer.query["s2"])
        #expect(offer.query["e"] == "W8d" && offer.query["z"] == "39485")
        let journey = try chain.journey(clickID)
        #expect(journey["lander"] == "quiz" && journey["lander_clicks"].array.count == 1)
        #expect(journey["lander_clicks"][0]["offer"] == "premium")
        #expect(reports(chain).first?.query["cookie"] == "", "scripts don't see it")
    }

    @Test func `the script records the visit, keeps its click and completes links`() throws {
        let chain = try Self.chain { _, tracker in
            """
            <body data-reload><a href="\(tracker)/o/2?x=1#y">go on</a>
            <script src="\(tracker)/t.js" data-campaign="summer" data-lander="quiz"></script>
            <script src="/page.js"></script>
            """
        }
        let page = "http://localhost:\(chain.source.port)/lander?subid=%22W%2B8&zone=%3Cb%3E"
        let browser = try Browser(opening: page)
        let offer = try offer(chain, 2)
        withExtendedLifetime(browser) {}
        let clickID = try #require(offer.query["s2"])
        #expect(offer.query["e"] == "\"W+8" && offer.query["z"] == "<b>")
        let reports = reports(chain)
        #expect(reports.count == 2, "it was loaded twice")
        for report in reports {
            #expect(
                report.query["id"] == clickID && report.query["cookie"] == "cr_click=\(clickID)")
            let tracker = "http://127.0.0.1:\(chain.tracker.port)"
            #expect(report.query["any"] == "\(tracker)/o/any?cid=\(clickID)")
            #expect(report.query["link"]?.hasPrefix("\(tracker)/o/2?x=1") == true)
        }
        let journey = try chain.journey(clickID)
        #expect(journey["lander"] == "quiz" && journey["external_id"] == "\"W+8")
        #expect(journey["user_agent"].string == Browser.userAgent)
        #expect(journey["lander_clicks"].array.count == 1)
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1, "a reload is no second click")
        #expect(row["lander_views"] == 1 && row["lander_passed"] == 1)
    }

    @Test func `the script takes the click ID that the lander's address has`() throws {
        let chain = try Self.chain { _, tracker in
            """
            <body><form action="\(tracker)/o/1"><input name="a" value="b"><button>go</button></form>
            <script src="\(tracker)/t.js" data-campaign="summer"></script>
            <script src="/page.js"></script>
            """
        }
        let lander = "http://localhost:\(chain.source.port)/lander?cid={click_id}"
        try chain.tracker.call("PATCH", "/landers/quiz", ["url": .string(lander)])
        let browser = try Browser(
            opening: "http://127.0.0.1:\(chain.tracker.port)/c/summer?zone=7")
        let offer = try offer(chain, 1)
        withExtendedLifetime(browser) {}
        let clickID = try #require(offer.query["s2"])
        #expect(reports(chain).first?.query["id"] == clickID)
        #expect(reports(chain).first?.query["cookie"] == "cr_click=\(clickID)")
        let row = try chain.tracker.call("GET", "/report?group=campaign")["rows"][0]
        #expect(row["clicks"] == 1 && row["lander_clicks"] == 1)
    }

    @Test
    func `where the tracker does not answer the script, its link still brings the visitor on`()
        throws
    {
        // A page whose policy forgot to allow the call.
        let chain = try Self.chain { _, tracker in
            """
            <meta http-equiv="Content-Security-Policy" content="connect-src 'self'">
            <body><a href="\(tracker)/o/2">go on</a>
            <script src="\(tracker)/t.js" data-campaign="summer"></script>
            <script src="/page.js"></script>
            """
        }
        let browser = try Browser(
            opening: "http://localhost:\(chain.source.port)/lander?subid=W8d&zone=7")
        let offer = try offer(chain, 2)
        withExtendedLifetime(browser) {}
        #expect(offer.query["e"] == "W8d" && offer.query["z"] == "7")
        let clickID = try #require(offer.query["s2"])
        #expect(try chain.journey(clickID)["lander_clicks"].array.count == 1)
    }
}

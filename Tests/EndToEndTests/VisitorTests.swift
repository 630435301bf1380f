import Glibc
import TestSupport
import Testing

private let iPhone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 "
    + "(KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1"
private let oldIPhone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 9_3 like Mac OS X) AppleWebKit/601.1.46 "
    + "(KHTML, like Gecko) Version/9.0 Mobile/13E233 Safari/601.1"
private let instagram =
    "Mozilla/5.0 (Linux; Android 13; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    + "Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Instagram 325.0.0.35.91 Android"
private let googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

/// Who came, as rules, journeys and reports know it.
@Suite struct VisitorTests {
    private static func path(_ offer: String) -> JSON { ["offers": [["offer": .string(offer)]]] }

    private static func offer(_ key: String) -> JSON {
        [
            "key": .string(key), "network": "net",
            "url": .string("https://\(key).example/?s2={click_id}"),
        ]
    }

    private func click(_ chain: Chain, _ fields: HTTPFields, query: String = "") throws -> JSON {
        let response = try chain.tracker.get("/c/summer?\(query)", fields: fields)
        return try chain.journey(Chain.visit(response).clickID)
    }

    @Test func `rules send devices, systems and apps to offers of their own`() throws {
        let chain = try Chain.start {
            $0.moreOffers = ["ios", "app", "windows"].map(Self.offer)
            $0.campaign["flow"] = [
                "rules": [
                    ["when": ["in_app": ["Facebook", "Instagram"]], "paths": [Self.path("app")]],
                    [
                        "when": [
                            "device": "mobile", "os": "iOS",
                            "os_version": ["range": ["10", .null]],
                        ],
                        "paths": [Self.path("ios")],
                    ],
                    [
                        "when": ["os": "windows", "os_version": "11", "browser": "Chrome"],
                        "paths": [Self.path("windows")],
                    ],
                ],
                "paths": [Self.path("fit")],
            ]
        }
        let phone = try click(
            chain, ["User-Agent": iPhone, "Accept-Language": "en;q=0.5,pt-BR,pt;q=0.9"])
        #expect(phone["offer"] == "ios")
        for (name, value) in [
            ("visit", "visitor"), ("device", "mobile"), ("brand", "Apple"), ("model", "iPhone"),
            ("os", "iOS"), ("os_version", "17.4.1"), ("browser", "Safari"),
            ("browser_version", "17.4.1"), ("language", "pt-br"),
        ] { #expect(phone[name].string == value, "\(name)") }
        #expect(phone["in_app"].isNull)

        #expect(try click(chain, ["User-Agent": oldIPhone])["offer"] == "fit")
        let app = try click(chain, ["User-Agent": instagram])
        #expect(app["offer"] == "app")
        #expect(app["in_app"] == "Instagram")
        #expect(app["brand"] == "Samsung")

        // The agent says Windows 10 whatever it is; only the hint tells 11.
        #expect(try click(chain, [:])["offer"] == "fit")
        let hints: HTTPFields = [
            "Sec-CH-UA": "\"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\"",
            "Sec-CH-UA-Mobile": "?0", "Sec-CH-UA-Platform": "\"Windows\"",
            "Sec-CH-UA-Platform-Version": "\"15.0.0\"",
        ]
        #expect(try click(chain, hints)["offer"] == "windows")
    }

    @Test func `what isn't a visitor is kept and marked, and counts as no click`() throws {
        let chain = try Chain.start {
            $0.options.arguments = ["--bot-marks", "library,no-agent"]
        }
        let visits: [(fields: HTTPFields, visit: String)] = [
            (["User-Agent": iPhone], "visitor"), (["User-Agent": googlebot], "bot"),
            (["User-Agent": "curl/8.5.0"], "bot"), (["User-Agent": ""], "bot"),
            (["User-Agent": "WhatsApp/2.23.20.0"], "preview"),
            (["User-Agent": "facebookexternalhit/1.1"], "preview"),
            (["Sec-Purpose": "prefetch;prerender"], "prefetch"),
            (["X-Moz": "prefetch"], "prefetch"),
            (["Purpose": "prefetch"], "prefetch"),
        ]
        for (fields, visit) in visits {
            let click = try click(chain, fields, query: "subid=\(visit)")
            #expect(click["visit"].string == visit, "\(fields.all)")
            #expect(click["external_id"].string == visit)
        }
        let row = try chain.tracker.call("GET", "/report")["rows"][0]
        #expect(row["clicks"] == 1)
        #expect(row["bots"] == 8)
        #expect(row["cost"]["amount"] == "0.012")
        let printed = try chain.tracker.command("report")
        #expect(printed.output.contains("BOTS"))
        // The sums lie in the day's file as the clicks do.
        let check = try chain.tracker.command("check")
        #expect(check.exitCode == 0, "\(check.output) \(check.error)")
    }

    @Test func `reports tell devices, systems and browsers apart`() throws {
        let chain = try Chain.start()
        for _ in 0..<3 { _ = try click(chain, ["User-Agent": iPhone]) }
        let app = try click(chain, ["User-Agent": instagram])
        _ = try click(chain, ["User-Agent": googlebot])
        _ = try click(chain, [:])
        let id = try #require(app["click_id"].string)
        #expect(try chain.network.call("cid=\(id)&payout=5").verdict == "accepted")

        let byDevice = try chain.tracker.call("GET", "/report?group=device,os")
        let rows = byDevice["rows"].array
        #expect(rows.count == 4)
        #expect(rows[0]["device"] == "mobile" && rows[0]["os"] == "iOS")
        #expect(rows[0]["clicks"] == 3 && rows[0]["cost"]["amount"] == "0.036")
        #expect(rows[1]["os"] == "Android" && rows[1]["conversions"] == 1)
        #expect(rows[1]["revenue"]["amount"] == "5")
        #expect(rows[2]["device"] == "desktop" && rows[2]["clicks"] == 1)
        #expect(rows[3]["device"] == "bot" && rows[3]["clicks"] == 0 && rows[3]["bots"] == 1)
        // The same sums as by campaign.
        let plain = try chain.tracker.call("GET", "/report")
        for name in ["clicks", "bots", "conversions", "cost", "revenue", "profit"] {
            #expect(byDevice["totals"][name] == plain["totals"][name], "\(name)")
        }
        let byApp = try chain.tracker.call("GET", "/report?group=campaign,in_app,visit")["rows"]
        #expect(byApp[0]["in_app"].isNull && byApp[0]["clicks"] == 4)
        #expect(byApp[1]["campaign"] == "summer" && byApp[1]["in_app"] == "Instagram")
        #expect(byApp[2]["visit"] == "bot")

        let refused = try chain.tracker.api("GET", "/report?group=devise")
        #expect(refused.status == 422)
        #expect(refused.text.contains("did you mean \\\"device\\\""))
        let printed = try chain.tracker.command("report", "--group", "os,browser")
        #expect(printed.output.contains("Chrome WebView"))
    }

    @Test func `rules route bots and previews, and a trace says that they are no clicks`() throws {
        let chain = try Chain.start {
            $0.moreOffers = ["bots", "previews"].map(Self.offer)
            $0.campaign["flow"] = [
                "rules": [
                    ["when": ["bot": true], "paths": [Self.path("bots")]],
                    [
                        "when": ["visit": ["preview", "prefetch"]],
                        "paths": [Self.path("previews")],
                    ],
                ],
                "paths": [Self.path("fit")],
            ]
        }
        let bot = try click(chain, ["User-Agent": googlebot])
        #expect(bot["offer"] == "bots")
        #expect(bot["device"] == "bot")
        #expect(bot["browser"] == "Googlebot")
        #expect(try click(chain, ["User-Agent": "Twitterbot/1.0"])["offer"] == "previews")
        #expect(try click(chain, ["User-Agent": iPhone])["offer"] == "fit")
        let id = try #require(bot["click_id"].string)
        let trace = try chain.tracker.command("trace", id)
        #expect(trace.output.contains("no click: a bot"))
        #expect(trace.output.contains("Googlebot 2.1"))
    }

    @Test func `the operator's list makes bots, and SIGHUP rereads it`() throws {
        let directory = try TemporaryDirectory()
        let list = try directory.write("agent: FunnyScanner\n", to: "bots.txt")
        let chain = try Chain.start {
            $0.options.arguments = ["--bots-file", list, "--bot-marks", "none"]
        }
        #expect(try click(chain, ["User-Agent": iPhone + " funnyscanner/2"])["visit"] == "bot")
        #expect(try click(chain, ["User-Agent": iPhone])["visit"] == "visitor")
        #expect(try click(chain, ["User-Agent": ""])["visit"] == "visitor")
        try directory.write("127.0.0.0/8\n", to: "bots.txt")
        chain.tracker.signal(SIGHUP)
        try eventually("the list counts") {
            try click(chain, ["User-Agent": iPhone])["visit"] == "bot"
        }
        try directory.write("127.0.0.1\nnonsense\n", to: "bots.txt")
        chain.tracker.signal(SIGHUP)
        try eventually("the log says what is wrong with it") {
            chain.tracker.errorText.contains("bots_not_reloaded")
                && chain.tracker.errorText.contains("line 2")
        }
        #expect(try click(chain, ["User-Agent": iPhone])["visit"] == "bot")
        #expect(throws: TestFailure.self) {
            try TrackerProcess.start(TrackerProcess.Options(arguments: ["--bots-file", list]))
        }
        #expect(throws: TestFailure.self) {
            try TrackerProcess.start(
                TrackerProcess.Options(arguments: ["--bot-marks", "no-agents"]))
        }
    }

    @Test func `conditions on what no browser is are refused with what there is`() throws {
        let chain = try Chain.start()
        for (when, field, message) in [
            (["device": ["phone"]], "flow.rules[0].when.device[0]", "desktop, mobile, tablet"),
            (["visit": "human"], "flow.rules[0].when.visit", "visitor, bot, prefetch, preview"),
            (["bot": "yes"], "flow.rules[0].when.bot", "true or false"),
            (["os_version": "new"], "flow.rules[0].when.os_version", "version"),
        ] as [(JSON, String, String)] {
            let response = try chain.tracker.api(
                "PATCH", "/campaigns/summer",
                [
                    "flow": [
                        "rules": [["when": when, "paths": [Self.path("fit")]]],
                        "paths": [Self.path("fit")],
                    ]
                ])
            #expect(response.status == 422)
            let error = try response.json["errors"][0]
            #expect(error["field"].string == field)
            #expect(error["message"].string?.contains(message) == true, "\(error)")
        }
    }

    @Test func `tokens tell offers and sources who came`() throws {
        let chain = try Chain.start {
            $0.offer["url"] =
                "https://offer.example/?s2={click_id}&d={device}&o={os}+{os_version}&b={browser}&v={browser_version}&l={language}"
            $0.destinations = [
                $0.destination("main", "/conv?d={device}&b={browser}&l={language}&o={os}")
            ]
        }
        let response = try chain.tracker.get(
            "/c/summer", fields: ["User-Agent": instagram, "Accept-Language": "de-AT,de"])
        let visit = try Chain.visit(response)
        #expect(
            visit.location.hasSuffix(
                "&d=mobile&o=Android+13&b=Chrome%20WebView&v=123.0.6312.118&l=de-at"))
        #expect(try chain.journey(visit.clickID)["location"].string == visit.location)
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=5").verdict == "accepted")
        let told = try #require(chain.source.await(1).first)
        #expect(told.target == "/conv?d=mobile&b=Chrome%20WebView&l=de-at&o=Android")
    }

    @Test func `browsers are asked for hints over https, where they listen`() throws {
        let plain = try Chain.start()
        #expect(try plain.tracker.get("/c/summer").fields["accept-ch"] == nil)
        let secure = try Chain.start {
            $0.options.arguments = ["--public-url", "https://track.example"]
        }
        let fields = try secure.tracker.get("/c/summer").fields
        #expect(fields["accept-ch"]?.contains("Sec-CH-UA-Model") == true)
    }
}

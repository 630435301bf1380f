import Foundation
import TestSupport
import Testing

/// `simulate`: what is told beforehand is what happens, and telling leaves no trace.
@Suite struct SimulateTests {
    private static let iPhone =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 "
        + "(KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1"
    private static let android =
        "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/120.0.0.0 Mobile Safari/537.36"

    private static func chain() throws -> Chain {
        try Chain.start { setup in
            setup.moreOffers = ["two", "three"].map { key in
                [
                    "key": .string(key), "network": "net",
                    "url": .string(
                        "https://\(key).example/?s2={click_id}&z={var1}&c={creative}&k={country}"
                            .replacingOccurrences(of: "{creative}", with: "{var2}")),
                ]
            }
            setup.destinations = [
                setup.destination(
                    "main",
                    "/conv?id={external_id}&value={payout}&t={txid}&os={os}&c={click_id}&x={var7}",
                    ["approved"]),
                setup.destination("hold", "/hold", ["pending"]),
            ]
            setup.campaign["flow"] = [
                "rules": [
                    [
                        "name": "iPhones",
                        "when": ["os": "iOS", "os_version": ["range": ["17", .null]]],
                        "paths": [["offers": [["offer": "fit"]]]],
                    ],
                    [
                        "when": ["any": [["var1": "7"], ["language": "de"]]],
                        "paths": [
                            ["weight": 1, "offers": [["offer": "two"], ["offer": "three"]]],
                            ["weight": 2, "offers": [["offer": "three"]]],
                            ["weight": 3, "enabled": false, "offers": [["offer": "fit"]]],
                        ],
                    ],
                ],
                "paths": [["offers": [["offer": "fit"]]]],
            ]
        }
    }

    /// Everything in the data directory but what SQLite and the server keep beside it.
    private static func rows(_ chain: Chain) throws -> [JSON] {
        let report = try chain.tracker.call("GET", "/report?group=campaign")
        return try [report["totals"]]
            + ["/conversions", "/postbacks", "/deliveries"].flatMap { try chain.tracker.list($0) }
    }

    private static func files(_ chain: Chain) throws -> [String: Data] {
        let root = URL(fileURLWithPath: chain.tracker.dataDirectory)
        var files: [String: Data] = [:]
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.path)
        for name in names where !name.hasSuffix("-shm") && !name.hasSuffix(".sock") {
            files[name] = try? Data(contentsOf: root.appendingPathComponent(name))
        }
        return files
    }

    @Test func `the real visit does what was told, down to the byte of the outgoing call`() throws {
        let chain = try Self.chain()
        let fields: HTTPFields = ["User-Agent": Self.android, "Accept-Language": "de-AT,de;q=0.9"]
        for number in 0..<12 {
            let query = "subid=W8d%2B\(number)&zone=39&s1=a%20b"
            let real = try chain.tracker.get("/c/summer?\(query)", fields: fields)
            let clickID = try #require(real.locationParameter("s2"))
            let sample: JSON = [
                "query": .string(query), "user_agent": .string(Self.android),
                "headers": ["Accept-Language": "de-AT,de;q=0.9"], "ip": "127.0.0.1",
                "click_id": .string(clickID),
                "conversion": ["payout": "12.5", "transaction_id": .string("T\(number)")],
            ]
            let told = try chain.tracker.call("POST", "/campaigns/summer/simulate", sample)
            #expect(told["visit"]["click_id"].string == clickID)
            #expect(told["answer"]["status"].int == real.status)
            #expect(told["answer"]["headers"]["Location"].string == real.location)
            #expect(told["urls"][0]["url"].string == real.location)
            #expect(told["urls"][0]["empty_tokens"] == ["{var2}", "{country}"])
            #expect(told["rules"][0]["result"] == "condition_failed")
            #expect(
                told["rules"][0]["failed"]
                    == [["condition": "os is iOS", "value": "Android", "unknown": false]])
            let journey = try chain.journey(clickID)
            for name in ["rule", "path", "lander", "offer", "flow_version"] {
                #expect(told["decision"][name] == journey[name], "\(name)")
            }
            for name in ["device", "brand", "model", "os", "os_version", "language", "country"] {
                #expect(told["visit"][name] == journey[name], "\(name)")
            }

            // What the network is expected to call is taken, and the source told as was said.
            let expected = try #require(told["postback"]["url"].string)
            let callQuery = try #require(expected.split(separator: "?").last)
            #expect(told["postback"]["verdict"] == "accepted")
            #expect(try chain.network.call(String(callQuery)).verdict == "accepted")
            let call = try chain.source.await(number + 1)[number]
            let request = told["calls"][0]["request"]
            #expect(request["url"].string == chain.source.url + call.target)
            #expect(request["method"].string == call.method)
            #expect(told["calls"][0]["empty_tokens"] == ["{var7}"])
            #expect(told["calls"][1]["why"] == "it asks for status pending")
        }
    }

    @Test func `telling writes nothing`() throws {
        let chain = try Self.chain()
        _ = try chain.visit("subid=A", idParameter: "s2")
        let rows = try Self.rows(chain)
        let files = try Self.files(chain)
        #expect(files.keys.contains { $0.hasSuffix(".db-wal") || $0.hasSuffix(".db") })
        for _ in 0..<20 {
            let told = try chain.tracker.call("POST", "/campaigns/summer/simulate", [:])
            #expect(told["visit"]["recorded"] == true)
        }
        #expect(try chain.tracker.command("simulate", "summer").exitCode == 0)
        #expect(try Self.rows(chain) == rows)
        let after = try Self.files(chain)
        #expect(after.keys.sorted() == files.keys.sorted())
        for (name, bytes) in files { #expect(after[name] == bytes, "\(name) has changed") }
    }

    @Test func `a recorded click is told again, by the flow that decided then`() throws {
        let chain = try Self.chain()
        let fields: HTTPFields = [
            "User-Agent": Self.android, "Accept-Language": "de-AT,de;q=0.9",
            "Referer": "https://news.example/",
        ]
        let visits = try (0..<6).map { number in
            try Chain.visit(
                chain.tracker.get("/c/summer?subid=W%2B\(number)&zone=3%269", fields: fields))
        }
        let version = try chain.journey(visits[0].clickID)["flow_version"]
        try chain.tracker.call(
            "PATCH", "/campaigns/summer",
            [
                "redirect": "303",
                "flow": ["rules": [], "paths": [["offers": [["offer": "fit"]]]]],
            ])
        for visit in visits {
            let told = try chain.tracker.call(
                "POST", "/campaigns/summer/simulate", ["click_id": .string(visit.clickID)])
            #expect(told["answer"]["status"] == 302)
            #expect(told["answer"]["headers"]["Location"].string == visit.location)
            #expect(told["campaign"]["flow_version"] == version)
            #expect(told["campaign"]["flow_is_current"] == false)
            #expect(told["recorded"]["same"] == true && told["recorded"]["rule"] == 2)
            #expect(told["visit"]["external_id"].string?.hasPrefix("W+") == true)
            #expect(told["visit"]["cost"] == ["amount": "0.012", "currency": "USD"])
            #expect(told["visit"]["referrer"] == "https://news.example/")
            #expect(told["visit"]["params"] == [["name": "zone", "value": "3&9"]])
        }
        // The same click by today's flow, and what would have been if it had been another.
        let current = try chain.tracker.call("POST", "/campaigns/summer/simulate", [:])
        let today: JSON = [
            "click_id": .string(visits[0].clickID),
            "flow_version": current["campaign"]["flow_version"],
        ]
        let now = try chain.tracker.call("POST", "/campaigns/summer/simulate", today)
        #expect(now["answer"]["status"] == 303 && now["decision"]["offer"] == "fit")
        #expect(now["recorded"]["same"] == false && now["campaign"]["flow_is_current"] == true)
        let other = try chain.tracker.command(
            "simulate", "summer", "--click", visits[0].clickID, "--user-agent", Self.iPhone)
        #expect(other.output.contains("rule 1 \"iPhones\": taken"))
        #expect(other.output.contains("recorded then: rule 2, path "))
        #expect(other.output.contains(", not the newest)"))
        let wrong = try chain.tracker.api(
            "POST", "/campaigns/summer/simulate", ["flow_version": 999_999])
        #expect(wrong.status == 422 && wrong.text.contains("flow_version"))
    }

    @Test func `the command tells it to people`() throws {
        let chain = try Self.chain()
        let told = try chain.tracker.command(
            "simulate", "summer", "--query", "subid=W8&zone=39", "--user-agent", Self.android,
            "--header", "Accept-Language: de", "--ip", "192.0.2.7", "--payout", "12.50", "--at",
            "2026-11-21T20:00:00Z", "--country", "at")
        #expect(told.exitCode == 0, "\(told.error)")
        for part in [
            "campaign     summer (source push, flow version ", "at 2026-11-21T20:00:00Z",
            "mobile, Samsung, SM-S918B", "192.0.2.7, AT", "external ID  W8", "zone=39",
            "rule 1 \"iPhones\": condition failed\n  os is iOS  (it is Android)\n",
            "rule 2: taken", "share 0.3333", "disabled", "→ rule 2, path ", "answer 302\n",
            "  Location: https://", "without a value: {var2}\n",
            "/postback/<key>?cid=", "accepted: it would be recorded as approved with 12.5 USD",
            "push/main: GET \(chain.source.url)/conv?id=W8&value=12.5",
            "push/hold: not called, it asks for status pending",
        ] { #expect(told.output.contains(part), "no \"\(part)\" in\n\(told.output)") }
        let plain = try chain.tracker.command(
            "simulate", "summer", "--user-agent", Self.iPhone, "--json")
        #expect(try JSON(parsing: plain.output)["decision"]["rule"] == 1)
    }

    @Test func `what a visitor sends can't command a terminal`() throws {
        let chain = try Self.chain()
        let evil = "\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}x"
        let query = percentEncoded("zone\(evil)") + "=" + percentEncoded(evil)
        let told = try chain.tracker.command(
            "simulate", "summer", "--query", "\(query)&subid=\(percentEncoded(evil))", "--city",
            "\u{202e}evil\u{9b}1m")
        #expect(told.exitCode == 0, "\(told.error)")
        #expect(told.output.contains("\\u{1b}]0;pwned\\u{7}"))
        #expect(told.output.contains("\\u{202e}evil\\u{9b}1m"))
        let allowed: Set<Unicode.Scalar> = ["\n"]
        let controls = told.output.unicodeScalars.filter {
            !allowed.contains($0)
                && ($0.value < 32 || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e)
        }
        #expect(controls.isEmpty)
    }

    @Test func `bad input is refused with its field, and an unknown campaign isn't found`() throws {
        let chain = try Self.chain()
        let answer = try chain.tracker.api(
            "POST", "/campaigns/summer/simulate",
            ["ip": "x", "at": "soon", "user_agnt": "y", "visits": 0])
        #expect(answer.status == 422)
        let fields = try answer.json["errors"].array.compactMap { $0["field"].string }
        #expect(Set(fields) == ["ip", "at", "user_agnt", "visits"])
        #expect(answer.text.contains("did you mean \\\"user_agent\\\"?"))
        #expect(try chain.tracker.api("POST", "/campaigns/none/simulate", [:]).status == 404)
        #expect(try chain.tracker.command("simulate", "none").exitCode == 3)
        #expect(try chain.tracker.command("simulate", "summer", "--at", "soon").exitCode == 4)
        #expect(try chain.tracker.command("simulate", "summer", "--header", "x").exitCode == 2)
        #expect(try chain.tracker.command("simulate").exitCode == 2)
        let click = try chain.visit()
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": "other", "source": "push",
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
        let foreign = try chain.tracker.api(
            "POST", "/campaigns/other/simulate", ["click_id": .string(click.clickID)])
        #expect(foreign.status == 422 && foreign.text.contains("another campaign"))
    }

    @Test func `without a server the command tells it by itself`() throws {
        let chain = try Self.chain()
        let visit = try chain.visit("subid=A&zone=7")
        #expect(try chain.tracker.terminate() == 0)
        let data = ["--data-dir", chain.tracker.dataDirectory]
        let told = try TrackerProcess.run(
            ["simulate", "summer", "--query", "subid=A&zone=7", "--click", visit.clickID, "--json"]
                + data)
        #expect(told.exitCode == 0, "\(told.error)")
        let json = try JSON(parsing: told.output)
        #expect(json["answer"]["headers"]["Location"].string == visit.location)
    }
}

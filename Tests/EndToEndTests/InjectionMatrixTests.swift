import TestSupport
import Testing

/// Hostile values in every field that a visitor or a network fills, in everything that comes out:
/// addresses, pages, headers, JSON, logs, terminals and outbound calls.
@Suite struct InjectionMatrixTests {
    private static let payloads = [
        "\r\nSet-Cookie: x=1\r\n", "\r\n\r\n<html>", "\n", "\r", "\u{0}\u{8}\u{1b}[2J\u{7f}",
        "\u{85}\u{9b}2J\u{2028}\u{2029}", "\u{202e}gpj.exe\u{202c}\u{2066}\u{2069}\u{200f}\u{61c}",
        "\u{feff}", "\"", "'", "\"'><img src=x onerror=alert(1)>", "<script>alert(1)</script>",
        "</script><script>alert(1)</script>", "';alert(1);//", "&quot;&#39;&lt;",
        "javascript:alert(1)",
        "//evil.example/", "https://evil.example", "@evil.example", "&s2=evil&end=2", "?a=b#frag",
        "/../../", "%0d%0aX-Injected: 1", "%00%ff", "%", "=cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C x'",
        "+1+1", "-1+1", "\t=1+1", "\",\"admin\":true,\"", "\\\",\\", "{click_id}", "${7*7}{{7*7}}",
        "; DROP TABLE click;--", ",", "|", "\u{1f600}e\u{301}",
    ]
    private static let modes = ["302", "303", "307", "meta", "double_meta", "js"]
    private static let offer =
        "https://offer.example/land?s2={click_id}&e={external_id}&z={var1}&q={var:q}"
        + "&ua={user_agent}&r={referrer}&ip={ip}&d={device}&o={os}&ov={os_version}&b={browser}"
        + "&bv={browser_version}&l={language}&end=1"
    /// Where a proxy saw each visitor.
    private static let address = "203.0.113.9"

    /// What a header can carry of a text.
    private static func line(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 >= 32 && $0 != 127 }, as: UTF8.self)
    }

    /// A visit with one payload in all fields, each marked with its name.
    private struct Visit {
        let payload: String

        var query: String {
            ["subid", "zone", "q", "p"].map { "\($0)=\(percentEncoded("\($0).\(payload)."))" }
                .joined(separator: "&") + "&\(percentEncoded("n." + payload))=v"
        }

        var fields: HTTPFields {
            let told = [
                ("User-Agent", "ua.\(payload)."), ("Referer", "r.\(payload)."),
                ("Accept-Language", "en.\(payload)."),
                ("X-Forwarded-For", "x.\(payload)., \(InjectionMatrixTests.address)"),
                ("Cookie", "cr=\(payload); c=\(payload)."), ("Sec-CH-UA", brands),
                ("Sec-CH-UA-Full-Version-List", brands), ("Sec-CH-UA-Mobile", "?1\(payload)"),
                ("Sec-CH-UA-Platform", "\"Windows\"\(payload)"),
                ("Sec-CH-UA-Platform-Version", "\"15\(payload)\""),
                ("Sec-CH-UA-Model", "\"m.\(payload).\""),
                ("Sec-CH-UA-Form-Factors", "\"\(payload)\""),
            ]
            return HTTPFields(told.map { ($0.0, InjectionMatrixTests.line($0.1)) })
        }

        private var brands: String {
            "\"b.\(payload).\";v=\"\(payload)\", \"Google Chrome\";v=\"1\(payload)\""
        }

        /// Parameters of the offer's address, in order, but the click ID. Nil: what was read out of
        /// the visitor's headers, which is tested elsewhere.
        var expected: [(name: String, value: String?)] {
            [
                ("e", "subid.\(payload)."), ("z", "zone.\(payload)."), ("q", "q.\(payload)."),
                ("ua", InjectionMatrixTests.line("ua.\(payload).")),
                ("r", InjectionMatrixTests.line("r.\(payload).")),
                ("ip", InjectionMatrixTests.address),
                ("d", nil), ("o", nil), ("ov", nil), ("b", nil), ("bv", nil), ("l", nil),
                ("end", "1"), ("p", "p.\(payload)."),
            ]
        }
    }

    /// Printable ASCII only, leading to the host, each value in its own parameter.
    private func check(
        _ address: String, of visit: Visit, at host: String = "offer.example"
    ) throws -> String {
        let name = "\(visit.payload.debugDescription): \(address)"
        #expect(address.utf8.allSatisfy { 0x21...0x7e ~= $0 }, "\(name)")
        #expect(address.hasPrefix("https://\(host)/land?s2="), "\(name)")
        #expect(!address.contains("#") && !address.contains("\"") && !address.contains("<"))
        let query = URLQuery(ofTarget: address)
        #expect(query.raw.map(\.name) == ["s2"] + visit.expected.map(\.name), "\(name)")
        for (expected, raw) in zip(visit.expected, query.raw.dropFirst()) {
            guard let value = expected.value else { continue }
            #expect(
                percentDecodedBytes(raw.value) == Array(value.utf8), "\(expected.name) of \(name)")
        }
        return try #require(query["s2"])
    }

    /// Nothing in the head but what an innocent visit gets.
    private func check(_ response: HTTPResponse, like innocent: HTTPResponse, _ name: String) {
        #expect(response.status == innocent.status, "\(name)")
        let names = { (response: HTTPResponse) in response.fields.all.map { $0.0.lowercased() } }
        #expect(names(response) == names(innocent), "\(name)")
        for (field, value) in response.fields.all {
            #expect(value.utf8.allSatisfy { 0x20...0x7e ~= $0 }, "\(field) of \(name)")
        }
        #expect(response.fields["content-type"] == innocent.fields["content-type"], "\(name)")
    }

    private func chain(_ change: (inout Chain.Setup) -> Void = { _ in }) throws -> Chain {
        let chain = try Chain.start { setup in
            setup.options.environment = [
                "CLICKRELAY_LOG_LEVEL": "debug", "CLICKRELAY_TRUSTED_PROXIES": "127.0.0.1",
            ]
            setup.offer["url"] = .string(Self.offer)
            setup.campaign["pass_params"] = ["p"]
            change(&setup)
        }
        for mode in Self.modes.dropFirst() {
            try add(campaign(mode), mode, ["offers": [["offer": "fit"]]], to: chain)
        }
        return chain
    }

    private func add(_ key: String, _ mode: String, _ path: JSON, to chain: Chain) throws {
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": .string(key), "source": "push", "redirect": .string(mode),
                "pass_params": ["p"], "flow": ["paths": [path]],
            ])
    }

    private func campaign(_ mode: String) -> String {
        mode == "302" ? "summer" : "c" + mode.replacing("_", with: "-")
    }

    /// Where an answer leads, through whatever pages: for browsers with a script and without one.
    private func addresses(
        in answer: HTTPResponse, like usual: HTTPResponse, of visit: Visit,
        on connection: HTTPConnection, _ name: String
    ) throws -> [String] {
        check(answer, like: usual, name)
        if let location = answer.location { return [location] }
        var page = try RefreshPage(answer)
        let usualPage = try RefreshPage(usual)
        #expect(page.tags.map(\.name) == usualPage.tags.map(\.name), "\(name)")
        #expect(page.texts == usualPage.texts, "\(name)")
        #expect(answer.body.allSatisfy { $0 < 0x7f && ($0 >= 0x20 || $0 == 10) }, "\(name)")
        if let address = page.address, address.hasPrefix("../") {
            #expect(address.utf8.allSatisfy { 0x21...0x7e ~= $0 }, "\(name)")
            page = try RefreshPage(
                connection.request("GET", String(address.dropFirst(2)), fields: visit.fields))
        }
        return [try #require(page.address)] + [page.scriptAddress].compactMap { $0 }
    }

    @Test func `visitors' values stay values in every way of sending them on`() throws {
        let chain = try chain()
        let connection = try chain.tracker.connect()
        for mode in Self.modes {
            let innocent = Visit(payload: "a")
            let path = "/c/\(campaign(mode))?"
            let usual = try connection.request(
                "GET", path + innocent.query, fields: innocent.fields)
            for payload in Self.payloads {
                let visit = Visit(payload: payload)
                let answer = try connection.request(
                    "GET", path + visit.query, fields: visit.fields)
                let name = "\(mode), \(payload.debugDescription)"
                for address in try addresses(
                    in: answer, like: usual, of: visit, on: connection, name)
                { _ = try check(address, of: visit) }
            }
        }
    }

    @Test func `they stay values on the way to a lander, and from there to an offer`() throws {
        let chain = try chain()
        try chain.tracker.call(
            "POST", "/landers",
            [
                "key": "quiz",
                "url": .string(Self.offer.replacing("offer.example", with: "lander.example")),
            ])
        let connection = try chain.tracker.connect()
        let innocent = Visit(payload: "a")
        for mode in Self.modes {
            let key = "l-" + mode.replacing("_", with: "-")
            let path: JSON = ["landers": [["lander": "quiz"]], "offers": [["offer": "fit"]]]
            try add(key, mode, path, to: chain)
            func follow(_ target: String, _ visit: Visit, like usual: HTTPResponse, at host: String)
                throws -> String
            {
                let answer = try connection.request(
                    "GET", target + visit.query, fields: visit.fields)
                let name = "\(target) of \(mode), \(visit.payload.debugDescription)"
                let clickIDs = try addresses(
                    in: answer, like: usual, of: visit, on: connection, name
                ).map { try check($0, of: visit, at: host) }
                return try #require(clickIDs.first)
            }
            func usual(_ target: String) throws -> HTTPResponse {
                try connection.request("GET", target + innocent.query, fields: innocent.fields)
            }
            let lander = "/c/\(key)?"
            let usualLander = try usual(lander)
            let first = try follow(lander, innocent, like: usualLander, at: "lander.example")
            let usualOffer = try usual("/o/1?cid=\(first)&")
            // A visitor whose click nobody knows makes one on its way.
            let unknown = "/o/1?campaign=\(key)&"
            let usualUnknown = try usual(unknown)
            for visit in Self.payloads.map(Visit.init) {
                let clickID = try follow(lander, visit, like: usualLander, at: "lander.example")
                _ = try follow(
                    "/o/1?cid=\(clickID)&", visit, like: usualOffer, at: "offer.example")
                _ = try follow(unknown, visit, like: usualUnknown, at: "offer.example")
            }
        }
        try checkLog(chain)
    }

    @Test func `a page that asks where to send its visitor is told JSON with values only`() throws {
        let chain = try chain()
        let connection = try chain.tracker.connect()
        func decision(_ visit: Visit) throws -> HTTPResponse {
            let body: JSON = [
                "campaign": "summer", "query": .string("?" + visit.query),
                "referrer": .string(Self.line("r.\(visit.payload).")),
            ]
            return try connection.request(
                "POST", "/api/click", fields: visit.fields, body: Array(body.text.utf8))
        }
        let usual = try decision(Visit(payload: "a"))
        for visit in Self.payloads.map(Visit.init) {
            let (answer, name) = (try decision(visit), visit.payload.debugDescription)
            check(answer, like: usual, name)
            #expect(InjectionTests.isShowable(answer.text) && !answer.text.contains("<"), "\(name)")
            let json = try answer.json
            let clickID = try check(#require(json["location"].string), of: visit)
            #expect(json["click_id"].string == clickID, "\(name)")
            #expect(
                json["offers"][0]["url"].string == "http://tracker.test/o/1?cid=\(clickID)",
                "\(name)")
        }
        try checkLog(chain)
    }

    @Test func `an address that a proxy can't have written is nobody's`() throws {
        let chain = try chain()
        for payload in Self.payloads {
            let list = Self.line("\(Self.address), x.\(payload).")
            let answer = try chain.tracker.get("/c/summer", fields: ["X-Forwarded-For": list])
            let clickID = try #require(answer.locationParameter("s2"), "\(list)")
            #expect(try chain.journey(clickID)["ip"] == "127.0.0.1", "\(list)")
        }
    }

    @Test func `what is refused, answered as JSON or repeated is no page`() throws {
        let chain = try chain()
        let connection = try chain.tracker.connect()
        let visit = try chain.visit("subid=a")
        for payload in Self.payloads {
            let (name, value) = (payload.debugDescription, percentEncoded("v\(payload)"))
            for target in [
                "/\(value)", "/c/\(value)", "/o/\(value)", "/o/1?cid=\(value)",
                "/postback/\(value)?cid=a", "/pixel/\(value).gif", "/api/v1/\(value)",
                "/readyz?\(value)", "/postback/\(chain.network.key)?cid=\(value)&payout=\(value)",
                "/postback/\(chain.network.key)?cid=\(visit.clickID)&payout=\(value)",
                "/postback/\(chain.network.key)?cid=\(visit.clickID)&currency=\(value)",
                "/postback/\(chain.network.key)?cid=\(visit.clickID)&test=1&return=\(value)",
            ] {
                let answer = try connection.request("GET", target)
                let type = answer.fields["content-type"] ?? "none"
                #expect(!type.contains("html"), "\(name) at \(target): \(type)")
                // Where visitors are answered, it is one of a few sentences.
                if !target.hasPrefix("/c/"), !target.hasPrefix("/o/") {
                    #expect(
                        answer.fields["x-content-type-options"] == "nosniff", "\(name) at \(target)"
                    )
                }
                #expect(answer.location == nil, "\(name) at \(target)")
                for (field, text) in answer.fields.all {
                    #expect(text.utf8.allSatisfy { 0x20...0x7e ~= $0 }, "\(field) of \(target)")
                }
                // A reply by choice is repeated as it is, as plain text; nothing else is.
                if type.contains("json") {
                    _ = try answer.json
                    #expect(InjectionTests.isShowable(answer.text), "\(target): \(answer.text)")
                    #expect(!answer.text.contains("<"), "\(target): \(answer.text)")
                } else if !target.contains("return=") {
                    #expect(!answer.text.contains(payload) || payload.utf8.count < 3, "\(target)")
                }
            }
        }
        try checkLog(chain)
    }

    private func checkLog(_ chain: Chain) throws {
        for line in chain.tracker.errorText.split(separator: "\n", omittingEmptySubsequences: false)
        where !line.isEmpty && !line.contains(" listening on ") {
            #expect(InjectionTests.isShowable(String(line)), "\(line)")
            #expect(try JSON(parsing: String(line))["event"].string != nil, "\(line)")
        }
    }

    @Test func `what is kept comes out as it came in, in JSON, terminals and calls`() throws {
        let chain = try chain { setup in
            var destination = setup.destination(
                "main", "/conv?n={conversion_id}&e={external_id}&q={var:q}&ua={user_agent}&t={txid}"
            )
            destination["method"] = "POST"
            destination["headers"] = ["X-Q": "{var:q}", "X-UA": "{user_agent}", "X-T": "{txid}"]
            destination["body"] = [
                "e": "{external_id}", "q": "{var:q}", "ua": "{user_agent}", "r": "{referrer}",
                "t": "{txid}", "p": "{param1}",
            ]
            setup.destinations = [destination]
        }
        var kept: [(visit: Visit, clickID: String)] = []
        let connection = try chain.tracker.connect()
        for payload in Self.payloads {
            let visit = Visit(payload: payload)
            let answer = try connection.request(
                "GET", "/c/summer?" + visit.query, fields: visit.fields)
            let clickID = try check(#require(answer.location), of: visit)
            let report = try chain.network.report([
                ("cid", clickID), ("txid", "t.\(payload)."), ("param1", "p.\(payload)."),
                ("payout", "1"), ("status", "approved"), ("n.\(payload)", payload),
            ])
            #expect(report.verdict == "accepted", "\(report.json.text)")
            kept.append((visit, clickID))
        }
        let calls = try chain.source.await(kept.count)
        for (visit, clickID) in kept {
            try checkKept(chain, visit, clickID, calls)
        }
        let lists = ["postbacks", "conversions", "deliveries"]
        let groups = [
            "campaign", "visit,device", "brand,model", "os,browser,browser_version,language",
        ]
        for path in lists.map({ "/\($0)?limit=1000" }) + groups.map({ "/report?group=\($0)" }) {
            let text = try chain.tracker.api("GET", path).text
            #expect(InjectionTests.isShowable(text) && !text.contains("<"), "\(path)")
        }
        let models = try chain.tracker.call("GET", "/report?group=model")["rows"].array
        #expect(models.contains { $0["model"] == "m.=cmd|' /C calc'!A0." }, "\(models)")
        for command in lists.map({ [$0, "list", "--limit", "100"] })
            + groups.map({ ["report", "--group", $0] })
            + kept.suffix(3).map({ ["trace", $0.clickID] })
        {
            let result = try TrackerProcess.run(
                command + ["--data-dir", chain.tracker.dataDirectory])
            #expect(result.exitCode == 0, "\(command): \(result.error)")
            #expect(InjectionTests.isShowable(result.output), "\(command): \(result.output)")
        }
        try checkLog(chain)
    }

    private func checkKept(
        _ chain: Chain, _ visit: Visit, _ clickID: String, _ calls: [RecordedRequest]
    ) throws {
        let (payload, name) = (visit.payload, visit.payload.debugDescription)
        let values = visit.expected.reduce(into: [String: String]()) { $0[$1.name] = $1.value }
        let answer = try chain.tracker.api("GET", "/clicks/\(clickID)")
        #expect(InjectionTests.isShowable(answer.text) && !answer.text.contains("<"), "\(name)")
        let journey = try answer.json
        #expect(journey["external_id"].string == values["e"], "\(name)")
        #expect(journey["vars"]["zone"].string == values["z"], "\(name)")
        #expect(journey["vars"]["q"].string == values["q"], "\(name)")
        #expect(journey["user_agent"].string == values["ua"], "\(name)")
        #expect(journey["referrer"].string == values["r"], "\(name)")
        #expect(journey["ip"].string == Self.address, "\(name)")
        for fact in [
            "brand", "model", "os", "os_version", "browser", "browser_version", "language",
        ] {
            let text = journey[fact].string ?? ""
            #expect(text.utf8.allSatisfy { 0x20...0x7e ~= $0 }, "\(fact) of \(name): \(text)")
        }
        let conversion = journey["conversions"][0]
        #expect(conversion["transaction_id"].string == "t.\(payload).", "\(name)")

        let id = conversion["id"].id ?? ""
        let call = try #require(calls.first { $0.query["n"] == id }, "\(name)")
        #expect(call.target.utf8.allSatisfy { 0x21...0x7e ~= $0 }, "\(name)")
        #expect(
            URLQuery(ofTarget: call.target).raw.map(\.name) == ["n", "e", "q", "ua", "t"], "\(name)"
        )
        #expect(call.query["e"] == values["e"] && call.query["q"] == values["q"], "\(name)")
        let names = call.fields.all.map { $0.0.lowercased() }.sorted()
        #expect(
            names == [
                "accept", "content-length", "content-type", "host", "idempotency-key", "user-agent",
                "x-q", "x-t", "x-ua",
            ], "\(name)")
        #expect(call.fields["x-q"] == Self.line(values["q"] ?? ""), "\(name)")
        #expect(call.fields["x-t"] == Self.line("t.\(payload)."), "\(name)")
        let body: JSON = [
            "e": .string(values["e"] ?? ""), "q": .string(values["q"] ?? ""),
            "ua": .string(values["ua"] ?? ""), "r": .string(values["r"] ?? ""),
            "t": .string("t.\(payload)."), "p": .string("p.\(payload)."),
        ]
        #expect(try JSON(parsing: call.text) == body, "\(name): \(call.text)")
    }

    @Test func `a webhook's JSON and headers hold what is kept, and nothing else`() throws {
        let chain = try chain { setup in
            var hook = setup.destination("hook", "/hook")
            hook["kind"] = "webhook"
            hook["method"] = "POST"
            hook["headers"] = ["X-Q": "{var:q}", "X-UA": "{user_agent}", "X-T": "{txid}"]
            setup.destinations = [hook]
        }
        let connection = try chain.tracker.connect()
        var visits: [String: Visit] = [:]
        for visit in Self.payloads.map(Visit.init) {
            let answer = try connection.request(
                "GET", "/c/summer?" + visit.query, fields: visit.fields)
            let clickID = try check(#require(answer.location), of: visit)
            let report = try chain.network.report([
                ("cid", clickID), ("txid", "t.\(visit.payload)."), ("payout", "1"),
                ("event", "e.\(visit.payload)."), ("param1", "p.\(visit.payload)."),
            ])
            #expect(report.verdict == "accepted", "\(report.json.text)")
            visits[clickID] = visit
        }
        for call in try chain.source.await(visits.count, within: 60) {
            let data = try JSON(parsing: call.text)["data"]
            let told = visits.removeValue(forKey: data["click_id"].string ?? "")
            let visit = try #require(told, "told twice, or of nobody: \(call.text)")
            try checkWebhook(call, data, of: visit, chain)
        }
        try checkLog(chain)
    }

    private func checkWebhook(
        _ call: RecordedRequest, _ data: JSON, of visit: Visit, _ chain: Chain
    ) throws {
        let (payload, name) = (visit.payload, visit.payload.debugDescription)
        #expect(call.target == "/hook", "\(name)")
        #expect(
            call.fields.all.map { $0.0.lowercased() }.sorted() == [
                "accept", "content-length", "content-type", "host", "idempotency-key", "user-agent",
                "webhook-id", "webhook-signature", "webhook-timestamp", "x-q", "x-t", "x-ua",
            ], "\(name)")
        #expect(call.fields["x-q"] == Self.line("q.\(payload)."), "\(name)")
        #expect(call.fields["x-ua"] == Self.line("ua.\(payload)."), "\(name)")
        #expect(call.fields["x-t"] == Self.line("t.\(payload)."), "\(name)")
        #expect(InjectionTests.isShowable(call.text) && !call.text.contains("<"), "\(name)")
        #expect(data["external_id"].string == "subid.\(payload).", "\(name)")
        #expect(data["transaction_id"].string == "t.\(payload).", "\(name)")
        #expect(data["params"]["param1"].string == "p.\(payload).", "\(name)")
        #expect(data["vars"] == ["zone": .string("zone.\(payload).")], "\(name)")
        let journey = try chain.journey(data["click_id"].string ?? "")
        #expect(data["event"] == journey["conversions"][0]["event"], "\(name)")
    }
}

import Clicks
import Crypto
import Domain
import Foundation
import Store
import TestSupport
import Testing

/// What each redirect mode answers, byte by byte as a browser would read it.
@Suite struct RedirectTests {
    static let offer = "http://o.example/?s2={click_id}"

    private func set(_ harness: ClickHarness, _ mode: String, _ more: [String: JSONValue] = [:])
        throws
    {
        let members = [JSONMember(name: "redirect", value: .string(mode))]
        try harness.set(
            offers: [Self.offer],
            campaign: members + more.map { JSONMember(name: $0.key, value: $0.value) })
    }

    /// Where a visitor of a campaign URL ends, by whatever mode.
    private func destination(of response: HTTPResponse, _ harness: ClickHarness) throws -> String {
        if let location = response.location { return location }
        let page = try RefreshPage(response)
        let address = try #require(page.address)
        guard address.hasPrefix("../r/") else { return address }
        let second = try harness.get(String(address.dropFirst(2)))
        #expect(second.status == 200)
        #expect(try RefreshPage(second).referrerPolicy == "no-referrer")
        return try #require(try RefreshPage(second).address)
    }

    @Test(arguments: [("302", 302), ("303", 303), ("307", 307)])
    func `a redirect has its status and its policy`(mode: String, status: Int) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try set(harness, mode, ["referrer_policy": "no-referrer"])
        for method in ["GET", "HEAD"] {
            let response = try harness.get("/c/summer", method: method)
            #expect(response.status == status && response.body.isEmpty)
            #expect(response.location?.hasPrefix("http://o.example/?s2=") == true)
            #expect(response.fields["referrer-policy"] == "no-referrer")
            #expect(response.fields["cache-control"] == "no-store")
        }
        #expect(try harness.storedCount() == 1)
    }

    @Test(arguments: ["meta", "double_meta", "js"])
    func `a page is answered with what keeps it harmless`(mode: String) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try set(harness, mode, ["referrer_policy": "origin"])
        let policy = mode == "double_meta" ? "no-referrer" : "origin"
        let response = try harness.get("/c/summer")
        #expect(response.status == 200 && response.location == nil)
        #expect(response.fields["content-type"] == "text/html; charset=utf-8")
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["x-content-type-options"] == "nosniff")
        #expect(response.fields["referrer-policy"] == policy && response.fields["server"] == nil)
        #expect(
            response.fields["content-security-policy"]?.hasPrefix("default-src 'none';") == true)
        let page = try RefreshPage(response)
        #expect(page.referrerPolicy == policy)
        let address = try destination(of: response, harness)
        #expect(address.hasPrefix("http://o.example/?s2="))
        let clickID = try #require(ClickID(String(address.suffix(26))))
        let identity = try #require(harness.keys.open(clickID))
        let click = try ClickReader(DataDirectory(path: harness.directory.path))
            .click(identity.rowID)
        #expect(click != nil, "on disk before the page was sent")
    }

    @Test func `the policy allows the script that is sent, and no other`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try set(harness, "js")
        let response = try harness.get("/c/summer")
        let script = try #require(try RefreshPage(response).texts.first)
        let digest = Data(SHA256.digest(Array(script.utf8))).base64EncodedString()
        #expect(
            response.fields["content-security-policy"]?.hasSuffix("script-src 'sha256-\(digest)'")
                == true)
        #expect(try RefreshPage(response).scriptAddress == destination(of: response, harness))
    }

    @Test(arguments: ["meta", "double_meta", "js"])
    func `HEAD gets the page's header and leaves no trace`(mode: String) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try set(harness, mode)
        let head = try harness.get("/c/summer", method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty && head.location == nil)
        #expect(head.fields["content-type"] == "text/html; charset=utf-8")
        #expect(try harness.storedCount() == 0)
    }

    @Test func `only an address that was issued is gone on to`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try set(harness, "double_meta")
        let first = try #require(try RefreshPage(harness.get("/c/summer")).address)
        let own = String(first.dropFirst(2))
        #expect(try harness.get(own).status == 200)
        #expect(try harness.get(own, method: "HEAD").status == 200)
        #expect(try harness.get(own, method: "POST").status == 405)
        let question = try #require(own.firstIndex(of: "?"))
        let code = own[..<question]
        for target in [
            own + "x", String(own.dropLast()), "\(code)?http://evil.example/", String(code),
            "/r/?http://evil.example/", "/r/",
            "/r/" + String(repeating: "0", count: 32) + own[question...],
            own.replacingOccurrences(of: "o.example", with: "e.example"),
            code.uppercased() + own[question...],
        ] {
            let response = try harness.get(target)
            #expect(response.status == 404 && !response.text.contains("<"), "\(target)")
        }
        // Another installation's.
        let other = try ClickHarness()
        defer { other.stop() }
        #expect(try other.get(own).status == 404)
    }

    @Test func `an address too long for a second page is gone to at once, without a referrer`()
        throws
    {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(
            offers: ["http://o.example/?s2={click_id}&e={external_id}"],
            campaign: [JSONMember(name: "redirect", value: "double_meta")])
        for (count, isSecond) in [(5000, true), (9000, false)] {
            let id = String(repeating: "x", count: count)
            let response = try harness.get("/c/summer?subid=\(id)")
            let page = try RefreshPage(response)
            #expect(page.address?.hasPrefix("../r/") == isSecond)
            #expect(page.referrerPolicy == "no-referrer")
            #expect(try destination(of: response, harness).hasSuffix("&e=\(id)"))
        }
    }

    @Test func `parameters are passed, and are there in the location that is told later`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(
            offers: ["http://o.example/?s2={click_id}#top"], cost: ["model": "param"],
            campaign: [JSONMember(name: "pass_params", value: ["gclid", "subid", "cost", "s2"])])
        let response = try harness.get("/c/summer?s2=evil&cost=0.50&gclid=a+b&subid=W&x=1")
        let location = try #require(response.location)
        let clickID = try #require(response.locationParameter("s2"))
        #expect(
            location == "http://o.example/?s2=\(clickID)&gclid=a%20b&subid=W&cost=0.5#top")
        let click = try #require(try harness.click(of: response))
        let source = try Source(document: [
            "key": "src", "external_id_param": "subid", "cost_param": "cost",
        ])
        let passing = try #require(
            ParameterPassing(.named(["gclid", "subid", "cost", "s2"]), from: source))
        var again = Array("http://o.example/?s2=\(clickID)#top".utf8)
        passing.append(
            click.parametersToPass(from: source, costIsParameter: true), toAddressFrom: 0,
            in: &again)
        #expect(String(decoding: again, as: UTF8.self) == location)
    }

    /// Every field that a visitor can fill, raw where the user allowed it, through every mode.
    @Test func `no bytes change what a page is`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: [
            "http://o.example/?s2={click_id}&e={external_id:raw}&z={var1:raw}&k={var:kw}"
                + "&u={user_agent:raw}&r={referrer:raw}&q={var:x:raw}"
        ])
        for mode in Self.tags.keys {
            let campaign = try Campaign(document: [
                "key": .string(Self.key(mode)), "source": "src", "redirect": .string(mode),
                "pass_params": "all",
                "flow": ["paths": [["offers": [["offer": "offer1"]]]]],
            ])
            _ = try harness.perform { transaction throws(StoreError) in
                try transaction.put(campaign, at: Instant(micros: 1)).id
            }
        }
        for seed: UInt64 in 1...150 { try expectSamePage(harness, seed) }
    }

    private func expectSamePage(_ harness: ClickHarness, _ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let query = ["subid", "zone", "x", "kw"]
            .map { "\($0)=\(percentEncoded(Self.bytes(using: &random)))" }.joined(separator: "&")
        func field() -> String {
            String(
                decoding: Self.bytes(using: &random).filter { $0 >= 32 && $0 < 127 },
                as: UTF8.self)
        }
        let fields: HTTPFields = ["User-Agent": field(), "Referer": field()]
        var destinations: Set<String> = []
        for (mode, tags) in Self.tags {
            let response = try harness.get("/c/\(Self.key(mode))?\(query)", fields: fields)
            #expect(response.body.allSatisfy { $0 < 127 && ($0 >= 32 || $0 == 10) })
            let address = try destination(of: response, harness)
            #expect(address.utf8.allSatisfy { $0 > 32 && $0 < 127 })
            #expect(address.hasPrefix("http://o.example/?s2="))
            if response.location == nil {
                let page = try RefreshPage(response)
                #expect(page.tags.map(\.name) == tags, "seed \(seed)")
                if mode == "js" { #expect(page.scriptAddress == page.address) }
            }
            destinations.insert(String(address.dropFirst("http://o.example/?s2=".count + 26)))
        }
        #expect(destinations.count == 1, "every mode leads to the same address, seed \(seed)")
    }

    private static func bytes(using random: inout SeededRandom) -> [UInt8] {
        let likely = Array("'\"<>&;\\/#?%{}\u{2028}]]>--></script><meta 0;url=".utf8)
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in
            Bool.random(using: &random)
                ? UInt8.random(in: .min ... .max, using: &random)
                : likely.randomElement(using: &random) ?? 0
        }
    }

    private static func key(_ mode: String) -> String {
        "m-" + mode.replacingOccurrences(of: "_", with: "-")
    }

    /// What each mode's page is made of; a `Location` has none.
    static let tags: [String: [String]] = {
        let before = ["!doctype", "html", "head", "meta", "meta", "meta"]
        let after = ["/head", "body", "/body", "/html"]
        return [
            "302": [], "meta": before + ["meta"] + after, "double_meta": before + ["meta"] + after,
            "js": before + ["meta", "script", "/script", "noscript", "meta", "/noscript"] + after,
        ]
    }()
}

import TestSupport
import Testing

@testable import Domain

/// Conditions as documents write them, against visits.
@Suite struct ConditionTests {
    /// A visit's facts by the names that conditions use.
    struct Visit {
        var facts: [String: String] = [:]
        var ip: String? = "203.0.113.9"
    }

    /// Where one rule with that condition sends the visit: whether it held.
    static func holds(_ condition: JSONValue, _ visit: Visit) throws -> Bool {
        let flow = try flow(rules: [["when": condition, "paths": [path]]])
        let decision = try decide(Router(flow, version: 1), visit)
        return try #require(decision).rule == 1
    }

    static let path: JSONValue = ["offers": [["offer": "fit"]]]

    static func flow(rules: [JSONValue], paths: [JSONValue] = [path]) throws -> Flow {
        try SharedFlow(document: [
            "key": "f", "rules": .array(rules), "paths": .array(paths),
        ]).flow
    }

    static func decide(_ router: Router, _ visit: Visit, rowID: Int64 = 1) throws -> Decision? {
        let sheet = FactSheet()
        sheet.begin(at: Instant(micros: 0), ip: visit.ip.flatMap { IPAddress($0) })
        for fact in router.facts {
            sheet.append(visit.facts[fact.name].map { Array($0.utf8) })
        }
        return router.decide(try #require(ClickRowID(rawValue: rowID)), sheet)
    }

    /// The fields that a condition's mistakes are told of.
    static func problems(_ condition: JSONValue) -> [String] {
        do {
            _ = try flow(rules: [["when": condition, "paths": [path]]])
            return []
        } catch let error as ValidationError {
            return error.errors.map { "\($0.field): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }

    static let visit = Visit(facts: [
        "param:kw": "Red Shoes", "param:age": "34.5", "var1": "39485", "language": "pt-BR",
        "referrer": "https://News.example.com/a?b=1", "referrer_domain": "News.example.com",
        "user_agent": "Mozilla/5.0 (Linux; Android 13)", "header:x-app": "v2", "ip_version": "4",
        "device": "mobile", "brand": "Samsung", "model": "SM-S918B", "os": "Android",
        "os_version": "13.1", "browser": "Chrome WebView", "browser_version": "123.0.6312.118",
        "in_app": "Instagram", "bot": "false", "visit": "visitor",
    ])

    static let table: [(JSONValue, Bool)] = [
        (["param:kw": "red shoes"], true), (["param:kw": "red"], false),
        (["param:kw": ["blue", "RED SHOES"]], true), (["param:kw": ["blue", "green"]], false),
        (["param:kw": ["is": "Red Shoes"]], true), (["param:kw": ["is_not": "red shoes"]], false),
        (["param:kw": ["is_not": "blue"]], true), (["param:kw": ["in": ["a", "red shoes"]]], true),
        (["param:kw": ["not_in": ["a", "red shoes"]]], false),
        (["param:kw": ["not_in": ["a", "b"]]], true),
        (["param:kw": ["contains": "SHOE"]], true), (["param:kw": ["contains": "shop"]], false),
        (["param:kw": ["contains": ["shop", "d s"]]], true),
        (["param:kw": ["not_contains": "shop"]], true),
        (["param:kw": ["not_contains": ["shop", "shoes"]]], false),
        (["param:kw": ["starts_with": "red"]], true),
        (["param:kw": ["starts_with": "shoes"]], false),
        (["param:kw": ["starts_with": "red shoes and more"]], false),
        (["param:kw": ["matches": "^red\\s+shoes$"]], true),
        (["param:kw": ["matches": "^shoes"]], false),
        (["param:kw": ["not_matches": "^shoes"]], true),
        (["param:kw": ["exists": true]], true), (["param:kw": ["exists": false]], false),
        (["param:none": ["exists": false]], true), (["param:none": "x"], false),
        (["param:none": ["is_not": "x"]], true), (["param:none": ["not_in": ["x"]]], true),
        (["param:none": ["contains": "x"]], false), (["param:none": ["not_contains": "x"]], true),
        (["param:none": ["matches": ".*"]], false), (["param:none": ["range": [1, 2]]], false),
        (["param:age": ["range": [18, 40]]], true), (["param:age": ["range": [35, 40]]], false),
        (["param:age": ["range": ["34.5", nil]]], true),
        (["param:age": ["range": [nil, "34.4"]]], false),
        (["param:kw": ["range": [1, 2]]], false),
        (["param:kw": ["contains": "red", "not_contains": "blue"]], true),
        (["param:kw": ["contains": "red", "starts_with": "blue"]], false),
        (["var1": "39485"], true), (["var1": 39485], true), (["var2": "39485"], false),
        (["language": "pt"], true), (["language": "pt-br"], true), (["language": "p"], false),
        (["language": ["en", "pt"]], true), (["language": ["is_not": "pt"]], false),
        (["referrer_domain": "example.com"], true), (["referrer_domain": "news.example.com"], true),
        (["referrer_domain": "ample.com"], false), (["referrer_domain": "com"], true),
        (["referrer_domain": "x.news.example.com"], false),
        (["referrer": ["starts_with": "https://news."]], true),
        (["user_agent": ["contains": "android"]], true), (["header:X-App": "V2"], true),
        (["header:x-none": "v2"], false), (["ip": "203.0.113.0/24"], true),
        (["ip": ["198.51.100.0/24", "203.0.113.9"]], true), (["ip": "203.0.113.8"], false),
        (["ip": ["is_not": "203.0.113.0/24"]], false), (["ip": ["not_in": ["10.0.0.0/8"]]], true),
        (["ip": "::/0"], false), (["ip_version": 4], true), (["ip_version": 6], false),
        (["ip_version": ["in": [4, 6]]], true),
        (["device": "mobile"], true), (["device": ["Desktop", "Tablet"]], false),
        (["device": ["is_not": "desktop"]], true), (["brand": "samsung"], true),
        (["model": ["starts_with": "sm-s9"]], true), (["os": ["iOS", "android"]], true),
        (["os_version": ["range": ["13", nil]]], true),
        (["os_version": ["range": ["13.2", nil]]], false), (["os_version": "13.1"], true),
        (["browser": ["contains": "webview"]], true), (["browser": "chrome"], false),
        (["browser_version": ["range": ["100", "122"]]], false),
        (["browser_version": ["range": ["100", "124"]]], true), (["in_app": "instagram"], true),
        (["in_app": ["exists": false]], false), (["bot": false], true), (["bot": true], false),
        (["visit": "visitor"], true), (["visit": ["bot", "preview"]], false),
        (["visit": ["not_in": ["bot", "preview", "prefetch"]]], true),
        ([:], true), (["all": []], true), (["not": [:]], false),
        (["all": [["var1": "39485"], ["ip_version": 4]]], true),
        (["all": [["var1": "39485"], ["ip_version": 6]]], false),
        (["any": [["var1": "1"], ["ip_version": 4]]], true),
        (["any": [["var1": "1"], ["ip_version": 6]]], false),
        (["not": ["var1": "39485"]], false), (["not": ["var1": "1"]], true),
        (["not": ["any": [["var1": "1"], ["var1": "2"]]]], true),
        (["var1": "39485", "ip_version": 6], false),
        (
            ["any": [["all": [["var1": "39485"], ["not": ["language": "en"]]]], ["var1": "0"]]],
            true
        ),
    ]

    @Test(arguments: table.indices)
    func `a condition holds or not`(index: Int) throws {
        let (condition, expected) = Self.table[index]
        #expect(try Self.holds(condition, Self.visit) == expected, "\(condition.encoded())")
    }

    @Test func `an unknown address is in no block`() throws {
        let nobody = Visit(facts: [:], ip: nil)
        #expect(try !Self.holds(["ip": "0.0.0.0/0"], nobody))
        #expect(try Self.holds(["ip": ["is_not": "0.0.0.0/0"]], nobody))
    }

    @Test(
        arguments: [
            (
                ["contry": "US"],
                "rules[0].when.contry: is nothing to decide by; did you mean \"country\"?"
            ),
            (
                ["var1": ["iz": "a"]],
                "rules[0].when.var1.iz: is no comparison; did you mean \"is\"?"
            ),
            (["var1": []], "rules[0].when.var1: must be an array of 1 to 2000 values"),
            (["var1": ""], "rules[0].when.var1: must be a text of 1 to 200 bytes"),
            (
                ["var1": ["in": ["a", ""]]],
                "rules[0].when.var1.in[1]: must be a text of 1 to 200 bytes"
            ),
            (["var1": [:]], "rules[0].when.var1: must name a comparison such as \"is\""),
            (["var1": ["exists": 1]], "rules[0].when.var1.exists: must be true or false"),
            (
                ["var1": ["range": [1]]],
                "rules[0].when.var1.range: must be [from, to]; either may be null"
            ),
            (
                ["var1": ["range": [2, 1]]],
                "rules[0].when.var1.range: must go from the lesser to the greater number"
            ),
            (["var1": ["range": ["x", 1]]], "rules[0].when.var1.range[0]: must be a number"),
            (
                ["ip": "300.1.1.1"],
                "rules[0].when.ip: must be an address or a block such as 192.0.2.0/24"
            ),
            (
                ["ip": ["contains": "1"]],
                "rules[0].when.ip.contains: ip can't be compared by \"contains\""
            ),
            (["ip_version": 5], "rules[0].when.ip_version: must be 4 or 6"),
            (["any": []], "rules[0].when.any: must name at least one condition"),
            (["all": [["x": 1]]], "rules[0].when.all[0].x: is nothing to decide by"),
            (
                ["not": [1]],
                "rules[0].when.not: must be a JSON object such as {\"country\": [\"US\"]}"
            ),
            (["var1": ["matches": "("]], nil), (["param:": "x"], nil), (["var21": "x"], nil),
        ] as [(JSONValue, String?)])
    func `what can't be read is told with its place`(condition: JSONValue, problem: String?) {
        let problems = Self.problems(condition)
        #expect(problems.count == 1, "\(problems)")
        if let problem { #expect(problems == [problem]) }
    }

    @Test func `a regular expression that explodes is refused when it is saved`() {
        let problems = Self.problems(["user_agent": ["matches": "(a{1,900}){1,900}"]])
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("rules[0].when.user_agent.matches: ") == true)
    }

    @Test func `conditions in conditions end somewhere`() {
        var condition: JSONValue = ["var1": "1"]
        for _ in 0..<2000 { condition = ["not": condition] }
        #expect(Self.problems(condition).count == 1)
        let many = JSONValue.array((0..<501).map { ["var1": .string("\($0)")] })
        #expect(Self.problems(["any": many]).count == 1)
        let nested: JSONValue = [
            "any": .array(
                (0..<30).map { _ in
                    [
                        "any": .array(
                            (0..<30).map { ["var1": .string("\($0)")] })
                    ]
                })
        ]
        #expect(Self.problems(nested).count == 1)
    }

    @Test func `a version compares in as many parts as the condition writes`() throws {
        let cases: [(String, String, Int?)] = [
            ("17", "17", 0), ("17", "17.3.1", 0), ("17.3", "17.3.1", 0), ("17.3", "17.2.9", -1),
            ("17.3", "17.10", 1), ("17.3", "17", -1), ("17.0", "17", 0), ("10", "9.9", -1),
            ("10_2", "", nil), ("10", "x", nil), ("10", "10_2_1", 0),
            ("4294967295", "99999999999", 0),
        ]
        for (version, value, order) in cases {
            guard let version = VersionNumber(version) else {
                #expect(order == nil)
                continue
            }
            let bytes = Array(value.utf8)
            #expect(bytes.withUnsafeBytes { version.order(of: $0) } == order, "\(value)")
        }
    }
}

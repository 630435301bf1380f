import TestSupport
import Testing

@testable import Domain

/// What is told of a decision, and that it is told of the decision that is made.
@Suite struct RoutingExplanationTests {
    private struct Visit: Selection {
        var closedPaths: Set<[Int]> = []
        var closedOffers: Set<[Int]> = []
        var seen: Set<[Int]> = []
        var remembered: Decision?

        func isOpen(rule: Int, path: Int) -> Bool { !closedPaths.contains([rule, path]) }
        func isOpen(rule: Int, path: Int, offer: Int) -> Bool {
            !closedOffers.contains([rule, path, offer])
        }
        func isUnseen(rule: Int, path: Int, lander: Int) -> Bool {
            !seen.contains([1, rule, path, lander])
        }
        func isUnseen(rule: Int, path: Int, offer: Int) -> Bool {
            !seen.contains([2, rule, path, offer])
        }
    }

    // MARK: Agreement

    @Test(arguments: 0..<8) func `what is told is what the router decides`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var outcomes: [RuleExplanation.Outcome: Int] = [:]
        for _ in 0..<120 {
            let document: JSONValue = [
                "key": "f",
                "rules": .array(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in Self.rule(&random) }),
                "paths": .array(
                    (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.path(&random) }),
            ]
            guard let flow = try? SharedFlow(document: document).flow else { continue }
            let router = Router(flow, version: Int64.random(in: 1...1000, using: &random))
            for _ in 0..<20 {
                let sheet = Self.sheet(router, &random)
                let visit = Self.visit(&random)
                let rowID = try #require(
                    ClickRowID(rawValue: Int64.random(in: 1...(.max >> 1), using: &random)))
                let told = router.explain(flow, rowID, sheet, visit)
                #expect(told.decision == router.decide(rowID, sheet, visit))
                Self.check(told, flow, visit)
                for rule in told.rules { outcomes[rule.outcome, default: 0] += 1 }
            }
        }
        for outcome in [
            RuleExplanation.Outcome.disabled, .outOfSchedule, .conditionFailed, .closed, .taken,
            .notTried, .hasNoPath,
        ] { #expect(outcomes[outcome, default: 0] > 10, "\(outcome) hardly ever came up") }
    }

    private static func check(_ told: RoutingExplanation, _ flow: Flow, _ visit: Visit) {
        #expect(told.rules.count == flow.rules.count)
        let taken = told.rules.firstIndex { $0.outcome == .taken }
        #expect(told.rules.filter { $0.outcome == .taken }.count <= 1)
        #expect((told.decision?.rule ?? 0) == taken.map { $0 + 1 } ?? 0)
        for (index, rule) in told.rules.enumerated() {
            #expect((rule.outcome == .conditionFailed) == !rule.failures.isEmpty)
            let isAfter = taken.map { index > $0 } ?? false
            if rule.outcome == .notTried { #expect(isAfter) }
            if isAfter { #expect([.notTried, .disabled, .hasNoPath].contains(rule.outcome)) }
        }
        guard let decision = told.decision else {
            #expect(!told.defaults.contains { $0.way.state == .open })
            return
        }
        let paths = decision.rule == 0 ? told.defaults : told.rules[decision.rule - 1].paths
        let path = paths[decision.path - 1]
        #expect(path.offers[decision.offer].weight > 0)
        if told.isRemembered {
            #expect(decision == visit.remembered)
            return
        }
        // The choice is the one in whose share the number falls.
        #expect(paths.map(\.way).index(for: told.drawnPath) == decision.path - 1)
        #expect(path.offers.index(for: told.drawnOffer) == decision.offer)
        #expect(path.landers.index(for: told.drawnLander) == decision.lander)
        #expect(path.way.state == .open && path.way.share.part > 0)
    }

    // MARK: Words

    private static func failures(_ condition: JSONValue, _ visit: ConditionTests.Visit) throws
        -> [String]
    {
        let flow = try ConditionTests.flow(rules: [
            ["when": condition, "paths": [ConditionTests.path]]
        ])
        let router = Router(flow, version: 1)
        let sheet = FactSheet()
        sheet.begin(at: Instant(micros: 0), ip: visit.ip.flatMap { IPAddress($0) })
        for fact in router.facts {
            sheet.append(visit.facts[fact.name].map { Array($0.utf8) })
        }
        let rowID = try #require(ClickRowID(rawValue: 1))
        return router.explain(flow, rowID, sheet, OpenSelection()).rules[0].failures.map {
            "\($0.condition)|\($0.value ?? "-")|\($0.isUnknown)"
        }
    }

    static let words: [(JSONValue, [String])] = [
        (["os": "Android"], []),
        (["os": "iOS"], ["os is iOS|Android|false"]),
        (["os": ["iOS", "macOS"]], ["os in iOS, macOS|Android|false"]),
        // Of those that all have to hold, the first.
        (["device": "mobile", "os": "iOS", "language": "de"], ["os is iOS|Android|false"]),
        // Of those of which one has to, each.
        (
            [
                "any": [
                    ["os": "iOS"], ["device": "tablet", "language": "pt"], ["ip": "10.0.0.0/8"],
                ]
            ],
            [
                "os is iOS|Android|false", "device is tablet|mobile|false",
                "ip is 10.0.0.0/8|203.0.113.9|false",
            ]
        ),
        (["not": ["os": "Android"]], ["not (os is Android)|Android|false"]),
        (
            ["not": ["any": [["os": "iOS"], ["device": "mobile", "bot": false]]]],
            ["not (os is iOS or (device is mobile and bot is false))|-|false"]
        ),
        (["all": [["var1": "39485"], ["var2": ["exists": true]]]], ["var2 exists true|-|false"]),
        // The location files don't tell: neither it nor its opposite.
        (["country": "US"], ["country is US|-|true"]),
        (["country": ["not_in": ["US"]]], ["country not_in US|-|true"]),
        (["not": ["country": "US"]], ["not (country is US)|-|true"]),
        (["weekday": ["mon", "tue"]], ["weekday in mon, tue|thu|false"]),
        (
            ["hour": ["range": [9, 17], "time_zone": "+01:00"]],
            ["hour range 9, 17 (+01:00)|1|false"]
        ),
    ]

    @Test(arguments: words)
    func `what failed is told in the condition's words, with what there is instead`(
        condition: JSONValue, told: [String]
    ) throws {
        #expect(try Self.failures(condition, ConditionTests.visit) == told)
    }

    @Test func `however much fails, what is told is bounded`() throws {
        let long = String(repeating: "x", count: 200)
        let many: JSONValue = [
            "any": .array((0..<400).map { ["param:kw": .string("\(long.dropLast(4))\($0)")] })
        ]
        let failures = try Self.failures(many, ConditionTests.visit)
        #expect(failures.count == RuleExplanation.failuresMax)
        let nested = try Self.failures(["not": ["not": many]], ConditionTests.visit)
        #expect(nested.count == 1 && nested[0].utf8.count < ConditionFailure.textMax + 20)
        var visit = ConditionTests.visit
        visit.facts["param:kw"] = String(repeating: "é", count: 5000)
        let value = try Self.failures(["param:kw": "x"], visit)
        #expect(value[0].utf8.count < ConditionFailure.valueMax + 40)
    }

    @Test func `shares are of what is chosen among`() throws {
        let offers: JSONValue = [["offer": "a"]]
        let flow = try ConditionTests.flow(
            rules: [],
            paths: [
                ["weight": 30, "offers": offers], ["weight": 0, "offers": offers],
                ["weight": 50, "enabled": false, "offers": offers],
                ["weight": 10, "offers": offers], ["weight": 20, "offers": offers],
            ])
        let visit = Visit(closedPaths: [[0, 5]])
        let told = Router(flow, version: 1).explain(
            flow, try #require(ClickRowID(rawValue: 5)), FactSheet(), visit)
        #expect(told.defaults.map(\.way.state) == [.open, .weightless, .disabled, .open, .closed])
        #expect(told.defaults.map(\.way.share.text) == ["0.75", "0", "0", "0.25", "0"])
    }

    @Test func `a drawn number is told to four decimals, cut`() {
        let texts = [0, 1 << 63, UInt64.max, 0x4000_0000_0000_0000, 0xC000_0000_0000_0001].map {
            DrawnNumber(bits: $0).text
        }
        #expect(texts == ["0", "0.5", "0.9999", "0.25", "0.75"])
    }

    // MARK: Made at random

    private static func rule(_ random: inout SeededRandom) -> JSONValue {
        let schedules: [JSONValue] = [.null, .null, ["days": ["thu"]], ["days": ["fri"]]]
        let hasNoPath = Int.random(in: 0..<6, using: &random) == 0
        let path = path(&random)
        return [
            "enabled": .bool(Int.random(in: 0..<6, using: &random) > 0),
            "when": condition(&random, depth: 0),
            "schedule": schedules.randomElement(using: &random) ?? .null,
            "paths": hasNoPath
                ? [["enabled": false, "offers": [["offer": "o"]]]] : [path, Self.path(&random)],
        ]
    }

    private static func path(_ random: inout SeededRandom) -> JSONValue {
        func ways(_ name: String, _ range: ClosedRange<Int>) -> JSONValue {
            .array(
                (0..<Int.random(in: range, using: &random)).map { index in
                    [
                        name: .string("\(name)\(index)"),
                        // The first has a weight, or the document would be refused.
                        "weight": .integer(
                            index == 0 ? 3 : Int.random(in: 0...5, using: &random)),
                    ]
                })
        }
        return [
            "weight": .integer([0, 1, 40, 1_000_000].randomElement(using: &random) ?? 1),
            "enabled": .bool(Int.random(in: 0..<8, using: &random) > 0),
            "landers": ways("lander", 0...2), "offers": ways("offer", 1...3),
        ]
    }

    private static func condition(_ random: inout SeededRandom, depth: Int) -> JSONValue {
        func inner() -> JSONValue { condition(&random, depth: depth + 1) }
        switch Int.random(in: 0...(depth > 3 ? 2 : 5), using: &random) {
        case 0: return [:]
        case 1, 2: return ConditionTests.table.map(\.0).randomElement(using: &random) ?? [:]
        case 3: return ["not": inner()]
        case 4: return ["any": [inner(), inner()]]
        default: return ["all": [inner(), inner()]]
        }
    }

    /// 1970-01-01 was a Thursday.
    private static func sheet(_ router: Router, _ random: inout SeededRandom) -> FactSheet {
        let sheet = FactSheet()
        sheet.begin(
            at: Instant(micros: 0),
            ip: Bool.random(using: &random) ? IPAddress("203.0.113.9") : nil)
        for fact in router.facts {
            let value = ConditionTests.visit.facts[fact.name]
            let isKnown = value != nil && Int.random(in: 0..<5, using: &random) > 0
            sheet.append(isKnown ? value.map { Array($0.utf8) } : nil)
        }
        return sheet
    }

    private static func visit(_ random: inout SeededRandom) -> Visit {
        var visit = Visit()
        let isPlain = Int.random(in: 0..<3, using: &random) == 0
        for rule in 0...4 where !isPlain {
            for path in 1...3 {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    visit.closedPaths.insert([rule, path])
                }
                for item in 0...2 {
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        visit.closedOffers.insert([rule, path, item])
                    }
                    for kind in 1...2 where Bool.random(using: &random) {
                        visit.seen.insert([kind, rule, path, item])
                    }
                }
            }
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            visit.remembered = Decision(
                rule: Int.random(in: 0...4, using: &random),
                path: Int.random(in: 1...3, using: &random), lander: nil,
                offer: Int.random(in: 0...2, using: &random))
        }
        return visit
    }
}

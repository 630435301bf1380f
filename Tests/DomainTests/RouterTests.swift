import TestSupport
import Testing

@testable import Domain

/// Which rule, path, lander and offer a flow chooses.
@Suite struct RouterTests {
    private static func path(
        _ weight: Int, offers: [Int], landers: [Int] = [], enabled: Bool = true
    )
        -> JSONValue
    {
        [
            "weight": .integer(weight), "enabled": .bool(enabled),
            "offers": .array(
                offers.enumerated().map {
                    ["offer": .string("o\($0)"), "weight": .integer($1)]
                }),
            "landers": .array(
                landers.enumerated().map {
                    ["lander": .string("l\($0)"), "weight": .integer($1)]
                }),
        ]
    }

    private static func decide(_ router: Router, _ rowID: Int64, zone: String = "1") throws
        -> Decision?
    {
        try ConditionTests.decide(
            router, ConditionTests.Visit(facts: ["var1": zone]), rowID: rowID)
    }

    @Test func `the first rule that holds decides, else the default paths`() throws {
        let flow = try ConditionTests.flow(
            rules: [
                ["when": ["var1": "1"], "enabled": false, "paths": [Self.path(1, offers: [1])]],
                ["when": ["var1": "1"], "paths": [Self.path(5, offers: [1], enabled: false)]],
                ["when": ["var1": "1"], "paths": [Self.path(1, offers: [1])]],
                ["when": ["var1": ["1", "2"]], "paths": [Self.path(1, offers: [1])]],
            ], paths: [Self.path(1, offers: [1])])
        let router = Router(flow, version: 3)
        #expect(try Self.decide(router, 7, zone: "1")?.rule == 3)
        #expect(try Self.decide(router, 7, zone: "2")?.rule == 4)
        #expect(
            try Self.decide(router, 7, zone: "3")
                == Decision(rule: 0, path: 1, lander: nil, offer: 0))
    }

    private static func anyCondition(_ random: inout SeededRandom, depth: Int = 0) -> JSONValue {
        func values() -> JSONValue {
            .array(
                (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    .string(["a", "B", "c", "ab", "US"].randomElement(using: &random) ?? "")
                })
        }
        let facts = [
            "var1", "var2", "city", "region", "referrer_domain", "param:x", "os", "user_agent",
        ]
        let fact = facts.randomElement(using: &random) ?? ""
        switch Int.random(in: 0...(depth < 2 ? 9 : 5), using: &random) {
        case 0: return [fact: ["not_in": values()]]
        case 1: return [fact: ["contains": values()]]
        case 2: return [fact: ["exists": .bool(Bool.random(using: &random))]]
        case 6: return ["not": anyCondition(&random, depth: depth + 1)]
        case 7:
            return [
                "any": [anyCondition(&random, depth: depth + 1), anyCondition(&random, depth: 2)]
            ]
        case 8:
            return [
                "all": [anyCondition(&random, depth: depth + 1), anyCondition(&random, depth: 2)]
            ]
        case 9: return [fact: values(), "var3": values()]
        default: return [fact: values()]
        }
    }

    @Test(arguments: 1...200) func `the rule that decides is the first that holds`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        let count = [1, 5, 63, 64, 65, 130].randomElement(using: &random) ?? 1
        let flow = try ConditionTests.flow(
            rules: (0..<count).map { _ in
                ["when": Self.anyCondition(&random), "paths": [Self.path(1, offers: [1])]]
            }, paths: [Self.path(1, offers: [1])])
        let router = Router(flow, version: 1)
        let slots = FactSlots(router.facts)
        let conditions = flow.rules.map { CompiledCondition($0.when.root, slots) }
        let rowID = try #require(ClickRowID(rawValue: 1))
        for _ in 0..<20 {
            let sheet = FactSheet()
            sheet.begin(at: Instant(micros: 0), ip: nil)
            for _ in router.facts {
                let value = ["", "A", "b", "c", "AB", "us", "x.ab"].randomElement(using: &random)
                sheet.append(value.map { Array($0.utf8) })
            }
            let expected = conditions.firstIndex { $0.evaluate(sheet) == .yes }.map { $0 + 1 }
            #expect(router.decide(rowID, sheet)?.rule == expected ?? 0)
            #expect(router.decide(rowID, sheet, EverythingOpen())?.rule == expected ?? 0)
            #expect(
                router.decide(rowID, Self.remembering(sheet, router))?.rule == expected ?? 0)
        }
    }

    /// Without the facts of the visit's device and place, but with what these leave.
    private static func remembering(_ sheet: FactSheet, _ router: Router) -> FactSheet {
        let other = FactSheet()
        other.begin(at: Instant(micros: 0), ip: nil)
        for slot in 0..<router.clickFactCount {
            other.append(sheet.withText(slot) { value in value.map { Array($0) } })
        }
        other.remember(
            leftByDevice: router.rulesLeftByDevice(sheet),
            leftByPlace: router.rulesLeftByPlace(sheet))
        return other
    }

    private struct EverythingOpen: Selection {
        func isOpen(rule: Int, path: Int) -> Bool { true }
        func isOpen(rule: Int, path: Int, offer: Int) -> Bool { true }
        func isUnseen(rule: Int, path: Int, lander: Int) -> Bool { true }
        func isUnseen(rule: Int, path: Int, offer: Int) -> Bool { true }
        var remembered: Decision? { nil }
    }

    @Test func `without a default path nobody else is taken`() throws {
        let campaign = try Campaign(document: [
            "key": "c", "source": "s", "fallback_url": "https://x.example/",
            "flow": ["rules": [["when": ["var1": "1"], "paths": [Self.path(1, offers: [1])]]]],
        ])
        guard case .own(let flow) = campaign.flow else { throw TestFailure("no flow") }
        let router = Router(flow, version: 1)
        #expect(try Self.decide(router, 7, zone: "1")?.rule == 1)
        #expect(try Self.decide(router, 7, zone: "2") == nil)
        #expect(throws: ValidationError.self) {
            try Campaign(document: [
                "key": "c", "source": "s",
                "flow": ["rules": [["when": [:], "paths": [Self.path(1, offers: [1])]]]],
            ])
        }
    }

    @Test func `weights hold within statistical bounds over a million clicks`() throws {
        let flow = try ConditionTests.flow(
            rules: [],
            paths: [
                Self.path(60, offers: [3, 1], landers: [1, 1, 2]), Self.path(30, offers: [1]),
                Self.path(0, offers: [1]), Self.path(10, offers: [0, 7]),
                Self.path(50, offers: [1], enabled: false),
            ])
        let router = Router(flow, version: 12)
        let sheet = FactSheet()
        let count = 1_000_000
        var seen: [Decision: Int] = [:]
        for number in 0..<count {
            // Row IDs as they are issued: milliseconds above, a running number below.
            let raw = (Int64(27_000_000_000) + Int64(number / 100)) << 22 | Int64(number % 100)
            let rowID = try #require(ClickRowID(rawValue: raw))
            let decision = try #require(router.decide(rowID, sheet))
            seen[decision, default: 0] += 1
        }
        func expect(_ share: Double, where matches: (Decision) -> Bool) {
            let found = seen.filter { matches($0.key) }.reduce(0) { $0 + $1.value }
            // Five standard deviations: one failure in two million runs, were it random at all.
            let bound = 5 * (Double(count) * share * (1 - share)).squareRoot()
            #expect(abs(Double(found) - Double(count) * share) <= bound, "\(share): \(found)")
        }
        expect(0.6) { $0.path == 1 }
        expect(0.3) { $0.path == 2 }
        expect(0.1) { $0.path == 4 }
        expect(0.45) { $0.path == 1 && $0.offer == 0 }
        expect(0.3) { $0.path == 1 && $0.lander == 2 }
        // Lander and offer are chosen independently.
        expect(0.6 * 0.5 * 0.25) { $0.path == 1 && $0.lander == 2 && $0.offer == 1 }
        #expect(!seen.keys.contains { $0.path == 3 || $0.path == 5 })
        #expect(seen.keys.filter { $0.path == 4 }.allSatisfy { $0.offer == 1 })
        #expect(seen.keys.allSatisfy { ($0.lander != nil) == ($0.path == 1) })
    }

    @Test func `the same click of the same version makes the same choice, another version another`()
        throws
    {
        let flow = try ConditionTests.flow(
            rules: [], paths: (0..<10).map { _ in Self.path(1, offers: [1, 1, 1]) })
        let same = try (0..<1000).allSatisfy { number in
            try Self.decide(Router(flow, version: 5), number + 1)
                == Self.decide(Router(flow, version: 5), number + 1)
        }
        #expect(same)
        let others = try (0..<1000).filter { number in
            try Self.decide(Router(flow, version: 5), number + 1)
                != Self.decide(Router(flow, version: 6), number + 1)
        }
        #expect(others.count > 900)
    }

    /// Documents made at random of everything that a flow may hold, and of much that it may not.
    @Test func `no flow and no visit makes the router trap`() throws {
        var random = SeededRandom(20_261_121)
        var saved = 0
        for _ in 0..<9000 {
            let document: JSONValue = [
                "key": "f",
                "rules": .array(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        Self.rule(&random)
                    }),
                "paths": .array(
                    (0..<Int.random(in: 0...3, using: &random)).map { _ in
                        Self.randomPath(&random)
                    }),
            ]
            guard let flow = try? SharedFlow(document: document).flow else { continue }
            saved += 1
            #expect(try SharedFlow(document: document).document["rules"] == flow.document["rules"])
            let router = Router(flow, version: Int64.random(in: .min ... .max, using: &random))
            for _ in 0..<20 {
                let sheet = FactSheet()
                sheet.begin(
                    at: Instant(micros: 0),
                    ip: Bool.random(using: &random) ? IPAddress("2001:db8::1") : nil)
                for _ in router.facts {
                    let count = Int.random(in: 0...12, using: &random)
                    let value = (0..<count).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    sheet.append(Bool.random(using: &random) ? value : nil)
                }
                let rowID = try #require(
                    ClickRowID(rawValue: Int64.random(in: 1...(.max >> 1), using: &random)))
                if let decision = router.decide(rowID, sheet) {
                    let paths =
                        decision.rule == 0 ? flow.paths : flow.rules[decision.rule - 1].paths
                    let path = paths[decision.path - 1]
                    #expect(path.isUsable && path.offers[decision.offer].weight > 0)
                    #expect(decision.lander.map { path.landers[$0].weight > 0 } ?? true)
                }
            }
        }
        #expect(saved > 300)
    }

    private static func randomPath(_ random: inout SeededRandom) -> JSONValue {
        func weights() -> [Int] {
            (0..<Int.random(in: 0...3, using: &random)).map { _ in
                [0, 1, 100, 1_000_000].randomElement(using: &random) ?? 0
            }
        }
        return path(
            [0, 1, 1_000_000].randomElement(using: &random) ?? 0, offers: weights(),
            landers: weights(), enabled: Bool.random(using: &random))
    }

    private static func rule(_ random: inout SeededRandom) -> JSONValue {
        [
            "enabled": .bool(Bool.random(using: &random)),
            "when": condition(&random, depth: 0),
            "paths": .array([randomPath(&random), randomPath(&random)]),
        ]
    }

    private static func condition(_ random: inout SeededRandom, depth: Int) -> JSONValue {
        let tables = ConditionTests.table.map(\.0)
        switch Int.random(in: 0...(depth > 6 ? 1 : 4), using: &random) {
        case 0, 1: return tables.randomElement(using: &random) ?? [:]
        case 2: return ["not": condition(&random, depth: depth + 1)]
        case 3:
            return [
                "any": [condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)]
            ]
        default:
            return [
                "all": [condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)]
            ]
        }
    }
}

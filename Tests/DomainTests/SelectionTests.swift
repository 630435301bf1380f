import TestSupport
import Testing

@testable import Domain

/// What a flow chooses when some of it is closed, seen or remembered.
@Suite struct SelectionTests {

    private struct Visit: Selection {
        var closedPaths: Set<[Int]> = []
        var closedOffers: Set<[Int]> = []
        var seenLanders: Set<[Int]> = []
        var seenOffers: Set<[Int]> = []
        var remembered: Decision?

        func isOpen(rule: Int, path: Int) -> Bool { !closedPaths.contains([rule, path]) }
        func isOpen(rule: Int, path: Int, offer: Int) -> Bool {
            !closedOffers.contains([rule, path, offer])
        }
        func isUnseen(rule: Int, path: Int, lander: Int) -> Bool {
            !seenLanders.contains([rule, path, lander])
        }
        func isUnseen(rule: Int, path: Int, offer: Int) -> Bool {
            !seenOffers.contains([rule, path, offer])
        }
    }

    private static func path(_ weight: Int, offers: [Int], landers: [Int] = []) -> JSONValue {
        [
            "weight": .integer(weight),
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

    /// One rule for everybody, and default paths.
    private static let flow =
        ["when": [:], "paths": [path(1, offers: [1, 1]), path(3, offers: [1])]]
        as JSONValue
    private static let defaults = [
        path(2, offers: [3, 1], landers: [1, 1]), path(1, offers: [1]),
    ]

    private static func router() throws -> Router {
        Router(try ConditionTests.flow(rules: [flow], paths: defaults), version: 9)
    }

    private static func decide(_ router: Router, _ visit: Visit, _ number: Int64) throws
        -> Decision?
    {
        let sheet = FactSheet()
        sheet.begin(at: Instant(micros: 0), ip: nil)
        return router.decide(try #require(ClickRowID(rawValue: number)), sheet, visit)
    }

    @Test func `with everything open, new and forgotten the choice is the plain one`() throws {
        let router = try Self.router()
        let sheet = FactSheet()
        sheet.begin(at: Instant(micros: 0), ip: nil)
        for number in 1...2000 as ClosedRange<Int64> {
            let plain = router.decide(try #require(ClickRowID(rawValue: number)), sheet)
            #expect(try Self.decide(router, Visit(), number) == plain)
        }
    }

    @Test func `what is closed is passed over, and the rest shares by weight`() throws {
        let router = try Self.router()
        var visit = Visit()
        visit.closedOffers = [[1, 1, 0]]
        var paths = [0, 0, 0]
        for number in 1...8000 as ClosedRange<Int64> {
            let decision = try #require(try Self.decide(router, visit, number))
            #expect(decision.rule == 1)
            paths[decision.path] += 1
            if decision.path == 1 { #expect(decision.offer == 1) }
        }
        // A quarter of 8,000, five standard deviations wide.
        #expect(abs(paths[1] - 2000) < 194)

        visit.closedPaths = [[1, 2]]
        #expect(try Self.decide(router, visit, 5)?.path == 1)
        // A rule without anything open takes nobody: the default paths do.
        visit.closedOffers.insert([1, 1, 1])
        #expect(try Self.decide(router, visit, 5)?.rule == 0)
        visit.closedPaths.formUnion([[0, 1], [0, 2]])
        #expect(try Self.decide(router, visit, 5) == nil)
    }

    @Test func `what a visitor has seen comes last`() throws {
        let router = try Self.router()
        var visit = Visit()
        visit.seenOffers = [[1, 1, 0], [1, 2, 0]]
        for number in 1...200 as ClosedRange<Int64> {
            let decision = try Self.decide(router, visit, number)
            #expect(decision == Decision(rule: 1, path: 1, lander: nil, offer: 1))
        }
        visit.seenOffers.insert([1, 1, 1])
        let all = try Set((1...200).map { try Self.decide(router, visit, $0) })
        #expect(all.count == 3)
        // Unseen but closed is closed.
        visit.seenOffers = [[1, 1, 1]]
        visit.closedOffers = [[1, 1, 0]]
        visit.closedPaths = [[1, 2]]
        #expect(try Self.decide(router, visit, 3)?.offer == 1)
        visit.closedPaths = [[1, 1], [1, 2], [0, 2]]
        visit.seenLanders = [[0, 1, 1]]
        for number in 1...100 as ClosedRange<Int64> {
            #expect(try Self.decide(router, visit, number)?.lander == 0)
        }
    }

    @Test func `a visitor is sent where it was sent before, while that is possible`() throws {
        let router = try Self.router()
        let before = Decision(rule: 1, path: 1, lander: nil, offer: 1)
        var visit = Visit(remembered: before)
        for number in 1...100 as ClosedRange<Int64> {
            #expect(try Self.decide(router, visit, number) == before)
        }
        visit.closedOffers = [[1, 1, 1]]
        for number in 1...100 as ClosedRange<Int64> {
            let decision = try #require(try Self.decide(router, visit, number))
            #expect(decision != before && decision.rule == 1)
        }
        // What the flow doesn't hold any more, or another rule's, is not remembered.
        for gone in [
            Decision(rule: 1, path: 7, lander: nil, offer: 0),
            Decision(rule: 1, path: 1, lander: nil, offer: 7),
            Decision(rule: 1, path: 1, lander: 0, offer: 1),
            Decision(rule: 0, path: 1, lander: nil, offer: 1),
            Decision(rule: 0, path: 2, lander: nil, offer: 0),
        ] {
            let visit = Visit(remembered: gone)
            for number in 1...20 as ClosedRange<Int64> {
                #expect(
                    try Self.decide(router, visit, number)
                        == Self.decide(router, Visit(), number))
            }
        }
    }

    @Test func `whatever is closed and seen, what is chosen is open`() throws {
        let router = try Self.router()
        var random = SeededRandom(20_261_122)
        for number in 1...5000 as ClosedRange<Int64> {
            var visit = Visit()
            for rule in 0...1 {
                for path in 1...2 {
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        visit.closedPaths.insert([rule, path])
                    }
                    for item in 0...1 {
                        if Bool.random(using: &random) {
                            visit.closedOffers.insert([rule, path, item])
                        }
                        if Bool.random(using: &random) {
                            visit.seenOffers.insert([rule, path, item])
                        }
                        if Bool.random(using: &random) {
                            visit.seenLanders.insert([rule, path, item])
                        }
                    }
                }
            }
            visit.remembered = Decision(
                rule: Int.random(in: -1...2, using: &random),
                path: Int.random(in: 0...3, using: &random),
                lander: Bool.random(using: &random) ? 1 : nil,
                offer: Int.random(in: 0...2, using: &random))
            guard let decision = try Self.decide(router, visit, number) else {
                for offer in [
                    [1, 1, 0], [1, 1, 1], [1, 2, 0], [0, 1, 0], [0, 1, 1], [0, 2, 0],
                ] {
                    #expect(
                        visit.closedOffers.contains(offer)
                            || visit.closedPaths.contains(Array(offer.prefix(2))))
                }
                continue
            }
            #expect(visit.isOpen(rule: decision.rule, path: decision.path))
            #expect(
                visit.isOpen(rule: decision.rule, path: decision.path, offer: decision.offer))
        }
    }
}

import TestSupport
import Testing

@testable import Domain

/// Rules that hold at some times only, and conditions on the clock.
@Suite struct RuleScheduleTests {
    private static func holds(_ rule: JSONValue, at time: String) throws -> Bool {
        var members = try #require(rule.objectValue)
        members.append(JSONMember(name: "paths", value: [ConditionTests.path]))
        let flow = try ConditionTests.flow(rules: [.object(members)])
        // What was saved is read back the same.
        #expect(
            try SharedFlow(
                document: SharedFlow(document: [
                    "key": "f", "rules": [.object(members)], "paths": [ConditionTests.path],
                ]).document
            ).flow == flow)
        let sheet = FactSheet()
        sheet.begin(at: try #require(Instant(rfc3339: time)), ip: nil)
        let router = Router(flow, version: 1)
        for _ in router.facts { sheet.append(nil) }
        return router.decide(try #require(ClickRowID(rawValue: 1)), sheet)?.rule == 1
    }

    // 2026-11-20 is a Friday.
    @Test(
        arguments: [
            ([:], "2026-11-20T00:00:00Z", true),
            (["from": "2026-11-20T09:30"], "2026-11-20T09:29:59Z", false),
            (["from": "2026-11-20T09:30"], "2026-11-20T09:30:00Z", true),
            (["to": "2026-11-20"], "2026-11-19T23:59:59Z", true),
            (["to": "2026-11-20"], "2026-11-20T00:00:00Z", false),
            (["from": "2026-11-20", "time_zone": "+02:00"], "2026-11-19T22:00:00Z", true),
            (["from": "2026-11-20", "time_zone": "+02:00"], "2026-11-19T21:59:59Z", false),
            (["days": ["fri", "Saturday"]], "2026-11-20T23:59:59Z", true),
            (["days": ["sat"]], "2026-11-20T23:59:59Z", false),
            (["days": ["sat"], "time_zone": "+01:00"], "2026-11-20T23:00:00Z", true),
            (["hours": ["09:00-18:00"]], "2026-11-20T08:59:59Z", false),
            (["hours": ["09:00-18:00"]], "2026-11-20T17:59:59Z", true),
            (["hours": ["09:00-18:00"]], "2026-11-20T18:00:00Z", false),
            (["hours": ["09:00-10:00", "11:00-24:00"]], "2026-11-20T23:59:59Z", true),
            (["hours": ["09:00-10:00", "11:00-24:00"]], "2026-11-20T10:30:00Z", false),
            (["hours": ["22:00-02:00"]], "2026-11-20T01:59:00Z", true),
            (["hours": ["22:00-02:00"]], "2026-11-20T02:00:00Z", false),
            // Friday's night goes on into Saturday, Thursday's into Friday doesn't count.
            (["hours": ["22:00-02:00"], "days": ["fri"]], "2026-11-21T01:00:00Z", true),
            (["hours": ["22:00-02:00"], "days": ["fri"]], "2026-11-20T01:00:00Z", false),
        ] as [(JSONValue, String, Bool)])
    func `a schedule is in force at its times`(schedule: JSONValue, time: String, expected: Bool)
        throws
    {
        #expect(try Self.holds(["schedule": schedule], at: time) == expected)
    }

    @Test(
        arguments: [
            (["weekday": "fri"], true), (["weekday": ["mon", "tue"]], false),
            (["weekday": ["is_not": "fri"]], false),
            (["weekday": ["in": ["sat"], "time_zone": "+14:00"]], true),
            (["hour": 23], true), (["hour": [1, 2]], false), (["hour": ["range": [22, 1]]], true),
            (["hour": ["range": [0, 22]]], false), (["hour": ["not_in": [23]]], false),
            (["hour": ["range": [0, 1], "time_zone": "+02:00"]], true),
            (["not": ["hour": 23]], false),
        ] as [(JSONValue, Bool)])
    func `conditions read the clock of their zone`(condition: JSONValue, expected: Bool) throws {
        #expect(try Self.holds(["when": condition], at: "2026-11-20T23:05:00Z") == expected)
    }

    @Test(
        arguments: [
            (["from": "tomorrow"], "from"), (["from": "2026-02-30"], "from"),
            (["from": "2026-11-20T24:00"], "from"),
            (["from": "2026-11-20", "to": "2026-11-20"], "to"), (["days": ["someday"]], "days[0]"),
            (["days": [1]], "days[0]"), (["hours": ["9-18"]], "hours[0]"),
            (["hours": ["09:00-09:00"]], "hours[0]"), (["hours": ["24:00-25:00"]], "hours[0]"),
            (["time_zone": "+27:00"], "time_zone"), (["time_zone": 3], "time_zone"),
            (["until": "2026-11-20"], "until"),
        ] as [(JSONValue, String)])
    func `a schedule that can't be read is told with its place`(
        schedule: JSONValue, field: String
    ) throws {
        let error = #expect(throws: ValidationError.self) {
            try ConditionTests.flow(rules: [
                ["schedule": schedule, "paths": [ConditionTests.path]]
            ])
        }
        #expect(error?.errors.map(\.field) == ["rules[0].schedule.\(field)"])
    }

    @Test(
        arguments: [
            (["weekday": "someday"], "weekday"),
            (["weekday": ["range": ["mon", "fri"]]], "weekday.range"),
            (["weekday": ["exists": true]], "weekday.exists"), (["hour": 24], "hour"),
            (["hour": ["range": [1, nil]]], "hour.range"),
            (["hour": ["contains": "1"]], "hour.contains"),
            (["hour": ["is": 1, "time_zone": "+27:00"]], "hour.time_zone"),
            (["var1": ["is": "1", "time_zone": "UTC"]], "var1.time_zone"),
            (["weekday": ["time_zone": "UTC"]], "weekday"),
        ] as [(JSONValue, String)])
    func `a condition that can't be read on a clock is told with its place`(
        condition: JSONValue, field: String
    ) {
        let problems = ConditionTests.problems(condition)
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("rules[0].when.\(field): ") == true, "\(problems)")
    }
}

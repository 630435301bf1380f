import Testing

@testable import Domain

/// Conditions on places: what is not known matches neither way, whatever stands around it.
@Suite struct PlaceConditionTests {
    private static let berlin = ConditionTests.Visit(facts: [
        "country": "DE", "region": "BE", "city": "Berlin", "isp": "Example Net", "asn": "64496",
        "connection_type": "Cable/DSL", "device": "mobile",
    ])
    private static let nowhere = ConditionTests.Visit(facts: ["device": "mobile"])

    /// The condition, whether it holds for Berlin, and whether for a visit from nowhere.
    static let table: [(JSONValue, Bool, Bool)] = [
        (["country": "DE"], true, false), (["country": "de"], true, false),
        (["country": ["US", "DE"]], true, false), (["country": "US"], false, false),
        (["country": ["is_not": "US"]], true, false), (["country": ["is_not": "DE"]], false, false),
        (["country": ["not_in": ["US", "CA"]]], true, false),
        (["country": ["exists": true]], true, false), (["country": ["exists": false]], false, true),
        (["not": ["country": "US"]], true, false), (["not": ["country": "DE"]], false, false),
        (["not": ["country": ["is_not": "US"]]], false, false),
        (["not": ["not": ["country": "DE"]]], true, false),
        (["any": [["country": "US"], ["device": "mobile"]]], true, true),
        (["any": [["country": "DE"], ["device": "tablet"]]], true, false),
        (["not": ["any": [["country": "US"], ["device": "tablet"]]]], true, false),
        (["not": ["all": [["country": "DE"], ["device": "tablet"]]]], true, true),
        (["not": ["all": [["country": "DE"], ["device": "mobile"]]]], false, false),
        (["country": "DE", "device": "mobile"], true, false),
        (["region": "be"], true, false), (["region": ["not_in": ["BY"]]], true, false),
        (["city": "berlin"], true, false), (["city": ["starts_with": "Ber"]], true, false),
        (["city": ["matches": "^b.*n$"]], true, false),
        (["city": ["not_matches": "^x"]], true, false),
        (["isp": ["contains": "example"]], true, false),
        (["isp": ["not_contains": "mobile"]], true, false),
        (["asn": 64_496], true, false), (["asn": ["64496"]], true, false),
        (["asn": "AS64496"], true, false), (["asn": ["is_not": "as15169"]], true, false),
        (["asn": ["range": [64_000, nil]]], true, false),
        (["asn": ["not_in": [15_169]]], true, false),
        (["connection_type": "cable/dsl"], true, false),
        (["connection_type": ["is_not": "Cellular"]], true, false),
    ]

    @Test(arguments: table.indices)
    func `what is not known of a place matches neither way`(index: Int) throws {
        let (condition, inBerlin, fromNowhere) = Self.table[index]
        #expect(try ConditionTests.holds(condition, Self.berlin) == inBerlin, "\(condition)")
        #expect(try ConditionTests.holds(condition, Self.nowhere) == fromNowhere, "\(condition)")
    }

    @Test func `what is no country is refused with what was meant`() {
        let rule = "must be a two-letter country code of ISO 3166-1, such as US"
        #expect(
            ConditionTests.problems(["country": ["US", "UK"]]) == [
                "rules[0].when.country[1]: \(rule); did you mean \"GB\" (United Kingdom)?"
            ])
        #expect(
            ConditionTests.problems(["not": ["country": ["is_not": "XQ"]]]) == [
                "rules[0].when.not.country.is_not: \(rule)"
            ])
        #expect(ConditionTests.problems(["asn": -1]).count == 1)
        #expect(ConditionTests.problems(["asn": 4_294_967_296]).count == 1)
    }
}

import Domain
import TestSupport
import Testing

/// What a campaign's document says about how visitors are sent on.
@Suite struct RedirectDocumentTests {
    private func campaign(_ members: [String: JSONValue]) throws(ValidationError) -> Campaign {
        try Campaign(
            document: .object(
                [
                    JSONMember(name: "key", value: "c"), JSONMember(name: "source", value: "s"),
                    JSONMember(
                        name: "flow", value: ["paths": [["offers": [["offer": "o"]]]]]),
                ] + members.map { JSONMember(name: $0.key, value: $0.value) }))
    }

    @Test(arguments: RedirectMode.allCases, ReferrerPolicy.allCases)
    func `every mode and policy is read and written back`(
        mode: RedirectMode, policy: ReferrerPolicy
    ) throws {
        let campaign = try campaign([
            "redirect": .string(mode.rawValue), "referrer_policy": .string(policy.rawValue),
            "pass_params": ["gclid", "fbclid"],
        ])
        #expect(campaign.redirect == mode && campaign.referrerPolicy == policy)
        #expect(campaign.passedParameters == .named(["gclid", "fbclid"]))
        #expect(try Campaign(document: campaign.document) == campaign)
    }

    @Test func `a campaign that says nothing redirects with 302 and passes nothing`() throws {
        let document = try campaign([:]).document
        #expect(document["redirect"] == "302")
        #expect(document["referrer_policy"] == "strict-origin-when-cross-origin")
        #expect(document["pass_params"] == .array([]))
        let all = try campaign(["pass_params": "all"])
        #expect(all.passedParameters == .all && all.document["pass_params"] == "all")
    }

    @Test(
        arguments: [
            ("redirect", "301", "redirect"), ("redirect", .number("302"), "redirect"),
            ("referrer_policy", "never", "referrer_policy"),
            ("referrer_policy", "", "referrer_policy"), ("pass_params", "some", "pass_params"),
            ("pass_params", ["a": "b"], "pass_params"), ("pass_params", [3], "pass_params[0]"),
            ("pass_params", ["a", ""], "pass_params[1]"),
            ("pass_params", ["a", "b", "a"], "pass_params[2]"),
            (
                "pass_params", ["a", .string(String(repeating: "x", count: 65))],
                "pass_params[1]"
            ),
            (
                "pass_params", .array((0...40).map { .string("p\($0)") }), "pass_params"
            ), ("refferer_policy", "origin", "refferer_policy"),
        ] as [(String, JSONValue, String)])
    func `what can't be is refused by its field`(name: String, value: JSONValue, field: String) {
        #expect(throws: ValidationError.self) { try campaign([name: value]) }
        do {
            _ = try campaign([name: value])
        } catch {
            #expect(error.errors.map(\.field) == [field])
        }
    }
}

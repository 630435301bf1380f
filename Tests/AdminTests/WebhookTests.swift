import Domain
import Store
import Testing

@Suite struct WebhookTests {
    private static func source(_ members: [JSONMember] = []) -> JSONValue {
        [
            "key": "crm",
            "destinations": [
                .object(
                    [
                        JSONMember(name: "key", value: "hook"),
                        JSONMember(name: "kind", value: "webhook"),
                        JSONMember(name: "url", value: "https://crm.example/in"),
                    ] + members)
            ],
        ]
    }

    private static func destination(_ json: JSONValue) -> JSONValue? {
        json["destinations"]?.arrayValue?.first
    }

    private static func secrets(_ bench: Bench) -> [String] {
        bench.ledger.catalog.sources.all.first?.value.destinations.first?.webhookSecrets
            .map(\.text) ?? []
    }

    @Test func `a webhook's secret is made, told once, and kept when it comes back unnamed`() throws
    {
        let bench = try Bench()
        let made = try bench.call("POST", "/sources", Self.source())
        try #require(made.status == 201, "\(made.json.encoded())")
        let told = Self.destination(made.json)?["secrets"]?.arrayValue?.compactMap(\.stringValue)
        #expect(told?.count == 1 && told == Self.secrets(bench))

        let shown = try bench.call("GET", "/sources/crm")
        let destination = Self.destination(shown.json)
        #expect(destination?["secrets"] == nil && destination?["secrets_set"] == 1)
        #expect(destination?["method"] == "POST")

        let again = try bench.call("PUT", "/sources/crm", shown.json)
        #expect(again.status == 200 && again["updated_at"] == made["updated_at"])
        #expect(told == Self.secrets(bench))
        #expect(Self.destination(again.json)?["secrets"] == nil)

        let patched = try bench.call(
            "PATCH", "/sources/crm", ["destinations": shown.json["destinations"] ?? .null])
        #expect(patched.status == 200 && told == Self.secrets(bench))
    }

    @Test func `secrets can be given, two at a time, and are not told again`() throws {
        let bench = try Bench()
        let texts = [3, 4].map { WebhookSecret.text(of: [UInt8](repeating: $0, count: 24)) }
        let made = try bench.call(
            "POST", "/sources",
            Self.source([
                JSONMember(name: "secrets", value: .array(texts.map { .string($0) }))
            ]))
        #expect(made.status == 201 && Self.secrets(bench) == texts)
        #expect(Self.destination(made.json)?["secrets_set"] == 2)
        #expect(!made.json.encoded().contains(texts[0]))
    }

    @Test(
        arguments: [
            ("secrets", ["short"], "destinations[0].secrets[0]"),
            ("secrets", "whsec_", "destinations[0].secrets"),
            ("body", "a=b", "destinations[0].body"),
            ("method", "GET", "destinations[0].method"),
            ("headers", ["Webhook-Id": "1"], "destinations[0].headers.Webhook-Id"),
        ] as [(String, JSONValue, String)])
    func `what a webhook can't have is refused by its field`(
        name: String, value: JSONValue, field: String
    ) throws {
        let bench = try Bench()
        let answer = try bench.call(
            "POST", "/sources", Self.source([JSONMember(name: name, value: value)]))
        #expect(answer.status == 422 && answer.fields.contains(field), "\(answer.json.encoded())")
    }
}

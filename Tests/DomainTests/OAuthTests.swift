import Domain
import Testing

@Suite struct OAuthTests {
    private static let oauth: JSONValue = [
        "token_url": "https://accounts.example/token", "client_id": "c", "client_secret": "s3cret",
        "refresh_token": "r3fresh", "scopes": ["https://x.example/ads"],
    ]

    private static func destination(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        let given = members.map { JSONMember(name: $0.key, value: $0.value) }
        let usual: [JSONMember] = [
            JSONMember(name: "key", value: "d"),
            JSONMember(name: "url", value: "https://a.example/"),
            JSONMember(name: "oauth", value: oauth),
        ]
        return .object(usual.filter { old in !given.contains { $0.name == old.name } } + given)
    }

    private static func source(_ members: KeyValuePairs<String, JSONValue> = [:]) throws -> Source {
        try Source(document: ["key": "s", "destinations": [destination(members)]])
    }

    /// With a member of the oauth changed or, for nil, left out.
    private static func oauth(_ name: String, _ value: JSONValue?) -> JSONValue {
        let others = (oauth.objectValue ?? []).filter { $0.name != name }
        return .object(others + (value.map { [JSONMember(name: name, value: $0)] } ?? []))
    }

    @Test func `a credential reads back as it was written`() throws {
        let source = try Self.source()
        let destination = source.destinations[0]
        #expect(destination.oauth?.refreshToken == "r3fresh" && destination.auth == .oauth)
        #expect(destination.oauth?.scopes == ["https://x.example/ads"])
        #expect(try Source(document: source.document) == source)
        #expect(try Self.source(["oauth": nil]).destinations[0].auth == .none)
    }

    @Test(
        arguments: [
            ("token_url", nil, "oauth.token_url"),
            ("token_url", "http://accounts.example/token", "oauth.token_url"),
            ("token_url", "https://accounts.example/{click_id}", "oauth.token_url"),
            ("token_url", "https://<HOST>/", "oauth.token_url"),
            ("client_id", nil, "oauth.client_id"), ("client_secret", "", "oauth.client_secret"),
            ("client_secret", "é", "oauth.client_secret"),
            ("refresh_token", "…", "oauth.refresh_token"),
            ("refresh_token", "<TOKEN>", "enabled"),
            ("scopes", ["a b"], "oauth.scopes[0]"), ("scope", "a", "oauth.scope"),
        ] as [(String, JSONValue?, String)])
    func `what can't be used is refused by its field`(
        name: String, value: JSONValue?, field: String
    ) {
        let error = #expect(throws: ValidationError.self) {
            try Self.source(["oauth": Self.oauth(name, value)])
        }
        #expect(error?.errors.first?.field == "destinations[0].\(field)")
    }

    @Test func `it goes with nothing else that proves the call`() {
        let header = #expect(throws: ValidationError.self) {
            try Self.source(["headers": ["authorization": "Bearer x"]])
        }
        #expect(header?.errors.map(\.field) == ["destinations[0].headers.Authorization"])
        let hook = #expect(throws: ValidationError.self) {
            try Self.source([
                "kind": "webhook",
                "secrets": [.string(WebhookSecret.text(of: [UInt8](repeating: 1, count: 24)))],
            ])
        }
        #expect(hook?.errors.map(\.field) == ["destinations[0].oauth"])
    }

    @Test func `in the operator's own network it may go unencrypted`() throws {
        let plain = Self.oauth("token_url", "http://accounts.example/token")
        let source = try Self.source(["allow_private": true, "oauth": plain])
        #expect(source.destinations[0].oauth?.allowsPrivate == true)
    }

    @Test func `its secrets are masked, and stay when they come back so or not at all`() throws {
        let source = try Self.source()
        let shown = Destination.shown(source.document)
        #expect(!shown.encoded().contains("s3cret") && !shown.encoded().contains("r3fresh"))
        for document in [
            shown,
            [
                "key": "s",
                "destinations": [Self.destination(["oauth": Self.oauth("client_secret", nil)])],
            ],
        ] {
            let completed = Destination.completed(
                document, replacing: source.destinations, makeSecret: { "" })
            #expect(try Source(document: completed.document) == source)
            #expect(completed.made.isEmpty)
        }
    }

    @Test func `what was kept for one address is not sent to another`() throws {
        let source = try Self.source()
        let moved = Self.destination([
            "oauth": [
                "token_url": "https://evil.example/token", "client_id": "c", "client_secret": "…",
            ]
        ])
        let completed = Destination.completed(
            ["key": "s", "destinations": [moved]], replacing: source.destinations,
            makeSecret: { "" })
        let error = #expect(throws: ValidationError.self) {
            try Source(document: completed.document)
        }
        #expect(
            error?.errors.map(\.field) == [
                "destinations[0].oauth.client_secret", "destinations[0].oauth.refresh_token",
            ])
    }
}

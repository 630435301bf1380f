import Domain
import Testing

@Suite struct AccountSecretsTests {
    private static func secrets(_ account: KeyValuePairs<String, JSONValue>) throws
        -> AccountSecrets
    {
        let source = try Source(document: [
            "key": "s", "template": "t",
            "account": .object(account.map { JSONMember(name: $0.key, value: $0.value) }),
        ])
        return AccountSecrets(source.account)
    }

    @Test(arguments: [
        ("ACCESS_TOKEN", true), ("KEY", true), ("OAUTH_CLIENT_SECRET", true), ("HASH", true),
        ("PIXEL_ID", false), ("TRACKING_TYPE", false), ("MONKEY_ID", false),
    ])
    func `the name tells a secret`(name: String, isSecret: Bool) {
        #expect(AccountSecrets.isSecret(name) == isSecret)
    }

    @Test(
        arguments: [
            ("https://a.example/?key=k/1&id=4711", "https://a.example/?key=<KEY>&id=4711"),
            ("https://a.example/?key=k%2F1", "https://a.example/?key=<KEY>"),
            ("https://a.example/k/12?x=ak/1", "https://a.example/k/12?x=ak/1"),
            (#"{"token":"long \"secret\" here","x":1}"#, #"{"token":"<ACCESS_TOKEN>","x":1}"#),
            (#"xlong "secret" herex"#, "x<ACCESS_TOKEN>x"),
            ("long%20%22secret%22%20here", "<ACCESS_TOKEN>"),
            ("k/1", "<KEY>"), ("", ""), ("k", "k"),
        ])
    func `its value is replaced by its name wherever it stands`(text: String, shown: String) throws
    {
        let secrets = try Self.secrets([
            "KEY": "k/1", "ACCESS_TOKEN": #"long "secret" here"#, "PIXEL_ID": "4711",
        ])
        #expect(secrets.masked(text) == shown)
    }

    @Test func `one that begins with another one is not half shown`() throws {
        let secrets = try Self.secrets(["KEY": "abcdefgh", "API_TOKEN": "abcdefgh-ijkl"])
        #expect(secrets.masked("abcdefgh-ijkl abcdefgh") == "<API_TOKEN> <KEY>")
    }

    @Test(arguments: [
        ("Authorization", "Bearer abc", "Bearer …"), ("authorization", "abc", "…"),
        ("X-Api-Key", "a b", "a …"), ("Access-Token", "<ACCESS_TOKEN>", "<ACCESS_TOKEN>"),
        ("Authorization", "Bearer <API_TOKEN>", "Bearer <API_TOKEN>"),
        ("Authorization", "Bearer <A> b", "Bearer …"), ("Accept", "text/plain", "text/plain"),
        ("Cookie", "sid=4f1d2c; theme=dark", "…"), ("X-Api-Key", "a=b; c", "…"),
        ("api_key", "abc", "…"), ("Ocp-Apim-Subscription-Key", "abc", "…"), ("X-Auth", "abc", "…"),
        ("Idempotency-Key", "abc", "abc"),
    ])
    func `headers that prove a call are masked by their names`(
        name: String, value: String, shown: String
    ) {
        #expect(SecretHeader.shown(name, value) == shown)
    }

    @Test(arguments: [
        ("Authorization", "Bearer abc def", ["abc def"]), ("Authorization", "abc", ["abc"]),
        ("Cookie", "sid=4f1d=; theme=dark", ["4f1d=", "dark"]), ("Accept", "text/plain", []),
    ])
    func `what an answer may repeat of a header is known`(
        name: String, value: String, proofs: [String]
    ) {
        #expect(SecretHeader.proofs(name, value) == proofs)
    }

    @Test func `a document comes back as it was, whatever was masked in it`() throws {
        let source = try Source(document: [
            "key": "s", "template": "t", "account": ["API_KEY": "s3cret key", "AID": "7"],
            "destinations": [
                [
                    "key": "d", "method": "POST", "url": "https://a.example/s3cret%20key?aid=7",
                    "headers": ["Authorization": "Basic dXNlcg==", "X-Token": "s3cret key"],
                    "body": ["key": "s3cret key", "n": 7],
                ]
            ],
        ])
        let shown = source.shown(revealing: [])
        #expect(!shown.encoded().contains("s3cret") && !shown.encoded().contains("dXNlcg"))
        #expect(shown["account"] == ["API_KEY": "…", "AID": "7"])
        let destination = shown["destinations"]?.arrayValue?.first
        #expect(destination?["url"] == "https://a.example/<API_KEY>?aid=7")
        #expect(destination?["headers"] == ["Authorization": "Basic …", "X-Token": "<API_KEY>"])
        let back = Source.completed(shown, replacing: source, makeSecret: { "" })
        #expect(try Source(document: back.document) == source)

        let lost = Source.completed(shown, replacing: nil, makeSecret: { "" })
        let error = #expect(throws: ValidationError.self) { try Source(document: lost.document) }
        let fields = error?.errors.map(\.field) ?? []
        #expect(fields.contains("account.API_KEY"))
        #expect(fields.contains("destinations[0].headers.Authorization"))
    }
}

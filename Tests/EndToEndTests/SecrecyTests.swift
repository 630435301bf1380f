import Foundation
import SQLite
import TestSupport
import Testing

/// Secrets in every place that they can stand in: they come out where they are meant to, in calls
/// and once when they are made, and nowhere else.
@Suite struct SecrecyTests {
    /// Recognisable wherever they turn up, in a URL and in JSON as they are.
    private enum Secret: String, CaseIterable {
        case header = "s3kr1tHeader0a1b2c3d"
        case oauthSecret = "s3kr1tClient0a1b2c3d"
        case refreshToken = "s3kr1tRefresh0a1b2c3d"
        case accessToken = "s3kr1tAccess0a1b2c3d"
        case webhook = "whsec_czNrcjF0V2ViaG9vazBhMWIyYzNkczNrcjF0V2U="
        case signature = "s3kr1tSignature0a1b2c3d"
        case account = "s3kr1tAccount0a1b2c3d"
        case wrongToken = "cr_s3kr1tWrongToken0a1b2c3d"
        case clientToken = "cr_s3kr1tClientToken0a1b2c3d"
        case password = "s3kr1tPassword0a1b2c3d"
        /// Calls to keys that nobody has are kept as they came.
        case guessedKey = "s3kr1tGuess0a1b2c3d"
    }

    /// What was said, by where: answers, output, logs.
    private final class Heard {
        private(set) var texts: [(place: String, text: String)] = []

        func add(_ place: String, _ text: String) { texts.append((place, text)) }

        func add(_ place: String, _ response: HTTPResponse) {
            let fields = response.fields.all.map { "\($0.0): \($0.1)" }.joined(separator: "\n")
            add("\(place) (\(response.status))", fields + "\n\n" + response.text)
        }

        func add(_ place: String, _ result: CommandResult) {
            add("\(place) (\(result.exitCode))", result.output + "\n" + result.error)
        }

        func expectNone(of secrets: [String]) {
            for (place, text) in texts {
                for secret in secrets where text.contains(secret) {
                    if secret == Secret.guessedKey.rawValue, place.contains("postbacks") {
                        continue
                    }
                    let around = text.components(separatedBy: secret)[0].suffix(300)
                    Issue.record("\(secret) is in \(place), after \(around)")
                }
            }
        }
    }

    private static func destinations(_ setup: Chain.Setup, _ tokens: String) -> [JSON] {
        var header = setup.destination("header", "/h?id={external_id}")
        header["headers"] = [
            "Authorization": .string("Bearer \(Secret.header.rawValue)"),
            "X-Api-Key": .string(Secret.header.rawValue),
        ]
        var oauth = setup.destination("oauth", "/o?id={external_id}")
        oauth["oauth"] = [
            "token_url": .string(tokens + "/token"), "client_id": "c1",
            "client_secret": .string(Secret.oauthSecret.rawValue),
            "refresh_token": .string(Secret.refreshToken.rawValue),
        ]
        return [
            header, oauth,
            [
                "key": "hook", "kind": "webhook", "url": .string(setup.sourceURL + "/hook"),
                "allow_private": true, "secrets": [.string(Secret.webhook.rawValue)],
            ],
        ]
    }

    @Test func `no secret is in a log, an answer, a list, an error or a file name`() throws {
        let tokens = try FakeTrafficSource { _, _ in
            .init(
                200,
                body: #"{"access_token":"\#(Secret.accessToken.rawValue)","expires_in":3600}"#)
        }
        // Every call fails once with what it was called with, as some receivers do.
        let chain = try Chain.start(answer: { request, before in
            before < 3
                ? .init(
                    500,
                    body: request.target + request.fields.all.map { "\($0.0): \($0.1)" }.joined())
                : .ok
        }) { setup in
            setup.options.environment = [
                "CLICKRELAY_LOG_LEVEL": "debug", "CLICKRELAY_TOKEN": Secret.clientToken.rawValue,
            ]
            setup.destinations = Self.destinations(setup, tokens.url)
        }
        let tracker = chain.tracker
        let heard = Heard()
        let token = try tracker.bearer()
        try refused(tracker, heard)
        try recorded(chain, heard)
        try commands(tracker, token, heard)
        heard.add("the log", tracker.errorText)

        // Our own tokens may be in no answer either, and in no file: those hold digests.
        heard.expectNone(of: Secret.allCases.map(\.rawValue) + [token])
        #expect(!tracker.errorText.contains(chain.network.key), "a postback key is in the log")
        for path in ["/readyz", "/healthz", "/api/v1/openapi.json", "/nothing"] {
            #expect(try !tracker.get(path).text.contains(chain.network.key))
        }
        #expect(try tracker.terminate() == 0)
        for token in [token, Secret.wrongToken.rawValue, Secret.clientToken.rawValue] {
            #expect(try Self.files(of: tracker, with: Self.forms(of: token)) == [])
        }
    }

    @Test func `a token is stored as its SHA-256 digest and nothing else`() throws {
        let tracker = try TrackerProcess.start()
        let made = try tracker.command("token", "create", "laptop").line
        let posted = try tracker.call("POST", "/tokens", ["name": "posted"])["token"].string ?? ""
        #expect(made.hasPrefix("cr_") && posted.hasPrefix("cr_"))
        // Used, too: it is kept no more for that.
        let fields: HTTPFields = ["Authorization": "Bearer \(posted)"]
        #expect(try tracker.get("/api/v1/tokens", fields: fields).status == 200)
        #expect(try tracker.terminate() == 0)

        let ledger = try Connection(
            path: tracker.dataDirectory + "/clickrelay.db", mode: .readOnly)
        defer { ledger.close() }
        // No column that another form of it could be in.
        let columns = try ledger.rows("SELECT name FROM pragma_table_info('api_token')") {
            $0.text(0)
        }
        #expect(columns == ["id", "name", "token_sha256", "created_at_us", "revoked_at_us"])
        let stored = try ledger.rows("SELECT name, lower(hex(token_sha256)) FROM api_token") {
            [$0.text(0), $0.text(1)]
        }
        #expect(stored.contains(["laptop", try Self.sha256(made)]))
        #expect(stored.contains(["posted", try Self.sha256(posted)]))
        for token in [made, posted] {
            #expect(try Self.files(of: tracker, with: Self.forms(of: token)) == [])
        }
        #expect(try Self.files(of: tracker, with: ["laptop"]) != [], "what is there is found")
    }

    /// By the system's own tool: ours is what is tested.
    private static func sha256(_ text: String) throws -> String {
        let sum = try runTool("/bin/sh", ["-c", #"printf %s "$0" | sha256sum"#, text])
        return String(sum.output.prefix(64))
    }

    /// How a token may lie in a file: as it is, in hex and in base64, with its prefix and without.
    private static func forms(of token: String) -> [String] {
        [token, String(token.dropFirst(3))].flatMap { text in
            let hex = text.utf8.map { String(format: "%02x", $0) }.joined()
            // Whole groups of three bytes: the last digits depend on what follows.
            let whole = Data(text.utf8.prefix(text.utf8.count / 3 * 3))
            return [text, hex, hex.uppercased(), whole.base64EncodedString()]
        }
    }

    /// The files of a data directory in which any of the texts is.
    private static func files(of tracker: TrackerProcess, with texts: [String]) throws -> [String] {
        let found = try runTool(
            "/bin/grep", ["-rlaF"] + texts.flatMap { ["-e", $0] } + [tracker.dataDirectory])
        guard found.exitCode <= 1 else { throw TestFailure(found.error) }
        return found.output.split(separator: "\n").map(String.init)
    }

    /// Requests that come to nothing, with secrets where they are looked for and where not.
    private func refused(_ tracker: TrackerProcess, _ heard: Heard) throws {
        let (wrong, password) = (Secret.wrongToken.rawValue, Secret.password.rawValue)
        let guess = Secret.guessedKey.rawValue
        for fields in [
            ["Authorization": "Bearer \(wrong)"], ["Authorization": "Basic \(password)"],
            ["Authorization": wrong], ["X-Api-Key": wrong], ["Cookie": "token=\(wrong)"],
        ] as [HTTPFields] {
            for path in ["/api/v1/sources", "/api/v1/nothing", "/nothing", "/readyz"] {
                heard.add("\(path) with a wrong token", try tracker.get(path, fields: fields))
            }
        }
        for path in [
            "/api/v1/sources?token=\(wrong)", "/readyz?token=\(wrong)", "/\(wrong)",
            "/api/v1/\(wrong)", "/postback/\(guess)?cid=x", "/postback/\(guess)", "/c/\(password)",
            "/pixel/\(guess).gif?cid=x", "/o/1?cid=\(password)",
        ] {
            heard.add(path.prefix(12) + "…", try tracker.get(path))
        }
        func document(_ changes: [String: JSON]) -> JSON {
            var all: [String: JSON] = [
                "key": "d", "method": "POST", "url": "https://d.example/",
                "headers": ["Authorization": .string("Bearer \(password)")],
                "oauth": [
                    "token_url": "https://d.example/token", "client_id": "c",
                    "client_secret": .string(password), "refresh_token": .string(password),
                ],
            ]
            for (name, value) in changes { all[name] = value }
            return ["key": "bad", "name": "Bad", "destinations": [.object(all)]]
        }
        let documents: [JSON] = [
            document(["method": "FETCH"]), document(["unknown": .string(password)]),
            document(["oauth": ["client_secret": [.string(password)]]]),
            document(["oauth": .string(password)]),
            document(["oauth": ["client_secrets": .string(password)]]),
            document(["headers": ["Authorization": .string("Bearer \r\n\(password)")]]),
            document(["headers": ["Authorization": [.string(password)]]]),
            document(["headers": ["Auth orization": .string(password)]]),
            document(["headers": .string(password)]),
            document(["kind": "webhook", "secrets": [.string("whsec_\(password)!")]]),
            document(["kind": "webhook", "secrets": .string(password)]),
            document(["url": .string("https://user:\(password)@d.example/")]),
            ["key": "bad", "account": ["ACCESS_TOKEN": .string(password)]],
            ["key": "bad", "template": "meta", "account": ["ACCES_TOKEN": .string(password)]],
            ["key": "bad", "template": "meta", "account": ["ACCESS_TOKEN": [.string(password)]]],
            ["key": "bad", "template": "meta", "account": .string(password)],
        ]
        for (number, document) in documents.enumerated() {
            let answer = try tracker.api("POST", "/sources", document)
            #expect(answer.status == 422, "document \(number): \(answer.text)")
            heard.add("source \(number)", answer)
        }
        let signatures: [JSON] = [
            ["secret": [.string(password)]], ["secret": .string(password), "parameter": 7],
            .string(password), ["secrets": .string(password)],
        ]
        for (number, signature) in signatures.enumerated() {
            let answer = try tracker.api(
                "POST", "/networks", ["key": "bad", "signature": signature])
            #expect(answer.status == 422, "\(answer.text)")
            heard.add("network \(number)", answer)
        }
        for text in [
            #"{"key":"bad","password":"\#(password)""#, #"{"\#(password)"#, password,
            #"{"key":"bad","name":"\#(password)","name":"\#(password)"}"#,
        ] {
            heard.add(
                "malformed \(text.prefix(8))…", try tracker.api("POST", "/sources", text: text))
        }
    }

    /// What is kept, and what is told of it.
    private func recorded(_ chain: Chain, _ heard: Heard) throws {
        let tracker = chain.tracker
        #expect(
            try tracker.call("GET", "/postbacks").text.contains(Secret.guessedKey.rawValue))
        heard.add(
            "a source of a template",
            try tracker.api(
                "POST", "/sources",
                [
                    "key": "tmpl", "template": "meta",
                    "account": ["ACCESS_TOKEN": .string(Secret.account.rawValue), "PIXEL_ID": "7"],
                ]))
        heard.add(
            "a network that signs",
            try tracker.api(
                "POST", "/networks",
                [
                    "key": "signed", "name": "Signed",
                    "signature": ["secret": .string(Secret.signature.rawValue)],
                ]))
        let key = try tracker.call("GET", "/networks/signed")["postback_key"].string ?? ""
        heard.add("a wrong signature", try tracker.get("/postback/\(key)?cid=x&sig=00"))
        let visit = try chain.visit("subid=A")
        heard.add("a postback", try chain.network.call("cid=\(visit.clickID)&payout=1").response)
        // Each call was made, with its secret: header, access token and signature.
        let calls = try chain.source.await(3)
        #expect(calls.contains { $0.fields["x-api-key"] == Secret.header.rawValue })
        #expect(
            calls.contains { $0.fields["authorization"] == "Bearer \(Secret.accessToken.rawValue)" }
        )
        try eventually("the attempts are kept") {
            try chain.deliveries(visit.clickID).allSatisfy { Chain.attempts(of: $0) == 1 }
        }
        for (number, delivery) in try chain.deliveries(visit.clickID).enumerated() {
            let id = delivery["id"].id ?? ""
            heard.add("delivery \(number)", try tracker.api("GET", "/deliveries/\(id)"))
            heard.add("its retry", try tracker.api("POST", "/deliveries/\(id)/retry"))
        }
        for key in ["header", "oauth", "hook"] {
            heard.add(
                "a test of \(key)",
                try tracker.api("POST", "/destinations/push/\(key)/test", ["send": true]))
        }
        for path in [
            "/sources", "/sources/push", "/sources/tmpl", "/networks", "/networks/signed",
            "/campaigns", "/deliveries", "/postbacks", "/conversions", "/status", "/tokens",
            "/clicks/\(visit.clickID)", "/openapi.json",
        ] {
            heard.add(path, try tracker.api("GET", path))
        }
        heard.add("a patch", try tracker.api("PATCH", "/sources/push", ["name": "Push 2"]))
        let shown = try tracker.call("GET", "/sources/push")
        heard.add("what was shown, sent back", try tracker.api("PUT", "/sources/push", shown))
    }

    private func commands(_ tracker: TrackerProcess, _ token: String, _ heard: Heard) throws {
        let files = try TemporaryDirectory()
        let (password, client) = (Secret.password.rawValue, Secret.clientToken.rawValue)
        for arguments in [
            ["source", "list", "--json"], ["source", "show", "push"],
            ["source", "show", "push", "--json"], ["network", "show", "signed", "--json"],
            ["deliveries", "list", "--json"], ["postbacks", "list", "--json"], ["token", "list"],
            ["token", "list", "--json"], ["check"],
        ] {
            heard.add(
                arguments.joined(separator: " "),
                try TrackerProcess.run(arguments + ["--data-dir", tracker.dataDirectory]))
        }
        let backup = try tracker.command("backup", files.file("b.tar"))
        #expect(backup.exitCode == 0, "\(backup.error)")
        heard.add("backup", backup)
        let names = try runTool("/bin/tar", ["-tvf", files.file("b.tar")])
        heard.add("the backup's list", names)
        let about = try runTool(
            "/bin/tar", ["-xOf", files.file("b.tar"), "clickrelay-backup.json"])
        #expect(about.exitCode == 0 && about.output.contains("made_at"))
        heard.add("what the backup says it is", about)
        // Tokens are in no backup either.
        let found = try runTool("/bin/grep", ["-caF", token, files.file("b.tar")])
        #expect(found.output == "0\n")

        let server = ["--server", "http://127.0.0.1:\(tracker.port)"]
        for (arguments, environment) in [
            (["config", "print"], ["CLICKRELAY_TOKEN": client]),
            (["config", "print", "--json"], ["CLICKRELAY_TOKEN": client]),
            (["config", "print", "--token", client], [:]),
            (["config", "print"], ["CLICKRELAY_TOKEN": "\(client) with a space"]),
            (["config", "print"], ["CLICKRELAY_TOKNE": client]),
            (["config", "print", "--server", "http://user:\(password)@127.0.0.1:1"], [:]),
            (["config", "print"], ["CLICKRELAY_PUBLIC_URL": "https://user:\(password)@a.test"]),
            (["source", "list", "--token", client] + server, [:]),
            (["source", "list", "--token", client, "--server", "http://127.0.0.1:1"], [:]),
            (["source", "list"] + server, ["CLICKRELAY_TOKEN": client]),
            (["source", "list", "--server", "http://user:\(password)@127.0.0.1:1"], [:]),
        ] as [([String], [String: String])] {
            heard.add(
                arguments.prefix(2).joined(separator: " ") + " \(environment.keys)",
                try TrackerProcess.run(arguments, environment: environment))
        }
        for line in [
            "CLICKRELAY_TOKEN=\(client)", "CLICKRELAY_TOKEN='\(client)", "TOKNE=\(client)",
            "TOKEN \(client)", "export TOKEN=\(client)", "TOKEN=\(client)\nTOKEN=\(client)",
        ] {
            let file = try files.write(line + "\n", to: "settings.env")
            heard.add(
                "a file with \(line.prefix(10))…",
                try TrackerProcess.run(["config", "print", "--config", file]))
        }
        for document in [
            #"{"key":"bad","destinations":[{"key":"d","method":"X","url":"https://a.test/","#
                + #""headers":{"Authorization":"\#(password)"}}]}"#,
            #"{"key":"bad","password":"\#(password)"#,
        ] {
            let file = try files.write(document, to: "source.json")
            heard.add("source apply", try tracker.command("source", "apply", file))
        }
    }
}

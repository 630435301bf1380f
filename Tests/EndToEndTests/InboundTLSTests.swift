import Foundation
import TestSupport
import Testing

/// The tracker's own TLS, as curl and openssl see it.
@Suite struct InboundTLSTests {
    /// A tracker with a certificate of the test authority's in files that a test may replace.
    private final class SecureTracker {
        let tracker: TrackerProcess
        let certificateFile: String
        let keyFile: String
        private let files: TemporaryDirectory

        init(_ pair: KeyPath<TestCertificates, TestCertificates.Pair> = \.good) throws {
            files = try TemporaryDirectory()
            certificateFile = files.file("chain.pem")
            keyFile = files.file("key.pem")
            try Self.copy(pair, certificateFile, keyFile)
            tracker = try TrackerProcess.start(
                .init(arguments: ["--tls-cert-file", certificateFile, "--tls-key-file", keyFile]))
        }

        private static func copy(
            _ pair: KeyPath<TestCertificates, TestCertificates.Pair>, _ certificateFile: String,
            _ keyFile: String
        ) throws {
            let pair = try TestCertificates.shared.get()[keyPath: pair]
            for (from, to) in [
                (pair.certificateFile, certificateFile), (pair.keyFile, keyFile),
            ] {
                try Data(contentsOf: URL(fileURLWithPath: from)).write(
                    to: URL(fileURLWithPath: to))
            }
        }

        /// SIGHUP, with other files in place.
        func reload(_ pair: KeyPath<TestCertificates, TestCertificates.Pair>) throws {
            try Self.copy(pair, certificateFile, keyFile)
            try reload(until: "certificate_reloaded")
        }

        func reload(until event: String) throws {
            let before = count(event)
            tracker.signal(SIGHUP)
            try eventually("\(event): \(tracker.errorText)") { count(event) > before }
        }

        private func count(_ event: String) -> Int {
            tracker.errorText.components(separatedBy: "\"\(event)\"").count
        }

        var url: String { "https://localhost:\(tracker.port)" }

        /// curl's answer with its head; the authority is trusted and the name verified.
        func curl(_ arguments: String...) throws -> CommandResult {
            let authority = try TestCertificates.shared.get().authorityFile
            return try runTool(
                "/usr/bin/curl",
                ["-sS", "-i", "--max-time", "20", "--cacert", authority] + arguments)
        }

        /// `openssl s_client`, which ends after the handshake as there is nothing on its stdin.
        func sClient(_ arguments: String...) throws -> CommandResult {
            try runTool(
                "/usr/bin/openssl",
                ["s_client", "-connect", "127.0.0.1:\(tracker.port)"] + arguments)
        }

        /// The subject of the certificate that a new connection is shown.
        func shownName() throws -> String {
            let shown = try sClient().output
            let line = shown.split(separator: "\n").first { $0.hasPrefix("subject=") } ?? ""
            return line.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespaces) }
                ?? ""
        }
    }

    @Test func `a click and its postback go through TLS, commands through the control socket`()
        throws
    {
        let secure = try SecureTracker()
        #expect(secure.tracker.errorText.contains("https://127.0.0.1:\(secure.tracker.port)"))
        let directory = secure.tracker.directory
        for (kind, json) in [
            ("source", #"{"key":"push","name":"Push","external_id_param":"subid"}"#),
            ("network", #"{"key":"net","name":"Net","currency":"USD"}"#),
            (
                "offer",
                #"{"key":"fit","name":"Fit","network":"net","url":"https://o.example/?s2={click_id}"}"#
            ),
            (
                "campaign",
                #"{"key":"summer","name":"Summer","source":"push","#
                    + #""flow":{"paths":[{"weight":1,"offers":[{"offer":"fit","weight":1}]}]}}"#
            ),
        ] {
            let file = try directory.write(json, to: "\(kind).json")
            let applied = try secure.tracker.command(kind, "apply", file)
            #expect(applied.exitCode == 0, "\(applied.error)")
        }
        let click = try secure.curl("\(secure.url)/c/summer?subid=A")
        #expect(click.output.hasPrefix("HTTP/1.1 302 "), "\(click.output)\(click.error)")
        let clickID = try #require(
            click.output.components(separatedBy: "?s2=").last?.prefix(26))
        let network = try secure.tracker.command("network", "show", "net", "--json").json
        let postbackURL = try #require(network["postback_url"].string)
        #expect(postbackURL.hasPrefix("https://127.0.0.1:\(secure.tracker.port)/postback/"))
        let postback = try secure.curl(
            "-X", "POST", "-d", "cid=\(clickID)&payout=1.5",
            "\(secure.url)/postback/\(network["postback_key"].string ?? "")")
        #expect(postback.output.contains(#""verdict":"accepted""#), "\(postback.output)")
        #expect(try secure.tracker.command("healthcheck").exitCode == 0)
        #expect(try secure.curl("\(secure.url)/readyz").output.contains("ready"))
        #expect(try secure.tracker.terminate() == 0)
    }

    @Test func `the command line talks to a server by https`() throws {
        let secure = try SecureTracker()
        let token = try secure.tracker.bearer()
        let authority = try TestCertificates.shared.get().authorityFile
        let listed = try TrackerProcess.run(
            ["source", "list", "--json", "--server", secure.url],
            environment: ["CLICKRELAY_TOKEN": token, "SSL_CERT_FILE": authority])
        #expect(listed.exitCode == 0, "\(listed.error)")
        let distrusted = try TrackerProcess.run(
            ["source", "list", "--server", secure.url], environment: ["CLICKRELAY_TOKEN": token])
        #expect(distrusted.exitCode != 0 && distrusted.error.contains("certificate"))
    }

    @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func `a current version is spoken`(flag: String, name: String) throws {
        let secure = try SecureTracker()
        let result = try secure.sClient(flag, "-alpn", "h2,http/1.1")
        #expect(result.exitCode == 0 && result.output.contains("New, \(name)"), "\(result.output)")
        #expect(result.output.contains("ALPN protocol: http/1.1"))
        #expect(result.output.contains("Compression: NONE"))
    }

    @Test(arguments: [
        ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        // No forward secrecy; no authenticated encryption.
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
        ["-alpn", "h2"],
    ])
    func `an old or weak client is refused`(arguments: [String]) throws {
        let secure = try SecureTracker()
        let result = try runTool(
            "/usr/bin/openssl",
            ["s_client", "-connect", "127.0.0.1:\(secure.tracker.port)"] + arguments)
        #expect(result.exitCode != 0)
        // By an alert of ours, not by a setting of the client's.
        #expect(result.error.contains("alert"), "\(result.error)")
        #expect(try secure.curl("\(secure.url)/healthz").exitCode == 0)
    }

    @Test func `plain HTTP is told to use https`() throws {
        let secure = try SecureTracker()
        let answer = try secure.tracker.connect().request("GET", "/healthz")
        #expect(answer.status == 400 && answer.text.contains("https://"))
    }

    @Test func `a new certificate is shown after SIGHUP, and an open connection goes on`() throws {
        let secure = try SecureTracker()
        #expect(try secure.shownName() == "good")
        let open = try OpenConnection(port: secure.tracker.port)
        #expect(try open.get("/healthz").contains("ok"))
        try secure.reload(\.wrongName)
        #expect(try secure.shownName() == "wrong")
        #expect(try open.get("/healthz").contains("ok"))
        #expect(try secure.curl("\(secure.url)/healthz").exitCode == 60)
        try secure.reload(\.good)
        #expect(try secure.shownName() == "good")
        #expect(try open.get("/healthz").contains("ok"))
    }

    @Test func `each name is shown its certificate, after SIGHUP a new one`() throws {
        let certificates = try TestCertificates.shared.get()
        let files = try TemporaryDirectory()
        func place(_ pair: TestCertificates.Pair, _ name: String) throws {
            for (from, to) in [
                (pair.certificateFile, "\(name).pem"), (pair.keyFile, "\(name).key"),
            ] {
                try Data(contentsOf: URL(fileURLWithPath: from))
                    .write(to: URL(fileURLWithPath: files.file(to)))
            }
        }
        try place(certificates.good, "a")
        try place(certificates.make("second", for: ["second.test", "*.wild.test"]), "b")
        // By flags, and as one list.
        let tracker = try TrackerProcess.start(
            .init(
                arguments: [
                    "--tls-cert-file", files.file("a.pem"), "--tls-cert-file", files.file("b.pem"),
                ],
                environment: [
                    "CLICKRELAY_TLS_KEY_FILE": "\(files.file("a.key")), \(files.file("b.key"))"
                ]))
        func shown(_ arguments: String...) throws -> String {
            let text = try runTool(
                "/usr/bin/openssl",
                ["s_client", "-connect", "127.0.0.1:\(tracker.port)"] + arguments
            ).output
            let line = text.split(separator: "\n").first { $0.hasPrefix("subject=") } ?? ""
            return line.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespaces) }
                ?? ""
        }
        #expect(try shown("-servername", "second.test") == "second")
        #expect(try shown("-servername", "x.wild.test") == "second")
        #expect(try shown("-servername", "x.y.wild.test") == "good")
        #expect(try shown("-servername", "localhost") == "good")
        #expect(try shown("-noservername") == "good")
        let open = try OpenConnection(port: tracker.port, name: "second.test")
        #expect(try open.get("/healthz").contains("ok"))
        try place(certificates.make("third", for: ["second.test"]), "b")
        tracker.signal(SIGHUP)
        try eventually("it is reloaded") { tracker.errorText.contains("certificate_reloaded") }
        #expect(try shown("-servername", "second.test") == "third")
        #expect(try shown("-servername", "x.wild.test") == "good")
        #expect(try open.get("/healthz").contains("ok"))
        // One of them that is no good: all stay.
        try files.write("x", to: "b.key")
        tracker.signal(SIGHUP)
        try eventually("it says so") { tracker.errorText.contains("certificate_not_reloaded") }
        #expect(tracker.errorText.contains("b.key: holds no PEM private key"))
        #expect(try shown("-servername", "second.test") == "third")
        #expect(try open.get("/healthz").contains("ok"))
        let printed = try TrackerProcess.run([
            "config", "print", "--tls-cert-file", "a.pem", "--tls-cert-file", "b.pem",
            "--tls-key-file", "a.key,b.key",
        ])
        #expect(printed.output.contains("CLICKRELAY_TLS_CERT_FILE=a.pem,b.pem\n"))
        let odd = try TrackerProcess.run([
            "config", "print", "--tls-cert-file", "a.pem,b.pem", "--tls-key-file", "a.key",
        ])
        #expect(odd.exitCode == 2 && odd.error.contains("there are 2 certificates and 1 keys"))
    }

    @Test func `no group is taken but the usual curves`() throws {
        let secure = try SecureTracker()
        for (group, isTaken) in [
            ("X25519", true), ("P-256", true), ("P-384", true), ("P-521", false), ("X448", false),
            ("ffdhe2048", false), ("ffdhe8192", false),
        ] {
            let result = try secure.sClient("-tls1_3", "-groups", group)
            #expect((result.exitCode == 0) == isTaken, "\(group): \(result.error)")
        }
    }

    @Test func `files that are no good at SIGHUP leave the old certificate in use`() throws {
        let secure = try SecureTracker()
        let other = try TestCertificates.shared.get().wrongName
        let broken: [(String, () throws -> Void)] = [
            ("is not the key of", { try self.replace(secure.keyFile, by: other.keyFile) }),
            (
                "PEM private key",
                { try "".write(toFile: secure.keyFile, atomically: true, encoding: .utf8) }
            ),
            ("No such file", { try FileManager.default.removeItem(atPath: secure.keyFile) }),
            (
                "PEM certificate",
                { try "x".write(toFile: secure.certificateFile, atomically: true, encoding: .utf8) }
            ),
        ]
        for (reason, breakFile) in broken {
            try breakFile()
            try secure.reload(until: "certificate_not_reloaded")
            let last =
                secure.tracker.errorText.components(separatedBy: "certificate_not_reloaded")
                .last ?? ""
            #expect(last.contains(reason), "\(last)")
            #expect(try secure.shownName() == "good")
        }
        try secure.reload(\.wrongName)
        #expect(try secure.shownName() == "wrong")
    }

    private func replace(_ file: String, by other: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: file))
    }

    @Test func `SIGHUP without a certificate changes nothing`() throws {
        let tracker = try TrackerProcess.start()
        tracker.signal(SIGHUP)
        try eventually("it says so") { tracker.errorText.contains("nothing_to_reload") }
        #expect(try tracker.get("/healthz").status == 200)
        #expect(try tracker.terminate() == 0)
    }

    @Test func `an expired certificate is warned of`() throws {
        let secure = try SecureTracker(\.expired)
        #expect(secure.tracker.errorText.contains("certificate_expired"))
        #expect(try secure.shownName() == "expired")
    }

    @Test func `files that can't be used are named at the start, and nothing is made`() throws {
        let pair = try TestCertificates.shared.get().good
        let other = try TestCertificates.shared.get().wrongName
        let directory = try TemporaryDirectory()
        let cases: [([String], String, Int32)] = [
            (["--tls-cert-file", pair.certificateFile], "TLS_KEY_FILE", 2),
            (["--tls-key-file", pair.keyFile], "TLS_CERT_FILE", 2),
            (
                ["--tls-cert-file", "/nonexistent/c.pem", "--tls-key-file", pair.keyFile],
                "/nonexistent/c.pem: No such file", 1
            ),
            (
                ["--tls-cert-file", pair.certificateFile, "--tls-key-file", other.keyFile],
                "is not the key of", 1
            ),
            (
                ["--tls-cert-file", pair.keyFile, "--tls-key-file", pair.keyFile],
                "PEM certificate", 1
            ),
        ]
        for (arguments, mention, code) in cases {
            let result = try TrackerProcess.run(
                ["serve", "--data-dir", directory.file("data"), "--listen", "127.0.0.1:0"]
                    + arguments)
            #expect(result.exitCode == code && result.error.contains(mention), "\(result.error)")
        }
        #expect(directory.entries() == [])
        let printed = try TrackerProcess.run([
            "config", "print", "--tls-cert-file", "c.pem", "--tls-key-file", "k.pem",
        ])
        #expect(printed.output.contains("CLICKRELAY_TLS_CERT_FILE=c.pem\n"))
        #expect(printed.output.contains("CLICKRELAY_TLS_KEY_FILE=k.pem\n"))
    }

    @Test func `SIGTERM finishes what is in flight`() throws {
        let secure = try SecureTracker()
        let open = try OpenConnection(port: secure.tracker.port)
        #expect(try open.get("/healthz").contains("ok"))
        try open.send(
            "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        // It has that much of the request.
        _ = try open.receive("HTTP/1.1 100 Continue\r\n\r\n")
        secure.tracker.signal(SIGTERM)
        try eventually("new connections are refused") {
            (try? HTTPConnection(port: secure.tracker.port)) == nil
        }
        try open.send("xx")
        #expect(try open.receive("\r\n\r\nok\n").contains("Connection: close"))
        #expect(try secure.tracker.awaitExit() == 0)
    }

    /// A kept-alive connection: `openssl s_client` that takes its stdin from a pipe of ours.
    private final class OpenConnection {
        private let directory: TemporaryDirectory
        private let client: BackgroundCommand
        private let input: FileHandle
        private var taken = 0

        init(port: UInt16, name: String = "localhost") throws {
            directory = try TemporaryDirectory()
            let pipe = directory.file("stdin")
            guard mkfifo(pipe, 0o600) == 0 else { throw TestFailure("mkfifo") }
            // For both directions, as opening for one of them waits for the other's opening.
            let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { throw TestFailure("open \(pipe)") }
            input = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            client = try BackgroundCommand(
                tool: "/bin/sh",
                [
                    "-c",
                    "exec openssl s_client -quiet -connect \"$1\" -servername \"$2\" < \"$0\"",
                    pipe, "127.0.0.1:\(port)", name,
                ])
        }

        func send(_ text: String) throws { try input.write(contentsOf: Data(text.utf8)) }

        /// What came since the last time up to `end`, which must come.
        func receive(_ end: String) throws -> String {
            let text = try eventually("\(end) is received") {
                let new = String(client.outputText.utf8.dropFirst(taken)) ?? ""
                return new.hasSuffix(end) ? new : nil
            }
            taken += text.utf8.count
            return text
        }

        func get(_ path: String) throws -> String {
            try send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            return try receive("\r\n\r\nok\n")
        }
    }
}

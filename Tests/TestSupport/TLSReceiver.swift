import Foundation

/// An HTTPS server on 127.0.0.1 that answers every GET with 200: `openssl s_server` with a
/// certificate of its own making.
public final class TLSReceiver: Sendable {
    public let port: UInt16
    /// The certificate, which is its own authority: a client that trusts this file trusts it.
    public let certificateFile: String
    private let server: BackgroundCommand
    private let directory: TemporaryDirectory?

    /// - Parameter name: the certificate's only subject name, such as `IP:127.0.0.1`.
    public convenience init(name: String) throws {
        let directory = try TemporaryDirectory()
        let pair = TestCertificates.Pair(
            certificateFile: directory.file("certificate.pem"), keyFile: directory.file("key.pem"))
        let made = try runTool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=receiver", "-addext",
                "subjectAltName=\(name)",
                "-keyout", pair.keyFile, "-out", pair.certificateFile,
            ])
        guard made.exitCode == 0 else { throw TestFailure("openssl req: \(made.error)") }
        try self.init(pair, keeping: directory)
    }

    /// One that shows a certificate made elsewhere.
    public convenience init(_ pair: TestCertificates.Pair) throws {
        try self.init(pair, keeping: nil)
    }

    private init(_ pair: TestCertificates.Pair, keeping directory: TemporaryDirectory?) throws {
        self.directory = directory
        certificateFile = pair.certificateFile
        (port, server) = try Self.start(pair)
    }

    private static func start(_ pair: TestCertificates.Pair) throws -> (UInt16, BackgroundCommand) {
        var errors = ""
        for _ in 0..<5 {
            let port = try Socket.unusedPort()
            let server = try BackgroundCommand(
                tool: "/usr/bin/openssl",
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", pair.certificateFile,
                    "-key", pair.keyFile, "-www",
                ] + (pair.chainFile.map { ["-cert_chain", $0] } ?? []))
            try eventually("openssl s_server listens: \(server.errorText)") {
                server.outputText.contains("ACCEPT") || server.hasExited
            }
            if !server.hasExited { return (port, server) }
            // Somebody else took the port meanwhile.
            errors += server.errorText
        }
        throw TestFailure("openssl s_server: \(errors)")
    }

    deinit { server.signal(SIGKILL) }

    public var url: String { "https://127.0.0.1:\(port)" }
}

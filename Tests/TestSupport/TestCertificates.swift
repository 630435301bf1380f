import Foundation

/// A certificate authority of one test run, with certificates good and bad.
///
/// Made with the `openssl` command; valid for two days.
public final class TestCertificates: Sendable {
    public struct Pair: Sendable {
        public let certificateFile: String
        public let keyFile: String
        /// What a server sends along with the certificate.
        public var chainFile: String?
    }

    private let directory: TemporaryDirectory
    /// The authority's certificate.
    public let authorityFile: String
    /// For `localhost` and `127.0.0.1`.
    public let good: Pair
    /// Signed by the authority for `elsewhere.test` only.
    public let wrongName: Pair
    /// For `localhost` and `127.0.0.1`, but its time is over.
    public let expired: Pair
    /// For `localhost` and `127.0.0.1`, signed by an authority of its own, which comes along with it.
    public let stranger: Pair

    /// Made once: it costs a few processes.
    public static let shared = Result { try TestCertificates() }

    private init() throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        authorityFile = directory.file("ca.pem")
        try Self.makeAuthority("ca", directory)
        try Self.makeAuthority("other", directory)
        let here = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        good = try Self.issue("good", here, days: 2, directory)
        wrongName = try Self.issue(
            "wrong", "subjectAltName=DNS:elsewhere.test", days: 2, directory)
        // Zero days end this very second, and OpenSSL counts that second as over.
        expired = try Self.issue("expired", here, days: 0, directory)
        var stranger = try Self.issue("stranger", here, days: 2, by: "other", directory)
        stranger.chainFile = directory.file("other.pem")
        self.stranger = stranger
    }

    /// Another one of the authority's, for those host names.
    ///
    /// - Parameter name: of its own in a test run; also its subject's.
    public func make(_ name: String, for hosts: [String]) throws -> Pair {
        let names = hosts.map { "DNS:" + $0 }.joined(separator: ",")
        return try Self.issue(name, "subjectAltName=" + names, days: 2, directory)
    }

    private static func makeAuthority(_ name: String, _ directory: TemporaryDirectory) throws {
        try openssl(
            ["req", "-x509"] + newKey + [
                "-subj", "/CN=Clickrelay test authority \(name)", "-days", "2",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-keyout", directory.file("\(name).key"), "-out", directory.file("\(name).pem"),
            ])
    }

    private static let newKey = [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
    ]

    private static func issue(
        _ name: String, _ alternativeName: String, days: Int, by authority: String = "ca",
        _ directory: TemporaryDirectory
    ) throws -> Pair {
        let pair = Pair(
            certificateFile: directory.file("\(name).pem"), keyFile: directory.file("\(name).key"))
        let request = directory.file("\(name).csr")
        try openssl(
            ["req"] + newKey + [
                "-subj", "/CN=\(name)", "-addext", alternativeName, "-keyout", pair.keyFile,
                "-out", request,
            ])
        try openssl([
            "x509", "-req", "-in", request, "-CA", directory.file("\(authority).pem"),
            "-CAkey", directory.file("\(authority).key"), "-days", "\(days)", "-copy_extensions",
            "copyall",
            "-out", pair.certificateFile,
        ])
        return pair
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = try ChildProcess("/usr/bin/openssl", arguments)
        guard try process.wait(within: 20) == 0 else {
            throw TestFailure("openssl \(arguments[0]): \(process.errorText)")
        }
    }
}

internal import Net

/// What one call came across on its way, for somebody who looks for a mistake.
///
/// A call with a report has a connection and a TLS handshake of its own, so that there is something
/// to see. What the call didn't come to stays nil.
// Unchecked because it is confined to its client's loop until its call's completion has been called;
// after that nobody changes it.
public final class CallReport: @unchecked Sendable {
    public struct Address: Sendable, Equatable {
        /// `203.0.113.9`
        public let text: String
        /// Why it may not be called.
        public let refusal: String?

        public init(text: String, refusal: String?) {
            self.text = text
            self.refusal = refusal
        }
    }

    public struct TLS: Sendable {
        /// `TLSv1.3`; nil when none was agreed on.
        public let version: String?
        public let cipher: String?
        /// What the server showed, good or bad.
        public let certificate: Certificate?
        /// Nil: the chain leads to an authority that we trust, and the name is in it.
        public let problem: String?
    }

    /// For modules that don't know what's below HTTP: a `CertificateFacts`.
    public struct Certificate: Sendable {
        /// `CN=a.example,O=A`
        public let subject: String
        public let issuer: String
        /// Whom it stands for: `DNS:a.example`, `IP Address:192.0.2.1`.
        public let names: [String]
        /// Seconds since 1970; nil when they can't be read.
        public let notBefore: Int64?
        public let notAfter: Int64?

        init(_ facts: CertificateFacts) {
            subject = facts.subject
            issuer = facts.issuer
            names = facts.names
            notBefore = facts.validity?.notBefore
            notAfter = facts.validity?.notAfter
        }
    }

    /// What the name led to, or the one that the URL spells out.
    public internal(set) var addresses: [Address] = []
    /// Address and port of the connection.
    public private(set) var connectedTo: String?
    public private(set) var tls: TLS?
    public private(set) var resolveNanos: UInt64?
    /// Of all addresses that were tried.
    public private(set) var connectNanos: UInt64?
    public private(set) var handshakeNanos: UInt64?
    /// From the beginning of the request to the first byte of the answer.
    public private(set) var firstByteNanos: UInt64?
    /// From the beginning to the end, whatever that was.
    public private(set) var totalNanos: UInt64?

    private var startedAt: UInt64 = 0
    private var phaseStartedAt: UInt64 = 0

    public init() {}

    func start() { startedAt = Clock.monotonicNanos() }

    /// The way there begins, after what was waited for.
    func beginPhase() { phaseStartedAt = Clock.monotonicNanos() }

    func resolved() { resolveNanos = endPhase() }

    func connected(to address: String) {
        connectNanos = endPhase()
        connectedTo = address
    }

    func shookHands(_ session: TLSSession, problem: String?) {
        handshakeNanos = endPhase()
        tls = TLS(
            version: session.isEstablished ? session.version : nil,
            cipher: session.isEstablished ? session.cipher : nil,
            certificate: session.peerCertificate.map { Certificate($0) }, problem: problem)
    }

    func received() {
        if firstByteNanos == nil { firstByteNanos = endPhase() }
    }

    func ended() { totalNanos = Clock.monotonicNanos() - startedAt }

    private func endPhase() -> UInt64 {
        let now = Clock.monotonicNanos()
        defer { phaseStartedAt = now }
        return now - phaseStartedAt
    }
}

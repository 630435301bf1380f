import COpenSSL
import Synchronization

/// Why a TLS connection or its set-up failed, in OpenSSL's words where it has any.
public struct TLSError: Error, Equatable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Takes the newest entry of this thread's OpenSSL error queue and empties the queue: an entry
    /// left behind would be blamed on the next connection that this thread serves.
    static func takingQueue(_ otherwise: String) -> TLSError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else {
            return TLSError(otherwise)
        }
        return TLSError(String(cString: reason))
    }
}

/// What every TLS connection of one kind shares: certificates, trust, and sessions to resume.
///
/// May be used from any thread: an `SSL_CTX` that is only read is safe to share, and the sessions
/// to resume are behind a lock.
public final class TLSContext: @unchecked Sendable {
    /// Which store a client trusts.
    public enum Trust: Sendable, Equatable {
        /// The system's store (OpenSSL's default paths, `SSL_CERT_FILE` and `SSL_CERT_DIR`).
        case system
        /// The system's store and the certificates in this PEM file.
        case systemAnd(file: String)
        /// Nothing but the certificates in this PEM file.
        case only(file: String)
    }

    /// Immutable after `init`, freed in `deinit`; OpenSSL counts references of its own.
    let handle: OpaquePointer
    let isServer: Bool
    /// Of a server with several certificates; set before anybody else knows this context.
    var certificates: CertificateTable?
    private let sessions = Mutex(ResumableSessions())

    /// A context for connections that we open: TLS 1.2 or newer, the chain and the name verified.
    ///
    /// - Throws: when a file can't be read as certificates.
    public static func client(trust: Trust = .system) throws(TLSError) -> TLSContext {
        let context = try TLSContext(method: TLS_client_method(), isServer: false)
        SSL_CTX_set_verify(context.handle, SSL_VERIFY_PEER, nil)
        let file: String?
        switch trust {
        case .system: file = nil
        case .systemAnd(let extra), .only(let extra): file = extra
        }
        var isSystemTrusted = true
        if case .only = trust { isSystemTrusted = false }
        if isSystemTrusted, SSL_CTX_set_default_verify_paths(context.handle) != 1 {
            throw .takingQueue("the system's certificates can't be used")
        }
        if let file, SSL_CTX_load_verify_locations(context.handle, file, nil) != 1 {
            throw TLSError("\(file): \(TLSError.takingQueue("no certificates in it").text)")
        }
        // Some front ends answer HTTP/2 to a client that names no protocol.
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        guard SSL_CTX_set_alpn_protos(context.handle, protocols, UInt32(protocols.count)) == 0
        else {
            throw .takingQueue("ALPN can't be set")
        }
        context.collectSessions()
        return context
    }

    init(method: OpaquePointer?, isServer: Bool) throws(TLSError) {
        ERR_clear_error()
        guard let handle = SSL_CTX_new(method) else {
            throw .takingQueue("OpenSSL refuses to make a context")
        }
        self.handle = handle
        self.isServer = isServer
        guard clickrelay_set_min_proto(handle, TLS1_2_VERSION) == 1 else {
            throw .takingQueue("TLS 1.2 is not available")
        }
        // An idle connection gives its 34 KB of record buffers back.
        _ = clickrelay_set_ctx_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_options(handle, Self.noRenegotiation)
    }

    deinit {
        sessions.withLock { $0.removeAll() }
        SSL_CTX_free(handle)
    }

    /// A new connection to `serverName`, which is sent as SNI and must stand in the certificate.
    ///
    /// - Parameters:
    ///   - port: beside the name, what a session to resume is kept under.
    ///   - isObserved: whether the session tells what certificate it was shown, good or bad; it then
    ///     resumes none.
    /// - Throws: only when memory or the name is refused by OpenSSL.
    public func connect(serverName: String, port: UInt16, isObserved: Bool = false)
        throws(TLSError) -> TLSSession
    {
        let session = try TLSSession(
            self, serverName: serverName,
            sessionKey: isObserved ? nil : "\(serverName):\(port)")
        if isObserved { session.observePeer() }
        return session
    }

    /// A new connection that a client opened to us.
    public func accept() throws(TLSError) -> TLSSession {
        try TLSSession(self, serverName: nil, sessionKey: nil)
    }

    /// `SSL_OP_NO_RENEGOTIATION`, a macro with arguments, which Swift does not import.
    private static let noRenegotiation: UInt64 = 1 << 30

    // MARK: Sessions to resume

    /// A resumed session skips the certificate, and with it our check of its name. That is sound
    /// because a session is kept under the very name it was verified for, in the context that
    /// verified it.
    private func collectSessions() {
        _ = clickrelay_set_session_cache_mode(
            handle, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        SSL_CTX_sess_set_new_cb(handle) { ssl, session in
            // Slot 0 holds the `TLSSession` unretained: OpenSSL calls this only from within a
            // call of that object's methods, so it's alive.
            guard let ssl, let session, let owner = SSL_get_ex_data(ssl, 0) else { return 0 }
            let connection = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
            return connection.keep(session) ? 1 : 0
        }
    }

    /// Takes over the caller's reference to `session`.
    func keep(_ session: OpaquePointer, for key: String) {
        // Pointers don't conform to Sendable, and the reference changes hands here.
        let address = UInt(bitPattern: session)
        sessions.withLock { $0.insert(address, for: key) }
    }

    /// Lets `ssl` resume the session last kept for `key`, if there is one.
    func resume(_ ssl: OpaquePointer, for key: String) {
        let target = UInt(bitPattern: ssl)
        sessions.withLock { sessions in
            guard let address = sessions.address(for: key) else { return }
            // Takes a reference of its own. A session that no longer fits costs a full handshake.
            SSL_set_session(OpaquePointer(bitPattern: target), OpaquePointer(bitPattern: address))
        }
    }
}

/// At most `countMax` sessions, one per server; at the limit all are forgotten, which costs each
/// server one full handshake and needs no order of use kept.
private struct ResumableSessions {
    private static let countMax = 1024
    private var addresses: [String: UInt] = [:]

    func address(for key: String) -> UInt? { addresses[key] }

    mutating func insert(_ address: UInt, for key: String) {
        if addresses.count >= Self.countMax, addresses[key] == nil { removeAll() }
        if let old = addresses.updateValue(address, forKey: key) {
            SSL_SESSION_free(OpaquePointer(bitPattern: old))
        }
    }

    mutating func removeAll() {
        for address in addresses.values { SSL_SESSION_free(OpaquePointer(bitPattern: address)) }
        addresses.removeAll()
    }
}

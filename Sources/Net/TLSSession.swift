import COpenSSL

/// One TLS connection without a socket: bytes from the peer go in by `feed`, bytes for the peer
/// come out by `drain`, and between them stand `handshake`, `read` and `write`.
///
/// Belongs to one thread at a time. After any call that throws, `drain` once more (OpenSSL leaves
/// an alert for the peer there) and let go of it.
public final class TLSSession {
    public enum ReadResult: Equatable, Sendable {
        case bytes(Int)
        /// Nothing until more is fed.
        case needsInput
        /// The peer said that it sends no more (close_notify).
        case closed
    }

    private let ssl: OpaquePointer
    /// Outlives `ssl`, whose BIO points to it.
    private let bytes = TLSBytes()
    private let context: TLSContext
    private let sessionKey: String?
    public private(set) var isEstablished = false
    /// What the peer showed, also one that was refused; of an observed session only.
    public private(set) var peerCertificate: CertificateFacts?

    init(_ context: TLSContext, serverName: String?, sessionKey: String?) throws(TLSError) {
        ERR_clear_error()
        guard let ssl = SSL_new(context.handle) else { throw .takingQueue("out of memory") }
        guard let bio = bytes.makeBIO() else {
            SSL_free(ssl)
            throw .takingQueue("out of memory")
        }
        // One reference serves both directions.
        SSL_set_bio(ssl, bio, bio)
        self.ssl = ssl
        self.context = context
        self.sessionKey = sessionKey
        if context.isServer {
            SSL_set_accept_state(ssl)
            return
        }
        SSL_set_connect_state(ssl)
        guard let serverName, !serverName.isEmpty, !serverName.utf8.contains(0) else {
            throw TLSError("the server has no name to verify")
        }
        let parameters = SSL_get0_param(ssl)
        // An address is looked for among the certificate's addresses and, by RFC 6066, is no SNI.
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) != 1 {
            X509_VERIFY_PARAM_set_hostflags(
                parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard X509_VERIFY_PARAM_set1_host(parameters, serverName, 0) == 1,
                clickrelay_set_sni(ssl, serverName) == 1
            else { throw .takingQueue("the server's name can't be verified") }
        }
        ERR_clear_error()
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if let sessionKey { context.resume(ssl, for: sessionKey) }
    }

    deinit {
        // OpenSSL takes a connection freed without a shutdown for a broken one, and then makes its
        // session unfit to be resumed, also where we kept it.
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
        ERR_clear_error()
    }

    /// Whether the handshake resumed an earlier session and so needed no certificate. For tests.
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// `TLSv1.3`, once it is agreed on.
    public var version: String? { SSL_get_version(ssl).map { String(cString: $0) } }

    /// OpenSSL's name of it, once it is agreed on.
    public var cipher: String? {
        SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) }
    }

    /// Before the handshake. A certificate that is refused is gone with it, so that it has to be
    /// looked at while it is judged.
    func observePeer() {
        SSL_set_verify(ssl, SSL_VERIFY_PEER) { verdict, store in
            // Slot 0 holds the `TLSSession` unretained: OpenSSL calls this only from within a call
            // of that object's methods, so it's alive.
            guard let store,
                let pointer = X509_STORE_CTX_get_ex_data(
                    store, SSL_get_ex_data_X509_STORE_CTX_idx()),
                let owner = SSL_get_ex_data(OpaquePointer(pointer), 0)
            else { return verdict }
            let session = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
            if session.peerCertificate == nil, let leaf = X509_STORE_CTX_get0_cert(store) {
                session.peerCertificate = CertificateFacts(leaf)
            }
            // As without us.
            return verdict
        }
    }

    /// Called by OpenSSL from within `handshake` or `read`. True: the reference is ours now.
    func keep(_ session: OpaquePointer) -> Bool {
        guard let sessionKey, SSL_SESSION_is_resumable(session) == 1 else { return false }
        context.keep(session, for: sessionKey)
        return true
    }

    // MARK: The peer's side

    /// Hands over bytes as they came from the peer. They are copied; read them out before feeding
    /// more, since what is fed and not yet read has no bound but the caller's.
    public func feed(_ bytes: UnsafeRawBufferPointer) {
        self.bytes.feed(bytes)
    }

    public var hasOutput: Bool { !bytes.outgoing.isEmpty }

    /// Appends everything that is to be sent to the peer.
    public func drain(into output: inout [UInt8]) {
        if output.isEmpty {
            output = takeOutput()
        } else {
            output.append(contentsOf: takeOutput())
        }
    }

    /// Everything that is to be sent to the peer.
    public func takeOutput() -> [UInt8] { bytes.takeOutgoing() }

    // MARK: Our side

    /// Goes as far as what was fed allows. True when the connection is established.
    ///
    /// - Throws: with the certificate's fault ("certificate has expired", "hostname mismatch") or
    ///   the protocol's.
    public func handshake() throws(TLSError) -> Bool {
        if isEstablished { return true }
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            return true
        }
        let error = SSL_get_error(ssl, result)
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return false }
        throw failure("the handshake failed")
    }

    /// Decrypts into `buffer`. Repeat until it needs input: one record may fill many buffers.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> ReadResult {
        ERR_clear_error()
        var count = 0
        let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if result == 1 { return .bytes(count) }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw failure("broken record")
        }
    }

    /// Encrypts all of `bytes`; `drain` has the result.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        var count = 0
        // Ours takes everything, so there is no partial write to come back for.
        guard SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count) == 1,
            count == bytes.count
        else { throw failure("the connection can't be written to") }
    }

    public func write(_ bytes: [UInt8]) throws(TLSError) {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(TLSError) in try write(buffer) }
        }.get()
    }

    /// Queues the close_notify that tells the peer our end is deliberate.
    public func close() {
        guard isEstablished else { return }
        ERR_clear_error()
        // The result says whether the peer has closed too, which nobody waits for.
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func failure(_ otherwise: String) -> TLSError {
        let verdict = SSL_get_verify_result(ssl)
        if !context.isServer, verdict != Int(X509_V_OK),
            let text = X509_verify_cert_error_string(verdict)
        {
            ERR_clear_error()
            return TLSError(String(cString: text))
        }
        let error = TLSError.takingQueue(otherwise)
        // What OpenSSL makes of plain text, which is what a wrong port usually answers.
        if error.text == "wrong version number" {
            return TLSError("the server doesn't speak TLS on this port (wrong version number)")
        }
        return error
    }
}

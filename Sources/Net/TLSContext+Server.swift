import COpenSSL
import Glibc

extension TLSContext {
    /// A context for connections that we accept: TLS 1.3, or 1.2 with ephemeral keys and
    /// authenticated encryption only; ALPN `http/1.1`.
    ///
    /// Reads both files, so not on a loop.
    ///
    /// - Parameters:
    ///   - certificateFile: PEM: our certificate first, then the chain up to the root.
    ///   - keyFile: PEM, without a passphrase.
    /// - Throws: with the file's name when one can't be read or is too weak, or when the key is
    ///   another certificate's.
    public static func server(certificateFile: String, keyFile: String) throws(TLSError)
        -> TLSContext
    {
        let context = try TLSContext(method: TLS_server_method(), isServer: true)
        try context.restrict()
        try context.load(certificateFile: certificateFile)
        try context.load(keyFile: keyFile, certificateFile: certificateFile)
        return context
    }

    /// When the certificate that we show is valid; nil for a client's context.
    public var certificateValidity: CertificateValidity? {
        SSL_CTX_get0_certificate(handle).flatMap { CertificateValidity(of: $0) }
    }

    /// Whatever OpenSSL's configuration file on this machine says.
    private func restrict() throws(TLSError) {
        SSL_CTX_set_security_level(handle, 2)
        guard SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            throw .takingQueue("no cipher of TLS 1.2 is available")
        }
        SSL_CTX_set_options(handle, Self.noCompression)
        // Sessions are resumed from tickets, which the clients keep. A cache here would grow.
        _ = clickrelay_set_session_cache_mode(handle, Int(SSL_SESS_CACHE_OFF))
        // Resumed sessions must name the application they belong to, or OpenSSL refuses them.
        let application = Array("clickrelay".utf8)
        SSL_CTX_set_session_id_context(handle, application, UInt32(application.count))
        SSL_CTX_set_alpn_select_cb(
            handle,
            { _, chosen, chosenCount, offered, count, _ in
                guard let offered, let chosen, let chosenCount else { return SSL_TLSEXT_ERR_NOACK }
                let names = UnsafeBufferPointer(start: offered, count: Int(count))
                for wanted in ["http/1.1", "http/1.0"] as [StaticString] {
                    guard let name = TLSContext.find(wanted, in: names) else { continue }
                    chosen.pointee = name.baseAddress
                    chosenCount.pointee = UInt8(truncatingIfNeeded: name.count)
                    return SSL_TLSEXT_ERR_OK
                }
                // Whoever speaks only something else hears it now (RFC 7301, 3.2).
                return SSL_TLSEXT_ERR_ALERT_FATAL
            }, nil)
    }

    /// `SSL_OP_NO_COMPRESSION`, a macro with arguments, which Swift does not import.
    private static let noCompression: UInt64 = 1 << 17

    /// Looks in a list of names that each follow a byte with their length.
    private static func find(_ wanted: StaticString, in names: UnsafeBufferPointer<UInt8>)
        -> UnsafeBufferPointer<UInt8>?
    {
        let wanted = UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)
        var index = 0
        while index < names.count {
            let start = index + 1
            let end = start + Int(names[index])
            guard end <= names.count else { return nil }
            let name = UnsafeBufferPointer(rebasing: names[start..<end])
            if name.elementsEqual(wanted) { return name }
            index = end
        }
        return nil
    }

    // MARK: Files

    private func load(certificateFile: String) throws(TLSError) {
        try Self.checkReadable(certificateFile)
        guard SSL_CTX_use_certificate_chain_file(handle, certificateFile) == 1 else {
            throw Self.failure(certificateFile, "holds no PEM certificate that can be used")
        }
    }

    private func load(keyFile: String, certificateFile: String) throws(TLSError) {
        try Self.checkReadable(keyFile)
        // OpenSSL's own way of asking for a passphrase is to ask the terminal.
        SSL_CTX_set_default_passwd_cb(handle) { _, _, _, _ in -1 }
        guard let file = BIO_new_file(keyFile, "r") else {
            throw Self.failure(keyFile, "can't be opened")
        }
        defer { BIO_free(file) }
        guard let key = PEM_read_bio_PrivateKey(file, nil, { _, _, _, _ in -1 }, nil) else {
            throw Self.failure(
                keyFile, "holds no PEM private key that can be used without a passphrase")
        }
        defer { EVP_PKEY_free(key) }
        guard let certificate = SSL_CTX_get0_certificate(handle),
            X509_check_private_key(certificate, key) == 1
        else {
            ERR_clear_error()
            throw TLSError("\(keyFile): is not the key of the certificate in \(certificateFile)")
        }
        guard SSL_CTX_use_PrivateKey(handle, key) == 1 else {
            throw Self.failure(keyFile, "can't be used")
        }
    }

    /// OpenSSL's error queue says "system lib" where the system says why.
    private static func checkReadable(_ path: String) throws(TLSError) {
        guard access(path, R_OK) == 0 else {
            throw TLSError("\(path): \(String(cString: strerror(errno)))")
        }
    }

    private static func failure(_ path: String, _ sentence: String) -> TLSError {
        let reason = TLSError.takingQueue("").text
        // OpenSSL's ways of saying that it found nothing.
        let isKnown = ["", "PEM lib", "unsupported", "no start line"].contains(reason)
        return TLSError("\(path): \(sentence)\(isKnown ? "" : " (\(reason))")")
    }
}

/// From when until when a certificate is accepted; seconds since 1970.
public struct CertificateValidity: Hashable, Sendable {
    public let notBefore: Int64
    public let notAfter: Int64

    init?(of certificate: OpaquePointer) {
        guard let first = Self.seconds(X509_get0_notBefore(certificate)),
            let last = Self.seconds(X509_get0_notAfter(certificate))
        else { return nil }
        notBefore = first
        notAfter = last
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}

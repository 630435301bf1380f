import COpenSSL
import Glibc

extension TLSContext {
    /// A context for connections that we accept: TLS 1.3, or 1.2 with ephemeral keys and
    /// authenticated encryption only; ALPN `http/1.1`.
    ///
    /// A client is shown the certificate that names the host it asks for (SNI): the first that names
    /// it in full, else the first with a wildcard for it, else, and when it asks for none, the first
    /// of all.
    ///
    /// Reads all files, so not on a loop.
    ///
    /// - Parameter files: at least one.
    /// - Throws: with the file's name when one can't be read or is too weak, or when the key is
    ///   another certificate's.
    public static func server(_ files: [CertificateFiles]) throws(TLSError) -> TLSContext {
        var contexts: [TLSContext] = []
        for pair in files {
            let context = try TLSContext(method: TLS_server_method(), isServer: true)
            try context.restrict()
            try context.load(certificateFile: pair.certificateFile)
            try context.load(keyFile: pair.keyFile, certificateFile: pair.certificateFile)
            contexts.append(context)
        }
        guard let first = contexts.first else { throw TLSError("there is no certificate") }
        if contexts.count > 1 { first.choose(by: CertificateTable(contexts)) }
        return first
    }

    /// With a single certificate.
    public static func server(certificateFile: String, keyFile: String) throws(TLSError)
        -> TLSContext
    {
        try server([CertificateFiles(certificateFile: certificateFile, keyFile: keyFile)])
    }

    /// A certificate and its key.
    public struct CertificateFiles: Hashable, Sendable {
        /// PEM: our certificate first, then the chain up to the root.
        public let certificateFile: String
        /// PEM, without a passphrase.
        public let keyFile: String

        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// When each of the certificates that we may show is valid, in their files' order; empty for a
    /// client's context.
    public var certificateValidities: [CertificateValidity?] {
        guard let own = SSL_CTX_get0_certificate(handle) else { return [] }
        return [CertificateValidity(of: own)]
            + (certificates?.others ?? []).flatMap(\.certificateValidities)
    }

    /// Before anybody else knows this context.
    private func choose(by table: CertificateTable) {
        certificates = table
        // Sessions keep their context, and that keeps the table.
        _ = clickrelay_set_server_name_callback(
            handle,
            { ssl, _, argument in
                guard let ssl, let argument,
                    let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
                else { return SSL_TLSEXT_ERR_NOACK }
                let table = Unmanaged<CertificateTable>.fromOpaque(argument).takeUnretainedValue()
                if let other = table.other(for: String(cString: name)) {
                    SSL_set_SSL_CTX(ssl, other.handle)
                }
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(table).toOpaque())
    }

    /// Whatever OpenSSL's configuration file on this machine says.
    private func restrict() throws(TLSError) {
        SSL_CTX_set_security_level(handle, 2)
        guard SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            throw .takingQueue("no cipher of TLS 1.2 is available")
        }
        // The hybrid with ML-KEM where OpenSSL has it (3.5). What it would take besides: ffdhe, whose
        // keys cost a server most, and curves that hardly any client asks for.
        let groups = ["X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384"]
        guard groups.contains(where: { clickrelay_set_groups(handle, $0) == 1 }) else {
            throw .takingQueue("no group for key exchange is available")
        }
        ERR_clear_error()
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

import COpenSSL

/// What a certificate says of itself, for people to read; nothing is decided by it. The texts are
/// printable ASCII.
public struct CertificateFacts: Hashable, Sendable {
    /// `CN=a.example,O=A`
    public let subject: String
    public let issuer: String
    /// Whom it stands for: `DNS:a.example`, `IP Address:192.0.2.1`.
    public let names: [String]
    public let validity: CertificateValidity?

    /// Of each text; a certificate's owner chooses how long its names are.
    private static let textBytesMax = 4096

    init(_ certificate: OpaquePointer) {
        subject = Self.text { clickrelay_print_name($0, X509_get_subject_name(certificate)) }
        issuer = Self.text { clickrelay_print_name($0, X509_get_issuer_name(certificate)) }
        validity = CertificateValidity(of: certificate)
        let position = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
        guard position >= 0, let list = X509_get_ext(certificate, position) else {
            names = []
            return
        }
        names = Self.text { X509V3_EXT_print($0, list, 0, 0) }
            .split(separator: ",").map { String($0.drop { $0 == " " }) }
    }

    /// What OpenSSL prints, as far as `textBytesMax`.
    private static func text(_ print: (OpaquePointer) -> Int32) -> String {
        defer { ERR_clear_error() }
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        // What was printed before a failure is as good as nothing to look at, and no harm.
        _ = print(bio)
        var bytes = [UInt8](repeating: 0, count: textBytesMax)
        let count = max(0, Int(BIO_read(bio, &bytes, Int32(bytes.count))))
        return String(
            decoding: bytes[..<count].map { 0x20..<0x7f ~= $0 ? $0 : 0x3f }, as: UTF8.self)
    }
}

import COpenSSL

/// Which of several certificates is shown to whom, by the host names that they name.
///
/// A certificate without alternative names names nobody: no client has looked at its common name for
/// years.
final class CertificateTable: Sendable {
    /// All but the first, which is shown to everybody else.
    let others: [TLSContext]
    /// Places among all certificates, by names in lower case, wildcards without their `*`.
    private let exact: [String: Int]
    private let wildcards: [String: Int]

    init(_ contexts: [TLSContext]) {
        others = Array(contexts.dropFirst())
        var exact: [String: Int] = [:]
        var wildcards: [String: Int] = [:]
        for (place, context) in contexts.enumerated() {
            for name in Self.names(of: context) {
                if name.hasPrefix("*.") {
                    let rest = String(name.dropFirst())
                    if wildcards[rest] == nil { wildcards[rest] = place }
                } else if exact[name] == nil {
                    exact[name] = place
                }
            }
        }
        self.exact = exact
        self.wildcards = wildcards
    }

    /// The one that is to be shown in place of the first; nil where that is the one.
    func other(for name: String) -> TLSContext? {
        let name = Self.normalized(name.utf8)
        // A wildcard stands for one label and no more (RFC 9525, 6.3).
        let rest = name.firstIndex(of: ".").map { String(name[$0...]) } ?? ""
        guard let place = exact[name] ?? wildcards[rest], place > 0 else { return nil }
        return others[place - 1]
    }

    private static func names(of context: TLSContext) -> [String] {
        defer { ERR_clear_error() }
        guard let certificate = SSL_CTX_get0_certificate(context.handle),
            let list = clickrelay_alternative_names(certificate)
        else { return [] }
        defer { GENERAL_NAMES_free(list) }
        return (0..<clickrelay_name_count(list)).compactMap { index in
            var length: Int32 = 0
            guard let bytes = clickrelay_host_name(list, index, &length), length > 0 else {
                return nil
            }
            return normalized(UnsafeBufferPointer(start: bytes, count: Int(length)))
        }
    }

    private static func normalized(_ bytes: some Collection<UInt8>) -> String {
        String(
            decoding: bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

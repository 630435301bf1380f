internal import Domain
internal import Net

/// Where the server's certificate and its key lie, and what it takes to serve with them.
struct CertificateFiles: Hashable, Sendable {
    /// PEM: the certificate first, then its chain.
    let certificatePath: String
    let keyPath: String

    /// Reads and checks both files.
    ///
    /// A certificate whose time is over, or has not come, is used and warned of: some visitors'
    /// clocks and checks are lax, and none of them is helped by a server that does not start.
    ///
    /// - Throws: what's wrong with which file.
    func load(_ log: Log, now: Instant) throws(TLSError) -> TLSContext {
        let context = try TLSContext.server(certificateFile: certificatePath, keyFile: keyPath)
        guard let validity = context.certificateValidity else { return context }
        let first = Self.time(validity.notBefore)
        let last = Self.time(validity.notAfter)
        log.info(
            "certificate_loaded",
            ["file": .string(certificatePath), "not_after": .string(last.rfc3339)])
        if now > last {
            log.warn(
                "certificate_expired",
                ["file": .string(certificatePath), "not_after": .string(last.rfc3339)])
        } else if now < first {
            log.warn(
                "certificate_not_yet_valid",
                ["file": .string(certificatePath), "not_before": .string(first.rfc3339)])
        }
        return context
    }

    private static func time(_ seconds: Int64) -> Instant {
        // A certificate may name any year up to 9999, which is far from overflowing.
        Instant(micros: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
    }
}

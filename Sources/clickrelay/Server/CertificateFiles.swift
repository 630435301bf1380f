internal import Domain
internal import Net

/// Where the server's certificates and their keys lie, and what it takes to serve with them.
struct CertificateFiles: Hashable, Sendable {
    /// At least one; the first is shown to whoever asks for no host that any of them names.
    let pairs: [TLSContext.CertificateFiles]

    /// Reads and checks all files.
    ///
    /// A certificate whose time is over, or has not come, is used and warned of: some visitors'
    /// clocks and checks are lax, and none of them is helped by a server that does not start.
    ///
    /// - Throws: what's wrong with which file.
    func load(_ log: Log, now: Instant) throws(TLSError) -> TLSContext {
        let context = try TLSContext.server(pairs)
        for (pair, validity) in zip(pairs, context.certificateValidities) {
            if let validity { Self.tell(pair.certificateFile, validity, log, now: now) }
        }
        return context
    }

    private static func tell(
        _ path: String, _ validity: CertificateValidity, _ log: Log, now: Instant
    ) {
        let first = time(validity.notBefore)
        let last = time(validity.notAfter)
        log.info(
            "certificate_loaded", ["file": .string(path), "not_after": .string(last.rfc3339)])
        if now > last {
            log.warn(
                "certificate_expired", ["file": .string(path), "not_after": .string(last.rfc3339)])
        } else if now < first {
            log.warn(
                "certificate_not_yet_valid",
                ["file": .string(path), "not_before": .string(first.rfc3339)])
        }
    }

    private static func time(_ seconds: Int64) -> Instant {
        // A certificate may name any year up to 9999, which is far from overflowing.
        Instant(micros: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
    }
}

/// Makes requests that nobody sent in this form, such as a visitor's that a server tells of, so that
/// one code answers both. They pass the same parser, so nothing gets in that could not be sent.
///
/// One per loop: its memory serves again.
public final class RequestMaker {
    private let parser = HeadParser(limits: ServerLimits())
    private var bytes: [UInt8] = []

    public init() {}

    /// Calls `body` with a GET request; nil where the parts make no request.
    ///
    /// - Parameters:
    ///   - target: path and query.
    ///   - fields: without Host.
    public func withRequest<Result>(
        target: [UInt8], host: String = "x", fields: [(name: [UInt8], value: [UInt8])],
        peerAddress: UInt128?,
        receivedAtMicros: Int64, _ body: (borrowing Request) -> Result
    ) -> Result? {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: "GET ".utf8)
        bytes.append(contentsOf: target)
        bytes.append(contentsOf: " HTTP/1.1\r\nHost: \(host)\r\n".utf8)
        for field in fields {
            bytes.append(contentsOf: field.name)
            bytes.append(Scan.colon)
            bytes.append(Scan.space)
            bytes.append(contentsOf: field.value)
            bytes.append(Scan.carriageReturn)
            bytes.append(Scan.lineFeed)
        }
        bytes.append(Scan.carriageReturn)
        bytes.append(Scan.lineFeed)
        return bytes.withUnsafeBytes { raw -> Result? in
            // All of it, and as many fields as were given: no part held a line's end.
            guard let base = raw.baseAddress,
                parser.parse(base, count: raw.count) == .complete(raw.count),
                parser.fieldCount == fields.count + 1
            else { return nil }
            return body(
                Request(
                    parser, base: base, body: UnsafeRawBufferPointer(start: nil, count: 0),
                    peerAddress: peerAddress, receivedAtMicros: receivedAtMicros))
        }
    }
}

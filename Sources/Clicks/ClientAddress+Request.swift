public import Domain
public import HTTP

extension ClientAddress {
    /// Whose address a request has; nil on a unix socket.
    public func client(of http: borrowing Request) -> IPAddress? {
        // Closures can't hold what is borrowed.
        let request = copy http
        return client(
            peer: request.peerAddress.map { IPAddress(bits: $0) }, fields: request.headerCount
        ) { index in
            guard request.headerName(at: index).count == Self.headerCount,
                request.isHeader(at: index, Self.header)
            else { return nil }
            return request.headerValue(at: index)
        }
    }

    private static var header: StaticString { "x-forwarded-for" }
    private static var headerCount: Int { header.utf8CodeUnitCount }
}

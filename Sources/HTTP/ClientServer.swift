/// A server that many requests go to: what they have in common, rendered and checked once.
public struct ClientServer: Sendable {
    public let endpoint: ClientRequest.Endpoint
    /// What follows a request's target, up to the fields that differ.
    let head: [UInt8]

    /// - Throws: `.badHeader` for a host that can't be named on the wire, which no URL has.
    public init(_ url: URL) throws(ClientRequestError) {
        try self.init(
            .tcp(host: url.host, port: url.port, tls: url.scheme == .https), host: url.authority)
    }

    init(_ endpoint: ClientRequest.Endpoint, host: String) throws(ClientRequestError) {
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .badHeader("Host")
        }
        self.endpoint = endpoint
        head = Array(" HTTP/1.1\r\nHost: \(host)\r\n".utf8)
    }
}

/// A request, rendered once into the bytes that every try of it sends.
public struct ClientRequest: Sendable {
    /// Where the connection goes.
    public enum Endpoint: Hashable, Sendable {
        /// `host` is a name or an address, IPv6 without brackets.
        case tcp(host: String, port: UInt16, tls: Bool)
        case unix(path: String)
    }

    public struct Options: Sendable {
        /// From the start until the request can be sent: look-up, connection, TLS handshake.
        public var connectTimeoutMilliseconds = 5_000
        /// From `send` to the last byte of the answer.
        public var timeoutMilliseconds = 15_000
        /// Bytes of the answer's body that are read. When there are more, the answer is complete
        /// with `isTruncated`, and its connection is closed.
        public var bodyReadMax = 64 * 1024
        /// Bytes of the body that are kept; what is read beyond them is only counted.
        public var bodyKeptMax = 64 * 1024
        /// Neither takes a kept-alive connection nor leaves one behind.
        public var usesOwnConnection = false
        /// Whether the request may be sent a second time when a kept-alive connection turns out to
        /// be dead before any byte of an answer. Nil: as the method allows (RFC 9110, 9.2.2). True
        /// also for a POST whose repetition the receiver can tell by its `Idempotency-Key`.
        public var mayRepeat: Bool?

        public init() {}
    }

    public let endpoint: Endpoint
    public let options: Options
    /// Request line, header and body.
    let bytes: [UInt8]
    let isHead: Bool
    let mayRepeat: Bool

    /// A request to a URL.
    ///
    /// - Parameter headers: sent in this order after the client's own. `Host`, `Content-Length` and
    ///   `Connection` are the client's; `User-Agent` and `Accept` are too unless given here.
    /// - Throws: `ClientRequestError` for anything that can't be put on the wire unambiguously.
    public init(
        _ method: String, _ url: URL, headers: [(String, String)] = [], body: [UInt8]? = nil,
        options: Options = Options()
    ) throws(ClientRequestError) {
        try self.init(
            method, at: ClientServer(url), target: url.target[...], headers: headers, body: body,
            options: options)
    }

    /// A request to an endpoint that a URL can't name, such as a unix-domain socket.
    ///
    /// - Parameter target: path and query, beginning with "/".
    public init(
        _ method: String, endpoint: Endpoint, host: String = "localhost", target: String,
        headers: [(String, String)] = [], body: [UInt8]? = nil, options: Options = Options()
    ) throws(ClientRequestError) {
        try self.init(
            method, at: ClientServer(endpoint, host: host), target: target[...], headers: headers,
            body: body, options: options)
    }

    /// A request to a server that many requests go to.
    ///
    /// - Parameters:
    ///   - target: path and query, beginning with "/".
    ///   - headers: as for a URL.
    public init(
        _ method: String, at server: ClientServer, target: Substring,
        headers: [(String, String)] = [], body: [UInt8]? = nil, options: Options = Options()
    ) throws(ClientRequestError) {
        guard Self.isToken(method) else { throw .badMethod }
        endpoint = server.endpoint
        self.options = options
        isHead = method == "HEAD"
        mayRepeat =
            options.mayRepeat
            ?? ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method)

        var bytes: [UInt8] = []
        bytes.reserveCapacity(384 + target.utf8.count + (body?.count ?? 0))
        bytes.append(contentsOf: method.utf8)
        bytes.append(UInt8(ascii: " "))
        let targetStart = bytes.count
        bytes.append(contentsOf: target.utf8)
        guard bytes.count > targetStart, bytes[targetStart] == UInt8(ascii: "/"),
            bytes[targetStart...].allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else { throw .badTarget }
        bytes.append(contentsOf: server.head)
        var hasUserAgent = false
        var hasAccept = false
        for (name, value) in headers {
            guard Self.isToken(name), Self.isFieldValue(value) else { throw .badHeader(name) }
            if Self.reservedNames.contains(where: { Self.isSame(name, $0) }) {
                throw .reservedHeader(name)
            }
            if Self.isSame(name, "user-agent") { hasUserAgent = true }
            if Self.isSame(name, "accept") { hasAccept = true }
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        // Some front ends refuse requests that have neither.
        if !hasUserAgent { bytes.append(contentsOf: "User-Agent: Clickrelay\r\n".utf8) }
        if !hasAccept { bytes.append(contentsOf: "Accept: */*\r\n".utf8) }
        if options.usesOwnConnection { bytes.append(contentsOf: "Connection: close\r\n".utf8) }
        // RFC 9110, 8.6: methods that usually have a body say so when they have none.
        if body != nil || ["POST", "PUT", "PATCH"].contains(method) {
            bytes.append(contentsOf: "Content-Length: \(body?.count ?? 0)\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
        if let body { bytes.append(contentsOf: body) }
        self.bytes = bytes
    }

    /// The header as it is sent, the client's own fields included.
    public var headers: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")), end > rest.startIndex {
            let line = rest[..<end]
            // The first line is the request's.
            if let colon = line.firstIndex(of: UInt8(ascii: ":")), rest.startIndex > 0 {
                headers.append(
                    (
                        String(decoding: line[..<colon], as: UTF8.self),
                        String(decoding: line[colon...].dropFirst(2), as: UTF8.self)
                    ))
            }
            rest = rest[end...].dropFirst(2)
        }
        return headers
    }

    private static let reservedNames: [StaticString] = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive",
        "proxy-connection", "upgrade", "te", "trailer", "expect",
    ]

    /// Whether a token is this name, which is given in lower case.
    private static func isSame(_ token: String, _ name: StaticString) -> Bool {
        guard token.utf8.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { name in
            // Of a token's characters only letters become these letters or hyphens by it.
            zip(token.utf8, name).allSatisfy { $0 | 0x20 == $1 }
        }
    }

    /// RFC 9110, 5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
    }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// RFC 9110, 5.5: no control character but the tab. Bytes outside ASCII are let through.
    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
    }
}

/// What of a request can't be sent as it stands.
public enum ClientRequestError: Error, Equatable, Sendable {
    case badMethod
    case badTarget
    /// Not a header name, or a control character in the value.
    case badHeader(String)
    /// One that the client sets itself.
    case reservedHeader(String)

    public var text: String {
        switch self {
        case .badMethod: "the method is not a word of letters"
        case .badTarget: "the target must begin with / and contain no spaces or control characters"
        case .badHeader(let name):
            "the header \(name) has an invalid name or a control character in its value"
        case .reservedHeader(let name): "the header \(name) can't be set: the client sets it"
        }
    }
}

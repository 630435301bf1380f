public import Domain

/// One call of the administration API, however it came in: over TCP, over the control socket, or
/// from a command that opened the data directory itself.
public struct APIRequest: Sendable {
    /// In upper case, as HTTP has it.
    public var method: String
    /// As in a URL, still percent-encoded: `/api/v1/sources/x`.
    public var path: String
    public var query: QueryParameters
    public var body: [UInt8]

    public init(
        method: String, path: String, query: QueryParameters = QueryParameters(),
        body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

/// What the API answers. Every body is JSON.
public struct APIResponse: Sendable {
    public var status: Int
    public var headers: [(String, String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(String, String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    init(_ document: JSONValue, status: Int = 200, headers: [(String, String)] = []) {
        self.status = status
        self.headers = [("Content-Type", "application/json")] + headers
        body = document.encodedBytes()
        body.append(UInt8(ascii: "\n"))
    }
}

/// A network's call as it was received, byte for byte.
public struct Postback: Sendable, Equatable {
    public let receivedAt: Instant
    /// Of the connection, or what a trusted proxy says.
    public let sender: IPAddress?
    public let method: String
    public let target: [UInt8]
    public let headers: [Header]
    public let body: [UInt8]

    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(
        receivedAt: Instant, sender: IPAddress?, method: String, target: [UInt8],
        headers: [Header], body: [UInt8]
    ) {
        self.receivedAt = receivedAt
        self.sender = sender
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// Where conversions are entered by hand or from a file.
    public static let entryPath = "/api/v1/conversions"

    /// Not a network's call but a row that somebody entered, whose body is a JSON object.
    public var isEntry: Bool { target.starts(with: Self.entryPath.utf8) }
}

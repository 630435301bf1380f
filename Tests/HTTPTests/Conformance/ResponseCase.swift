import Testing

/// Bytes that a server sends in answer to one request before it closes the connection, and what a
/// client must make of them.
struct ResponseCase: Sendable, CustomTestStringConvertible {
    enum End: Equatable, Sendable {
        /// The answer ends by itself and its connection may carry another.
        case kept
        /// It ends by itself and is the last of its connection: as it says, for a fault that is
        /// forgiven once, or because there are bytes behind it.
        case spent
        /// It ends where the connection does.
        case atClose
        /// The connection ends in the middle of it.
        case broken
        /// It is none, for a reason that begins like this.
        case refused(String)
    }

    let testDescription: String
    let bytes: [UInt8]
    /// The request was a HEAD.
    let isHead: Bool
    /// Status and reason, and the body behind an arrow if there is one; empty without an answer.
    let answer: String
    /// As `Name=value`; nil: they are not the point.
    let headers: [String]?
    let end: End

    init(
        _ name: String, _ text: String, _ answer: String, _ end: End, headers: [String]? = nil,
        isHead: Bool = false
    ) {
        testDescription = name
        bytes = ConformanceCase.bytes(text)
        self.isHead = isHead
        self.answer = answer
        self.headers = headers
        self.end = end
    }
}

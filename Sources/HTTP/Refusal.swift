/// Why the server itself answers a request and then closes the connection.
struct Refusal: Equatable {
    let status: Int
    /// One sentence for whoever debugs the client; it is the answer's body.
    let reason: StaticString

    static func == (one: Refusal, other: Refusal) -> Bool {
        one.status == other.status && one.reason.utf8Start == other.reason.utf8Start
    }

    /// 400: the request can be read in two ways, or in none.
    static func bad(_ reason: StaticString) -> Refusal { Refusal(status: 400, reason: reason) }

    static let targetTooLong = Refusal(status: 414, reason: "The request line is too long.\n")
    static let headersTooLarge = Refusal(
        status: 431, reason: "The header fields are too many or too large.\n")
    static let bodyTooLarge = Refusal(status: 413, reason: "The body is too large.\n")
    static let versionUnknown = Refusal(status: 505, reason: "Only HTTP/1.x is spoken here.\n")
    static let codingUnknown = Refusal(
        status: 501, reason: "The only transfer coding understood is chunked.\n")
    static let expectationUnknown = Refusal(
        status: 417, reason: "The only expectation understood is 100-continue.\n")
    static let tooSlow = Refusal(status: 408, reason: "The request took too long to arrive.\n")
    static let outOfMemory = Refusal(status: 503, reason: "Too many bytes are being buffered.\n")
}

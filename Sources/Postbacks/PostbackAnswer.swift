public import Domain
public import Store

/// What a network's call is answered once everything it caused is on disk.
public struct PostbackAnswer: Sendable, Equatable {
    public let verdict: PostbackVerdict
    /// One sentence that says what happened or what to fix.
    public let message: String
    /// Nil when nothing was recorded.
    public let postbackID: PostbackID?
    public let conversionID: ConversionID?
    public let revision: Int?
    /// Not part of the answer: a network knows what it sent. Nil when nothing changed.
    public let change: PostbackOutcome.Change?
    /// Not part of the answer: parked because a limit was passed, and not for want of its click.
    public let isHeld: Bool
    /// Answered as plain text instead of the JSON; the call or its network asked for it.
    public let reply: String?
    /// The network gives up on anything but 200, so it gets 200 for every 4xx.
    public let isAlwaysOK: Bool

    public init(
        verdict: PostbackVerdict, message: String, postbackID: PostbackID? = nil,
        conversionID: ConversionID? = nil, revision: Int? = nil,
        change: PostbackOutcome.Change? = nil, isHeld: Bool = false, reply: String? = nil,
        isAlwaysOK: Bool = false
    ) {
        self.verdict = verdict
        self.message = message
        self.postbackID = postbackID
        self.conversionID = conversionID
        self.revision = revision
        self.change = change
        self.isHeld = isHeld
        self.reply = reply
        self.isAlwaysOK = isAlwaysOK
    }

    /// Nothing was recorded: the network may safely send the same call again.
    public static let storageUnavailable = PostbackAnswer(
        verdict: .storageUnavailable,
        message: "the call could not be written to disk and nothing of it was kept: send it again")

    /// Nothing was recorded, nor looked up beyond its key.
    public static let rateLimited = PostbackAnswer(
        verdict: .rateLimited,
        message: "too many calls from this address had a postback key that no network has, and "
            + "nothing of this one was kept: copy the URL from the network's settings")

    /// The answer's status code.
    public var httpStatus: Int {
        let status = verdict.httpStatus
        return isAlwaysOK && (400..<500).contains(status) ? 200 : status
    }

    /// `{"verdict":…,"message":…,"postback":…,"conversion":…,"revision":…}`, or the reply's text.
    public func appendBody(to bytes: inout [UInt8]) {
        if let reply {
            bytes.append(contentsOf: reply.utf8)
            return
        }
        bytes.append(contentsOf: "{\"verdict\":\"".utf8)
        bytes.append(contentsOf: verdict.rawValue.utf8)
        bytes.append(contentsOf: "\",\"message\":".utf8)
        JSONValue.string(message).append(to: &bytes)
        bytes.append(contentsOf: ",\"postback\":".utf8)
        bytes.append(contentsOf: (postbackID?.description ?? "null").utf8)
        bytes.append(contentsOf: ",\"conversion\":".utf8)
        if let conversionID {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: conversionID.description.utf8)
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(contentsOf: "null".utf8)
        }
        bytes.append(contentsOf: ",\"revision\":".utf8)
        bytes.append(contentsOf: (revision.map { String($0) } ?? "null").utf8)
        bytes.append(UInt8(ascii: "}"))
    }
}

public import Domain
public import HTTP
internal import Synchronization

/// `GET` and `POST /postback/{key}` of one loop.
///
/// Confined to its loop's thread. An answer is sent on the loop after the ledger's commit; all
/// answers of one commit come back in one message.
public final class PostbackHandler {
    private let intake: PostbackIntake
    private let sender: (borrowing Request) -> IPAddress?
    private let answers: AnswerMailbox

    public static let pathPrefix: StaticString = "/postback/"

    /// Of a call's header fields, as many are kept as fit.
    static let keptHeadersMax = 64
    static let keptHeaderBytesMax = 16_384

    /// - Parameter sender: whose call it is: the connection's other end, or who a trusted proxy
    ///   says it is.
    public init(
        intake: PostbackIntake, loop: LoopHandle,
        sender: @escaping (borrowing Request) -> IPAddress?
    ) {
        self.intake = intake
        self.sender = sender
        answers = AnswerMailbox(loop: loop)
    }

    /// Whether a request is for this handler.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool {
        path.count >= pathPrefix.utf8CodeUnitCount
            && path.starts(
                with: UnsafeBufferPointer(
                    start: pathPrefix.utf8Start, count: pathPrefix.utf8CodeUnitCount))
    }

    /// - Parameter request: one that `takes(path:)` is true for.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        submit(request, nil, responder)
    }

    /// Of a call that is longer than the server takes, what came of it is kept up to a bound.
    public func handleOversized(
        _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
    ) {
        submit(request, oversize, responder)
    }

    private func submit(
        _ request: borrowing Request, _ oversize: Oversize?, _ responder: Responder
    ) {
        let path = request.path
        // A longer path is one long key, which no network has.
        let rawKey = UnsafeRawBufferPointer(
            rebasing: path.dropFirst(Self.pathPrefix.utf8CodeUnitCount))
        let key = String(
            decoding: PercentEncoding.decode(rawKey, plusIsSpace: false), as: UTF8.self)
        let sender = sender(request)
        guard intake.admits(key: key, from: sender, nowNanos: responder.loop.nowNanos) else {
            return answers.add(.rateLimited, to: responder)
        }
        let bodyMax = oversize == nil ? request.body.count : PostbackRecorder.oversizedBodyMax
        let call = Self.call(request, from: sender, bodyMax: bodyMax)
        intake.submit(call, key: key, oversize: oversize?.sentence) { [answers] answer in
            answers.add(answer, to: responder)
        }
    }

    /// The call as it is kept, with so many bytes of its body.
    static func call(
        _ request: borrowing Request, from sender: IPAddress?, bodyMax: Int = .max
    ) -> Postback {
        Postback(
            receivedAt: Instant(micros: request.receivedAtMicros), sender: sender,
            method: String(decoding: request.methodBytes, as: UTF8.self),
            target: Array(request.target), headers: headers(of: request),
            body: Array(request.body.prefix(bodyMax)))
    }

    private static func headers(of request: borrowing Request) -> [Postback.Header] {
        var headers: [Postback.Header] = []
        var bytes = 0
        for index in 0..<request.headerCount {
            let name = String(decoding: request.headerName(at: index), as: UTF8.self)
            let value = request.headerValue(at: index)
            bytes += name.utf8.count + value.count
            guard headers.count < keptHeadersMax, bytes <= keptHeaderBytesMax else { break }
            if isKept(name) { headers.append(Postback.Header(name: name, value: Array(value))) }
        }
        return headers
    }

    /// All but secrets that are not ours to keep, and what only concerns the connection.
    private static func isKept(_ name: String) -> Bool {
        switch name.utf8.count {
        case 6: name.lowercased() != "cookie"
        case 10: !["connection", "keep-alive"].contains(name.lowercased())
        case 13: name.lowercased() != "authorization"
        case 14: name.lowercased() != "content-length"
        case 17: name.lowercased() != "transfer-encoding"
        case 19: name.lowercased() != "proxy-authorization"
        default: true
        }
    }
}

extension Oversize {
    /// What is too long, by how much, and what to do about it.
    fileprivate var sentence: String {
        switch self {
        case .body(let declared, let max):
            "the body of \(declared.map { "\($0)" } ?? "more than \(max)") bytes is over the limit "
                + "of \(max): send only the parameters that count, or raise MAX_BODY_BYTES"
        case .requestLine(let max):
            "the request line is over the limit of \(max) bytes: send fewer or shorter "
                + "parameters, or send them as a form by POST"
        }
    }
}

/// Answers on their way from the ledger's thread to a loop.
private final class AnswerMailbox: Sendable {
    private let loop: LoopHandle
    private let waiting = Mutex<[(responder: Responder, answer: PostbackAnswer)]>([])

    init(loop: LoopHandle) { self.loop = loop }

    func add(_ answer: PostbackAnswer, to responder: Responder) {
        let isFirst = waiting.withLock { waiting in
            waiting.append((responder, answer))
            return waiting.count == 1
        }
        // The rest of the commit's answers gather before the loop comes to this.
        if isFirst { loop.post { self.send() } }
    }

    private func send() {
        let ready = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        var body: [UInt8] = []
        for (responder, answer) in ready {
            body.removeAll(keepingCapacity: true)
            answer.appendBody(to: &body)
            AnswerHeaders.lines(for: answer).withUnsafeBytes { lines in
                body.withUnsafeBytes { body in
                    responder.respond(answer.httpStatus, headerLines: lines, body: body)
                }
            }
        }
    }
}

/// The header lines of the answers; a text that the call asked for is never taken for a page.
private enum AnswerHeaders {
    private static let common = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    private static let json = Array((common + "Content-Type: application/json\r\n").utf8)
    private static let text = Array((common + "Content-Type: text/plain; charset=utf-8\r\n").utf8)
    private static let retryLater = json + Array("Retry-After: 5\r\n".utf8)
    private static let retryMuchLater =
        json + Array("Retry-After: \(FailureLimiter.retryAfterSeconds)\r\n".utf8)
    private static let allow = Array("Allow: GET, POST\r\n".utf8)

    static func lines(for answer: PostbackAnswer) -> [UInt8] {
        let base = answer.reply == nil ? json : text
        switch answer.verdict {
        case .storageUnavailable: return retryLater
        case .rateLimited: return retryMuchLater
        case .methodNotAllowed: return base + allow
        case .accepted, .updated, .duplicate, .ignored, .parked, .test, .clickIDMissing,
            .clickIDMalformed, .macroNotReplaced, .payoutNotNumber, .payoutAmbiguous,
            .payoutOutOfRange, .currencyUnknown, .tooLarge, .ipNotAllowed, .keyUnknown,
            .networkUnknown, .timeMalformed, .statusUnmapped, .eventUnknown, .signatureWrong,
            .clickForeign, .transactionIDRequired:
            return base
        }
    }
}

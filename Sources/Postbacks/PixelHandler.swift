public import Domain
public import HTTP

/// `/pixel/{key}.gif` of one loop: a postback through the visitor's browser, for networks and shops
/// that can put an image on their thank-you page and nothing else.
///
/// The call takes the same way as a postback and is kept with its verdict, which the browser never
/// sees: the page it stands on must not show a broken image, and the visitor is nobody's messenger.
/// So every answer is the image with 200, sent when the call is on disk, or can't be put there.
/// Confined to its loop's thread.
public final class PixelHandler {
    private let intake: PostbackIntake
    private let sender: (borrowing Request) -> IPAddress?

    private static let prefix = Array("/pixel/".utf8)
    private static let suffix = Array(".gif".utf8)

    /// - Parameter sender: whose browser it is, as in `PostbackHandler`.
    public init(
        intake: PostbackIntake, sender: @escaping (borrowing Request) -> IPAddress?
    ) {
        self.intake = intake
        self.sender = sender
    }

    /// Whether a request is for this handler.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool {
        path.count >= prefix.count + suffix.count && path.starts(with: prefix)
            && path.suffix(suffix.count).elementsEqual(suffix)
    }

    /// - Parameter request: one that `takes(path:)` is true for.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        // Nothing was shown to anybody yet, so nothing is recorded.
        if request.method == .head { return Self.answer(responder) }
        let rawKey = UnsafeRawBufferPointer(
            rebasing: request.path.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
        let key = String(
            decoding: PercentEncoding.decode(rawKey, plusIsSpace: false), as: UTF8.self)
        let sender = sender(request)
        guard intake.admits(key: key, from: sender, nowNanos: responder.loop.nowNanos) else {
            return Self.answer(responder)
        }
        var call = PostbackHandler.call(request, from: sender)
        if let header = request.header("cookie"), let clickID = ClickCookie.clickID(in: header) {
            // Of all cookies the one that is ours: kept with the call, so that a replay reads it.
            call = call.adding(
                Postback.Header(
                    name: "Cookie", value: Array("\(ClickCookie.name)=\(clickID.text)".utf8)))
        }
        intake.submit(call, key: key) { _ in
            responder.loop.post { Self.answer(responder) }
        }
    }

    private static func answer(_ responder: Responder) {
        headerLines.withUnsafeBytes { lines in
            image.withUnsafeBytes { responder.respond(200, headerLines: lines, body: $0) }
        }
    }

    /// The last one lets pages show it that isolate themselves from other origins.
    private static let headerLines = Array(
        """
        Content-Type: image/gif\r
        Cache-Control: no-store\r
        X-Content-Type-Options: nosniff\r
        Cross-Origin-Resource-Policy: cross-origin\r\n
        """.utf8)

    /// A transparent pixel: GIF89a, 1×1, two colours, the first of which is transparent.
    static let image: [UInt8] =
        Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]
        + [0x21, 0xF9, 4, 1, 0, 0, 0, 0] + [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0]
        + [2, 2, 0x44, 1, 0, 0x3B]
}

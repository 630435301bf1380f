internal import Crypto
public import HTTP

/// `/t.js`: the script for landers that visitors reach without a redirect of ours.
public enum LanderScript {
    private static let path = Array("/t.js".utf8)
    private static let body = PackageResources.t_js
    private static let tag = "\"\(SHA256.hex(body).prefix(16))\""
    // Kept for an hour: whoever updates the tracker wants the new one the same day. Landers that pin
    // a script's hash ask for it as another origin's, which must allow that.
    private static let headerLines = Array(
        """
        Content-Type: text/javascript; charset=utf-8\r
        Cache-Control: public, max-age=3600\r
        ETag: \(tag)\r
        Access-Control-Allow-Origin: *\r
        Cross-Origin-Resource-Policy: cross-origin\r
        X-Content-Type-Options: nosniff\r\n
        """.utf8)

    /// Whether a request is for it.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool { path.elementsEqual(Self.path) }

    public static func handle(_ request: borrowing Request, _ responder: Responder) {
        let method = request.method
        guard method == .get || method == .head else {
            return responder.refuse(405, "only GET and HEAD", allow: "GET, HEAD")
        }
        // More is no browser's.
        let known = request.header("if-none-match").map {
            String(decoding: $0.prefix(1024), as: UTF8.self)
        }
        let isKnown = known?.contains(tag) ?? false
        headerLines.withUnsafeBytes { lines in
            if isKnown {
                return responder.respond(
                    304, headerLines: lines, body: UnsafeRawBufferPointer(start: nil, count: 0))
            }
            body.withUnsafeBytes { responder.respond(200, headerLines: lines, body: $0) }
        }
    }
}

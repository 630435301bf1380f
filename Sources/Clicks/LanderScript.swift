internal import Crypto
public import HTTP

/// `/t.js`: the script for landers that visitors reach without a redirect of ours.
public enum LanderScript {
    private static let path = Array("/t.js".utf8)
    private static let body = PackageResources.t_js
    private static let tag = "\"\(SHA256.hex(body).prefix(16))\""

    /// Whether a request is for it.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool { path.elementsEqual(Self.path) }

    public static func handle(_ request: borrowing Request, _ responder: Responder) {
        let method = request.method
        guard method == .get || method == .head else {
            return responder.refuse(405, "only GET and HEAD", allow: "GET, HEAD")
        }
        // Kept for an hour: whoever updates the tracker wants the new one the same day. Landers that
        // pin a script's hash ask for it as another origin's, which must allow that.
        let headers = [
            ("Content-Type", "text/javascript; charset=utf-8"),
            ("Cache-Control", "public, max-age=3600"), ("ETag", tag),
            ("Access-Control-Allow-Origin", "*"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if let known = request.header("if-none-match"),
            String(decoding: known, as: UTF8.self).contains(tag)
        {
            return responder.respond(304, headers: headers, body: [])
        }
        responder.respond(200, headers: headers, body: body)
    }
}

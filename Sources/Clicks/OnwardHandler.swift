internal import Domain
public import HTTP

/// The second page of `double_meta`, for one loop: it goes on to the address that the first one
/// signed, without a referrer.
public final class OnwardHandler {
    private let signer: OnwardSigner
    private let page = RedirectPage(.refresh, .noReferrer)

    public init(_ signer: OnwardSigner) { self.signer = signer }

    /// Whether a request is for this handler.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool {
        path.starts(with: OnwardSigner.prefix)
    }

    /// - Parameter request: one that `takes(path:)` is true for.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        let method = request.method
        guard method == .get || method == .head else {
            return responder.refuse(405, "only GET and HEAD", allow: "GET, HEAD")
        }
        let code = UnsafeRawBufferPointer(
            rebasing: request.path.dropFirst(OnwardSigner.prefix.count))
        guard let address = signer.address(code: code, query: request.query) else {
            return responder.refuse(404, "this address was not issued here")
        }
        var body: [UInt8] = []
        page.append(to: address, depth: 0, signer, &body)
        page.headerLines.withUnsafeBytes { lines in
            body.withUnsafeBytes { responder.respond(200, headerLines: lines, body: $0) }
        }
    }
}

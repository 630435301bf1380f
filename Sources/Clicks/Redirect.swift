internal import Domain

/// How one campaign sends its visitors on, compiled so that a click only appends bytes.
final class Redirect: Sendable {
    let status: Int
    /// Nil: the address goes into `Location`.
    let page: RedirectPage?
    /// What stands behind `Location: …`; with a page, all header lines.
    let headerLines: [UInt8]

    /// Of a visitor who is no campaign's.
    static let plain = Redirect(.found, .strictOriginWhenCrossOrigin)

    private static let locationPrefix = Array("Location: ".utf8)

    init(_ mode: RedirectMode, _ policy: ReferrerPolicy) {
        switch mode {
        case .found: (status, page) = (302, nil)
        case .seeOther: (status, page) = (303, nil)
        case .temporaryRedirect: (status, page) = (307, nil)
        case .meta: (status, page) = (200, RedirectPage(.refresh, policy))
        case .doubleMeta: (status, page) = (200, RedirectPage(.refreshTwice, .noReferrer))
        case .script: (status, page) = (200, RedirectPage(.script, policy))
        }
        headerLines =
            page?.headerLines
            ?? Array(
                "\r\nCache-Control: no-store\r\nReferrer-Policy: \(policy.rawValue)\r\n".utf8)
    }

    /// Appends the answer's header lines and, where it is a page, its body.
    ///
    /// - Parameters:
    ///   - depth: how many folders below the root the request's path lies.
    ///   - location: appends the address that the visitor goes to.
    func append(
        depth: Int, _ signer: OnwardSigner, lines: inout [UInt8], body: inout [UInt8],
        location: (inout [UInt8]) -> Void
    ) {
        if let page {
            var address: [UInt8] = []
            location(&address)
            page.append(to: address, depth: depth, signer, &body)
        } else {
            lines.append(copyOf: Self.locationPrefix)
            location(&lines)
        }
        lines.append(copyOf: headerLines)
    }
}

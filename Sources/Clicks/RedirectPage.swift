internal import Crypto
internal import Domain

/// A page that sends its visitor on by itself, for the redirect modes that are no `Location`.
///
/// The address is the only thing in it that a visitor can influence, and it stands in attributes
/// only: the script is the same for everybody and reads it from one, so that no quoting within
/// JavaScript can go wrong and the policy can allow exactly this script.
struct RedirectPage: Sendable {
    enum Kind: Sendable {
        case refresh
        /// To a signed address of ours, whose page goes on to the offer. See `OnwardHandler`.
        case refreshTwice
        case script
    }

    let kind: Kind
    let headerLines: [UInt8]
    private let head: [UInt8]

    init(_ kind: Kind, _ policy: ReferrerPolicy) {
        self.kind = kind
        let scripts =
            switch kind {
            case .refresh, .refreshTwice: ""
            case .script: "; script-src 'sha256-\(Self.scriptDigest)'"
            }
        headerLines = Array(
            """
            Content-Type: text/html; charset=utf-8\r
            Cache-Control: no-store\r
            Referrer-Policy: \(policy.rawValue)\r
            Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'\(scripts)\r
            X-Content-Type-Options: nosniff\r\n
            """.utf8)
        head = Array(
            """
            <!doctype html><html><head><meta charset="utf-8">\
            <meta name="referrer" content="\(policy.rawValue)"><meta name="robots" content="noindex">
            """.utf8)
    }

    static let script = "location.replace(document.querySelector('[data-to]').dataset.to)"
    /// SHA-256 of `script` in base 64, as policies name a script (CSP 3, section 2.3.1).
    static let scriptDigest = "FhYKR85f7by0vyLn+tzF5ZXdN+FcA8PYr4jp1aAHh8E="

    /// Appends the page that leads to `address`.
    /// - Parameter depth: how many folders below the root the page itself lies.
    func append(
        to address: [UInt8], depth: Int, _ signer: OnwardSigner, _ bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: head)
        switch kind {
        case .refresh: Self.appendRefresh(address, to: &bytes)
        case .refreshTwice:
            // One that would be too long an address itself is gone to at once: this page sends no
            // referrer either, where the browser keeps to its policy.
            Self.appendRefresh(signer.onward(address, depth: depth) ?? address, to: &bytes)
        case .script:
            bytes.append(contentsOf: #"<meta data-to=""#.utf8)
            Self.appendEscaped(address, to: &bytes)
            bytes.append(contentsOf: #""><script>"#.utf8)
            bytes.append(contentsOf: Self.script.utf8)
            bytes.append(contentsOf: "</script><noscript>".utf8)
            Self.appendRefresh(address, to: &bytes)
            bytes.append(contentsOf: "</noscript>".utf8)
        }
        bytes.append(contentsOf: "</head><body></body></html>\n".utf8)
    }

    /// The address is not quoted within the attribute: unquoted it reaches to the attribute's end
    /// (HTML, "shared declarative refresh steps"), and no quote in it can end it.
    private static func appendRefresh(_ address: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"<meta http-equiv="refresh" content="0;url="#.utf8)
        appendEscaped(address, to: &bytes)
        bytes.append(contentsOf: #"">"#.utf8)
    }

    /// As part of an attribute's value between quotes. What can't stand in an address is
    /// percent-encoded, so that the page is ASCII whatever was sent.
    private static func appendEscaped(_ address: [UInt8], to bytes: inout [UInt8]) {
        for byte in address {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): bytes.append(contentsOf: "&#39;".utf8)
            case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
            case 0x21...0x7E: bytes.append(byte)
            default: PercentEncoding.appendEscape(byte, to: &bytes)
            }
        }
    }
}

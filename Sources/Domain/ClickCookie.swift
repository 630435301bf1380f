/// The first-party cookie that carries a visitor's newest click ID to where no URL can: the pixel.
///
/// A pixel stands on somebody else's page, so the cookie is `SameSite=None`, which browsers take only
/// with `Secure` (RFC 6265bis, section 5.7): over plain http it would be bytes for nothing. There it
/// is sent only to visitors of a lander, whose press of its button is a navigation: for that it may
/// be `SameSite=Lax`.
public enum ClickCookie {
    public static let name = "cr_click"
    /// 30 days: how long after a click a conversion is still expected.
    public static let maxAgeSeconds = 30 * 86_400

    /// What stands before the click ID in the header line.
    public static let linePrefix = Array("Set-Cookie: \(name)=".utf8)

    public enum Kind: Sendable {
        /// Serves pixels on other sites, over https.
        case crossSite
        /// Serves links on other sites, over http.
        case navigation

        /// What stands behind the click ID in the header line, the line's end included.
        public var lineSuffix: [UInt8] {
            switch self {
            case .crossSite: ClickCookie.crossSiteSuffix
            case .navigation: ClickCookie.navigationSuffix
            }
        }
    }

    private static let crossSiteSuffix = Array(
        "; Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; Secure; SameSite=None\r\n".utf8)
    private static let navigationSuffix = Array(
        "; Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; SameSite=Lax\r\n".utf8)

    /// Nil: a click needs none.
    public static func kind(isSecure: Bool, hasLander: Bool) -> Kind? {
        isSecure ? .crossSite : hasLander ? .navigation : nil
    }

    /// The click ID in a `Cookie` header; nil when there is none that could be one.
    public static func clickID(in header: UnsafeRawBufferPointer) -> ClickID? {
        CookieHeader.pair(in: header) { value(of: $0) != nil }
            .flatMap { value(of: $0) }
            .flatMap { ClickID(String(decoding: $0, as: UTF8.self)) }
    }

    /// Nil for another cookie's.
    private static func value(of pair: CookieHeader.Bytes) -> CookieHeader.Bytes? {
        guard pair.starts(with: nameBytes) else { return nil }
        let behind = CookieHeader.trimmed(pair.dropFirst(nameBytes.count))
        return behind.first == UInt8(ascii: "=") ? CookieHeader.trimmed(behind.dropFirst()) : nil
    }

    private static let nameBytes = Array(name.utf8)
}

/// The first-party cookie by which a campaign knows a visitor that comes again, whatever address or
/// browser version it comes with then.
///
/// `SameSite=Lax` lets browsers send it with a click on an ad, a navigation from somebody else's
/// page, and with nothing else of theirs (RFC 6265bis, section 5.2).
public enum VisitorCookie {
    public static let name = "cr_visitor"
    /// As long as the longest window; each visit begins it anew.
    public static let maxAgeSeconds = Uniqueness.windowHoursMax * 3600

    /// Appends the header line, its end included.
    /// - Parameter isSecure: visitors come by https.
    public static func appendLine(
        _ visitor: VisitorNumber, isSecure: Bool, to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: prefix)
        visitor.append(to: &bytes)
        bytes.append(contentsOf: isSecure ? secureSuffix : suffix)
    }

    private static let prefix = Array("Set-Cookie: \(name)=".utf8)
    private static let suffix = Array(
        "; Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; SameSite=Lax\r\n".utf8)
    private static let secureSuffix = Array(
        "; Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; Secure; SameSite=Lax\r\n".utf8)

    /// The visitor of a `Cookie` header; nil when there is none that could be ours.
    public static func visitor(in header: UnsafeRawBufferPointer) -> VisitorNumber? {
        CookieHeader.pair(in: header) { $0.starts(with: start) }
            .flatMap { VisitorNumber($0.dropFirst(start.count)) }
    }

    private static let start = Array("\(name)=".utf8)
}

/// Who a visitor is to us: a keyed hash, which tells whose it is to nobody without the keys.
public struct VisitorNumber: Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Sixteen hexadecimal digits in lower case; nil for anything else.
    public init?(_ digits: some Collection<UInt8>) {
        guard digits.count == 16 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        rawValue = value
    }

    public func append(to bytes: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: rawValue >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

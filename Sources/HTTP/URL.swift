internal import Net

/// An absolute `http` or `https` URL in which no two parsers can see two different servers.
///
/// Stricter than RFC 3986 where leniency is how checks are passed by: no user info, no control
/// character, no space, no backslash, no percent-encoding in the host; names outside ASCII are
/// written in their `xn--` form. Path and query stay as they were given, byte for byte.
public struct URL: Hashable, Sendable {
    public enum Scheme: String, Sendable {
        case http, https

        public var defaultPort: UInt16 {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    public let scheme: Scheme
    /// In lower case; an IPv6 address without its brackets.
    public let host: String
    public let port: UInt16
    /// Path and query as they go on the request line; "/" for an empty path.
    public let target: String
    /// Without the `#`; never sent to a server.
    public let fragment: String?

    public static let bytesMax = 16 * 1024

    public init(_ text: some StringProtocol) throws(URLError) {
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong }
        let bytes = Array(text.utf8)
        for byte in bytes where !Self.isAllowed(byte) { throw .forbiddenCharacter(byte) }

        let scheme: Scheme
        let start: Int
        if Self.hasPrefix(bytes, "https://") {
            (scheme, start) = (.https, 8)
        } else if Self.hasPrefix(bytes, "http://") {
            (scheme, start) = (.http, 7)
        } else {
            throw .notHTTP
        }
        let authorityEnd =
            bytes[start...].firstIndex { [.slash, .question, .hash].contains($0) } ?? bytes.count
        let (host, port) = try Self.parse(authority: bytes[start..<authorityEnd])
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort

        let rest = bytes[authorityEnd...]
        let targetEnd = rest.firstIndex(of: .hash) ?? bytes.count
        let target = String(decoding: rest[..<targetEnd], as: UTF8.self)
        self.target = target.hasPrefix("/") ? target : "/" + target
        fragment =
            targetEnd == bytes.count
            ? nil : String(decoding: bytes[(targetEnd + 1)...], as: UTF8.self)
    }

    /// Host and, unless it's the scheme's own, port: the value of `Host`.
    public var authority: String {
        let name = host.utf8.contains(.colon) ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    public var text: String {
        "\(scheme.rawValue)://\(authority)\(target)\(fragment.map { "#" + $0 } ?? "")"
    }

    /// Path and query of a text that begins with `origin` (scheme, host and port of a URL, no more),
    /// without reading that anew: what `URL(text).target` is. Nil where it takes the whole parser,
    /// be it to say what is wrong.
    public static func target(of text: String, at origin: String) -> Substring? {
        // A text of ours lies in one piece. Compared byte for byte: to Swift the Kelvin sign is a K.
        let isTarget = text.utf8.withContiguousStorageIfAvailable { text in
            origin.utf8.withContiguousStorageIfAvailable { origin in
                let rest = text.dropFirst(origin.count)
                return text.count <= bytesMax && text.starts(with: origin)
                    && rest.first == .slash
                    && rest.allSatisfy { isAllowed($0) && $0 != .hash }
            }
        }
        guard isTarget == true else { return nil }
        return text[text.utf8.index(text.startIndex, offsetBy: origin.utf8.count)...]
    }

    // MARK: Parsing

    /// Printable ASCII without what RFC 3986 forbids everywhere and servers read differently.
    /// `{`, `|` and `}` are as forbidden there, but stand in real links, and no server minds.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
            UInt8(ascii: "^"), UInt8(ascii: "`"):
            false
        default: byte > 0x20 && byte < 0x7f
        }
    }

    private static func hasPrefix(_ bytes: [UInt8], _ prefix: StaticString) -> Bool {
        guard bytes.count >= prefix.utf8CodeUnitCount else { return false }
        return prefix.withUTF8Buffer { prefix in
            // Only letters have a case; `|` 0x20 leaves ':' and '/' as they are.
            zip(bytes, prefix).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        }
    }

    private static func parse(authority: ArraySlice<UInt8>) throws(URLError) -> (String, UInt16?) {
        guard !authority.contains(UInt8(ascii: "@")) else { throw .userInfo }
        if authority.first == UInt8(ascii: "[") {
            guard let close = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .badHost }
            let host = String(
                decoding: authority[(authority.startIndex + 1)..<close], as: UTF8.self
            )
            .lowercased()
            // A zone (`%eth0`) means something on one machine only.
            guard host.utf8.contains(.colon), !host.utf8.contains(UInt8(ascii: "%")),
                Resolver.literal(host) != nil
            else { throw .badHost }
            let rest = authority[(close + 1)...]
            guard let colon = rest.first else { return (host, nil) }
            guard colon == .colon else { throw .badHost }
            return (host, try parse(port: rest.dropFirst()))
        }
        let colon = authority.firstIndex(of: .colon)
        let host = try parse(name: authority[..<(colon ?? authority.endIndex)])
        guard let colon else { return (host, nil) }
        return (host, try parse(port: authority[(colon + 1)...]))
    }

    /// A DNS name or an IPv4 address (RFC 1123, with the underscore that real names have).
    private static func parse(name: ArraySlice<UInt8>) throws(URLError) -> String {
        guard !name.isEmpty, name.count <= 253 else { throw .badHost }
        for label in name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"),
                label.last != UInt8(ascii: "-"),
                label.allSatisfy({ byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                })
            else { throw .badHost }
        }
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    private static func parse(port: ArraySlice<UInt8>) throws(URLError) -> UInt16 {
        guard (1...5).contains(port.count),
            port.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let number = UInt16(String(decoding: port, as: UTF8.self)), number > 0
        else { throw .badPort }
        return number
    }
}

/// What is wrong with a URL; `text` is a sentence for the field it was typed into.
public enum URLError: Error, Equatable, Sendable {
    case notHTTP
    case tooLong
    case forbiddenCharacter(UInt8)
    case userInfo
    case badHost
    case badPort

    public var text: String {
        switch self {
        case .notHTTP: return "must begin with http:// or https://"
        case .tooLong: return "is longer than \(URL.bytesMax) bytes"
        case .forbiddenCharacter(let byte) where byte > 0x20 && byte < 0x7f:
            return "must not contain \(Character(Unicode.Scalar(byte)))"
        case .forbiddenCharacter(0x20): return "must not contain a space"
        case .forbiddenCharacter(let byte) where byte >= 0x80:
            return "must not contain characters outside ASCII; percent-encode them"
        case .forbiddenCharacter: return "must not contain a control character"
        case .userInfo: return "must not contain a user name or password"
        case .badHost:
            return "needs a valid host: a name, an IPv4 address, or an IPv6 address in brackets"
        case .badPort: return "has a port that is not a number from 1 to 65535"
        }
    }
}

extension UInt8 {
    fileprivate static var slash: UInt8 { UInt8(ascii: "/") }
    fileprivate static var question: UInt8 { UInt8(ascii: "?") }
    fileprivate static var hash: UInt8 { UInt8(ascii: "#") }
    fileprivate static var colon: UInt8 { UInt8(ascii: ":") }
}

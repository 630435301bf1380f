/// An absolute http or https address with tokens in its path, query or fragment, never in its host:
/// only an address that the user wrote is ever redirected to or called.
public struct URLTemplate: Hashable, Sendable {
    /// Behind a reference: a redirect copies templates some times on its way, and each copy of the
    /// parts would count references to all of them.
    private final class Parts: Sendable {
        let text: String
        let origin: String
        let whole: Template
        let base: Template
        let parameters: [Template]
        let fragment: Template?

        init(
            text: String, origin: String, whole: Template, base: Template, parameters: [Template],
            fragment: Template?
        ) {
            self.text = text
            self.origin = origin
            self.whole = whole
            self.base = base
            self.parameters = parameters
            self.fragment = fragment
        }
    }

    private let parts: Parts

    /// As the user wrote it.
    public var text: String { parts.text }
    /// `https://host:port` as written, lower case.
    public var origin: String { parts.origin }

    /// The text says all there is.
    public static func == (left: URLTemplate, right: URLTemplate) -> Bool {
        left.parts === right.parts || left.text == right.text
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    public static let lengthMax = 8192

    /// - Parameter mayBeUnfinished: the address may hold `<UPPER_CASE>`, and is not called.
    public init(_ text: String, mayBeUnfinished: Bool = false) throws(TemplateError) {
        guard text.utf8.count <= Self.lengthMax else {
            throw TemplateError("must be at most \(Self.lengthMax) bytes long")
        }
        let origin = try Self.origin(of: text)
        if !mayBeUnfinished, let placeholder = Self.placeholder(in: text) {
            throw TemplateError("replace \(placeholder) by your account's value")
        }
        let whole = try Template(text)
        // What stands inside braces is not part of the address: `{status:approved=1 pending=2}`.
        let isAllowed = whole.literalBytes.allSatisfy { byte in
            Self.isURLByte(byte)
                || mayBeUnfinished && (byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">"))
        }
        guard isAllowed else {
            throw TemplateError(
                "must be percent-encoded: spaces, quotes, < > \\ ^ ` and letters beyond ASCII "
                    + "can't stand in an address")
        }
        let (beforeFragment, fragmentText) = Self.cut(text[...], at: "#")
        let (baseText, queryText) = Self.cut(beforeFragment, at: "?")
        let base = try Template(baseText)
        let parameters = try Self.templates(ofQuery: queryText)
        let fragment: Template? = if let fragmentText { try Template(fragmentText) } else { nil }
        parts = Parts(
            text: text, origin: origin, whole: whole, base: base, parameters: parameters,
            fragment: fragment)
    }

    private static func isURLByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...32, 127...255, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"):
            false
        default: true
        }
    }

    /// The same with `parameter` appended to the query, for offers that do not carry the click ID.
    public func appending(parameter: String) throws(TemplateError) -> URLTemplate {
        let (beforeFragment, fragmentText) = Self.cut(text[...], at: "#")
        let (base, query) = Self.cut(beforeFragment, at: "?")
        let separator =
            switch query {
            case nil: "?"
            case "": ""
            case .some(let query): query.hasSuffix("&") ? "" : "&"
            }
        let joined = (query.map { "\(base)?\($0)" } ?? String(base)) + separator + parameter
        return try URLTemplate(joined + (fragmentText.map { "#\($0)" } ?? ""))
    }

    public var tokens: [TokenUse] { parts.whole.tokens }

    /// The tokens that have no value, as `{name}`, each once.
    public func emptyTokens(_ values: some TokenValues) -> [String] { tokens.empty(values) }

    /// Appends the address; a token without a value leaves nothing (`?s2=`).
    public func fill(_ values: some TokenValues, into bytes: inout [UInt8]) {
        parts.whole.fill(values, as: .percent, into: &bytes)
    }

    /// Appends the address without the query parameters that have a token without a value.
    public func fillDroppingEmpty(_ values: some TokenValues, into bytes: inout [UInt8]) {
        parts.base.fill(values, as: .percent, into: &bytes)
        var separator = UInt8(ascii: "?")
        for parameter in parts.parameters {
            let start = bytes.count
            bytes.append(separator)
            if parameter.fill(values, as: .percent, into: &bytes) {
                separator = UInt8(ascii: "&")
            } else {
                bytes.removeSubrange(start...)
            }
        }
        if let fragment = parts.fragment {
            bytes.append(UInt8(ascii: "#"))
            fragment.fill(values, as: .percent, into: &bytes)
        }
    }

    private static func templates(ofQuery query: Substring?) throws(TemplateError) -> [Template] {
        var templates: [Template] = []
        var rest = query
        while let text = rest {
            let (part, after) = cut(text, at: "&")
            if !part.isEmpty { templates.append(try Template(part)) }
            rest = after
        }
        return templates
    }

    /// Cuts at the first `mark` that is no part of a token, which ends with the first `}` for
    /// `Template` too.
    private static func cut(_ text: Substring, at mark: Unicode.Scalar)
        -> (Substring, Substring?)
    {
        let scalars = text.unicodeScalars
        var isInToken = false
        for index in scalars.indices {
            switch scalars[index] {
            case "{": isInToken = true
            case "}": isInToken = false
            case mark where !isInToken:
                return (text[..<index], text[scalars.index(after: index)...])
            default: break
            }
        }
        return (text, nil)
    }

    private static func origin(of text: String) throws(TemplateError) -> String {
        let lower = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else {
            throw TemplateError("must begin with https:// or http://")
        }
        let authority = lower.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        guard !authority.contains("{"), !authority.contains("}") else {
            throw TemplateError("must not have a token in its host")
        }
        guard !authority.contains("@") else {
            throw TemplateError("must not carry a user name or password")
        }
        let isBracketed = authority.hasPrefix("[")
        let host: Substring
        let portText: Substring?
        if isBracketed {
            guard let close = authority.firstIndex(of: "]") else {
                throw TemplateError("has a host with \"[\" but no \"]\"")
            }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw TemplateError("has a host that can't be read")
            }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let parts = authority.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts[0]
            portText = parts.count == 2 ? parts[1] : nil
        }
        let isHost =
            isBracketed
            ? IPAddress(host).map { !$0.isIPv4 } ?? false
            : host.split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy(isHostLabel)
        guard !host.isEmpty, host.utf8.count <= 253, isHost else {
            throw TemplateError("must have a host name such as offer.example")
        }
        if let portText {
            guard portText.utf8.count <= 5, portText.utf8.allSatisfy({ 48...57 ~= $0 }),
                let port = Int(portText), (1...65535).contains(port)
            else { throw TemplateError("has a port that is not a number from 1 to 65535") }
        }
        return scheme + authority
    }

    /// One part of a DNS name (RFC 1123, with the underscore that real names have).
    private static func isHostLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(EntityKey.allows)
            && !label.hasPrefix("-") && !label.hasSuffix("-")
    }

    /// The catalogue writes account values as `<UPPER_CASE>`.
    private static func placeholder(in text: String) -> Substring? {
        guard let open = text.firstIndex(of: "<"),
            let close = text[open...].firstIndex(of: ">")
        else { return nil }
        return text[open...close]
    }
}

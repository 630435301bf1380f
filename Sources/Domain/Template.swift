/// Gives tokens their values while a template is filled.
public protocol TokenValues {
    /// Appends the value as it is, not encoded. False, with nothing appended, when there is none.
    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool
    /// SHA-256 in lower-case hex, for `{sha256:…}`.
    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8])
}

/// Text with tokens, split once when it is saved, so that filling it is appending.
public struct Template: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        case literal([UInt8])
        case token(TokenUse)
    }

    /// How a value is written into what surrounds it.
    public enum Encoding: Sendable {
        /// Everything but RFC 3986's unreserved characters becomes `%XX`.
        case percent
        /// Inside a string of a JSON text; outside of one what is a number, a boolean or null as it
        /// is, and all else as a string of its own.
        case json
        /// Inside XML's text or a quoted attribute.
        case xml
        /// As it is, without control characters: a header's value, a line of a text.
        case line
        /// As it is: what is encoded as a whole later.
        case plain
    }

    let segments: [Segment]

    /// What braces that hold no token mean.
    enum Braces {
        /// A mistake: in a URL a brace can only be a token.
        case tokensOnly
        /// Text, unless what follows looks like a token: a body may be JSON written as a string.
        case mayBeText
    }

    init(segments: [Segment]) { self.segments = segments }

    init(_ text: some StringProtocol, braces: Braces = .tokensOnly) throws(TemplateError) {
        var segments: [Segment] = []
        var literal: [UInt8] = []
        var rest = Substring(text)
        while let open = rest.utf8.firstIndex(of: UInt8(ascii: "{")) {
            literal.append(contentsOf: rest[..<open].utf8)
            let inside = rest[rest.utf8.index(after: open)...]
            let isTokenLike = inside.utf8.first.map(Self.startsToken) ?? false
            guard let close = inside.utf8.firstIndex(of: UInt8(ascii: "}")), isTokenLike else {
                if braces == .tokensOnly {
                    throw TemplateError("\"{\" begins no token; write %7B for the character")
                }
                literal.append(UInt8(ascii: "{"))
                rest = inside
                continue
            }
            let use = try TokenUse(spelling: String(inside[..<close]))
            if !literal.isEmpty { segments.append(.literal(literal)) }
            literal.removeAll()
            segments.append(.token(use))
            rest = inside[inside.utf8.index(after: close)...]
        }
        literal.append(contentsOf: rest.utf8)
        if !literal.isEmpty { segments.append(.literal(literal)) }
        self.segments = segments
    }

    private static func startsToken(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_")
            || (byte | 32 >= UInt8(ascii: "a") && byte | 32 <= UInt8(ascii: "z"))
    }

    /// Every token used, in order, repeats included.
    public var tokens: [TokenUse] {
        segments.compactMap { segment in
            if case .token(let use) = segment { use } else { nil }
        }
    }

    /// What is not part of a token.
    var literalBytes: [UInt8] {
        segments.flatMap { segment in
            if case .literal(let bytes) = segment { bytes } else { [UInt8]() }
        }
    }

    /// Appends the filled template. A token without a value leaves nothing.
    /// - Returns: whether every token had a value.
    @discardableResult
    public func fill(
        _ values: some TokenValues, as encoding: Encoding, into bytes: inout [UInt8]
    ) -> Bool {
        var isComplete = true
        var json = JSONPosition()
        for index in segments.indices {
            switch segments[index] {
            case .literal(let literal):
                bytes.append(copyOf: literal)
                if encoding == .json { json.advance(over: literal) }
            case .token(let use):
                let start = bytes.count
                let hasValue = Self.append(use, values, to: &bytes)
                if encoding == .json, !json.isInString {
                    Self.encodeJSONValue(from: start, in: &bytes)
                } else if hasValue {
                    Self.encode(from: start, in: &bytes, as: encoding, isRaw: use.isRaw)
                }
                if !hasValue { isComplete = false }
            }
        }
        return isComplete
    }

    /// Whether a place in a JSON text is inside a string.
    private struct JSONPosition {
        private(set) var isInString = false
        private var isEscaped = false

        mutating func advance(over literal: [UInt8]) {
            for byte in literal {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = isInString
                } else if byte == UInt8(ascii: "\"") {
                    isInString.toggle()
                }
            }
        }
    }

    /// The value of one use before it is encoded. An empty value counts as none.
    static func append(_ use: TokenUse, _ values: some TokenValues, to bytes: inout [UInt8]) -> Bool
    {
        let start = bytes.count
        guard values.append(use.token, to: &bytes), bytes.count > start else { return false }
        if !use.renames.isEmpty {
            let word = String(decoding: bytes[start...], as: UTF8.self)
            bytes.removeSubrange(start...)
            guard let renamed = use.renames[word] else { return false }
            bytes.append(contentsOf: renamed.utf8)
        }
        if let decimals = use.decimals {
            let text = String(decoding: bytes[start...], as: UTF8.self)
            // We wrote it: an amount that can't be read stays as it is.
            if let nanos = try? Amount.parse(text, format: .point) {
                bytes.removeSubrange(start...)
                bytes.append(contentsOf: Amount.format(nanos, decimals: decimals).utf8)
            }
        }
        if use.isHashed {
            // A copy: a slice would share the whole array, which the next change then copies.
            let value = Array(bytes[start...])
            bytes.removeSubrange(start...)
            values.appendSHA256(of: value[...], to: &bytes)
        }
        return true
    }

    /// Encodes the value that was appended from `start` on, in place when nothing needs encoding,
    /// which is how most values are.
    static func encode(
        from start: Int, in bytes: inout [UInt8], as encoding: Encoding, isRaw: Bool
    ) {
        switch encoding {
        case .percent:
            let isPlain = bytes.withUnsafeBytes { bytes in
                PercentEncoding.isUnreserved(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
            if isPlain { return }
            // A copy of the value: a slice would share the array, which holds all redirects of a
            // loop's turn, and the next change would copy that.
            let value = Array(bytes[start...])
            bytes.removeSubrange(start...)
            if isRaw {
                PercentEncoding.appendRaw(value, to: &bytes)
            } else {
                PercentEncoding.append(value, to: &bytes)
            }
        case .json:
            let text = String(decoding: bytes[start...], as: UTF8.self)
            bytes.removeSubrange(start...)
            var quoted: [UInt8] = []
            JSONValue.string(text).append(to: &quoted)
            bytes.append(contentsOf: quoted.dropFirst().dropLast())
        case .line:
            let kept = bytes[start...].filter { $0 >= 32 && $0 != 127 }
            bytes.replaceSubrange(start..., with: kept)
        case .xml:
            let text = String(decoding: bytes[start...], as: UTF8.self)
            bytes.removeSubrange(start...)
            for scalar in text.unicodeScalars { appendXML(scalar, to: &bytes) }
        case .plain: break
        }
    }

    /// XML 1.0 has no way to write most control characters: they are left out (section 2.2).
    private static func appendXML(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        switch scalar {
        case "&": bytes.append(contentsOf: "&amp;".utf8)
        case "<": bytes.append(contentsOf: "&lt;".utf8)
        case ">": bytes.append(contentsOf: "&gt;".utf8)
        case "\"": bytes.append(contentsOf: "&quot;".utf8)
        case "'": bytes.append(contentsOf: "&apos;".utf8)
        case "\t", "\n", "\r": bytes.append(UInt8(scalar.value))
        case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": break
        default: bytes.append(contentsOf: String(scalar).utf8)
        }
    }

    /// A value where JSON wants a whole one: what a visitor wrote must not end an object there.
    private static func encodeJSONValue(from start: Int, in bytes: inout [UInt8]) {
        let text = String(decoding: bytes[start...], as: UTF8.self)
        bytes.removeSubrange(start...)
        let value: JSONValue
        if text.isEmpty {
            value = .null
        } else if JSONTemplate.isNumber(text) {
            value = .number(text)
        } else {
            switch text {
            case "true": value = .bool(true)
            case "false": value = .bool(false)
            case "null": value = .null
            default: value = .string(text)
            }
        }
        value.append(to: &bytes)
    }
}

extension [TokenUse] {
    /// Those that have no value, in braces, each once.
    func empty(_ values: some TokenValues) -> [String] {
        var empty: [String] = []
        var bytes: [UInt8] = []
        for use in self {
            bytes.removeAll(keepingCapacity: true)
            if Template.append(use, values, to: &bytes) || empty.contains(use.text) { continue }
            empty.append(use.text)
        }
        return empty
    }
}

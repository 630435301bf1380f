/// Where an answer's body ends and whether its connection lives on (RFC 9112, 6.3 and 9.3).
struct ClientFraming {
    enum Body: Equatable {
        case length(UInt64)
        case chunked
        case untilClose
    }

    private var length: UInt64?
    private var hasTransferCoding = false
    /// Of the codings seen so far the last one is.
    private var isChunked = false
    private var chunkedCount = 0
    private var saysClose = false
    private var saysKeepAlive = false
    private(set) var keepAliveSeconds: Int?

    var body: Body {
        if hasTransferCoding { return isChunked ? .chunked : .untilClose }
        return length.map { .length($0) } ?? .untilClose
    }

    func mayKeepConnection(isHTTP10: Bool) -> Bool {
        // A transfer coding beside a length, or in HTTP/1.0, is how answers are smuggled.
        if hasTransferCoding, length != nil || isHTTP10 { return false }
        return !saysClose && (!isHTTP10 || saysKeepAlive)
    }

    /// Takes one field into account. Returns what is wrong with it.
    mutating func note(_ field: ClientHeaders.Field, in head: [UInt8]) -> String? {
        // Told apart by length first, so that most fields cost one comparison.
        switch field.name.count {
        case 10:
            if Self.equals(head[field.name], "connection") {
                Self.forEachItem(of: head[field.value]) { item in
                    if Self.equals(item, "close") { saysClose = true }
                    if Self.equals(item, "keep-alive") { saysKeepAlive = true }
                }
            } else if Self.equals(head[field.name], "keep-alive") {
                Self.forEachItem(of: head[field.value]) { noteKeepAlive($0) }
            }
        case 14 where Self.equals(head[field.name], "content-length"):
            // `5, 5` and two equal fields are one length; anything else is two answers in one.
            var problem: String?
            var isFirst = true
            Self.forEachItem(of: head[field.value]) { item in
                isFirst = false
                guard let count = Self.decimal(item) else {
                    problem = "bad Content-Length"
                    return
                }
                if let length, length != count { problem = "conflicting Content-Length" }
                length = count
            }
            return isFirst ? "empty Content-Length" : problem
        case 17 where Self.equals(head[field.name], "transfer-encoding"):
            hasTransferCoding = true
            var isEmpty = true
            Self.forEachItem(of: head[field.value]) { item in
                isEmpty = false
                isChunked = Self.equals(item, "chunked")
                if isChunked { chunkedCount += 1 }
            }
            // Chunks in chunks are nobody's framing (RFC 9112, 6.1), whatever stands between them.
            if chunkedCount > 1 { return "chunked twice" }
            return isEmpty ? "empty Transfer-Encoding" : nil
        default: break
        }
        return nil
    }

    private mutating func noteKeepAlive(_ item: ArraySlice<UInt8>) {
        guard item.count > 8, Self.equals(item.prefix(8), "timeout="),
            let seconds = Self.decimal(item.dropFirst(8))
        else { return }
        keepAliveSeconds = Int(clamping: seconds)
    }

    /// Digits only; nil beyond 18 of them, which is more than any body has.
    private static func decimal(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard (1...18).contains(text.count) else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return value
    }

    /// The items of a comma-separated list, blanks trimmed, empty ones left out.
    private static func forEachItem(of list: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void)
    {
        // As most are, and trimmed as the value of a field.
        guard list.contains(UInt8(ascii: ",")) else {
            if !list.isEmpty { body(list) }
            return
        }
        for item in list.split(separator: UInt8(ascii: ",")) {
            let start = item.drop { $0 == 0x20 || $0 == 0x09 }
            let end = start.lastIndex { $0 != 0x20 && $0 != 0x09 }
            if let end { body(start[...end]) }
        }
    }

    private static func equals(_ bytes: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
        guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { expected in
            // `| 0x20` lowers letters. That it also makes a '-' of CR and a '=' of another control
            // character can't matter: there is no CR in a line, and what has others isn't kept.
            zip(bytes, expected).allSatisfy { $0 | 0x20 == $1 }
        }
    }
}

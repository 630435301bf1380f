/// Looks into a `Cookie` header byte by byte: every visitor may send 32 KB of it.
enum CookieHeader {
    typealias Bytes = UnsafeRawBufferPointer.SubSequence

    /// The first pair, without the blanks around it, that is wanted.
    static func pair(in header: UnsafeRawBufferPointer, where isWanted: (Bytes) -> Bool) -> Bytes? {
        var rest = header[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
            let pair = trimmed(rest[..<end])
            if isWanted(pair) { return pair }
            rest = rest[min(end + 1, rest.endIndex)...]
        }
        return nil
    }

    static func trimmed(_ bytes: Bytes) -> Bytes {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 9 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return bytes.prefix(0) }
        return bytes[first...last]
    }
}

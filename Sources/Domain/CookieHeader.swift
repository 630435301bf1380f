/// Looks into a `Cookie` header byte by byte: every visitor may send 32 KB of it.
enum CookieHeader {
    /// The first value of that name, without the blanks around it.
    static func value(of name: [UInt8], in header: UnsafeRawBufferPointer)
        -> UnsafeRawBufferPointer?
    {
        var rest = header[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
            let pair = trimmed(rest[..<end])
            if pair.starts(with: name) {
                let behind = trimmed(pair.dropFirst(name.count))
                if behind.first == UInt8(ascii: "=") {
                    return UnsafeRawBufferPointer(rebasing: trimmed(behind.dropFirst()))
                }
            }
            rest = rest[min(end + 1, rest.endIndex)...]
        }
        return nil
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer.SubSequence)
        -> UnsafeRawBufferPointer.SubSequence
    {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 9 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return bytes.prefix(0) }
        return bytes[first...last]
    }
}

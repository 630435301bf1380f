/// What may stand in Host.
enum HostRule {
    /// A name or IPv4 address, or an IPv6 address in brackets, each with an optional port.
    ///
    /// Narrower than RFC 3986's host: percent-encoding, sub-delimiters (a comma joins two hosts
    /// in some proxies) and an empty name are refused, as two parsers could read them differently.
    static func isValid(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let first = value.first else { return false }
        var position = 0
        if first == UInt8(ascii: "[") {
            guard let end = value.firstIndex(of: UInt8(ascii: "]")), end >= 3 else { return false }
            for byte in value[1..<end] where !isAddressByte(byte) { return false }
            position = end + 1
        } else {
            while position < value.count, isNameByte(value[position]) { position += 1 }
            if position == 0 { return false }
        }
        if position == value.count { return true }
        guard value[position] == Scan.colon else { return false }
        let port = value[(position + 1)...]
        return port.count <= 5 && port.allSatisfy(Scan.isDigit)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        Scan.isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        let lower = Scan.lower(byte)
        return Scan.isDigit(byte) || (lower >= 97 && lower <= 102) || byte == Scan.colon
            || byte == UInt8(ascii: ".")
    }
}

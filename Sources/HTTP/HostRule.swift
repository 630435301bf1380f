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
            guard let end = value.firstIndex(of: UInt8(ascii: "]")), isIPv6(value[1..<end]) else {
                return false
            }
            position = end + 1
        } else {
            while position < value.count, isNameByte(value[position]) { position += 1 }
            if position == 0 { return false }
        }
        if position == value.count { return true }
        guard value[position] == Scan.colon else { return false }
        return isPort(value[(position + 1)...])
    }

    /// None is as valid as one (RFC 3986, 3.2.3); one that TCP doesn't have isn't.
    private static func isPort(_ digits: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard digits.count <= 5, digits.allSatisfy(Scan.isDigit) else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 &- 48) } <= 65535
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        Scan.isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    /// RFC 3986, 3.2.2, without zone IDs: eight groups of up to four hexadecimal digits, of which
    /// one run may be left out as `::`, and the last two may be an IPv4 address.
    private static func isIPv6(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var groups = 0
        var hasGap = false
        var position = text.startIndex
        while position < text.endIndex {
            if text[position] == Scan.colon {
                let isDouble = position + 1 < text.endIndex && text[position + 1] == Scan.colon
                // A single colon stands between two groups only.
                guard isDouble ? !hasGap : groups > 0 && text[position - 1] != Scan.colon else {
                    return false
                }
                if isDouble {
                    hasGap = true
                    position += 2
                    continue
                }
                position += 1
            }
            let group = text[position...].prefix { Scan.isHexDigit($0) || $0 == UInt8(ascii: ".") }
            if group.contains(UInt8(ascii: ".")) {
                guard group.endIndex == text.endIndex, isIPv4(group) else { return false }
                groups += 2
            } else {
                guard (1...4).contains(group.count) else { return false }
                groups += 1
            }
            position = group.endIndex
        }
        return hasGap ? groups < 8 : groups == 8
    }

    private static func isIPv4(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        let numbers = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count == 4
            && numbers.allSatisfy { digits in
                (1...3).contains(digits.count) && digits.allSatisfy(Scan.isDigit)
                    && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
                    && digits.reduce(0) { $0 * 10 + Int($1 &- 48) } <= 255
            }
    }
}

/// Byte by byte and without memory of its own: each click behind a proxy has an address to read.
extension IPAddress {
    /// `0000:0000:0000:0000:0000:ffff:255.255.255.255`.
    static let textBytesMax = 45

    /// Reads dotted decimal (four numbers, no leading zeros: some readers take them for octal)
    /// and RFC 4291 section 2.2, with an IPv4 address at its end or not. Zone IDs, brackets,
    /// ports and space are refused.
    public init?(text bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= IPAddress.textBytesMax else { return nil }
        var reader = AddressReader(bytes)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let bits = reader.ipv6() else { return nil }
            self.init(bits: bits)
        } else {
            guard let ipv4 = reader.ipv4() else { return nil }
            self.init(ipv4: ipv4)
        }
    }
}

private struct AddressReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var isAtEnd: Bool { position == bytes.count }
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// Four numbers and then the end.
    mutating func ipv4() -> UInt32? {
        var value: UInt32 = 0
        for part in 0..<4 {
            guard part == 0 || take(UInt8(ascii: ".")), let octet = octet() else { return nil }
            value = value << 8 | octet
        }
        return isAtEnd ? value : nil
    }

    private mutating func octet() -> UInt32? {
        guard let first = peek.flatMap(ASCII.digit) else { return nil }
        var value = first
        position += 1
        while let digit = peek.flatMap(ASCII.digit) {
            position += 1
            value = value * 10 + digit
            guard first != 0, value <= 255 else { return nil }
        }
        return UInt32(value)
    }

    mutating func ipv6() -> UInt128? {
        var groups: UInt128 = 0
        var count = 0
        /// How many groups stand before `::`.
        var gap: Int?
        if take(UInt8(ascii: ":")) {
            guard take(UInt8(ascii: ":")) else { return nil }
            gap = 0
        }
        while !isAtEnd {
            guard count < 8 else { return nil }
            if count <= 6, let ipv4 = trailingIPv4() {
                groups = groups << 32 | UInt128(ipv4)
                count += 2
                break
            }
            guard let group = group() else { return nil }
            groups = groups << 16 | UInt128(group)
            count += 1
            if isAtEnd { break }
            guard take(UInt8(ascii: ":")) else { return nil }
            if take(UInt8(ascii: ":")) {
                guard gap == nil else { return nil }
                gap = count
            } else if isAtEnd {
                return nil
            }
        }
        guard let gap else { return count == 8 ? groups : nil }
        guard count < 8 else { return nil }
        let behind = 16 * (count - gap)
        let ahead = groups >> behind
        return ahead << (128 - 16 * gap) | (groups ^ ahead << behind)
    }

    /// The rest, should it be one.
    private func trailingIPv4() -> UInt32? {
        var attempt = self
        return attempt.ipv4()
    }

    private mutating func group() -> UInt16? {
        var value: UInt16 = 0
        let start = position
        while let digit = peek.flatMap(ASCII.hexDigit) {
            position += 1
            guard position - start <= 4 else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return position > start ? value : nil
    }
}

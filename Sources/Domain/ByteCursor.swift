/// Reads a short text from left to right for the parsers of times, days and time zones.
///
/// It owns its bytes: these texts are some tens of bytes and none of their parsers is on the path
/// of a click; addresses have a reader of their own, which is. Every read is checked; reading past
/// the end gives nil, never a trap.
struct ByteCursor {
    let bytes: [UInt8]
    private(set) var position = 0

    /// Nil when the text is longer than `bytesMax`: no caller has a use for a longer one.
    init?(_ text: some StringProtocol, bytesMax: Int) {
        let bytes = [UInt8](text.utf8.prefix(bytesMax + 1))
        guard bytes.count <= bytesMax else { return nil }
        self.bytes = bytes
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The next byte, if it's `byte`; then it is consumed.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func next() -> UInt8? {
        guard let byte = peek else { return nil }
        position += 1
        return byte
    }

    /// Consumes exactly `word`, or nothing.
    mutating func take(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount
        where word.utf8Start[offset] != bytes[position + offset] {
            return false
        }
        position = end
        return true
    }

    /// Exactly `count` (at most nine) decimal digits.
    mutating func digits(_ count: Int) -> Int? {
        guard count <= 9, position + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + count] {
            guard let digit = ASCII.digit(byte) else { return nil }
            value = value * 10 + digit
        }
        position += count
        return value
    }
}

enum ASCII {
    static func digit(_ byte: UInt8) -> Int? {
        byte >= 0x30 && byte <= 0x39 ? Int(byte) - 0x30 : nil
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    /// `value` as decimal digits, padded with zeros on the left to `width`.
    static func append(_ value: Int, width: Int, to text: inout String) {
        let digits = String(value)
        for _ in 0..<max(0, width - digits.utf8.count) { text.append("0") }
        text.append(digits)
    }
}

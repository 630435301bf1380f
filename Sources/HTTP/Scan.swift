/// Searches over raw bytes, eight at a time where it pays.
///
/// The word tricks are Mycroft's "has a byte less than n": the lowest flagged byte is always a
/// true one, which is the only one used (Bit Twiddling Hacks, "Determine if a word has a byte
/// less than n").
enum Scan {
    static let carriageReturn: UInt8 = 13
    static let lineFeed: UInt8 = 10
    static let tab: UInt8 = 9
    static let space: UInt8 = 32
    static let colon: UInt8 = 58

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    static func byte(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
        base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The first byte below 0x20 or equal to 0x7f (so also CR, LF and TAB); `end` if there is none.
    @inline(__always)
    static func firstControl(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = word(base, position)
            let low = (word &- ones &* 0x20) & ~word
            let delete = word ^ (ones &* 0x7f)
            let flags = (low | ((delete &- ones) & ~delete)) & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            let byte = byte(base, position)
            if byte < 0x20 || byte == 0x7f { return position }
            position &+= 1
        }
        return end
    }

    /// The first byte that ends a request target or can't stand in one: controls, space, DEL.
    ///
    /// Bytes from 0x80 up are as forbidden by RFC 3986, but networks and visitors' browsers do send
    /// raw UTF-8, no two parsers read it differently, and a refused call is a lost conversion.
    @inline(__always)
    static func firstOutsideTarget(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = word(base, position)
            let low = (word &- ones &* 0x21) & ~word
            let delete = word ^ (ones &* 0x7f)
            let flags = (low | ((delete &- ones) & ~delete)) & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            let byte = byte(base, position)
            if byte <= 0x20 || byte == 0x7f { return position }
            position &+= 1
        }
        return end
    }

    /// The first `wanted`; nil if there is none.
    @inline(__always)
    static func firstIndex(
        of wanted: UInt8, _ base: UnsafeRawPointer, from start: Int, to end: Int
    ) -> Int? {
        let pattern = ones &* UInt64(wanted)
        var position = start
        while position &+ 8 <= end {
            let difference = word(base, position) ^ pattern
            let flags = (difference &- ones) & ~difference & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            if byte(base, position) == wanted { return position }
            position &+= 1
        }
        return nil
    }

    /// Byte for byte.
    static func equals(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard bytes.count == name.utf8CodeUnitCount else { return false }
        let start = name.utf8Start
        for index in 0..<bytes.count where bytes[index] != start[index] { return false }
        return true
    }

    /// Without ASCII case; `lowerName` is in lower case.
    static func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ lowerName: StaticString)
        -> Bool
    {
        guard bytes.count == lowerName.utf8CodeUnitCount else { return false }
        let start = lowerName.utf8Start
        for index in 0..<bytes.count where lower(bytes[index]) != start[index] { return false }
        return true
    }

    static func equalsIgnoringCase(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer)
        -> Bool
    {
        guard one.count == other.count else { return false }
        for index in 0..<one.count where lower(one[index]) != lower(other[index]) { return false }
        return true
    }

    @inline(__always)
    static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (lower(byte) >= 97 && lower(byte) <= 102)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (lower(byte) >= 97 && lower(byte) <= 122)
    }

    /// 256 flags: 1 for the bytes of a token (RFC 9110, 5.6.2). Made once and never freed.
    // Unsafe only in being a pointer: nobody writes after it is made.
    nonisolated(unsafe) static let tokenTable: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        for byte in UInt8.min...UInt8.max where isAlphanumeric(byte) { table[Int(byte)] = 1 }
        for byte in "!#$%&'*+-.^_`|~".utf8 { table[Int(byte)] = 1 }
        return UnsafePointer(table)
    }()
}

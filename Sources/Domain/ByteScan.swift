/// Searches and comparisons over raw bytes, eight at a time.
///
/// The word trick is Mycroft's "has a zero byte": the lowest flagged byte is always a true one, and
/// the only one that is used.
public enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func flags(_ word: UInt64, _ pattern: UInt64) -> UInt64 {
        let difference = word ^ pattern
        return (difference &- ones) & ~difference
    }

    /// The first place from `start` on that holds one of the two; the count if there is none.
    static func firstIndex(
        of one: UInt8, or other: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int
    ) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        let end = bytes.count
        let (onePattern, otherPattern) = (ones &* UInt64(one), ones &* UInt64(other))
        var position = start
        while position &+ 8 <= end {
            let word = word(base, position)
            let found = (flags(word, onePattern) | flags(word, otherPattern)) & highs
            if found != 0 { return position &+ found.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        if position < end, end &- start >= 8 {
            // The last eight once more: those before `position` are none of the two.
            position = end &- 8
            let word = word(base, position)
            let found = (flags(word, onePattern) | flags(word, otherPattern)) & highs
            return found == 0 ? end : position &+ found.trailingZeroBitCount &>> 3
        }
        while position < end {
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            if byte == one || byte == other { return position }
            position &+= 1
        }
        return end
    }

    /// Copies the bytes before the first that is one of the two, and may overwrite what follows them
    /// in the target, which has room for all.
    /// - Returns: how many there are.
    @inline(__always)
    static func copy(
        _ source: UnsafeRawPointer, count: Int, to target: UnsafeMutableRawPointer,
        until one: UInt8, or other: UInt8
    ) -> Int {
        let (onePattern, otherPattern) = (ones &* UInt64(one), ones &* UInt64(other))
        var position = 0
        while position &+ 8 <= count {
            let word = word(source, position)
            target.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
            let found = (flags(word, onePattern) | flags(word, otherPattern)) & highs
            if found != 0 { return position &+ found.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        if position < count, count >= 8 {
            position = count &- 8
            let word = word(source, position)
            target.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
            let found = (flags(word, onePattern) | flags(word, otherPattern)) & highs
            return found == 0 ? count : position &+ found.trailingZeroBitCount &>> 3
        }
        while position < count {
            let byte = source.load(fromByteOffset: position, as: UInt8.self)
            if byte == one || byte == other { return position }
            target.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
            position &+= 1
        }
        return count
    }

    /// Whether both hold the same bytes.
    public static func isEqual(_ one: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        one.count == other.count && other.withUnsafeBytes { isEqual(one, $0) }
    }

    /// Whether both hold the same bytes.
    public static func isEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer)
        -> Bool
    {
        guard one.count == other.count else { return false }
        guard let left = one.baseAddress, let right = other.baseAddress else { return true }
        let end = one.count
        var position = 0
        while position &+ 8 <= end {
            if word(left, position) != word(right, position) { return false }
            position &+= 8
        }
        if position < end, end >= 8 { return word(left, end &- 8) == word(right, end &- 8) }
        while position < end {
            if left.load(fromByteOffset: position, as: UInt8.self)
                != right.load(fromByteOffset: position, as: UInt8.self)
            {
                return false
            }
            position &+= 1
        }
        return true
    }
}

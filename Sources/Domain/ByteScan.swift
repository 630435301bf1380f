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
        while position < end {
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            if byte == one || byte == other { return position }
            position &+= 1
        }
        return end
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

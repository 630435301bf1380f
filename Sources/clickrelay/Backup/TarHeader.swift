/// The 512 bytes before each file of a tar archive (POSIX.1-1988 "ustar", pubs.opengroup.org, pax).
///
/// Regular files only, with names of at most 100 bytes. A size of 8 GiB and more is written in
/// base 256, as GNU tar, BSD tar and Python's tarfile read and write it.
struct TarHeader: Equatable {
    static let blockBytes = 512
    static let nameBytesMax = 100

    let name: String
    let size: Int64
    /// Seconds since 1970.
    var modifiedAt: Int64 = 0

    private enum Field {
        static let name = 0..<nameBytesMax
        static let mode = 100..<108
        static let owner = 108..<116
        static let group = 116..<124
        static let size = 124..<136
        static let modified = 136..<148
        static let checksum = 148..<156
        static let type = 156
        static let magic = 257..<265
    }

    private static let magic = Array("ustar\u{0}00".utf8)
    private static let regularFile = UInt8(ascii: "0")
    private static let sizeOctalMax: Int64 = 0o77_777_777_777

    var bytes: [UInt8] {
        precondition(name.utf8.count <= Self.nameBytesMax, "\(name) is too long a name")
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        Self.write(0o600, to: Field.mode, of: &block)
        Self.write(0, to: Field.owner, of: &block)
        Self.write(0, to: Field.group, of: &block)
        Self.write(size, to: Field.size, of: &block)
        Self.write(modifiedAt, to: Field.modified, of: &block)
        block[Field.type] = Self.regularFile
        block.replaceSubrange(Field.magic, with: Self.magic)
        // Six digits, a zero and a space, as the standard has it.
        let digits = Self.octal(Self.checksum(block), count: 6) + [0, 0x20]
        block.replaceSubrange(Field.checksum, with: digits)
        return block
    }

    init(name: String, size: Int64, modifiedAt: Int64 = 0) {
        self.name = name
        self.size = size
        self.modifiedAt = modifiedAt
    }

    /// Nil for anything that `bytes` doesn't write.
    init?(parsing block: [UInt8]) {
        guard block.count == Self.blockBytes, Array(block[Field.magic]) == Self.magic,
            block[Field.type] == Self.regularFile,
            let checksum = Self.number(block[Field.checksum].prefix(6)),
            checksum == Self.checksum(block), let size = Self.number(block[Field.size]),
            let modifiedAt = Self.number(block[Field.modified]),
            let name = String(
                validating: block[Field.name].prefix { $0 != 0 }, as: UTF8.self)
        else { return nil }
        self.name = name
        self.size = size
        self.modifiedAt = modifiedAt
    }

    /// Bytes after a file's own, so that the next header begins at a block.
    static func padding(after size: Int64) -> Int {
        Int((Int64(blockBytes) - size % Int64(blockBytes)) % Int64(blockBytes))
    }

    /// The sum of all bytes, with spaces in the checksum's own place.
    private static func checksum(_ block: [UInt8]) -> Int64 {
        var sum: Int64 = 0
        for (index, byte) in block.enumerated() {
            sum += Field.checksum.contains(index) ? 0x20 : Int64(byte)
        }
        return sum
    }

    private static func write(_ number: Int64, to field: Range<Int>, of block: inout [UInt8]) {
        if number <= sizeOctalMax {
            block.replaceSubrange(field, with: octal(number, count: field.count - 1) + [0])
            return
        }
        for (offset, index) in field.reversed().enumerated() {
            block[index] =
                offset < 8 ? UInt8(truncatingIfNeeded: number >> Int64(8 * offset)) : 0
        }
        block[field.lowerBound] = 0x80
    }

    private static func octal(_ number: Int64, count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(ascii: "0") + UInt8(number >> Int64(3 * $0) & 7) }
    }

    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if field.first == 0x80 {
            // Of 12 bytes the last 8 hold any size there can be.
            guard field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            let number = field.suffix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return Int64(exactly: number)
        }
        let digits = field.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty, digits.count <= 12 else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "7") else { return nil }
            number = number << 3 | Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }
}

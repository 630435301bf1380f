/// What makers of location files send: the file itself, with gzip (`.mmdb.gz`), or in an archive
/// (`.tar.gz`) among a licence and other texts.
public enum GeoArchive {
    /// A larger location file has to be unpacked by whoever brings it.
    static let bytesMax = 2 << 30

    /// The location file in there.
    public static func database(in bytes: [UInt8]) throws(GeoError) -> [UInt8] {
        var bytes = bytes
        if bytes.starts(with: [0x1F, 0x8B]) { bytes = try unzipped(bytes) }
        if let member = try TarArchive.member(of: bytes, suffix: ".mmdb") {
            return Array(bytes[member])
        }
        return bytes
    }

    /// Undoes gzip (RFC 1952).
    static func unzipped(_ bytes: [UInt8]) throws(GeoError) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        repeat {
            let start = try headerEnd(bytes, position)
            // Modulo 2^32, and of the last member; no more than a guess.
            let expected = bytes.count >= 4 ? Int(number(bytes, bytes.count - 4)) : 0
            // Closures can't throw our type, hence the result.
            let inflated = bytes.withUnsafeBytes { input -> Result<([UInt8], Int), GeoError> in
                var inflate = Inflate(
                    input, from: start, expected: expected, outputMax: bytesMax - result.count)
                do throws(GeoError) {
                    let (output, end) = try inflate.run()
                    return .success((output, end))
                } catch {
                    return .failure(error)
                }
            }
            let (output, end) = try inflated.get()
            guard bytes.count - end >= 8 else { throw .packedShort }
            guard number(bytes, end) == CRC32.of(output),
                number(bytes, end + 4) == UInt32(truncatingIfNeeded: output.count)
            else { throw .packed }
            if result.isEmpty { result = output } else { result += output }
            position = end + 8
        } while position < bytes.count
        return result
    }

    private static func headerEnd(_ bytes: [UInt8], _ start: Int) throws(GeoError) -> Int {
        guard bytes.count - start >= 10 else { throw .packedShort }
        guard bytes[start] == 0x1F, bytes[start + 1] == 0x8B, bytes[start + 2] == 8 else {
            throw .packed
        }
        let flags = bytes[start + 3]
        var position = start + 10
        if flags & 4 != 0 {
            guard bytes.count - position >= 2 else { throw .packedShort }
            position += 2 + Int(bytes[position]) + Int(bytes[position + 1]) << 8
        }
        // Name and comment, each up to a zero.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else {
                throw .packedShort
            }
            position = end + 1
        }
        if flags & 2 != 0 { position += 2 }
        guard position <= bytes.count else { throw .packedShort }
        return position
    }

    /// Lowest byte first.
    private static func number(_ bytes: [UInt8], _ position: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
    }
}

/// A tape archive (POSIX.1-2017, pax, "ustar Interchange Format").
enum TarArchive {
    /// Where the first file stands whose name ends so; nil when the bytes are no archive.
    static func member(of bytes: [UInt8], suffix: String) throws(GeoError) -> Range<Int>? {
        guard isHeader(bytes, 0) else { return nil }
        var position = 0
        while isHeader(bytes, position) {
            guard let size = octal(bytes[position + 124..<position + 136]) else {
                throw .packed
            }
            let start = position + 512
            guard size <= bytes.count - start else { throw .packedShort }
            let name = bytes[position..<position + 100].prefix { $0 != 0 }
            let isFile = [0, UInt8(ascii: "0")].contains(bytes[position + 156])
            if isFile, name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                return start..<start + size
            }
            position = start + (size + 511) / 512 * 512
        }
        throw GeoError("the archive has no \(suffix) file")
    }

    private static func isHeader(_ bytes: [UInt8], _ position: Int) -> Bool {
        bytes.count - position >= 512
            && bytes[position + 257..<position + 262].elementsEqual("ustar".utf8)
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits where digit != 0 && digit != UInt8(ascii: " ") {
            guard (0x30...0x37).contains(digit) else { return nil }
            // Twelve digits of three bits each.
            value = value << 3 | Int(digit & 7)
        }
        return value
    }
}

/// The check sum of gzip (RFC 1952, section 8).
enum CRC32 {
    static func of(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = .max
        table.withUnsafeBufferPointer { table in
            for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 255)] ^ sum >> 8 }
        }
        return ~sum
    }

    private static let table: [UInt32] = (0..<256).map { number in
        (0..<8).reduce(UInt32(number)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }
}

/// Undoes DEFLATE (RFC 1951).
///
/// Any bytes will do: what is damaged is an error, and what would become larger than it may is too.
struct Inflate {
    private var bits: DeflateBits
    private var output: [UInt8]
    private let outputMax: Int

    /// - Parameter expected: bytes that the result will have, as far as somebody says.
    init(_ input: UnsafeRawBufferPointer, from start: Int, expected: Int, outputMax: Int) {
        bits = DeflateBits(input, from: start)
        output = []
        // A short file may say anything: DEFLATE makes at most 1,032 bytes of one.
        output.reserveCapacity(min(expected, outputMax, input.count * 1_032))
        self.outputMax = outputMax
    }

    /// The result, and where in the input it ended.
    mutating func run() throws(GeoError) -> (output: [UInt8], end: Int) {
        var isLast = false
        while !isLast {
            isLast = try bits.take(1) == 1
            switch try bits.take(2) {
            case 0: try copyStored()
            case 1: try expand(.fixedLiterals, .fixedDistances)
            case 2:
                let (literals, distances) = try readCodes()
                try expand(literals, distances)
            default: throw .packed
            }
        }
        return (output, bits.endOfBytes())
    }

    private mutating func copyStored() throws(GeoError) {
        bits.skipToByte()
        let count = try bits.take(16)
        guard try bits.take(16) == count ^ 0xFFFF else { throw .packed }
        guard count <= outputMax - output.count else { throw .tooLarge }
        for _ in 0..<count { output.append(UInt8(truncatingIfNeeded: try bits.take(8))) }
    }

    private mutating func expand(_ literals: DeflateCode, _ distances: DeflateCode)
        throws(GeoError)
    {
        while true {
            let symbol = try bits.symbol(literals)
            if symbol < 256 {
                guard output.count < outputMax else { throw .tooLarge }
                output.append(UInt8(truncatingIfNeeded: symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol < 286 else { throw .packed }
            let (base, extra) = Self.lengths[symbol - 257]
            let length = base + (try bits.take(extra))
            let code = try bits.symbol(distances)
            guard code < 30 else { throw .packed }
            let (distanceBase, distanceExtra) = Self.distances[code]
            let distance = distanceBase + (try bits.take(distanceExtra))
            guard distance <= output.count else { throw .packed }
            guard length <= outputMax - output.count else { throw .tooLarge }
            // One by one: what is copied may be part of the copy.
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    private mutating func readCodes() throws(GeoError) -> (DeflateCode, DeflateCode) {
        let literalCount = try bits.take(5) + 257
        let distanceCount = try bits.take(5) + 1
        let lengthCount = try bits.take(4) + 4
        var codeLengths = [UInt8](repeating: 0, count: 19)
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        for index in order.prefix(lengthCount) {
            codeLengths[index] = UInt8(truncatingIfNeeded: try bits.take(3))
        }
        let code = try DeflateCode(codeLengths[...])
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try bits.symbol(code)
            let (value, count): (UInt8, Int)
            switch symbol {
            case 0..<16: (value, count) = (UInt8(truncatingIfNeeded: symbol), 1)
            case 16:
                guard let last = lengths.last else { throw .packed }
                (value, count) = (last, 3 + (try bits.take(2)))
            case 17: (value, count) = (0, 3 + (try bits.take(3)))
            default: (value, count) = (0, 11 + (try bits.take(7)))
            }
            for _ in 0..<count { lengths.append(value) }
        }
        guard lengths.count == literalCount + distanceCount else { throw .packed }
        return (
            try DeflateCode(lengths[..<literalCount]), try DeflateCode(lengths[literalCount...])
        )
    }

    /// RFC 1951, 3.2.5: for symbols from 257 on, the least length and how many bits are added.
    private static let lengths: [(base: Int, extra: Int)] = {
        var lengths: [(Int, Int)] = (3...10).map { ($0, 0) }
        var base = 11
        for extra in 1...5 {
            for _ in 0..<4 {
                lengths.append((base, extra))
                base += 1 << extra
            }
        }
        return lengths + [(258, 0)]
    }()

    private static let distances: [(base: Int, extra: Int)] = {
        var distances: [(Int, Int)] = (1...4).map { ($0, 0) }
        var base = 5
        for extra in 1...13 {
            for _ in 0..<2 {
                distances.append((base, extra))
                base += 1 << extra
            }
        }
        return distances
    }()
}

/// A Huffman code as a table of all 15-bit beginnings.
struct DeflateCode {
    /// `symbol << 4 | length`; 0 where no symbol begins so.
    fileprivate let table: [UInt16]
    /// Bits by which the table is asked.
    fileprivate let width: Int

    static let fixedLiterals: DeflateCode = {
        let lengths: [UInt8] = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
        return fixed(lengths)
    }()
    static let fixedDistances = fixed([UInt8](repeating: 5, count: 30))

    private static func fixed(_ lengths: [UInt8]) -> DeflateCode {
        do throws(GeoError) {
            return try DeflateCode(lengths[...])
        } catch {
            preconditionFailure("RFC 1951's own code is refused")
        }
    }

    /// From the number of bits of each symbol; 0: it does not occur.
    fileprivate init(_ lengths: ArraySlice<UInt8>) throws(GeoError) {
        var counts = [Int](repeating: 0, count: 16)
        for length in lengths where length > 0 { counts[Int(length)] += 1 }
        width = max(1, counts.lastIndex { $0 > 0 } ?? 1)
        var next = [Int](repeating: 0, count: 16)
        var code = 0
        for length in 1...15 {
            code = (code + counts[length - 1]) << 1
            next[length] = code
            guard code + counts[length] <= 1 << length else { throw .packed }
        }
        var table = [UInt16](repeating: 0, count: 1 << width)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            // The code's bits arrive highest first, those of a table's index lowest first.
            var reversed = 0
            for bit in 0..<length where next[length] >> bit & 1 == 1 {
                reversed |= 1 << (length - 1 - bit)
            }
            next[length] += 1
            for index in stride(from: reversed, to: table.count, by: 1 << length) {
                table[index] = UInt16(symbol << 4 | length)
            }
        }
        self.table = table
    }
}

/// Bits of the input, lowest first.
private struct DeflateBits {
    private let input: UnsafeRawBufferPointer
    private var position: Int
    private var buffer: UInt64 = 0
    private var count = 0

    init(_ input: UnsafeRawBufferPointer, from start: Int) {
        self.input = input
        position = start
    }

    /// At most 16.
    mutating func take(_ wanted: Int) throws(GeoError) -> Int {
        fill()
        guard count >= wanted else { throw .packedShort }
        let value = Int(buffer & ((1 << UInt64(wanted)) - 1))
        drop(wanted)
        return value
    }

    mutating func symbol(_ code: DeflateCode) throws(GeoError) -> Int {
        fill()
        let entry = code.table[Int(buffer & ((1 << UInt64(code.width)) - 1))]
        let length = Int(entry & 15)
        guard length > 0 else { throw .packed }
        guard length <= count else { throw .packedShort }
        drop(length)
        return Int(entry >> 4)
    }

    mutating func skipToByte() { drop(count % 8) }

    /// Where the next whole byte stands.
    func endOfBytes() -> Int { position - count / 8 }

    private mutating func drop(_ bits: Int) {
        buffer >>= UInt64(bits)
        count -= bits
    }

    @inline(__always)
    private mutating func fill() {
        while count <= 48, position < input.count {
            buffer |= UInt64(input[position]) << UInt64(count)
            position += 1
            count += 8
        }
    }
}

extension GeoError {
    static let packed = GeoError("the archive is damaged")
    static let packedShort = GeoError("the archive ends too early: was all of it downloaded?")
    static let tooLarge = GeoError("the file is too large")
}

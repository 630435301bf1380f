/// Several byte strings in one: each behind its length in LEB128 (seven bits a byte, low first).
/// So a click's parameter values need one column and a byte each.
enum PackedTexts {
    static func append(_ bytes: some Collection<UInt8>, to packed: inout [UInt8]) {
        append(length: bytes.count, to: &packed)
        packed.append(contentsOf: bytes)
    }

    static func append(length count: Int, to packed: inout [UInt8]) {
        var length = UInt(bitPattern: count)
        while length >= 128 {
            packed.append(UInt8(truncatingIfNeeded: length) | 128)
            length >>= 7
        }
        packed.append(UInt8(truncatingIfNeeded: length))
    }

    /// Of any text below 2³⁵ bytes.
    static let lengthBytesMax = 5

    static func lengthBytes(of count: Int) -> Int {
        count < 128 ? 1 : (70 - count.leadingZeroBitCount) / 7
    }

    /// As `append(length:to:)`, into memory that has room for it.
    static func write(length count: Int, to memory: UnsafeMutableRawBufferPointer) {
        var length = count
        var place = 0
        while length >= 128 {
            memory[place] = UInt8(truncatingIfNeeded: length) | 128
            length >>= 7
            place += 1
        }
        memory[place] = UInt8(truncatingIfNeeded: length)
    }

    /// Reads one after another, without a copy: as many as are whole.
    struct Reader: IteratorProtocol {
        private let packed: UnsafeRawBufferPointer
        private var index = 0

        init(_ packed: UnsafeRawBufferPointer) { self.packed = packed }

        mutating func next() -> UnsafeRawBufferPointer? {
            guard index < packed.count else { return nil }
            var length = 0
            var shift = 0
            while true {
                guard index < packed.count, shift <= 28 else { return nil }
                let byte = packed[index]
                index += 1
                length |= Int(byte & 127) << shift
                if byte < 128 { break }
                shift += 7
            }
            guard length <= packed.count - index else { return nil }
            defer { index += length }
            return UnsafeRawBufferPointer(rebasing: packed[index..<(index + length)])
        }
    }

    /// As many as are whole: our own files, but a damaged one must not trap.
    static func unpack(_ packed: UnsafeRawBufferPointer) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        forEach(in: packed) {
            texts.append(Array($0))
            return true
        }
        return texts
    }

    /// The text at a place, from 0, without a copy of those before it; nil where there are fewer.
    static func text(at place: Int, in packed: [UInt8]) -> [UInt8]? {
        var left = place
        var found: [UInt8]?
        packed.withUnsafeBytes { packed in
            forEach(in: packed) { text in
                if left == 0 { found = Array(text) }
                left -= 1
                return left >= 0
            }
        }
        return found
    }

    /// Until `body` has enough.
    private static func forEach(
        in packed: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool
    ) {
        var reader = Reader(packed)
        while let text = reader.next(), body(text) {}
    }

    static func unpack(_ packed: [UInt8]) -> [[UInt8]] {
        packed.withUnsafeBytes { unpack($0) }
    }
}

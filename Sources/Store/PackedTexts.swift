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
        var index = 0
        while index < packed.count {
            var length = 0
            var shift = 0
            while true {
                guard index < packed.count, shift <= 28 else { return }
                let byte = packed[index]
                index += 1
                length |= Int(byte & 127) << shift
                if byte < 128 { break }
                shift += 7
            }
            guard length <= packed.count - index else { return }
            let text = UnsafeRawBufferPointer(rebasing: packed[index..<(index + length)])
            guard body(text) else { return }
            index += length
        }
    }

    static func unpack(_ packed: [UInt8]) -> [[UInt8]] {
        packed.withUnsafeBytes { unpack($0) }
    }
}

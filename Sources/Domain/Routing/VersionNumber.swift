/// Numbers with dots, as operating systems and browsers count: `17.1.2`.
struct VersionNumber: Hashable, Sendable {
    static let partsMax = 6
    let parts: [UInt32]

    /// Nil for a text that doesn't begin with a number.
    init?(_ text: String) {
        var bytes = Array(text.utf8)
        guard let parts = bytes.withUnsafeMutableBytes({ Self.parts(UnsafeRawBufferPointer($0)) }),
            text.utf8.allSatisfy({ ASCII.digit($0) != nil || $0 == UInt8(ascii: ".") })
        else { return nil }
        self.parts = parts
    }

    private static func parts(_ bytes: UnsafeRawBufferPointer) -> [UInt32]? {
        var reader = PartReader(bytes: bytes)
        var parts: [UInt32] = []
        while let part = reader.next(), parts.count < partsMax { parts.append(part) }
        return parts.isEmpty ? nil : parts
    }

    /// -1, 0 or 1 as the version written in `bytes` is before, within or after this one, compared
    /// in as many parts as this one has: 13.9 is within 13. Nil where `bytes` holds no version.
    func order(of bytes: UnsafeRawBufferPointer) -> Int? {
        var reader = PartReader(bytes: bytes)
        for (index, part) in parts.enumerated() {
            guard let other = reader.next() else {
                if index == 0 { return nil }
                // `17` is `17.0`.
                if part > 0 { return -1 }
                continue
            }
            if other != part { return other < part ? -1 : 1 }
        }
        return 0
    }

    /// Reads part after part without an allocation; stops at what is no number. A part that is too
    /// large for any version counts as the largest.
    private struct PartReader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        mutating func next() -> UInt32? {
            if position > 0 {
                guard position < bytes.count,
                    bytes[position] == UInt8(ascii: ".") || bytes[position] == UInt8(ascii: "_")
                else { return nil }
                position += 1
            }
            let start = position
            var value: UInt32 = 0
            while position < bytes.count, let digit = ASCII.digit(bytes[position]) {
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflows) = product.addingReportingOverflow(UInt32(digit))
                value = isTooLarge || overflows ? .max : sum
                position += 1
            }
            return position > start ? value : nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a raw name of a query is that parameter's, encoded or not: `click%5Bid%5D` is
    /// `click[id]`.
    public func isParameter(_ name: [UInt8]) -> Bool {
        if count == name.count { return ByteScan.isEqual(self, name) }
        let percent = UInt8(ascii: "%")
        // Most names differ in the first letter already.
        guard count > name.count,
            self[0] == name.first || self[0] == percent || self[0] == UInt8(ascii: "+"),
            ByteScan.firstIndex(of: percent, or: percent, in: self, from: 0) < count
        else { return false }
        return PercentEncoding.decode(self, plusIsSpace: true).elementsEqual(name)
    }
}

/// Walks over a query or an urlencoded form without allocating: raw, undecoded slices of it.
///
/// `&` separates pairs, the first `=` of a pair its name from its value; a pair without `=` has an
/// empty value, and one without a name is skipped. The slices are valid as long as the bytes are.
public struct QueryScanner: IteratorProtocol, Sequence {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public mutating func next() -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        while position < bytes.count {
            let start = position
            let mark = ByteScan.firstIndex(
                of: UInt8(ascii: "&"), or: UInt8(ascii: "="), in: bytes, from: start)
            var equals: Int?
            var end = mark
            if mark < bytes.count, bytes[mark] == UInt8(ascii: "=") {
                equals = mark
                end = ByteScan.firstIndex(
                    of: UInt8(ascii: "&"), or: UInt8(ascii: "&"), in: bytes, from: mark + 1)
            }
            position = end + 1
            let nameEnd = equals ?? end
            if nameEnd == start { continue }
            let valueStart = equals.map { $0 + 1 } ?? end
            return (
                UnsafeRawBufferPointer(rebasing: bytes[start..<nameEnd]),
                UnsafeRawBufferPointer(rebasing: bytes[valueStart..<end])
            )
        }
        return nil
    }
}

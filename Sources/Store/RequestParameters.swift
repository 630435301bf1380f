internal import Domain

/// The parameters of one request, decoded and packed as a click keeps them: each text behind its
/// length, all names in one piece and all values in another. In memory of its own that serves each
/// request anew, so that a parameter costs no allocation and one copy.
public final class RequestParameters {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 16)
    /// The values lie in the second half.
    private var middle = 512
    private var namesEnd = 0
    private var valuesEnd = 512
    // A property that others see is checked at each change.
    private var appended = 0
    public var count: Int { appended }

    public init() {}

    deinit { memory.deallocate() }

    /// Forgets what there was, and makes room.
    /// - Parameters:
    ///   - bytes: what all names together don't exceed before they are decoded; the values likewise.
    ///   - pairs: how many there may be.
    public func begin(bytes: Int, pairs: Int) {
        let half = bytes + pairs * PackedTexts.lengthBytesMax
        if half > middle {
            memory.deallocate()
            memory = .allocate(byteCount: half * 2, alignment: 16)
            middle = half
        }
        appended = 0
        namesEnd = 0
        valuesEnd = middle
    }

    /// Decodes one, `+` as a space.
    public func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        appended += 1
        namesEnd = append(name, at: namesEnd, before: middle)
        valuesEnd = append(value, at: valuesEnd, before: memory.count)
    }

    private func append(_ raw: UnsafeRawBufferPointer, at start: Int, before end: Int) -> Int {
        // A copy of the pointer: each look at the property itself would be checked.
        let memory = memory
        // Decoding only ever shortens.
        precondition(
            raw.count + PackedTexts.lengthBytesMax <= end - start,
            "no room was made for \(raw.count)")
        let guess = PackedTexts.lengthBytes(of: raw.count)
        let text = UnsafeMutableRawBufferPointer(rebasing: memory[(start + guess)..<end])
        let count = PercentEncoding.decode(raw, plusIsSpace: true, into: text)
        let needed = PackedTexts.lengthBytes(of: count)
        if needed != guess {
            UnsafeMutableRawBufferPointer(rebasing: memory[(start + needed)..<end])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: text[..<count]))
        }
        PackedTexts.write(
            length: count, to: UnsafeMutableRawBufferPointer(rebasing: memory[start..<end]))
        return start + needed + count
    }

    /// Packed; valid until `begin` or `append` is called.
    public var names: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[..<namesEnd])
    }
    public var values: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[middle..<valuesEnd])
    }

    /// The first of that name, valid as long as `values`.
    public func value(named name: [UInt8]) -> UnsafeRawBufferPointer? {
        name.withUnsafeBytes { value(named: $0) }
    }

    public func value(named name: String) -> UnsafeRawBufferPointer? {
        name.utf8.withContiguousStorageIfAvailable { value(named: UnsafeRawBufferPointer($0)) }
            ?? value(named: Array(name.utf8))
    }

    private func value(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for (other, value) in self where ByteScan.isEqual(other, name) { return value }
        return nil
    }
}

extension RequestParameters: Sequence {
    public struct Iterator: IteratorProtocol {
        fileprivate var names: PackedTexts.Reader
        fileprivate var values: PackedTexts.Reader

        public mutating func next() -> (
            name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
        )? {
            guard let name = names.next(), let value = values.next() else { return nil }
            return (name, value)
        }
    }

    public func makeIterator() -> Iterator {
        Iterator(names: PackedTexts.Reader(names), values: PackedTexts.Reader(values))
    }
}

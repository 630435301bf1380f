/// Numbers scalars so that those which no set of a pattern tells apart have the same number.
///
/// A pattern of twenty words needs some thirty classes, where there are a million scalars: that
/// makes sets bits of a few words, and tables of states small.
struct ScalarClasses: Sendable {
    let count: Int
    private let ascii: [UInt16]
    /// First scalars of the stretches of one class, from 0 on, and those stretches' classes.
    private let starts: [UInt32]
    private let classes: [UInt16]

    /// One scalar of each class.
    let examples: [UInt32]

    /// - Parameter sets: together at most some thousand ranges: the text that made them is short.
    init(telling sets: [ScalarSet]) {
        var bounds: Set<UInt32> = [0]
        for range in sets.lazy.flatMap(\.ranges) {
            bounds.insert(range.lowerBound)
            if range.upperBound < ScalarSet.last { bounds.insert(range.upperBound + 1) }
        }
        starts = bounds.sorted()
        var numbers: [[Bool]: UInt16] = [:]
        var examples: [UInt32] = []
        var classes: [UInt16] = []
        for start in starts {
            let membership = sets.map { $0.contains(start) }
            if let known = numbers[membership] {
                classes.append(known)
            } else {
                let number = UInt16(clamping: examples.count)
                numbers[membership] = number
                classes.append(number)
                examples.append(start)
            }
        }
        self.examples = examples
        self.classes = classes
        count = examples.count
        var ascii: [UInt16] = []
        var stretch = 0
        for scalar in UInt32(0)..<128 {
            while stretch + 1 < starts.count, starts[stretch + 1] <= scalar { stretch += 1 }
            ascii.append(classes[stretch])
        }
        self.ascii = ascii
    }

    /// The class of the scalar at `position`, which moves behind it and must be inside.
    @inline(__always)
    func next(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int {
        let byte = bytes[position]
        if byte < 0x80 {
            position += 1
            return Int(ascii[Int(byte)])
        }
        return of(UTF8Scalar.next(bytes, &position))
    }

    func of(_ scalar: UInt32) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= scalar { low = middle + 1 } else { high = middle }
        }
        // The first stretch begins at 0, so that one is always found.
        return Int(classes[max(0, low - 1)])
    }
}

enum UTF8Scalar {
    /// The scalar at `position`, which must be inside and moves behind it. A byte that is no part
    /// of well-formed UTF-8 (Unicode 16, table 3-7) is a U+FFFD by itself.
    static func next(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32 {
        let first = bytes[position]
        position += 1
        let length: Int
        let second: ClosedRange<UInt8>
        switch first {
        case 0x00...0x7F: return UInt32(first)
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0xFFFD
        }
        guard position + length - 1 <= bytes.count, second.contains(bytes[position]) else {
            return 0xFFFD
        }
        var scalar = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 0..<length - 1 {
            let byte = bytes[position + offset]
            guard byte & 0xC0 == 0x80 else { return 0xFFFD }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        position += length - 1
        return scalar
    }
}

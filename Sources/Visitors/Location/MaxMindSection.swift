/// Encoded values of a MaxMind DB file ("MaxMind DB File Format Specification" v2.0, "Output Data
/// Section"): those of the data section, or of the metadata. Pointers count from its first byte.
///
/// Nothing here trusts the bytes: every position is checked, and every walk has a budget.
struct MaxMindSection {
    let bytes: UnsafeRawBufferPointer

    enum Kind: UInt8 {
        case text = 2
        case double, bytes, uint16, uint32, map, int32, uint64, uint128, array
        case bool = 14
        case float
    }

    struct Value {
        let kind: Kind
        /// Bytes of the payload, or items; of a bool the value itself.
        let size: Int
        /// Where the payload begins. The bytes of one that is no container are all there.
        let start: Int
    }

    /// What a control byte and the bytes that belong to it say.
    private enum Head {
        case value(Value)
        /// To a position.
        case pointer(Int)
    }

    /// Moves `position` behind the head. Nil: damaged.
    private func head(_ position: inout Int) -> Head? {
        guard let control = byte(&position) else { return nil }
        if control >> 5 == 1 { return pointer(control, &position) }
        var number = control >> 5
        if number == 0 {
            guard let more = byte(&position), more <= 8 else { return nil }
            number = more + 7
        }
        guard let kind = Kind(rawValue: number) else { return nil }
        var size = Int(control & 31)
        switch size {
        case 29: size = 29 + (unsigned(&position, bytes: 1) ?? bytes.count)
        case 30: size = 285 + (unsigned(&position, bytes: 2) ?? bytes.count)
        case 31: size = 65_821 + (unsigned(&position, bytes: 3) ?? bytes.count)
        default: break
        }
        switch kind {
        case .bool: guard size <= 1 else { return nil }
        // An item takes a byte at least.
        case .map, .array: guard size <= bytes.count - position else { return nil }
        case .text, .double, .bytes, .uint16, .uint32, .int32, .uint64, .uint128, .float:
            guard size <= bytes.count - position else { return nil }
        }
        return .value(Value(kind: kind, size: size, start: position))
    }

    private func pointer(_ control: UInt8, _ position: inout Int) -> Head? {
        let width = Int(control >> 3 & 3)
        guard let low = unsigned(&position, bytes: width + 1) else { return nil }
        let high = Int(control & 7)
        switch width {
        case 0: return .pointer(high << 8 | low)
        case 1: return .pointer((high << 16 | low) + 2_048)
        case 2: return .pointer((high << 24 | low) + 526_336)
        default: return .pointer(low)
        }
    }

    /// Reads a value or follows the pointer to it. Nil: damaged. A pointer to a pointer is damage
    /// too: so nothing loops.
    func value(at position: Int) -> Value? {
        var position = position
        switch head(&position) {
        case nil: return nil
        case .value(let value): return value
        case .pointer(var target):
            guard case .value(let value) = head(&target) else { return nil }
            return value
        }
    }

    /// Moves `position` behind a value with everything that is inside it. False: damaged.
    ///
    /// - Parameter pointers: is told where every pointer inside leads.
    func skip(
        _ position: inout Int, _ budget: inout MaxMindBudget, pointers: (Int) -> Void = { _ in }
    ) -> Bool {
        var left = 1
        while left > 0 {
            guard budget.spend() else { return false }
            left -= 1
            switch head(&position) {
            case nil:
                budget.isDamaged = true
                return false
            case .pointer(let target): pointers(target)
            case .value(let value):
                switch value.kind {
                case .map: left += value.size * 2
                case .array: left += value.size
                case .bool: break
                case .text, .double, .bytes, .uint16, .uint32, .int32, .uint64, .uint128, .float:
                    position += value.size
                }
            }
        }
        return true
    }

    // MARK: Payloads

    func payload(_ value: Value) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[value.start..<value.start + value.size])
    }

    /// Of a text of at most `bytesMax` bytes.
    func text(_ value: Value, bytesMax: Int = 200) -> String? {
        guard value.kind == .text, value.size <= bytesMax else { return nil }
        return String(decoding: payload(value), as: UTF8.self)
    }

    /// Of an unsigned integer of up to 64 bits.
    func integer(_ value: Value) -> UInt64? {
        guard [.uint16, .uint32, .uint64].contains(value.kind), value.size <= 8 else { return nil }
        return payload(value).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func byte(_ position: inout Int) -> UInt8? {
        guard position >= 0, position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private func unsigned(_ position: inout Int, bytes count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let byte = byte(&position) else { return nil }
            value = value << 8 | Int(byte)
        }
        return value
    }
}

/// What a walk through values may cost.
struct MaxMindBudget {
    private(set) var spent = 0
    var isDamaged = false

    /// Values; a record of a city has some hundred.
    private static let max = 5_000

    mutating func spend() -> Bool {
        spent += 1
        if spent > Self.max { isDamaged = true }
        return spent <= Self.max
    }
}

/// The members of a map, one after the other.
struct MaxMindMembers {
    private let section: MaxMindSection
    private var position: Int
    private var left: Int

    /// None, unless the value is a map.
    init(_ section: MaxMindSection, _ map: MaxMindSection.Value) {
        self.section = section
        position = map.start
        left = map.kind == .map ? map.size : 0
    }

    /// Nil after the last one, and where the map is damaged, which the budget then says.
    mutating func next(_ budget: inout MaxMindBudget)
        -> (name: UnsafeRawBufferPointer, value: MaxMindSection.Value)?
    {
        guard left > 0, !budget.isDamaged else { return nil }
        left -= 1
        guard let key = section.value(at: position), key.kind == .text,
            section.skip(&position, &budget), let value = section.value(at: position)
        else {
            budget.isDamaged = true
            return nil
        }
        // The last one has nothing behind it that anybody reads.
        if left > 0, !section.skip(&position, &budget) { return nil }
        return (section.payload(key), value)
    }
}

extension UnsafeRawBufferPointer {
    /// Are these the bytes of that word?
    @inline(__always)
    func isWord(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != word.utf8Start[index] { return false }
        return true
    }
}

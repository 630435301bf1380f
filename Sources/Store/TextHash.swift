/// A keyed 64-bit hash of bytes, for tables in memory: two words at a time by a multiplication whose
/// halves are folded, as wyhash does it. The keys are this process's own, so that no visitor can aim
/// two texts at one. An eighth of what `Hasher` takes for a user agent.
struct TextHash {
    private let start = UInt64.random(in: .min ... .max)
    private let key = UInt64.random(in: .min ... .max)

    func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = start ^ UInt64(truncatingIfNeeded: bytes.count)
        var position = 0
        while position &+ 16 <= bytes.count {
            hash = fold(Self.word(bytes, position), Self.word(bytes, position &+ 8), hash)
            position &+= 16
        }
        var first: UInt64 = 0
        if position &+ 8 <= bytes.count {
            first = Self.word(bytes, position)
            position &+= 8
        }
        var last: UInt64 = 0
        while position < bytes.count {
            last = last << 8 | UInt64(bytes[position])
            position &+= 1
        }
        return fold(first, last, hash)
    }

    @inline(__always)
    private func fold(_ one: UInt64, _ other: UInt64, _ hash: UInt64) -> UInt64 {
        let (high, low) = (one ^ key).multipliedFullWidth(by: other ^ hash)
        return high ^ low
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    }
}

/// Row IDs by such hashes. Open addressing: the hashes are as good as random already, and need no
/// other.
final class HashedRows {
    /// 0 stands for an empty slot: SQLite's row IDs of ours begin at 1.
    // In memory of its own: each look at an array that a class changes in place is checked.
    private var slots = empty(64)
    private(set) var count = 0

    private static func empty(_ count: Int)
        -> UnsafeMutableBufferPointer<(hash: UInt64, id: Int64)>
    {
        let slots = UnsafeMutableBufferPointer<(hash: UInt64, id: Int64)>.allocate(capacity: count)
        slots.initialize(repeating: (0, 0))
        return slots
    }

    deinit { slots.deallocate() }

    /// Nil where there is none.
    @inline(__always)
    subscript(hash: UInt64) -> Int64? {
        let slot = slots[place(of: hash)]
        return slot.id == 0 ? nil : slot.id
    }

    /// - Parameter id: not 0.
    func insert(_ hash: UInt64, _ id: Int64) {
        precondition(id != 0, "row 0")
        if (count + 1) * 2 > slots.count { grow() }
        let place = place(of: hash)
        if slots[place].id == 0 { count += 1 }
        slots[place] = (hash, id)
    }

    func removeAll() {
        slots.deallocate()
        slots = Self.empty(64)
        count = 0
    }

    /// Where the hash lies, or would: at most half of the slots are taken, so a search ends soon.
    @inline(__always)
    private func place(of hash: UInt64) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place].id != 0, slots[place].hash != hash { place = (place + 1) & mask }
        return place
    }

    private func grow() {
        let old = slots
        slots = Self.empty(old.count * 2)
        for slot in old where slot.id != 0 { slots[place(of: slot.hash)] = slot }
        old.deallocate()
    }
}

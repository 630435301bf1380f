/// The connections of one server by slot. A slot is used again; its generation then differs, so that
/// an answer to the connection before finds nobody.
///
/// In memory of its own: each look at an array that a class changes in place is checked, and there
/// are three for each answer.
// Confined to its server's loop.
final class ConnectionTable {
    private struct Slot {
        var connection: Connection?
        var generation: UInt32 = 0
        /// `UInt64.max` for none.
        var deadline = UInt64.max
    }

    private var slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: 64)
    private var used = 0
    private var free: [Int] = []
    /// How many connections there are.
    private(set) var count = 0

    deinit {
        slots[..<used].deinitialize()
        slots.deallocate()
    }

    /// Of all slots, those without a connection included.
    var indices: Range<Int> { 0..<used }

    /// Takes a slot that `put` or `giveBack` is called with then.
    func take() -> (slot: Int, generation: UInt32) {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
        } else {
            if used == slots.count { grow() }
            slot = used
            slots.initializeElement(at: slot, to: Slot())
            used += 1
        }
        slots[slot].generation &+= 1
        return (slot, slots[slot].generation)
    }

    func giveBack(_ slot: Int) { free.append(slot) }

    func put(_ connection: Connection, in slot: Int) {
        slots[slot].connection = connection
        count += 1
    }

    func remove(_ slot: Int) {
        slots[slot].connection = nil
        slots[slot].deadline = .max
        slots[slot].generation &+= 1
        free.append(slot)
        count -= 1
    }

    /// - Parameter slot: one of `indices`.
    subscript(slot: Int) -> Connection? { slots[slot].connection }

    /// Nil where it is gone.
    @inline(__always)
    func connection(_ slot: UInt32, _ generation: UInt32) -> Connection? {
        guard slot < used, slots[Int(slot)].generation == generation else { return nil }
        return slots[Int(slot)].connection
    }

    func generation(of slot: Int) -> UInt32 { slots[slot].generation }

    /// In the loop's clock; `UInt64.max` for none.
    func deadline(of slot: Int) -> UInt64 { slots[slot].deadline }

    func setDeadline(_ deadline: UInt64, of slot: Int) { slots[slot].deadline = deadline }

    private func grow() {
        let larger = UnsafeMutableBufferPointer<Slot>.allocate(capacity: slots.count * 2)
        _ = larger.moveInitialize(fromContentsOf: slots[..<used])
        slots.deallocate()
        slots = larger
    }
}

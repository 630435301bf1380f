/// Names a scheduled timer; cancelling one that has fired or was cancelled does nothing.
public struct TimerID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// A binary heap of deadlines. Schedule and cancel are O(log n), the next deadline O(1).
///
/// Equal deadlines fire in the order they were scheduled.
struct Timers {
    private struct Entry {
        var deadline: UInt64
        var order: UInt64
        var slot: Int32

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : order < other.order
        }
    }

    private struct Slot {
        var generation: UInt32 = 0
        /// Where in `heap` this slot's entry is; -1 when the slot is free.
        var position: Int32 = -1
        var body: (() -> Void)?
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var free: [Int32] = []
    private var nextOrder: UInt64 = 0

    var count: Int { heap.count }
    var nextDeadline: UInt64? { heap.first?.deadline }

    mutating func schedule(at deadline: UInt64, _ body: @escaping () -> Void) -> TimerID {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = Int32(truncatingIfNeeded: slots.count)
            slots.append(Slot())
        }
        let index = Int(slot)
        slots[index].generation &+= 1
        slots[index].body = body
        slots[index].position = Int32(truncatingIfNeeded: heap.count)
        heap.append(Entry(deadline: deadline, order: nextOrder, slot: slot))
        nextOrder &+= 1
        siftUp(heap.count - 1)
        return TimerID(slot: slot, generation: slots[index].generation)
    }

    mutating func cancel(_ timer: TimerID) {
        let index = Int(timer.slot)
        guard slots.indices.contains(index), slots[index].generation == timer.generation,
            slots[index].position >= 0
        else { return }
        remove(at: Int(slots[index].position))
    }

    /// The order the next timer scheduled will have.
    var orderMark: UInt64 { nextOrder }

    /// Takes the earliest timer that is due at `now`, so that the caller runs it outside; nil also
    /// when that timer was scheduled after `mark` was read.
    mutating func popDue(at now: UInt64, before mark: UInt64) -> (() -> Void)? {
        guard let first = heap.first, first.deadline <= now, first.order < mark else { return nil }
        return remove(at: 0)
    }

    @discardableResult
    private mutating func remove(at position: Int) -> (() -> Void)? {
        let slot = Int(heap[position].slot)
        let last = heap.removeLast()
        if position < heap.count {
            heap[position] = last
            slots[Int(last.slot)].position = Int32(truncatingIfNeeded: position)
            siftDown(position)
            siftUp(position)
        }
        let body = slots[slot].body
        slots[slot].body = nil
        slots[slot].position = -1
        free.append(Int32(truncatingIfNeeded: slot))
        return body
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let moving = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard moving.isBefore(heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(moving, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let moving = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(moving) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(moving, at: position)
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        heap[position] = entry
        slots[Int(entry.slot)].position = Int32(truncatingIfNeeded: position)
    }
}

/// The memory of one server's connections. Chunks of the usual size are used again.
// Unchecked: confined to its server's loop.
final class BufferPool: @unchecked Sendable {
    static let chunkBytes = 4096
    private static let fitBytes = 512
    private static let keptMax = 512

    private let bytesMax: Int
    /// `keptCount` of them are kept. Each request takes a chunk and gives it back.
    private let kept = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: keptMax)
    private var keptCount = 0
    /// Bytes handed out.
    private(set) var bytesInUse = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    deinit {
        releaseKept()
        kept.deallocate()
    }

    /// At least `count` bytes; nil when that would exceed the bound.
    func take(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        var capacity = Self.chunkBytes
        while capacity < count {
            // No request or answer comes near the largest power of two.
            let (doubled, overflow) = capacity.multipliedReportingOverflow(by: 2)
            if overflow { return nil }
            capacity = doubled
        }
        return allocate(capacity)
    }

    /// `count` bytes and little more, for what waits; nil when that would exceed the bound.
    func takeFitting(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        // No request or answer comes near the largest number.
        allocate((count + Self.fitBytes - 1) / Self.fitBytes * Self.fitBytes)
    }

    private func allocate(_ capacity: Int) -> UnsafeMutableRawBufferPointer? {
        guard capacity <= bytesMax - bytesInUse else { return nil }
        bytesInUse += capacity
        if capacity == Self.chunkBytes, keptCount > 0 {
            keptCount -= 1
            return UnsafeMutableRawBufferPointer(start: kept[keptCount], count: capacity)
        }
        return .allocate(byteCount: capacity, alignment: 16)
    }

    func give(_ buffer: UnsafeMutableRawBufferPointer) {
        bytesInUse -= buffer.count
        if buffer.count == Self.chunkBytes, keptCount < Self.keptMax,
            let start = buffer.baseAddress
        {
            kept[keptCount] = start
            keptCount += 1
        } else {
            buffer.deallocate()
        }
    }

    func releaseKept() {
        for index in 0..<keptCount { kept[index].deallocate() }
        keptCount = 0
    }
}

/// Bytes in memory of a pool, added at the end and taken from the front.
///
/// Holds no memory while empty. Its owner calls `release` before dropping it. A class: as a value in
/// the connection each look at it would be checked for being in the way of another.
// Unchecked: confined to its pool's loop.
final class PooledBytes: @unchecked Sendable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var start = 0
    private(set) var end = 0

    var count: Int { end - start }
    /// What it holds of the pool.
    var capacity: Int { memory.count }
    var isEmpty: Bool { start == end }
    var base: UnsafeMutableRawPointer? { memory.baseAddress }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }
    /// Where the next bytes go, after `reserve`.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    /// Makes room for `extra` bytes; false when the pool's bound is reached.
    func reserve(_ extra: Int, _ pool: BufferPool) -> Bool {
        if memory.count - end >= extra { return true }
        let (needed, overflow) = count.addingReportingOverflow(extra)
        if overflow { return false }
        if needed <= memory.count, let base = memory.baseAddress {
            // There is room where bytes were consumed.
            base.copyMemory(from: base + start, byteCount: count)
        } else {
            guard let larger = pool.take(needed) else { return false }
            if !isEmpty { larger.copyMemory(from: bytes) }
            if !memory.isEmpty { pool.give(memory) }
            memory = larger
        }
        end = count
        start = 0
        return true
    }

    /// Counts `count` bytes written into `room`.
    func wrote(_ count: Int) { end += count }

    func append(_ bytes: UnsafeRawBufferPointer, _ pool: BufferPool) -> Bool {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return true }
        guard reserve(bytes.count, pool), let base else { return false }
        (base + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
        return true
    }

    /// Takes `count` bytes off the front; gives the memory back with the last one.
    func consume(_ count: Int, _ pool: BufferPool) {
        start += count
        if start == end { release(pool) }
    }

    /// Gives back what its bytes don't need, as they are about to wait.
    func fit(_ pool: BufferPool) {
        // Of much memory only when half is saved: bytes that leave little by little would be
        // copied again and again.
        guard !isEmpty, memory.count <= 4 * BufferPool.chunkBytes || count <= memory.count / 2,
            memory.count - count >= BufferPool.chunkBytes / 4,
            let smaller = pool.takeFitting(count)
        else { return }
        smaller.copyMemory(from: bytes)
        pool.give(memory)
        memory = smaller
        end = count
        start = 0
    }

    /// Removes the bytes from `gapStart` up to `gapEnd`, both counted from the first byte.
    func closeGap(from gapStart: Int, to gapEnd: Int) {
        guard gapEnd > gapStart, let base else { return }
        (base + start + gapStart).copyMemory(
            from: base + start + gapEnd, byteCount: count - gapEnd)
        end -= gapEnd - gapStart
    }

    func release(_ pool: BufferPool) {
        if !memory.isEmpty { pool.give(memory) }
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        start = 0
        end = 0
    }
}

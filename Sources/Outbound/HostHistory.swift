internal import Domain

/// What is remembered of origins that are not in memory.
struct HostHistory {
    struct Entry {
        var lane: Lane
        var breaker = Breaker()
        /// Nothing that was known to wait is due before.
        var dueAt: Instant?
    }

    /// Beyond it those that don't fail are forgotten, and if that isn't enough, the others.
    static let entriesMax = 65_536

    private var entries: [String: Entry] = [:]

    subscript(name: String) -> Entry? { entries[name] }

    mutating func take(_ name: String) -> Entry? { entries.removeValue(forKey: name) }

    /// - Returns: origins whose open breakers are forgotten.
    mutating func keep(_ entry: Entry, of name: String) -> [String] {
        var forgotten: [String] = []
        if entries.count >= Self.entriesMax, entries[name] == nil {
            entries = entries.filter { $0.value.breaker.open != nil }
            if entries.count > Self.entriesMax / 2 {
                forgotten = Array(entries.keys)
                entries = [:]
            }
        }
        entries[name] = entry
        return forgotten
    }

    /// Somebody wants it called now.
    mutating func endPause(of name: String, at now: Moment) {
        entries[name]?.breaker.endPause(at: now)
    }

    /// Somebody has set the clock.
    mutating func forgetTimes() {
        for name in entries.keys { entries[name]?.dueAt = nil }
    }

    /// There may be something new to tell it.
    mutating func wake(_ name: String) { entries[name]?.dueAt = nil }
}

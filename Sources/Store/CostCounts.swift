public import Domain

/// How many clicks of a day a layer is about, where every one of the day's had to be looked at to
/// know it. For one thread at a time.
///
/// Clicks are never changed and never removed one by one, and a layer never changes: a number holds
/// for as long as the campaign has as many clicks within the layer's times as when it was counted.
public final class CostCounts {
    public struct Key: Hashable {
        let layer: Int64
        let day: Day

        public init(layer: Int64, day: Day) {
            self.layer = layer
            self.day = day
        }
    }

    private struct Entry {
        let ofClicks: Int64
        let count: Int64
    }

    /// Beyond it all are counted again.
    private static let entriesMax = 100_000
    private var entries: [Key: Entry] = [:]

    /// - Parameter clicks: how many the campaign has there now.
    public func count(_ key: Key, ofClicks clicks: Int64) -> Int64? {
        entries[key].flatMap { $0.ofClicks == clicks ? $0.count : nil }
    }

    public func set(_ count: Int64, for key: Key, ofClicks clicks: Int64) {
        if entries.count >= Self.entriesMax { entries.removeAll() }
        entries[key] = Entry(ofClicks: clicks, count: count)
    }
}

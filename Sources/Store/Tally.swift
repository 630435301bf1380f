/// Sums by what they are of, for as long as a transaction is open.
///
/// Clicks that come together mostly go the same few ways, so those that came first are compared with
/// before anything is hashed.
struct Tally<Key: Hashable, Sum> {
    private(set) var sums: [(key: Key, sum: Sum)] = []
    private var places: [Key: Int] = [:]
    private static var comparedMax: Int { 8 }

    /// Changes the sum of `key`, which is `zero` before the first time.
    mutating func update(_ key: Key, from zero: Sum, _ change: (inout Sum) -> Void) {
        for place in 0..<min(sums.count, Self.comparedMax) where sums[place].key == key {
            return change(&sums[place].sum)
        }
        if let place = places[key] { return change(&sums[place].sum) }
        var sum = zero
        change(&sum)
        places[key] = sums.count
        sums.append((key, sum))
    }

    mutating func removeAll() {
        sums.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }
}

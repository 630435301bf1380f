internal import Domain
internal import Store

/// A cost layer together with the clicks that it is about.
struct CountedLayer {
    let stored: StoredCostLayer
    /// The places of each day's clicks among all that it is about, from 0, in the order of the click
    /// IDs; days without any are left out.
    private let placesByDay: [Day: Range<Int64>]
    let clicks: Int64
    private let shares: CostShares

    var layer: CostLayer { stored.layer }

    /// - Parameter counts: of each day.
    init(_ stored: StoredCostLayer, counts: [Day: Int64]) {
        self.stored = stored
        var places: [Day: Range<Int64>] = [:]
        var before: Int64 = 0
        for (day, count) in counts.sorted(by: { $0.key < $1.key }) where count > 0 {
            places[day] = before..<(before + count)
            before += count
        }
        placesByDay = places
        clicks = before
        shares = stored.layer.shares(ofClicks: before)
    }

    /// What some of a day's clicks cost.
    ///
    /// Clicks that came since they were counted cost nothing yet, so that all of a day's clicks cost
    /// what the day's part of the layer is, whatever happens meanwhile.
    /// - Parameter run: their places among the day's clicks that the layer is about.
    func cost(of run: Range<Int64>, on day: Day) -> Int128 {
        guard let places = placesByDay[day] else { return 0 }
        let start = min(places.lowerBound + run.lowerBound, places.upperBound)
        let end = min(places.lowerBound + run.upperBound, places.upperBound)
        return shares.sum(of: start..<end)
    }
}

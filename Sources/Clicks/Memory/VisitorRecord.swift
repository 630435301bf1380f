internal import Domain

/// What is remembered of one visitor within one scope.
struct VisitorRecord: Equatable {
    /// The first visit's time, in seconds since 1970.
    private(set) var beganAt: Int64
    private(set) var visits = 0
    /// Where its newest click through each flow was sent, the newest flow last.
    private var places: [VisitedPlace] = []
    /// The newest last.
    private(set) var seenOffers: [OfferID] = []
    private(set) var seenLanders: [LanderID] = []

    /// More than these are forgotten, the oldest first.
    static let placesMax = 8
    static let seenMax = 32

    init(beganAt: Int64) { self.beganAt = beganAt }

    func isOver(at second: Int64, window: Int64) -> Bool { second - beganAt >= window }

    /// Where its newest click through that flow was sent.
    func place(in flow: MemoryScope) -> VisitedPlace? { places.last { $0.flow == flow } }

    mutating func count(at second: Int64) {
        visits += 1
        // Two loops, or a read of older clicks, may tell of visits out of order.
        beganAt = min(beganAt, second)
    }

    /// The same, but as though it were that visit of its visitor.
    func with(visits: Int) -> VisitorRecord {
        // Nothing was seen before the first.
        var record = visits == 1 ? VisitorRecord(beganAt: beganAt) : self
        record.visits = visits
        return record
    }

    mutating func takeBack() { visits = max(0, visits - 1) }

    mutating func note(_ place: VisitedPlace) {
        Self.note(place.offer, in: &seenOffers)
        if let lander = place.lander { Self.note(lander, in: &seenLanders) }
        if let index = places.firstIndex(where: { $0.flow == place.flow }) {
            // An older click that is read back after a newer one came.
            if places[index].second > place.second { return }
            places.remove(at: index)
        } else if places.count == Self.placesMax {
            places.removeFirst()
        }
        places.append(place)
    }

    private static func note<ID: Equatable>(_ id: ID, in seen: inout [ID]) {
        guard !seen.contains(id) else { return }
        if seen.count == seenMax { seen.removeFirst() }
        seen.append(id)
    }
}

/// Where a click was sent, in words that outlast a change of the flow: offers and landers by ID.
struct VisitedPlace: Equatable {
    /// Whose rules and paths are counted.
    let flow: MemoryScope
    /// Since 1970.
    let second: Int64
    let rule: Int
    let path: Int
    let lander: LanderID?
    let offer: OfferID
}

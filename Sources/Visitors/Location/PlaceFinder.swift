public import Domain

/// A place as the files tell it, and as it is kept.
public final class FoundPlace: Sendable {
    public let place: Place
    /// See `Place.packed`.
    public let packed: [UInt8]

    /// Where nothing is known.
    public static let nowhere = FoundPlace(.unknown)

    public init(_ place: Place) {
        self.place = place
        packed = place.packed
    }
}

/// Finds visitors' places in the location files in use. One for each event loop.
///
/// Neighbours share their records, so what those say is remembered: reading one costs ten times as
/// much as finding it. Whoever comes from ever new places makes this useless, not larger: each
/// record has one slot that it may lie in, and the newer one stays.
public final class PlaceFinder {
    /// Some 800 KB for each loop.
    private static let slotsMax = 4096

    private struct Slot {
        /// Of the records in the files, in the order of these; -1: none.
        var positions: [Int] = []
        var place = FoundPlace.nowhere
    }

    private let directory: GeoDirectory
    private var places = Places([])
    private var generation = -1
    private var slots: [Slot] = []
    private var positions: [Int] = []

    public init(_ directory: GeoDirectory) { self.directory = directory }

    public func place(of address: IPAddress?) -> FoundPlace {
        refresh()
        guard let address, !places.isEmpty else { return .nowhere }
        positions.removeAll(keepingCapacity: true)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for database in places.databases {
            let position = database.file.record(of: address) ?? -1
            positions.append(position)
            hash = (hash ^ UInt64(truncatingIfNeeded: position)) &* 0x9E37_79B9_7F4A_7C15
        }
        let index = Int(truncatingIfNeeded: hash >> 32) & (Self.slotsMax - 1)
        if slots[index].positions == positions { return slots[index].place }
        let place = FoundPlace(places.place(at: positions))
        slots[index] = Slot(positions: positions, place: place)
        return place
    }

    /// Takes no lock unless files were loaded since.
    private func refresh() {
        let now = directory.generation
        if now == generation { return }
        places = directory.places
        generation = now
        slots = places.isEmpty ? [] : [Slot](repeating: Slot(), count: Self.slotsMax)
    }
}

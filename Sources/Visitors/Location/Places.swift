public import Domain

/// Looks up where addresses are, in the location files that were loaded together.
public final class Places: Sendable {
    /// In the order in which they are asked.
    let databases: [GeoDatabase]

    init(_ databases: [GeoDatabase]) { self.databases = databases }

    /// Is there nothing to look up in?
    public var isEmpty: Bool { databases.isEmpty }

    /// What the files say of an address: each fact comes from the first file, by name, that has it.
    /// Reads memory only.
    public func place(of address: IPAddress) -> Place {
        place(at: databases.map { $0.file.record(of: address) ?? -1 })
    }

    /// - Parameter positions: of each file's record; -1: it has none.
    func place(at positions: [Int]) -> Place {
        var facts = PlaceFacts()
        for (database, position) in zip(databases, positions) where position >= 0 {
            if !facts.add(database.file.section, at: position) { database.foundDamage() }
        }
        return facts.result
    }
}

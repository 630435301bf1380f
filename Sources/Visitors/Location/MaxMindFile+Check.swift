extension MaxMindFile {
    /// Reads all of the file: every node of the tree and every value that a record reaches.
    ///
    /// For before it takes an older one's place: takes a second or two for the largest.
    ///
    /// - Throws: what is damaged, or that nothing in it is of use here.
    func check() throws(GeoError) {
        let tree = tree
        let section = section
        var seen = PositionSet(section.bytes.count)
        var waiting: [Int] = []
        for node in 0..<nodeCount {
            for side in 0...1 {
                let record = tree.record(node, side)
                if record <= nodeCount { continue }
                guard let position = position(record) else {
                    throw .damaged("its tree leads out of it")
                }
                if seen.insert(position) { waiting.append(position) }
            }
        }
        guard !waiting.isEmpty else { throw GeoError("the file has no records") }
        guard waiting.contains(where: { PlaceFacts.isOfUse(section, at: $0) }) else {
            throw GeoError(
                "nothing in the file is of use: it has no country, region, city, provider, "
                    + "autonomous system or connection type")
        }
        // Each value is read once, or some times where records are parts of others. A file made so
        // that this takes forever is none.
        var left = 4 * section.bytes.count
        while let position = waiting.popLast() {
            var next = position
            var budget = MaxMindBudget()
            defer { left -= budget.spent }
            guard left > 0 else { throw .damaged("its records lie in one another") }
            guard section.value(at: position) != nil,
                section.skip(
                    &next, &budget,
                    pointers: { target in
                        if seen.insert(target) { waiting.append(target) }
                    })
            else { throw .damaged("a record can't be read") }
        }
    }
}

/// A bit for each position; those outside are told from the others by whoever reads them.
private struct PositionSet {
    private var words: [UInt64]
    private let count: Int

    init(_ count: Int) {
        self.count = count
        words = [UInt64](repeating: 0, count: count / 64 + 1)
    }

    /// Was it new? Positions outside all count as the one behind the last.
    mutating func insert(_ position: Int) -> Bool {
        let position = position >= 0 && position < count ? position : count
        let bit: UInt64 = 1 << UInt64(position % 64)
        defer { words[position / 64] |= bit }
        return words[position / 64] & bit == 0
    }
}

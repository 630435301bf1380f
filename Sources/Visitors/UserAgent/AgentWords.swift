/// Every word known, by hash: one look per word of an agent, however long the tables are.
struct AgentWords: Sendable {
    static let known = AgentWords([
        (.preview, PreviewWords.all), (.bot, BotWords.all), (.app, AppWords.all),
        (.client, ClientWords.all), (.library, LibraryWords.all), (.browser, BrowserWords.all),
    ])

    /// Without their names, so that a look copies no `String`.
    private var words: [AgentWord] = []
    private var names: [String] = []
    /// Open addressing: index + 1 into `words`; 0 is free.
    private var slots: [UInt16] = []
    private var mask = 0

    private init(_ tables: [(AgentMeaning, [(StaticString, String)])]) {
        for (meaning, table) in tables {
            for (rank, (text, name)) in table.enumerated() {
                words.append(AgentWord(text, meaning, rank: rank))
                names.append(name)
            }
        }
        for (text, mark) in AgentMark.words {
            words.append(AgentWord(text, .mark, mark: mark))
            names.append("")
        }
        fillSlots()
    }

    private mutating func fillSlots() {
        var size = 64
        while size < words.count * 4 { size *= 2 }
        mask = size - 1
        slots = [UInt16](repeating: 0, count: size)
        for (index, word) in words.enumerated() {
            var hash = AgentWords.seed
            for offset in 0..<word.count {
                hash = AgentWords.mixed(hash, word.text.utf8Start[offset])
            }
            var slot = AgentWords.slot(hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt16(truncatingIfNeeded: index + 1)
        }
    }

    static let seed: UInt32 = 0x811C_9DC5

    /// FNV-1a over lower case: a word is hashed while its end is looked for.
    static func mixed(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
        (hash ^ UInt32(byte | 0x20)) &* 0x0100_0193
    }

    /// FNV's upper bits are the better mixed ones.
    private static func slot(_ hash: UInt32) -> Int { Int(hash ^ hash >> 15) }

    /// The word that stands in `range`, should it be known.
    func word(_ text: AgentText, _ range: Range<Int>, hash: UInt32) -> Int? {
        var slot = AgentWords.slot(hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if words[index].count == range.count,
                text.starts(with: words[index].text, count: range.count, at: range.lowerBound)
            {
                return index
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    subscript(index: Int) -> AgentWord { words[index] }

    /// What to call the word; of a mark: empty.
    func name(_ index: Int) -> String { names[index] }

    /// In lower case, without signs: a word in two tables would hide one of them.
    var texts: [String] {
        words.map {
            let bytes = UnsafeRawBufferPointer(start: $0.text.utf8Start, count: $0.count)
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

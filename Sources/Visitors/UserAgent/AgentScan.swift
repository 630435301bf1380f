/// One pass over a user agent: every word looked up once.
struct AgentScan {
    /// A known word and where it stands.
    struct Find {
        let index: Int
        let rank: UInt16
        let range: Range<Int>

        var name: String { AgentWords.known.name(index) }
    }

    let text: AgentText
    /// Where each mark's word first ended; 0: it isn't there.
    private var ends = InlineArray<144, UInt16>(repeating: 0)
    private(set) var preview: Find?
    private(set) var bot: Find?
    private(set) var app: Find?
    private(set) var client: Find?
    private(set) var library: Find?
    private(set) var browser: Find?
    /// The first word that reads like a crawler's, though no table has it.
    private(set) var botLike: Range<Int>?
    /// `webcrawl@…`: whom to write to, where nothing else is named.
    private(set) var botMail: Range<Int>?
    /// Browsers name no address; crawlers name the page about themselves, or whom to write to.
    private(set) var hasAddress = false

    init(_ text: AgentText) {
        self.text = text
        let words = AgentWords.known
        var index = 0
        while index < text.count {
            let byte = text.bytes[index]
            guard AgentText.isWord(byte) else {
                if byte == UInt8(ascii: ":"), text.starts(with: "://", at: index) {
                    hasAddress = true
                    index = endOfAddress(from: index + 3)
                } else {
                    if byte == UInt8(ascii: "@"), isMail(at: index) { hasAddress = true }
                    index += 1
                }
                continue
            }
            let start = index
            // `/537.36`: a version, and nothing to look up. Half of an agent's words are.
            if AgentText.isDigit(byte), start > 0, text.bytes[start - 1] == UInt8(ascii: "/") {
                while index < text.count, AgentText.isWord(text.bytes[index]) { index += 1 }
                continue
            }
            var hash = AgentWords.seed
            var stemEnd = 0
            var stemHash = hash
            repeat {
                let byte = text.bytes[index]
                if stemEnd == 0, !AgentText.isLetter(byte) {
                    stemEnd = index
                    stemHash = hash
                }
                hash = AgentWords.mixed(hash, byte)
                index += 1
            } while index < text.count && AgentText.isWord(text.bytes[index])
            let range = start..<index
            if let found = words.word(text, range, hash: hash) {
                take(found, words[found], range)
            } else if stemEnd > start,
                let found = words.word(text, start..<stemEnd, hash: stemHash),
                words[found].isStem
            {
                take(found, words[found], start..<stemEnd)
            } else {
                guess(range)
                if text.starts(with: "www.", at: start) { index = endOfAddress(from: index) }
            }
        }
    }

    func has(_ mark: AgentMark) -> Bool { ends[Int(mark.rawValue)] != 0 }

    /// Where the mark's word first ended; 0: it isn't there.
    func end(of mark: AgentMark) -> Int { Int(ends[Int(mark.rawValue)]) }

    func version(_ mark: AgentMark) -> String { text.version(behind: end(of: mark)) }

    private mutating func take(_ index: Int, _ word: AgentWord, _ range: Range<Int>) {
        if word.isProduct, text[range.upperBound] != UInt8(ascii: "/") { return }
        if word.isFirst, range.lowerBound > 0 { return }
        let find = Find(index: index, rank: word.rank, range: range)
        switch word.meaning {
        case .preview: AgentScan.keep(find, in: &preview)
        case .bot: AgentScan.keep(find, in: &bot)
        case .app: AgentScan.keep(find, in: &app)
        case .client: AgentScan.keep(find, in: &client)
        case .library: AgentScan.keep(find, in: &library)
        case .browser: AgentScan.keep(find, in: &browser)
        case .mark:
            let slot = Int(word.mark.rawValue)
            if ends[slot] == 0 { ends[slot] = UInt16(truncatingIfNeeded: range.upperBound) }
        }
    }

    private static func keep(_ find: Find, in present: inout Find?) {
        if let present, present.rank <= find.rank { return }
        present = find
    }

    /// `name@host.example`, but not the `1080x1920@480` that phones tell of their displays.
    private func isMail(at index: Int) -> Bool {
        guard AgentText.isWord(text[index - 1]) else { return false }
        var end = index + 1
        while AgentText.isWord(text[end]) {
            if text[end] == UInt8(ascii: "."), AgentText.isLetter(text[end + 1]) { return true }
            end += 1
        }
        return false
    }

    private func endOfAddress(from start: Int) -> Int {
        var index = start
        while index < text.count {
            switch text.bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: ")"), UInt8(ascii: ";"), UInt8(ascii: ","),
                UInt8(ascii: "("), UInt8(ascii: "]"), UInt8(ascii: ">"):
                return index
            default: index += 1
            }
        }
        return index
    }

    /// A word of no table: does it read like a crawler's name? Not if it is somebody's address
    /// (`crawler@…`, `www.…`), and CUBOT makes phones.
    private mutating func guess(_ range: Range<Int>) {
        guard range.count >= 3 else { return }
        if text.starts(with: "www.", at: range.lowerBound) {
            hasAddress = true
            return
        }
        guard botLike == nil, text[range.lowerBound - 1] != UInt8(ascii: "@"),
            BotName.isLikely(text, range)
        else { return }
        if text[range.upperBound] != UInt8(ascii: "@") {
            botLike = range
        } else if botMail == nil {
            botMail = range
        }
    }
}

/// How crawlers that no table lists are told and named: most call themselves a bot, a spider or a
/// crawler, in one word or several.
enum BotName {
    /// Parts of a word; all but the first count wherever they stand in it.
    private static let parts: [StaticString] = [
        "spider", "crawl", "scraper", "robot", "indexer", "archiver", "fetcher", "slurp",
        "webbot", "checker", "validator",
    ]

    /// - Parameter range: one word of the agent.
    static func isLikely(_ text: AgentText, _ range: Range<Int>) -> Bool {
        if text.starts(with: "cubot", at: range.lowerBound) { return false }
        var index = range.lowerBound
        while index + 2 < range.upperBound {
            switch text.lower(index) {
            case UInt8(ascii: "b"):
                // `bot` ends a word or a part of it: Googlebot, TheBot_2, but not Bottle.
                if text.starts(with: "bot", at: index),
                    !AgentText.isLetter(text[index + 3])
                        || text.lower(index + 3) == UInt8(ascii: "s")
                            && index + 4 == range.upperBound
                {
                    return true
                }
            case UInt8(ascii: "s"), UInt8(ascii: "c"), UInt8(ascii: "r"), UInt8(ascii: "i"),
                UInt8(ascii: "a"), UInt8(ascii: "f"), UInt8(ascii: "v"):
                for part in parts
                where index + part.utf8CodeUnitCount <= range.upperBound
                    && text.starts(with: part, at: index)
                {
                    return true
                }
            default: break
            }
            index += 1
        }
        return false
    }

    /// The name around the word that reads like a crawler's: with a version behind it the whole
    /// phrase, `FAST Enterprise Crawler/6`, else the word and the one before it.
    static func phrase(_ text: AgentText, around word: Range<Int>) -> Range<Int> {
        var end = word.upperBound
        // `Bot Blocker Crawler`: the phrase goes on to its last word that reads so.
        var next = isGeneric(text, word) ? nextWord(text, after: end) : nil
        var steps = 0
        while let range = next, steps < 3 {
            if isLikely(text, range) { end = range.upperBound }
            next = nextWord(text, after: range.upperBound)
            steps += 1
        }
        let isWhole =
            ProductName.hasVersion(text, word.lowerBound..<end)
            && text.lower(end + 1) != UInt8(ascii: "v")
        let isCrawler =
            partEnd(text, word, of: ["spider", "crawl", "robot", "webbot"]) != nil
            && !text.starts(with: " bot", at: end - 4)
        let wordsMax = isWhole || !isCrawler ? 6 : 2
        var start = end
        var words = 0
        while words < wordsMax, let range = previousWord(text, before: start) {
            let isNamed = words > 1 || words == 1 && !isGeneric(text, start..<end)
            if isNamed, hasDot(text, range) { break }
            start = range.lowerBound
            // `Norbert the Spider`
            if !text.starts(with: "the ", at: range.lowerBound) { words += 1 }
        }
        if let dot = dotBehindName(text, word) {
            // `WindowsSpider.com`: no word at all by `previousWord`, but it is the name.
            return tidy(text, min(start, word.lowerBound)..<dot)
        }
        return tidy(text, start..<end)
    }

    /// Of `crawl-support` in a mail's address: `crawl`.
    static func ofMail(_ text: AgentText, _ word: Range<Int>) -> Range<Int> {
        var end = partEnd(text, word, of: parts) ?? word.upperBound
        while end < word.upperBound, AgentText.isLetter(text[end]) { end += 1 }
        return word.lowerBound..<end
    }

    /// A host's name isn't part of the crawler's.
    private static func hasDot(_ text: AgentText, _ word: Range<Int>) -> Bool {
        for index in word
        where text[index] == UInt8(ascii: ".") && AgentText.isLetter(text[index + 1]) {
            return true
        }
        return false
    }

    /// `SearchSpider.com/1.1`: where its name ends.
    private static func dotBehindName(_ text: AgentText, _ word: Range<Int>) -> Int? {
        guard let end = partEnd(text, word, of: parts) else { return nil }
        for index in end..<word.upperBound
        where text[index] == UInt8(ascii: ".") && AgentText.isLetter(text[index + 1]) {
            return index
        }
        return nil
    }

    private static func partEnd(_ text: AgentText, _ word: Range<Int>, of parts: [StaticString])
        -> Int?
    {
        for part in parts {
            if let start = text.index(of: part, from: word.lowerBound, before: word.upperBound) {
                return start + part.utf8CodeUnitCount
            }
        }
        return nil
    }

    private static let generic: [StaticString] = ["bot", "crawler", "spider", "robot", "crawl"]

    /// A word for what it is rather than a name.
    static func isGeneric(_ text: AgentText, _ word: Range<Int>) -> Bool {
        for name in generic
        where word.count == name.utf8CodeUnitCount && text.starts(with: name, at: word.lowerBound) {
            return true
        }
        return false
    }

    /// Without a full stop around the name and a version glued to it: `TheUsefulbot_2.3.62`.
    private static func tidy(_ text: AgentText, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while end > start, text[end - 1] == UInt8(ascii: ".") { end -= 1 }
        while start < end, text[start] == UInt8(ascii: ".") { start += 1 }
        var cut = end
        var dots = 0
        while cut > start + 1,
            AgentText.isDigit(text[cut - 1]) || text[cut - 1] == UInt8(ascii: ".")
        {
            if text[cut - 1] == UInt8(ascii: ".") { dots += 1 }
            cut -= 1
        }
        guard dots > 0, cut < end, AgentText.isDigit(text[cut]) else { return start..<end }
        if text.lower(cut - 1) == UInt8(ascii: "v"), !AgentText.isLetter(text[cut - 2]) { cut -= 1 }
        while cut > start + 1,
            text[cut - 1] == UInt8(ascii: "-") || text[cut - 1] == UInt8(ascii: "_")
        {
            cut -= 1
        }
        return start..<cut
    }

    private static func nextWord(_ text: AgentText, after end: Int) -> Range<Int>? {
        guard AgentText.isBlank(text[end]), AgentText.isLetter(text[end + 1]) else { return nil }
        var upper = end + 1
        while AgentText.isWord(text[upper]) { upper += 1 }
        return (end + 1)..<upper
    }

    /// The word that ends at `end` or a blank before it; a version or a sign ends the phrase.
    private static func previousWord(_ text: AgentText, before end: Int) -> Range<Int>? {
        var upper = end
        if AgentText.isBlank(text[upper - 1]) { upper -= 1 }
        var lower = upper
        while lower > 0,
            AgentText.isWord(text[lower - 1]) || text.starts(with: "::", at: lower - 2)
                || text.starts(with: "::", at: lower - 1)
        {
            lower -= 1
        }
        guard lower < upper else { return nil }
        if text.starts(with: "compatible", at: lower) || text.starts(with: "windows", at: lower) {
            return nil
        }
        if AgentText.isDigit(text[lower]), text[lower - 1] == UInt8(ascii: "/") { return nil }
        if upper - lower == 1, !AgentText.isLetter(text[lower]), !AgentText.isDigit(text[lower]) {
            return nil
        }
        return lower..<upper
    }
}

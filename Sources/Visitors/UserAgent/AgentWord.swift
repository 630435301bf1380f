/// What one word of a user agent means. Of several the earlier case names the agent.
enum AgentMeaning: UInt8, CaseIterable, Sendable {
    /// Fetches a page to draw a preview of its link in a message.
    case preview
    /// Fetches pages for nobody who is looking: a crawler, a checker of ads, a monitor.
    case bot
    /// An app whose built-in browser this is.
    case app
    /// A program of its own that is no web browser: a mail client, a player.
    case client
    /// An HTTP library or a command line tool.
    case library
    case browser
    /// Decides only together with others; see `AgentMark`.
    case mark
}

/// A word of a user agent, as the tables of `Words` list it.
struct AgentWord: Sendable {
    /// In lower case; agents are compared in any case.
    let text: StaticString
    /// Bytes of `text` without the signs at its end.
    let count: Int
    /// `line/`: the word counts only before a slash; else it is a word like others.
    let isProduct: Bool
    /// `ucbrowser*`: the word may go on with what isn't a letter: `UCBrowser8.3`.
    let isStem: Bool
    /// `java^`: the word counts only where the agent begins. It stands last of the signs.
    let isFirst: Bool
    let meaning: AgentMeaning
    let mark: AgentMark
    /// Of several words with one meaning the lowest counts: their order in the table.
    let rank: UInt16

    init(
        _ text: StaticString, _ meaning: AgentMeaning, mark: AgentMark = .mozilla, rank: Int = 0
    ) {
        var count = text.utf8CodeUnitCount
        let isFirst = count > 0 && text.utf8Start[count - 1] == UInt8(ascii: "^")
        if isFirst { count -= 1 }
        let sign = count > 0 ? text.utf8Start[count - 1] : 0
        let isProduct = sign == UInt8(ascii: "/")
        let isStem = sign == UInt8(ascii: "*")
        self.text = text
        self.count = isProduct || isStem ? count - 1 : count
        self.isProduct = isProduct
        self.isStem = isStem
        self.isFirst = isFirst
        self.meaning = meaning
        self.mark = mark
        self.rank = UInt16(truncatingIfNeeded: rank)
    }
}

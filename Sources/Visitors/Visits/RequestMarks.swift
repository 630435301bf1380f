/// What the headers of a request tell of why it was sent, beside its user agent: views, as
/// long-lived as the request. Empty: the header wasn't sent.
public struct RequestMarks {
    /// `Sec-Purpose` (Fetch standard) or the `Purpose` that older browsers of Chromium's family and
    /// Safari send.
    public var purpose = AgentHeaders.none
    /// Safari's, for its page of top sites.
    public var xPurpose = AgentHeaders.none
    /// Firefox's, before version 115.
    public var xMoz = AgentHeaders.none

    public init() {}

    /// A browser loads ahead what its user may choose next. Who prerenders a page prefetches it.
    var isPrefetch: Bool {
        Self.says("prefetch", purpose) || Self.says("preview", purpose)
            || Self.says("preview", xPurpose) || Self.says("prefetch", xPurpose)
            || Self.says("prefetch", xMoz)
    }

    private static func says(_ word: StaticString, _ header: UnsafeRawBufferPointer) -> Bool {
        // Hardly anybody sends these.
        !header.isEmpty && AgentText(header).index(of: word) != nil
    }
}

/// What a request does that makes it a bot's, whatever it says of itself. The operator chooses.
///
/// None is a mark by itself: servers that pass visitors on, apps and whoever tries a campaign URL with
/// curl do all of this, and a visitor who isn't counted is a wrong number.
public enum BotMark: String, CaseIterable, Sendable {
    /// Its agent is an HTTP library's or a command line tool's.
    case library
    /// It names no program at all, which every browser does.
    case noAgent = "no-agent"
    /// It asks for no language, which every browser does when it opens a page; most programs that
    /// borrow a browser's name don't.
    case noLanguage = "no-language"
    /// It comes more often than `VisitRate.perMinuteMax` times in a minute, by address and agent.
    case rate
}

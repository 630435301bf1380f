public import Domain

/// Tells visitors from everybody else who asks for a campaign URL.
public struct VisitRules: Sendable {
    public let bots: BotList
    public let marks: Set<BotMark>
    /// Nil where nobody asks for it.
    private let rate: VisitRate?

    public init(bots: BotList = .empty, marks: Set<BotMark> = []) {
        self.bots = bots
        self.marks = marks
        rate = marks.contains(.rate) ? VisitRate() : nil
    }

    /// A preview or a bot that says so is taken at its word; then the operator's list decides, then
    /// how the request behaves. Nobody who hides well is found this way: who pays for bots' clicks
    /// has to look at what the clicks convert.
    ///
    /// - Parameters:
    ///   - device: as read of the same request.
    ///   - address: the visitor's, as far as it is known.
    ///   - instant: when it came; nil: it opens no campaign URL, so how often it comes is no matter.
    public func kind(
        _ device: Device, _ headers: AgentHeaders, _ request: RequestMarks, address: IPAddress?,
        at instant: Instant?
    ) -> VisitKind {
        switch device.visit {
        case .preview, .bot: return device.visit
        case .visitor, .prefetch: break
        }
        if !bots.isEmpty {
            if let address, bots.contains(address) { return .bot }
            if bots.names(agent: headers.userAgent) { return .bot }
        }
        // Crawlers were told above: what is left of that kind are programs' libraries.
        if device.kind == .bot, marks.contains(.library) { return .bot }
        if headers.userAgent.isEmpty, marks.contains(.noAgent) { return .bot }
        if headers.acceptLanguage.isEmpty, marks.contains(.noLanguage) { return .bot }
        if request.isPrefetch { return .prefetch }
        if let rate, let instant, rate.isTooFast(address, headers.userAgent, at: instant) {
            return .bot
        }
        return .visitor
    }
}

public import Domain

/// Tells visitors from everybody else who asks for a campaign URL.
public enum VisitRules {
    /// A preview or a bot that says so is taken at its word; then the operator's list decides, then
    /// how the request behaves. Nobody who hides well is found this way: who pays for bots' clicks
    /// has to look at what the clicks convert.
    ///
    /// - Parameters:
    ///   - device: as read of the same request.
    ///   - address: the visitor's, as far as it is known.
    public static func kind(
        _ device: Device, userAgent: UnsafeRawBufferPointer, address: IPAddress?,
        _ marks: RequestMarks, _ bots: BotList
    ) -> VisitKind {
        switch device.visit {
        case .preview, .bot: return device.visit
        case .visitor, .prefetch: break
        }
        if !bots.isEmpty {
            if let address, bots.contains(address) { return .bot }
            if bots.names(agent: userAgent) { return .bot }
        }
        // No browser leaves its name out.
        if userAgent.isEmpty || marks.isBare { return .bot }
        return marks.isPrefetch ? .prefetch : .visitor
    }
}

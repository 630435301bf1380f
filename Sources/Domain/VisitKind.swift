/// Who asked for a campaign URL. Only a visitor's request counts as a click; the others are kept
/// and marked, so that they can be looked at.
public enum VisitKind: Int, CaseIterable, Sendable {
    // Stored by number.
    case visitor = 0
    /// A crawler, a scanner, a monitor, a program.
    case bot = 1
    /// A browser that loads ahead what its user may choose next.
    case prefetch = 2
    /// A messenger or a social network that draws a link's preview.
    case preview = 3

    /// - Parameter number: as a column holds it; nil is a visitor, who are most. A number of a later
    ///   version is a bot's: it is no click in any case.
    public init(stored number: Int64?) {
        self = number.map { VisitKind(rawValue: Int(truncatingIfNeeded: $0)) ?? .bot } ?? .visitor
    }

    /// Nil for a visitor.
    public var stored: Int64? { self == .visitor ? nil : Int64(rawValue) }

    public var name: String {
        switch self {
        case .visitor: "visitor"
        case .bot: "bot"
        case .prefetch: "prefetch"
        case .preview: "preview"
        }
    }
}

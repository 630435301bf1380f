/// What a visitor's browser says of itself, as `Visitors` reads it from the user agent and the
/// client hints. An empty text: not known. Texts have no control characters.
public struct Device: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case desktop, mobile, tablet, tv, console, wearable, bot, other
    }

    public var kind = Kind.other
    public var brand = ""
    public var model = ""
    public var os = ""
    /// Dotted numbers, `17.1`, or the name that Windows is known by: `XP`.
    public var osVersion = ""
    public var browser = ""
    public var browserVersion = ""
    /// The app whose built-in browser this is, such as `Facebook`.
    public var inApp = ""
    /// The language it asks for first, in lower case: `pt-br`.
    public var language = ""
    /// Who the agent says is asking. A prefetch says so in other headers.
    public var visit = VisitKind.visitor

    public init() {}

    public static let unknown = Device()
}

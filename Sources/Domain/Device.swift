/// What a visitor's browser says of itself, as `Visitors` reads it from the user agent and the
/// client hints. An empty text: not known.
public struct Device: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case desktop, mobile, tablet, tv, console, wearable, bot, other
    }

    public var kind = Kind.other
    public var brand = ""
    public var model = ""
    public var os = ""
    /// Dotted numbers: `17.1`.
    public var osVersion = ""
    public var browser = ""
    public var browserVersion = ""
    /// The app whose built-in browser this is, such as `Facebook`.
    public var inApp = ""

    public init() {}

    public static let unknown = Device()
}

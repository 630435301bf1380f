/// The name by which people, URLs and documents refer to an entity: 1 to 64 of `a-z 0-9 - _`,
/// unique per kind and fixed once made.
public struct EntityKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    public static let lengthMax = 64
    public static let rule = "must be 1 to 64 characters of a-z, 0-9, - and _"

    /// Nil for anything that breaks `rule`.
    public init?(_ text: some StringProtocol) {
        guard (1...Self.lengthMax).contains(text.utf8.count), text.utf8.allSatisfy(Self.allows)
        else { return nil }
        self.text = String(text)
    }

    static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    public var description: String { text }
    public static func < (left: EntityKey, right: EntityKey) -> Bool { left.text < right.text }
}

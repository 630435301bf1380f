/// What webhooks are signed with by the Standard Webhooks scheme: `whsec_` and 24 to 64 bytes in
/// base 64 (https://github.com/standard-webhooks/standard-webhooks).
public struct WebhookSecret: Hashable, Sendable {
    public let text: String
    public let bytes: [UInt8]

    static let rule = "must be whsec_ and 24 to 64 bytes in base 64; leave it out to have one made"
    private static let prefix = "whsec_"

    /// Nil by `rule`.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            let bytes = Base64.decode(text.dropFirst(Self.prefix.count)),
            (24...64).contains(bytes.count)
        else { return nil }
        self.text = text
        self.bytes = bytes
    }

    /// The text of a secret of these bytes.
    public static func text(of bytes: [UInt8]) -> String { prefix + Base64.encode(bytes) }
}

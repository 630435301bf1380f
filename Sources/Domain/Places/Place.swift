/// Where a visitor's address is, as far as the operator's location files say. An empty text: not
/// known.
public struct Place: Hashable, Sendable {
    /// ISO 3166-1 alpha-2, upper case: `US`.
    public var country = ""
    /// ISO 3166-2 without the country where the file has it, such as `CA`; else the region's name.
    public var region = ""
    /// The city's English name.
    public var city = ""
    /// The provider, or else the organisation of the autonomous system.
    public var isp = ""
    /// Number of the autonomous system (RFC 6793); 0: not known.
    public var asn: UInt32 = 0
    /// As the file writes it, such as `Cellular` or `Cable/DSL`.
    public var connectionType = ""

    public init() {}

    public static let unknown = Place()
}

/// What a lander's link says in its query.
public struct LanderLink: Sendable {
    /// Those that could be one: a source's own ID may have the form, too.
    public private(set) var clickIDs: [ClickID] = []
    /// The key of a campaign, for visitors whose click is not known.
    public private(set) var campaign: [UInt8]?

    /// As in postbacks.
    private static let clickIDNames = ["cid", "click_id", "clickid", "subid", "sub_id"].map {
        Array($0.utf8)
    }
    private static let clickIDsMax = 4
    private static let campaignName = Array("campaign".utf8)

    public init(_ query: UnsafeRawBufferPointer) {
        for (name, value) in QueryScanner(query) {
            let name = name.map(ASCII.lowercased)
            if clickIDs.count < Self.clickIDsMax, Self.clickIDNames.contains(name) {
                if let clickID = ClickID(
                    bytes: PercentEncoding.decode(value, plusIsSpace: false))
                {
                    clickIDs.append(clickID)
                }
            } else if campaign == nil, name == Self.campaignName {
                campaign = PercentEncoding.decode(value, plusIsSpace: true)
            }
        }
    }
}

public import Domain
internal import SQLite

/// How a lander click lies in its row, be it in a day's file or in the ledger.
extension LanderClick {
    static let columns = "click_id, id, campaign_id, number, offer_version"

    /// Nil for a row that can't be one of ours.
    init?(row: Statement) {
        guard let clickRowID = ClickRowID(rawValue: row.int64(0)),
            let id = ClickRowID(rawValue: row.int64(1))
        else { return nil }
        self.init(
            id: id, clickRowID: clickRowID, campaignID: CampaignID(row.int64(2)),
            number: OfferNumber(rawValue: row.int64(3)), offerVersion: row.int64(4))
    }

    var values: [Value] {
        [
            .integer(clickRowID.rawValue), .integer(id.rawValue), .integer(campaignID.rawValue),
            .integer(number.rawValue), .integer(offerVersion),
        ]
    }
}

/// What a campaign's landers did, by the time of the clicks that came to them.
public struct LanderTotal: Sendable, Equatable {
    public let campaignID: CampaignID
    /// Clicks that were sent to a lander.
    public let views: Int64
    /// How often visitors went on to an offer.
    public let clicks: Int64
    /// How many clicks' visitors did so at least once.
    public let passed: Int64

    public init(campaignID: CampaignID, views: Int64, clicks: Int64, passed: Int64) {
        self.campaignID = campaignID
        self.views = views
        self.clicks = clicks
        self.passed = passed
    }

    /// Of campaign, views, clicks and passed in this order.
    init(row: Statement) {
        self.init(
            campaignID: CampaignID(row.int64(0)), views: row.int64(1), clicks: row.int64(2),
            passed: row.int64(3))
    }
}

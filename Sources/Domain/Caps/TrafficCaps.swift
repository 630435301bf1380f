/// How many visitors an offer, a path or a campaign may be sent; past it they go elsewhere. Beside
/// `ConversionLimits`, which say which conversions are counted, not where visitors go.
public struct TrafficCaps: Hashable, Sendable {
    public let clicksPerDay: Int64?
    public let clicksTotal: Int64?
    /// What conversions may come to; at it the way is closed. Their window is not used.
    public let conversions: ConversionLimits
    /// Whose midnight ends a day.
    public let timeZone: TimeZoneRules

    static let clicksMax: Int64 = 1_000_000_000_000
    static let name = "traffic_caps"
    /// Told beside an entity that has caps, and ignored where a document is read back.
    public static let usedName = "traffic_caps_used"

    /// Nil where the entity has none, or an object that sets none.
    /// - Parameter fallback: the currency of amounts where none is given.
    init?(_ entity: inout DocumentReader, currency fallback: Currency? = nil) {
        entity.ignore(Self.usedName)
        guard var reader = entity.reader(Self.name) else { return nil }
        clicksPerDay = reader.optionalInteger("clicks_per_day", in: 0...Self.clicksMax)
        clicksTotal = reader.optionalInteger("clicks_total", in: 0...Self.clicksMax)
        conversions = ConversionLimits(caps: &reader, currency: fallback)
        let zone = reader.value("time_zone")
        timeZone =
            zone.map { reader.problems.timeZone($0, field: reader.field("time_zone")) } ?? .utc
        reader.finish()
        if clicksPerDay == nil, clicksTotal == nil, !conversions.hasCaps { return nil }
    }

    public var document: JSONValue {
        .object(
            [
                JSONMember(name: "clicks_per_day", value: .integer(orNull: clicksPerDay)),
                JSONMember(name: "clicks_total", value: .integer(orNull: clicksTotal)),
            ] + conversions.capMembers + [
                JSONMember(name: "time_zone", value: .string(timeZone.name))
            ])
    }

    /// A member of the document of what has them, or might.
    static func member(_ caps: TrafficCaps?) -> JSONMember {
        JSONMember(name: name, value: caps?.document ?? .null)
    }
}

/// Whose visitors are counted together.
public enum CapScope: Hashable, Sendable {
    case offer(OfferID)
    case campaign(CampaignID)
    /// A path of one campaign, by its name: that stays when a flow is edited, the path's place may
    /// not. Of a shared flow, each campaign has its own count.
    case path(CampaignID, name: String)
}

/// What has been taken of one scope's caps.
public struct CapUsage: Hashable, Sendable {
    /// On the present day of the caps' time zone.
    public let clicksToday: Int64
    public let clicksTotal: Int64
    public let conversionsToday: LimitUsage
    public let conversionsTotal: LimitUsage

    public init(
        clicksToday: Int64, clicksTotal: Int64, conversionsToday: LimitUsage = LimitUsage(),
        conversionsTotal: LimitUsage = LimitUsage()
    ) {
        self.clicksToday = clicksToday
        self.clicksTotal = clicksTotal
        self.conversionsToday = conversionsToday
        self.conversionsTotal = conversionsTotal
    }

    public var members: [JSONMember] {
        [
            JSONMember(name: "clicks_today", value: .integer(clicksToday)),
            JSONMember(name: "clicks_total", value: .integer(clicksTotal)),
            JSONMember(
                name: "conversions_today", value: .integer(conversionsToday.conversions)),
            JSONMember(
                name: "conversions_total", value: .integer(conversionsTotal.conversions)),
            JSONMember(name: "payout_today", value: Self.payouts(conversionsToday)),
            JSONMember(name: "payout_total", value: Self.payouts(conversionsTotal)),
        ]
    }

    /// By currency.
    private static func payouts(_ usage: LimitUsage) -> JSONValue {
        .object(
            usage.payouts.filter { $0.value != 0 }.sorted { $0.key.code < $1.key.code }.map {
                JSONMember(name: $0.key.code, value: .string(Amount.format($0.value)))
            })
    }
}

public import Domain
public import Store

/// By what the rows of a report are told apart.
public enum ReportGroup: String, CaseIterable, Sendable {
    case campaign, visit, device, brand, model, os, osVersion = "os_version", browser
    case browserVersion = "browser_version", inApp = "in_app", language
    case country, region, city, isp, asn, connectionType = "connection_type"

    /// More would tell nearly each click from the others.
    public static let groupsMax = 4

    /// What of a device or a place it is; nil: something else.
    private var fact: Fact? {
        switch self {
        case .campaign, .visit: nil
        case .device: .device
        case .brand: .brand
        case .model: .model
        case .os: .os
        case .osVersion: .osVersion
        case .browser: .browser
        case .browserVersion: .browserVersion
        case .inApp: .inApp
        case .language: .language
        case .country: .country
        case .region: .region
        case .city: .city
        case .isp: .isp
        case .asn: .asn
        case .connectionType: .connectionType
        }
    }

    fileprivate var parts: Audience.Parts {
        guard let fact else { return [] }
        return Place.facts.contains(fact) ? .place : .device
    }

    fileprivate func value(_ audience: Audience) -> String? {
        if self == .visit { return audience.visit.name }
        return fact.flatMap { audience.device?.value(of: $0) ?? audience.place?.value(of: $0) }
    }
}

/// Clicks, conversions and money by who came: the kind of visit, the device, the browser.
public struct AudienceReport: Sendable, Equatable {
    public struct Row: Sendable, Equatable {
        /// Nil where campaigns are not told apart.
        public let campaignID: CampaignID?
        /// In the order of the groups; nil: not known, and for the campaign.
        public let values: [String?]
        public let numbers: ReportNumbers
    }

    /// Those with the most clicks first, then those with the most conversions.
    public let rows: [Row]
    /// Of all rows, those left out included.
    public let totals: ReportNumbers
    /// Rows beyond `rowsMax`, those with the fewest clicks, are left out.
    public let isTruncated: Bool

    public static let rowsMax = 10_000

    private struct Key: Hashable {
        let campaignID: CampaignID?
        let values: [String?]
    }

    /// Reads the clicks of the period and the ledger. Costs are those that clicks and conversions
    /// were recorded with.
    public init(
        _ groups: [ReportGroup], _ reader: LedgerReader, _ period: ReportPeriod,
        _ rates: ExchangeRates
    ) throws(StoreError) {
        var byKey: [Key: ReportNumbers] = [:]
        var totals = ReportNumbers()
        let parts = groups.reduce(into: Audience.Parts()) { $0.formUnion($1.parts) }
        func key(_ campaignID: CampaignID, _ audience: Audience) -> Key {
            Key(
                campaignID: groups.contains(.campaign) ? campaignID : nil,
                values: groups.map { $0.value(audience) })
        }
        for day in try reader.clickDays() where period.touches(day) {
            for item in try reader.clicks.audienceTotals(
                by: parts, on: day, from: period.from, to: period.to)
            {
                let total = item.total.converted(by: rates, on: day)
                byKey[key(total.campaignID, item.audience), default: ReportNumbers()].add(total)
                totals.add(total)
            }
        }
        for item in try reader.audienceConversions(
            by: parts, from: period.from, to: period.to, reporting: rates.reporting)
        {
            byKey[key(item.total.campaignID, item.audience), default: ReportNumbers()]
                .add(item.total)
            totals.add(item.total)
        }
        for item in try reader.audienceCosts(by: parts, from: period.from, to: period.to) {
            let cost = CostTotal(
                campaignID: item.total.campaignID, currency: item.total.currency,
                count: item.total.conversions, costNanos: item.total.costNanos,
                reportingNanos: rates.converted(
                    item.total.costNanos, of: item.total.currency, on: item.total.quarter.day))
            byKey[key(cost.campaignID, item.audience), default: ReportNumbers()].add(cost)
            totals.add(cost)
        }
        let sorted = byKey.map {
            Row(campaignID: $0.key.campaignID, values: $0.key.values, numbers: $0.value)
        }.sorted(by: Self.precedes)
        rows = Array(sorted.prefix(Self.rowsMax))
        isTruncated = sorted.count > Self.rowsMax
        self.totals = totals
    }

    private static func precedes(_ left: Row, _ right: Row) -> Bool {
        if left.numbers.clicks != right.numbers.clicks {
            return left.numbers.clicks > right.numbers.clicks
        }
        if left.numbers.conversions != right.numbers.conversions {
            return left.numbers.conversions > right.numbers.conversions
        }
        if left.numbers.bots != right.numbers.bots { return left.numbers.bots > right.numbers.bots }
        // The same order each time.
        if left.campaignID != right.campaignID {
            return left.campaignID?.rawValue ?? 0 < right.campaignID?.rawValue ?? 0
        }
        return left.values.lexicographicallyPrecedes(right.values) { $0 ?? "" < $1 ?? "" }
    }
}

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

    /// Rows that are held while they are summed; more would be memory for nearly each click.
    public static let keysMax = 100_000

    private struct Key: Hashable {
        let campaignID: CampaignID?
        let values: [String?]
    }

    /// The rows, as far as they have been summed.
    private struct Sums {
        let groups: [ReportGroup]
        let keysMax: Int
        var byKey: [Key: ReportNumbers] = [:]
        var totals = ReportNumbers()

        /// False when there are too many.
        mutating func add(
            _ campaignID: CampaignID, _ audience: Audience, _ body: (inout ReportNumbers) -> Void
        ) -> Bool {
            let key = Key(
                campaignID: groups.contains(.campaign) ? campaignID : nil,
                values: groups.map { $0.value(audience) })
            body(&byKey[key, default: ReportNumbers()])
            body(&totals)
            return byKey.count <= keysMax
        }

        func check() throws(StoreError) {
            if byKey.count <= keysMax { return }
            throw .invalid(
                ValidationError(
                    "group",
                    "tells more than \(keysMax) rows apart in this period; "
                        + "ask for a shorter period, or group by less"))
        }
    }

    /// Reads the clicks of the period and the ledger. Costs are those that clicks and conversions
    /// were recorded with.
    ///
    /// - Throws: `.invalid` where there are more than `keysMax` rows.
    public init(
        _ groups: [ReportGroup], _ reader: LedgerReader, _ period: ReportPeriod,
        _ rates: ExchangeRates, keysMax: Int = Self.keysMax
    ) throws(StoreError) {
        var sums = Sums(groups: groups, keysMax: keysMax)
        let parts = groups.reduce(into: Audience.Parts()) { $0.formUnion($1.parts) }
        for day in try reader.clickDays() where period.touches(day) {
            try reader.clicks.audienceTotals(
                by: parts, on: day, from: period.from, to: period.to
            ) { item in
                let total = item.total.converted(by: rates, on: day)
                return sums.add(total.campaignID, item.audience) { $0.add(total) }
            }
            try sums.check()
        }
        try reader.audienceConversions(
            by: parts, from: period.from, to: period.to, reporting: rates.reporting
        ) { item in
            sums.add(item.total.campaignID, item.audience) { $0.add(item.total) }
        }
        try sums.check()
        try reader.audienceCosts(by: parts, from: period.from, to: period.to) { item in
            let cost = CostTotal(
                campaignID: item.total.campaignID, currency: item.total.currency,
                count: item.total.conversions, costNanos: item.total.costNanos,
                reportingNanos: rates.converted(
                    item.total.costNanos, of: item.total.currency, on: item.total.quarter.day))
            return sums.add(cost.campaignID, item.audience) { $0.add(cost) }
        }
        try sums.check()
        let sorted = sums.byKey.map {
            Row(campaignID: $0.key.campaignID, values: $0.key.values, numbers: $0.value)
        }.sorted(by: Self.precedes)
        rows = Array(sorted.prefix(Self.rowsMax))
        isTruncated = sorted.count > Self.rowsMax
        totals = sums.totals
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

public import Domain
public import Store

/// Clicks, conversions and money by campaign.
public struct CampaignReport: Sendable, Equatable {
    /// Campaigns with a click or a conversion, by number.
    public let rows: [Row]
    public let totals: ReportNumbers

    public struct Row: Sendable, Equatable {
        public let campaignID: CampaignID
        public let numbers: ReportNumbers
    }

    /// Adds up what was read; the order of the parts makes no difference.
    public init(
        clicks: some Sequence<ClickTotal>, landers: some Sequence<LanderTotal> = [],
        conversions: some Sequence<ConversionTotal>, costs: some Sequence<CostTotal> = []
    ) {
        var byCampaign: [CampaignID: ReportNumbers] = [:]
        var totals = ReportNumbers()
        for total in clicks {
            byCampaign[total.campaignID, default: ReportNumbers()].add(total)
            totals.add(total)
        }
        for total in landers {
            byCampaign[total.campaignID, default: ReportNumbers()].add(total)
            totals.add(total)
        }
        for total in conversions {
            byCampaign[total.campaignID, default: ReportNumbers()].add(total)
            totals.add(total)
        }
        for total in costs {
            byCampaign[total.campaignID, default: ReportNumbers()].add(total)
            totals.add(total)
        }
        rows = byCampaign.map { Row(campaignID: $0.key, numbers: $0.value) }
            .sorted { $0.campaignID.rawValue < $1.campaignID.rawValue }
        self.totals = totals
    }

    /// Reads the day files and the ledger. Conversions count at the time of their click, so that
    /// they stand beside the clicks that made them.
    ///
    /// - Parameter rates: costs are converted by the rate of their day, as it is known now; payouts
    ///   were converted when they were recorded.
    public init(_ reader: LedgerReader, _ period: ReportPeriod, _ rates: ExchangeRates)
        throws(StoreError)
    {
        let days = try reader.clickDays()
        let corrections = try CostCorrections(reader, period, Set(days))
        var clicks: [ClickTotal] = []
        var landers = try reader.lateLanderTotals(from: period.from, to: period.to)
        for day in days where period.touches(day) {
            clicks += try corrections.clicks(on: day).map { $0.converted(by: rates, on: day) }
            landers += try reader.clicks.landerTotals(on: day, from: period.from, to: period.to)
        }
        self.init(
            clicks: clicks, landers: landers,
            conversions: try reader.conversionTotals(
                from: period.from, to: period.to, reporting: rates.reporting),
            costs: try corrections.otherCosts(rates))
    }

    /// How each figure is made, in words for people.
    public static let formulas = ReportFormulas.all(
        cost: "; where a cost layer lies over them, what the newest layer says instead",
        unconverted: "cost layers without clicks, ",
        between: [
            ("lander_views", "clicks of the period that came to a lander"),
            ("lander_clicks", "how often their visitors, or others, went on by /o to an offer"),
            ("lander_passed", "clicks whose visitors did so at least once"),
            ("lander_ctr", "lander_passed / lander_views"),
        ])
}

extension AudienceReport {
    /// How each figure is made, in words for people.
    public static let formulas = ReportFormulas.all(
        cost: ", as they were recorded: cost layers do not tell audiences apart and are not in it",
        unconverted: "", between: [])
}

enum ReportFormulas {
    /// What both reports tell, each with words of its own in places.
    static func all(
        cost: String, unconverted: String, between: [(name: String, formula: String)]
    ) -> [(name: String, formula: String)] {
        [
            ("clicks", "clicks recorded in the period, without those of bots"),
            (
                "bots",
                "requests of bots, prefetches and link previews in the period: they are no clicks, "
                    + "and their costs are in no sum"
            ),
        ] + between + [
            (
                "conversions",
                "conversions of the clicks of the period, of every status, without tests"
            ),
            (
                "cost",
                "sum of the costs of the clicks whose cost is known, and of what their conversions "
                    + "cost where the campaign pays for those (cpa, revshare)" + cost
            ),
            ("revenue", "sum of approved payouts"),
            ("profit", "revenue - cost"),
            ("cr", "conversions / clicks"),
            ("epc", "revenue / clicks"),
            ("roi", "profit / cost"),
            ("cpc", "cost / clicks"),
            ("cpa", "cost / conversions"),
            (
                "reporting",
                "the same in the reporting currency: costs, summed by the UTC day of the click, "
                    + "campaign and currency, by the rate of that day as it is known now; approved "
                    + "payouts as they were converted when they were recorded; amounts of that "
                    + "currency itself as they are"
            ),
            (
                "unconverted",
                "clicks with a cost, conversions with one, " + unconverted + "and approved "
                    + "conversions that are not in the reporting sums, because no rate was known"
            ),
        ]
    }
}

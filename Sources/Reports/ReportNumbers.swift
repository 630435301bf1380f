public import Domain
internal import Store

/// What a row of a report counts and adds up; every ratio is made of these sums.
public struct ReportNumbers: Sendable, Equatable {
    public private(set) var clicks: Int128 = 0
    /// Requests that are no clicks: of bots, prefetches and previews.
    public private(set) var bots: Int128 = 0
    /// Clicks whose cost nobody told; they are in no sum of costs.
    public private(set) var clicksWithoutCost: Int128 = 0
    /// Clicks that were sent to a lander.
    public private(set) var landerViews: Int128 = 0
    /// How often visitors went on from one to an offer, and how many clicks' visitors did.
    public private(set) var landerClicks: Int128 = 0
    public private(set) var landerPassed: Int128 = 0
    private var byStatus: [ConversionStatus: Int128] = [:]
    /// Every currency that occurs, also where nothing but zeros does.
    private var byCurrency: [Currency: Amounts] = [:]

    /// Sums of one currency, in nanos.
    public struct Amounts: Sendable, Equatable {
        public fileprivate(set) var costNanos: Int128 = 0
        /// Approved payouts.
        public fileprivate(set) var revenueNanos: Int128 = 0

        public var profitNanos: Int128 { revenueNanos - costNanos }
        fileprivate var isZero: Bool { costNanos == 0 && revenueNanos == 0 }
    }

    /// Sums in the reporting currency, where there is one.
    public private(set) var reporting = Amounts()
    /// Clicks with a cost and approved conversions that are not in those sums.
    public private(set) var unconverted: Int128 = 0

    public init() {}

    mutating func add(_ total: ClickTotal) {
        clicks += Int128(total.clicks)
        bots += Int128(total.bots)
        if let currency = total.currency {
            byCurrency[currency, default: Amounts()].costNanos += total.costNanos
            reporting.costNanos += total.reportingNanos ?? 0
            if total.reportingNanos == nil { unconverted += Int128(total.clicks) }
        } else {
            clicksWithoutCost += Int128(total.clicks)
        }
    }

    mutating func add(_ total: LanderTotal) {
        landerViews += Int128(total.views)
        landerClicks += Int128(total.clicks)
        landerPassed += Int128(total.passed)
    }

    mutating func add(_ total: ConversionTotal) {
        byStatus[total.status, default: 0] += Int128(total.conversions)
        byCurrency[total.currency, default: Amounts()].revenueNanos +=
            total.status == .approved ? total.payoutNanos : 0
        if total.status == .approved {
            reporting.revenueNanos += total.reportingNanos
            unconverted += Int128(total.unconverted)
        }
    }

    mutating func add(_ total: CostTotal) {
        byCurrency[total.currency, default: Amounts()].costNanos += total.costNanos
        reporting.costNanos += total.reportingNanos ?? 0
        if total.reportingNanos == nil { unconverted += Int128(total.count) }
    }

    public func conversions(_ status: ConversionStatus) -> Int128 { byStatus[status] ?? 0 }

    /// Of every status.
    public var conversions: Int128 { byStatus.values.reduce(0, +) }

    /// By the code of their currency. Where any is not zero, those that are zero are left out.
    public var amounts: [(currency: Currency, amounts: Amounts)] {
        let sorted = byCurrency.sorted { $0.key.code < $1.key.code }
            .map { (currency: $0.key, amounts: $0.value) }
        let moving = sorted.filter { !$0.amounts.isZero }
        return moving.isEmpty ? sorted : moving
    }

    /// The amounts, where all are of one currency: different ones can't be added.
    public var single: (currency: Currency, amounts: Amounts)? {
        amounts.count == 1 ? amounts.first : nil
    }

    /// The share of a lander's visitors who went on to an offer.
    public var landerRate: String? { DecimalRatio.text(landerPassed, over: landerViews) }

    /// Conversions a click.
    public var conversionRate: String? { DecimalRatio.text(conversions, over: clicks) }

    /// Quotients of the sums of one currency, in its units.
    public func ratios(_ amounts: Amounts) -> Ratios {
        Ratios(
            earningsPerClick: DecimalRatio.text(
                amounts.revenueNanos, over: clicks * Self.nanosPerUnit),
            returnOnInvestment: DecimalRatio.text(amounts.profitNanos, over: amounts.costNanos),
            costPerClick: DecimalRatio.text(amounts.costNanos, over: clicks * Self.nanosPerUnit),
            costPerConversion: DecimalRatio.text(
                amounts.costNanos, over: conversions * Self.nanosPerUnit))
    }

    private static let nanosPerUnit: Int128 = 1_000_000_000

    /// Each nil where it would be a division by zero.
    public struct Ratios: Sendable, Equatable {
        public let earningsPerClick: String?
        /// Profit by cost.
        public let returnOnInvestment: String?
        public let costPerClick: String?
        public let costPerConversion: String?
    }
}

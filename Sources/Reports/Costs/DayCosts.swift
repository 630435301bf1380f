internal import Domain
internal import Store

/// Sums up one campaign's clicks of one day, with its cost layers laid over them.
struct DayCosts {
    private let day: Day
    private let period: ReportPeriod
    /// The topmost first.
    private let layers: [CountedLayer]
    /// How many clicks that each is about have gone by.
    private var passed: [Int64]
    private var sums: [Currency?: Sum] = [:]

    private struct Sum {
        var clicks: Int64 = 0
        var nanos: Int128 = 0
    }

    init(_ day: Day, _ period: ReportPeriod, _ layers: [CountedLayer]) {
        self.day = day
        self.period = period
        self.layers = layers
        passed = Array(repeating: 0, count: layers.count)
    }

    /// Adds clicks that follow one another and that the same layers are about.
    /// - Parameters:
    ///   - places: of those layers, the topmost first.
    ///   - nanos: what they cost by themselves, in `currency`; nil where that is not known.
    mutating func add(
        _ clicks: Int64, in quarter: QuarterHour, at places: [Int], currency: Currency?,
        nanos: Int128
    ) {
        let isShown = period.contains(quarter)
        for (order, place) in places.enumerated() {
            let start = passed[place]
            passed[place] += clicks
            guard isShown, order == 0 else { continue }
            sums[layers[place].layer.currency, default: Sum()].nanos += layers[place].cost(
                of: start..<(start + clicks), on: day)
            sums[layers[place].layer.currency, default: Sum()].clicks += clicks
        }
        if isShown, places.isEmpty {
            sums[currency, default: Sum()].nanos += nanos
            sums[currency, default: Sum()].clicks += clicks
        }
    }

    func totals(of campaign: CampaignID) -> [ClickTotal] {
        sums.map { currency, sum in
            ClickTotal(
                campaignID: campaign, currency: currency, clicks: sum.clicks, costNanos: sum.nanos)
        }
    }
}

/// The reporting currency and every dated rate to it, in memory: a postback looks its rate up
/// without a read.
public struct ExchangeRates: Equatable, Sendable {
    /// Nil: nothing is converted.
    public let reporting: Currency?
    /// By day, oldest first.
    private var byCurrency: [Currency: [Dated]] = [:]

    private struct Dated: Equatable {
        let day: Day
        let nanos: Int64
    }

    /// The largest sum that is converted: so many of them can be added without an overflow.
    private static let sumMax: Int128 = 1 << 100

    public init(reporting: Currency? = nil, _ rates: [ExchangeRate] = []) {
        self.reporting = reporting
        set(rates)
    }

    /// By currency and day.
    public var all: [ExchangeRate] {
        byCurrency.keys.sorted { $0.rawValue < $1.rawValue }.flatMap { rates(of: $0) }
    }

    /// By day.
    public func rates(of currency: Currency) -> [ExchangeRate] {
        (byCurrency[currency] ?? []).map {
            ExchangeRate(currency: currency, day: $0.day, nanos: $0.nanos)
        }
    }

    /// Adds rates or replaces those of the same currency and day; of two such the last counts.
    public mutating func set(_ rates: [ExchangeRate]) {
        for (currency, rates) in Dictionary(grouping: rates, by: \.currency) {
            var byDay: [Day: Int64] = [:]
            for known in byCurrency[currency] ?? [] { byDay[known.day] = known.nanos }
            for rate in rates { byDay[rate.day] = rate.nanos }
            byCurrency[currency] = byDay.map { Dated(day: $0.key, nanos: $0.value) }
                .sorted { $0.day < $1.day }
        }
    }

    /// The rate that was removed; nil if there was none of that very day.
    public mutating func remove(_ currency: Currency, on day: Day) -> ExchangeRate? {
        guard let index = byCurrency[currency]?.firstIndex(where: { $0.day == day }),
            let removed = byCurrency[currency]?.remove(at: index)
        else { return nil }
        if byCurrency[currency]?.isEmpty ?? false { byCurrency[currency] = nil }
        return ExchangeRate(currency: currency, day: day, nanos: removed.nanos)
    }

    /// The rate in force on a day, in nanos: of that day or the nearest one before. The reporting
    /// currency's own is one. Nil where none is known.
    public func rate(of currency: Currency, on day: Day) -> Int64? {
        if currency == reporting { return ExchangeRate.oneNanos }
        guard let dated = byCurrency[currency] else { return nil }
        var low = 0
        var high = dated.count
        while low < high {
            let middle = (low + high) / 2
            if dated[middle].day <= day { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? dated[low - 1].nanos : nil
    }

    /// An amount in the reporting currency; nil where there is no such currency.
    public func converted(_ money: Money, on day: Day) throws(ExchangeError) -> ReportingAmount? {
        guard let reporting else { return nil }
        guard let rate = rate(of: money.currency, on: day) else { throw .noRate(to: reporting) }
        guard
            let product = ExchangeRate.product(Int128(money.nanos), rateNanos: rate)
                .flatMap({ Int64(exactly: $0) })
        else { throw .tooLarge(in: reporting) }
        return ReportingAmount(
            money: Money(nanos: product, currency: reporting), rateNanos: rate)
    }

    /// A sum of one day in the reporting currency; nil where it can't be converted, or would be
    /// more than 2¹⁰⁰ nanos. Zero needs no rate.
    public func converted(_ nanos: Int128, of currency: Currency, on day: Day) -> Int128? {
        guard reporting != nil else { return nil }
        if nanos == 0 { return 0 }
        guard let rate = rate(of: currency, on: day),
            let product = ExchangeRate.product(nanos, rateNanos: rate),
            product.magnitude <= Self.sumMax.magnitude
        else { return nil }
        return product
    }
}

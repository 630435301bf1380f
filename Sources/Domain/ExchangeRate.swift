/// What one unit of a currency is worth in the reporting currency, from a day on.
public struct ExchangeRate: Hashable, Sendable {
    public let currency: Currency
    /// The first UTC day that it holds for.
    public let day: Day
    /// Units of the reporting currency for one unit of `currency`, in 10⁻⁹; more than zero.
    public let nanos: Int64

    /// One unit for one unit.
    public static let oneNanos: Int64 = 1_000_000_000

    public init(currency: Currency, day: Day, nanos: Int64) {
        precondition(nanos > 0, "a rate of \(nanos) nanos")
        self.currency = currency
        self.day = day
        self.nanos = nanos
    }

    public static let rule =
        "must be more than 0, with at most nine decimals and below 9,223,372,036, "
        + "such as \"0.9213\""

    /// Exactly a decimal number such as `0.9213`: a rate that would have to be rounded is none.
    /// Nil for anything else, for zero and for more than nine decimals.
    public static func nanos(_ text: some StringProtocol) -> Int64? {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count == 1 || !parts[1].isEmpty else {
            return nil
        }
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard fraction.count <= Amount.fractionDigits else { return nil }
        var nanos: Int64 = 0
        let zeros = repeatElement(UInt8(ascii: "0"), count: Amount.fractionDigits - fraction.count)
        for byte in Array(whole) + fraction + zeros {
            guard let digit = ASCII.digit(byte) else { return nil }
            let (product, tooLarge) = nanos.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int64(digit))
            if tooLarge || overflow { return nil }
            nanos = sum
        }
        return nanos > 0 ? nanos : nil
    }

    /// The shortest decimal text of a rate; `nanos(_:)` reads it back exactly.
    public var text: String { Amount.format(nanos) }

    /// An amount times a positive rate, rounded half to even to the nano; nil where 128 bits don't reach.
    public static func product(_ nanos: Int128, rateNanos: Int64) -> Int128? {
        // Units and the rest apart: the product of all of it needs 192 bits.
        let one = UInt128(oneNanos.magnitude)
        let rate = UInt128(rateNanos.magnitude)
        let (units, rest) = nanos.magnitude.quotientAndRemainder(dividingBy: one)
        let (large, tooLarge) = units.multipliedReportingOverflow(by: rate)
        var (small, missing) = (rest * rate).quotientAndRemainder(dividingBy: one)
        if tooLarge { return nil }
        // `large + small` is odd where just one of them is.
        let isOdd = large % 2 != small % 2
        missing *= 2
        if missing > one || (missing == one && isOdd) { small += 1 }
        let (magnitude, overflow) = large.addingReportingOverflow(small)
        guard !overflow, let product = Int128(exactly: magnitude) else { return nil }
        return nanos < 0 ? -product : product
    }
}

/// An amount in the reporting currency with the rate by which it was converted.
public struct ReportingAmount: Hashable, Sendable {
    public let money: Money
    /// In 10⁻⁹: units of the reporting currency for one unit of the original amount's.
    public let rateNanos: Int64

    public init(money: Money, rateNanos: Int64) {
        self.money = money
        self.rateNanos = rateNanos
    }
}

/// Why an amount has no counterpart in the reporting currency.
public enum ExchangeError: Error, Equatable, Sendable {
    case noRate(to: Currency)
    /// More than an amount can hold.
    case tooLarge(in: Currency)

    /// What to do about it, as part of a sentence.
    public func message(of amount: Money, on day: Day) -> String {
        switch self {
        case .noRate(let reporting):
            "not converted to \(reporting.code): no exchange rate of \(amount.currency.code) "
                + "holds on \(day.text); set one and recompute"
        case .tooLarge(let reporting):
            "not converted to \(reporting.code): \(amount.amountText) \(amount.currency.code) "
                + "by the rate of \(day.text) is too large"
        }
    }
}

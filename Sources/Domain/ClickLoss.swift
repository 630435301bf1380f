/// The share of the clicks a source bills which never arrive here: those that do carry their cost.
public struct ClickLoss: Hashable, Sendable {
    /// In nanos of a percent.
    public let percentNanos: Int64

    public static let none = ClickLoss(percentNanos: 0)
    /// 99 %: what is lost beyond it leaves nothing to reckon with.
    public static let percentNanosMax: Int64 = 99_000_000_000

    private init(percentNanos: Int64) { self.percentNanos = percentNanos }

    /// Nil where the document says nothing.
    init?(_ cost: inout DocumentReader) {
        guard let percent = cost.amount("loss_percent") else { return nil }
        if !(0...Self.percentNanosMax).contains(percent) {
            cost.fail("loss_percent", "must be from 0 to 99")
            return nil
        }
        percentNanos = percent
    }

    private static let whole: Int128 = 100_000_000_000

    /// Nanos that a click costs where `amount` is billed for `divisor` clicks: amount ÷ divisor ÷
    /// (1 − loss), rounded once, half to even. Nil where an amount can't hold it.
    ///
    /// - Parameter amount: at most 10²⁶ in magnitude, as `divisor` is at most 10¹².
    func cost(of amount: Int128, over divisor: Int128 = 1) -> Int64? {
        let (product, overflow) = amount.multipliedReportingOverflow(by: Self.whole)
        if overflow { return nil }
        return Int64(
            exactly: product.dividedHalfToEven(by: divisor * (Self.whole - Int128(percentNanos))))
    }
}

extension Int128 {
    /// The quotient rounded half to even.
    /// - Parameter divisor: more than zero, and less than 2¹²⁶.
    func dividedHalfToEven(by divisor: Int128) -> Int128 {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        let twice = rest.magnitude * 2
        guard twice > divisor.magnitude || (twice == divisor.magnitude && quotient % 2 != 0) else {
            return quotient
        }
        return quotient + (self < 0 ? -1 : 1)
    }
}

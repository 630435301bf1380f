/// What a destination is told as a conversion's value, in `{payout}`, `{payout_minor}` and
/// `{currency}`.
public enum ValueRule: Hashable, Sendable {
    /// The payout as it is.
    case payout
    /// A part of it, in nanos of a percent: `{"percent": "80"}`.
    case percent(Int64)
    /// Always the same: `{"fixed": "5", "currency": "USD"}`.
    case fixed(Money)

    /// 1,000 %: somebody may tell more than was paid, but a slip of the decimal point is a mistake.
    static let percentNanosMax: Int64 = 1_000_000_000_000

    init(_ destination: inout DocumentReader) {
        guard var reader = destination.reader("value") else {
            self = .payout
            return
        }
        let percent = reader.amount("percent")
        let fixed = reader.amount("fixed")
        let currency =
            reader.string("currency") == nil
            ? nil : reader.currency("currency", default: .usDollar)
        reader.finish()
        switch (percent, fixed) {
        case (let percent?, nil):
            self = .percent(percent)
            if percent < 0 || percent > Self.percentNanosMax {
                reader.fail("percent", "must be from 0 to 1000")
            }
            if currency != nil { reader.fail("currency", "belongs to \"fixed\" only") }
        case (nil, let fixed?):
            self = .fixed(Money(nanos: fixed, currency: currency ?? .usDollar))
            if currency == nil { reader.fail("currency", "is required with \"fixed\"") }
        case (nil, nil), (.some, .some):
            self = .payout
            reader.fail("percent", "or \"fixed\" is required, and not both")
        }
    }

    /// Rounded half to even to a whole nano, as all amounts are.
    public func value(of payout: Money) -> Money {
        switch self {
        case .payout: return payout
        case .fixed(let money): return money
        case .percent(let nanos):
            // At most 10 times an Int64: 128 bits hold the product, and the quotient is clamped.
            let divisor: Int128 = 100_000_000_000
            let quotient = (Int128(payout.nanos) * Int128(nanos)).dividedHalfToEven(by: divisor)
            return Money(nanos: Int64(clamping: quotient), currency: payout.currency)
        }
    }

    var document: JSONValue {
        switch self {
        case .payout: .null
        case .percent(let nanos): ["percent": .string(Amount.format(nanos))]
        case .fixed(let money):
            [
                "fixed": .string(money.amountText), "currency": .string(money.currency.code),
            ]
        }
    }
}

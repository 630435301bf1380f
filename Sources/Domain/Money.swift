public enum MoneyError: Error, Equatable, Sendable {
    case currencyMismatch(Currency, Currency)
    case overflow
}

/// An amount in 10⁻⁹ of `currency`'s unit: 1_250_000_000 is 1.25 USD. Never a `Double`.
public struct Money: Hashable, Sendable {
    public let nanos: Int64
    public let currency: Currency

    public init(nanos: Int64, currency: Currency) {
        self.nanos = nanos
        self.currency = currency
    }

    public func adding(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
        let (sum, overflow) = nanos.addingReportingOverflow(other.nanos)
        if overflow { throw .overflow }
        return Money(nanos: sum, currency: currency)
    }

    /// The shortest decimal text: `12.5`, `-3`, `0`.
    public var amountText: String { Amount.format(nanos) }
}

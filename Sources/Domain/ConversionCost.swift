/// What a conversion costs by its campaign's cost as that stood when the conversion was first
/// recorded: it keeps that rule through all of its revisions.
public enum ConversionCost: Hashable, Sendable {
    /// In these statuses.
    case fixed(Money, [ConversionStatus])
    /// A part of the approved payout, in nanos of a percent.
    case share(Int64)

    /// Zero in a status that does not count.
    public func cost(of status: ConversionStatus, payout: Money) -> Money {
        switch self {
        case .fixed(let money, let statuses):
            return statuses.contains(status) ? money : Money(nanos: 0, currency: money.currency)
        case .share(let percent):
            guard status == .approved else { return Money(nanos: 0, currency: payout.currency) }
            // At most the payout itself.
            let nanos = (Int128(payout.nanos) * Int128(percent))
                .dividedHalfToEven(by: 100_000_000_000)
            return Money(nanos: Int64(clamping: nanos), currency: payout.currency)
        }
    }

    /// As it is kept with a conversion; `init(text:)` reads it back.
    public var text: String {
        let document: JSONValue
        switch self {
        case .fixed(let money, let statuses):
            document = [
                "amount": .string(money.amountText), "currency": .string(money.currency.code),
                "statuses": .array(statuses.map { .string($0.rawValue) }),
            ]
        case .share(let percent): document = ["percent": .string(Amount.format(percent))]
        }
        return document.encoded()
    }

    /// Nil for anything that `text` does not write.
    public init?(text: String) {
        // We wrote it: what can't be read is damaged, whatever the damage is.
        guard let document = try? JSONValue(parsing: text) else { return nil }
        func nanos(_ name: String) -> Int64? {
            document[name]?.stringValue.flatMap { try? Amount.parse($0, format: .point) }
        }
        if let percent = nanos("percent") {
            self = .share(percent)
            return
        }
        guard let amount = nanos("amount"),
            let currency = document["currency"]?.stringValue.flatMap({ Currency($0) }),
            let words = document["statuses"]?.arrayValue
        else { return nil }
        let statuses = words.compactMap { $0.stringValue.flatMap(ConversionStatus.init) }
        guard statuses.count == words.count else { return nil }
        self = .fixed(Money(nanos: amount, currency: currency), statuses)
    }
}

/// How the campaign URL's cost parameter is read: what its number means and how it is written.
public struct CostParameter: Hashable, Sendable {
    public enum Unit: String, CaseIterable, Sendable {
        /// Of the currency.
        case units
        /// The currency's smallest unit: `125` is 1.25 USD.
        case minor
        /// Millionths of the currency's unit.
        case micro
        /// Units of the currency for a thousand clicks.
        case cpm
    }

    public let format: NumberFormat
    public let unit: Unit

    init(_ cost: inout DocumentReader) {
        format = cost.choice("number_format", default: .auto)
        unit = cost.choice("unit", default: .units)
    }

    /// A click that costs more can only be a mistake: a million units, before what is lost.
    static let nanosMax: Int128 = 1_000_000_000_000_000

    /// Nanos that the click costs, rounded once, half to even. Nil for what is no cost: a text that
    /// can't be read or has two meanings, a negative number, one above a million units.
    public func nanos(_ text: String, currency: Currency, loss: ClickLoss) -> Int64? {
        // What was wrong with it does not matter: the click goes on without a cost.
        guard let fine = try? Amount.parseFine(text, format: format, minorDigits: digits(currency)),
            fine >= 0, fine <= Self.nanosMax * Amount.finePerNano
        else { return nil }
        return loss.cost(of: fine, over: Amount.finePerNano)
    }

    /// By how many decimal places the number is larger than units of the currency a click.
    private func digits(_ currency: Currency) -> Int {
        switch unit {
        case .units: 0
        case .minor: currency.minorDigits
        case .micro: 6
        case .cpm: 3
        }
    }

    var members: [JSONMember] {
        [
            JSONMember(name: "number_format", value: .string(format.rawValue)),
            JSONMember(name: "unit", value: .string(unit.rawValue)),
        ]
    }
}

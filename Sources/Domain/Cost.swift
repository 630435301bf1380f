/// What the source charges for a click, in the source's currency.
public enum Cost: Hashable, Sendable {
    case none
    /// Nanos a click.
    case perClick(Int64)
    /// Nanos a thousand clicks.
    case perMille(Int64)
    /// From the source's `cost_param` of each campaign URL.
    case parameter

    private enum Model: String, CaseIterable { case cpc, cpm, param, none }

    init(_ campaign: inout DocumentReader) {
        guard var reader = campaign.reader("cost") else {
            self = .none
            return
        }
        let model: Model = reader.choice("model", default: .none)
        let amount = reader.amount("amount")
        reader.finish()
        if let amount, amount < 0 { reader.fail("amount", "must not be negative") }
        switch model {
        case .none: self = .none
        case .param: self = .parameter
        case .cpc, .cpm:
            if amount == nil { reader.fail("amount", "is required for \(model.rawValue)") }
            self = model == .cpc ? .perClick(amount ?? 0) : .perMille(amount ?? 0)
        }
    }

    /// Nanos that one click costs; nil when the URL says or nothing does.
    public var nanosPerClick: Int64? {
        switch self {
        case .none, .parameter: return nil
        case .perClick(let nanos): return nanos
        case .perMille(let nanos):
            // Half to even, as all amounts are rounded.
            let (whole, rest) = nanos.quotientAndRemainder(dividingBy: 1000)
            let roundsUp = rest > 500 || (rest == 500 && whole % 2 == 1)
            return roundsUp ? whole + 1 : whole
        }
    }

    var document: JSONValue {
        switch self {
        case .none: ["model": "none"]
        case .perClick(let nanos): ["model": "cpc", "amount": .string(Amount.format(nanos))]
        case .perMille(let nanos): ["model": "cpm", "amount": .string(Amount.format(nanos))]
        case .parameter: ["model": "param"]
        }
    }
}

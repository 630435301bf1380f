/// What a campaign's traffic source charges.
public struct Cost: Hashable, Sendable {
    public enum Model: String, CaseIterable, Sendable { case cpc, cpm, cpa, revshare, param, none }

    public enum Charge: Hashable, Sendable {
        case nothing
        /// Nanos a click.
        case perClick(Int64)
        /// Nanos a thousand clicks.
        case perMille(Int64)
        /// What the source's `cost_param` says in each campaign URL.
        case parameter(CostParameter)
        case perConversion(Int64, [ConversionStatus])
        /// A part of the approved payout, in nanos of a percent.
        case share(Int64)
    }

    public let charge: Charge
    public let loss: ClickLoss
    /// Nil: the source's.
    public let currency: Currency?

    init(_ campaign: inout DocumentReader) {
        guard var reader = campaign.reader("cost") else {
            self.init(charge: .nothing)
            return
        }
        let model: Model = reader.choice("model", default: .none)
        let currency = reader.string("currency").map { _ in
            reader.currency("currency", default: .usDollar)
        }
        let amount = reader.amount("amount")
        let percent = reader.amount("percent")
        let hasStatuses = reader.value("statuses") != nil
        let statuses = reader.statuses("statuses")
        let loss = ClickLoss(&reader)
        let parameter = CostParameter(&reader)
        reader.finish()
        // What is switched off may keep its settings.
        guard model != .none else {
            self.init(charge: .nothing, currency: currency)
            return
        }
        if let amount, amount < 0 { reader.fail("amount", "must not be negative") }
        if let percent, !(0...Self.percentNanosMax).contains(percent) {
            reader.fail("percent", "must be from 0 to 100")
        }
        if reader.value("statuses") == .array([]) {
            reader.fail("statuses", "must name at least one")
        }
        Self.refuse("amount", amount, unless: [.cpc, .cpm, .cpa], model, reader)
        Self.refuse("percent", percent, unless: [.revshare], model, reader)
        Self.refuse("statuses", hasStatuses ? statuses : nil, unless: [.cpa], model, reader)
        Self.refuse("loss_percent", loss, unless: [.cpc, .cpm, .param], model, reader)
        Self.refuse("number_format", reader.value("number_format"), unless: [.param], model, reader)
        Self.refuse("unit", reader.value("unit"), unless: [.param], model, reader)
        if model == .revshare, currency != nil {
            reader.fail("currency", "does not go with revshare: the cost has the payout's")
        }
        self.init(
            charge: Self.charge(model, amount, percent, statuses, parameter, reader),
            loss: loss ?? .none, currency: currency)
        if case .some(.none) = nanosPerClickIfKnown {
            reader.fail("amount", "is too large")
        }
    }

    private init(charge: Charge, loss: ClickLoss = .none, currency: Currency? = nil) {
        self.charge = charge
        self.loss = loss
        self.currency = currency
    }

    /// A setting that would change nothing is a mistake.
    private static func refuse(
        _ name: String, _ value: (some Any)?, unless models: [Model], _ model: Model,
        _ reader: DocumentReader
    ) {
        guard value != nil, !models.contains(model) else { return }
        let names = models.map(\.rawValue).joined(separator: ", ")
        reader.fail(name, "goes with \(names), not with \(model.rawValue)")
    }

    private static func charge(
        _ model: Model, _ amount: Int64?, _ percent: Int64?, _ statuses: [ConversionStatus],
        _ parameter: CostParameter, _ reader: DocumentReader
    ) -> Charge {
        func required(_ name: String, _ value: Int64?) -> Int64 {
            if value == nil, !reader.hasFailed(name) {
                reader.fail(name, "is required for \(model.rawValue)")
            }
            return value ?? 0
        }
        switch model {
        case .none: return .nothing
        case .param: return .parameter(parameter)
        case .cpc: return .perClick(required("amount", amount))
        case .cpm: return .perMille(required("amount", amount))
        case .cpa:
            return .perConversion(
                required("amount", amount), statuses.isEmpty ? [.approved] : statuses)
        case .revshare: return .share(required("percent", percent))
        }
    }

    static let percentNanosMax: Int64 = 100_000_000_000

    public var model: Model {
        switch charge {
        case .nothing: .none
        case .perClick: .cpc
        case .perMille: .cpm
        case .parameter: .param
        case .perConversion: .cpa
        case .share: .revshare
        }
    }

    /// Nanos that one click costs, its share of lost ones included; nil when the URL says or
    /// nothing does. Clicks whose conversions are paid for cost nothing by themselves.
    public var nanosPerClick: Int64? {
        // Too large ones were refused.
        nanosPerClickIfKnown ?? nil
    }

    /// Nil in the second place: more than an amount can hold.
    private var nanosPerClickIfKnown: Int64?? {
        switch charge {
        case .nothing, .parameter: .none
        case .perConversion, .share: .some(0)
        case .perClick(let nanos): .some(loss.cost(of: Int128(nanos)))
        case .perMille(let nanos): .some(loss.cost(of: Int128(nanos), over: 1000))
        }
    }

    /// What its conversions cost; nil where none does.
    /// - Parameter source: the source's currency.
    public func ofConversions(source: Currency) -> ConversionCost? {
        switch charge {
        case .nothing, .perClick, .perMille, .parameter: nil
        case .perConversion(let nanos, let statuses):
            .fixed(Money(nanos: nanos, currency: currency ?? source), statuses)
        case .share(let percent): .share(percent)
        }
    }

    var document: JSONValue {
        var members = [JSONMember(name: "model", value: .string(model.rawValue))]
        switch charge {
        case .nothing: break
        case .perClick(let nanos), .perMille(let nanos):
            members.append(JSONMember(name: "amount", value: .string(Amount.format(nanos))))
        case .parameter(let parameter): members += parameter.members
        case .perConversion(let nanos, let statuses):
            members += [
                JSONMember(name: "amount", value: .string(Amount.format(nanos))),
                JSONMember(
                    name: "statuses", value: .array(statuses.map { .string($0.rawValue) })),
            ]
        case .share(let percent):
            members.append(JSONMember(name: "percent", value: .string(Amount.format(percent))))
        }
        if loss != .none {
            members.append(
                JSONMember(name: "loss_percent", value: .string(Amount.format(loss.percentNanos))))
        }
        if let currency {
            members.append(JSONMember(name: "currency", value: .string(currency.code)))
        }
        return .object(members)
    }
}

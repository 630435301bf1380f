/// A traffic source: it sells us clicks, puts its own click ID into the campaign URL and is told
/// about conversions through its destinations.
public struct Source: Entity, Equatable {
    public static let kind = "source"

    public let key: EntityKey
    public let name: String
    /// The campaign URL's parameter with the source's own click ID; nil when it sends none.
    public let externalIDParameter: String?
    /// The campaign URL's parameter with the click's cost, for the cost model `param`.
    public let costParameter: String?
    /// The parameter that names that cost's currency, where it is not always the same.
    public let costCurrencyParameter: String?
    public let currency: Currency
    /// Parameter name to the number of its `{varN}`, in the order of the document.
    public let parameters: [Parameter]
    public let destinations: [Destination]
    /// The entry of the catalogue that it was made from.
    public let template: EntityKey?
    /// The values of the operator's account that the template's destination is filled with.
    public let account: [AccountValue]

    public struct AccountValue: Hashable, Sendable {
        public let name: String
        public let value: String
    }

    static let accountValuesMax = 20

    public struct Parameter: Hashable, Sendable {
        public let name: String
        public let variable: Int
    }

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        externalIDParameter = reader.string("external_id_param", max: 64).nonEmpty
        costParameter = reader.string("cost_param", max: 64).nonEmpty
        costCurrencyParameter = reader.string("cost_currency_param", max: 64).nonEmpty
        currency = reader.currency("currency", default: .usDollar)
        parameters = Self.parameters(&reader)
        destinations = Destination.list(&reader)
        template = reader.key("template")
        account = Self.account(&reader)
        reader.ignore("campaign_query", "account_needs", "template_notes")
        reader.finish()
        if template == nil, !account.isEmpty {
            reader.fail("account", "goes with a template, which this source has not")
        }
        try problems.throwIfAny()
    }

    private static func parameters(_ reader: inout DocumentReader) -> [Parameter] {
        var parameters: [Parameter] = []
        for member in reader.members("params", max: Token.variableMax) {
            let field = "params.\(member.name)"
            guard case .string(let text) = member.value, text.hasPrefix("var"),
                let number = Int(text.dropFirst(3)), (1...Token.variableMax).contains(number)
            else {
                reader.fail(field, "must be one of var1 to var\(Token.variableMax)")
                continue
            }
            guard !member.name.isEmpty, member.name.utf8.count <= 64 else {
                reader.fail(field, "must have a name of 1 to 64 bytes")
                continue
            }
            guard !parameters.contains(where: { $0.variable == number }) else {
                reader.fail(field, "var\(number) is used twice")
                continue
            }
            parameters.append(Parameter(name: member.name, variable: number))
        }
        return parameters
    }

    private static func account(_ reader: inout DocumentReader) -> [AccountValue] {
        guard var values = reader.reader("account") else { return [] }
        return reader.members("account", max: accountValuesMax).compactMap { member in
            // A document that was read and written with an empty value means "not there yet".
            let value = values.string(member.name, max: 1000).nonEmpty
            if value == SecretMask.text { values.fail(member.name, SecretMask.complaint) }
            return value.map { AccountValue(name: member.name, value: $0) }
        }
    }

    public var document: JSONValue {
        [
            "key": .string(key.text),
            "name": .string(name),
            "external_id_param": .string(orNull: externalIDParameter),
            "cost_param": .string(orNull: costParameter),
            "cost_currency_param": .string(orNull: costCurrencyParameter),
            "currency": .string(currency.code),
            "params": .object(
                parameters.map { JSONMember(name: $0.name, value: .string("var\($0.variable)")) }),
            "destinations": .array(destinations.map(\.document)),
            "template": .string(orNull: template?.text),
            "account": .object(
                account.map { JSONMember(name: $0.name, value: .string($0.value)) }),
        ]
    }
}

extension Currency {
    /// What the documents default to.
    public static let usDollar: Currency = {
        guard let currency = Currency("USD") else { preconditionFailure("USD is in ISO 4217") }
        return currency
    }()
}

extension String? {
    /// Nil for an empty string: in documents `""` and `null` both say "none".
    var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}

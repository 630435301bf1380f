/// What a template does for a network: the settings it fills in, the postback URL in the network's
/// own language, and what the operator has to know or do beside it.
extension NetworkTemplate {
    /// The members of a network's document that the template gives values to, all but its key and
    /// name.
    ///
    /// The sender addresses are not among them: a list that is out of date refuses conversions.
    public var settings: [JSONMember] {
        let unit: Network.PayoutUnit =
            self["payout"] == nil && self["payout_minor"] != nil ? .minor : .decimal
        return [
            JSONMember(name: "template", value: .string(key.text)),
            JSONMember(name: "click_id_param", value: .string(orNull: clickIDParameter)),
            JSONMember(name: "payout_unit", value: .string(unit.rawValue)),
            JSONMember(
                name: "status_map",
                value: .object(
                    statusMap.map {
                        JSONMember(
                            name: $0.word.lowercased(), value: .string($0.status.rawValue))
                    })),
            JSONMember(name: "parameters", value: .object(parameters)),
        ]
    }

    /// Our parameters with the names that the network has for them, where it has its own.
    private var parameters: [JSONMember] {
        guard calls.usesOwnNames else { return [] }
        return Self.meanings.compactMap { parameter, meaning in
            self[meaning].map {
                JSONMember(name: parameter.rawValue, value: .array([.string($0)]))
            }
        }
    }

    /// A network's document with what the template gives it; a member that the document has, null
    /// included, stays as it is.
    public func filling(_ document: JSONValue) -> JSONValue {
        guard case .object(var members) = document else { return document }
        let defaults =
            [
                JSONMember(name: "key", value: .string(key.text)),
                JSONMember(name: "name", value: .string(name)),
            ] + settings
        for setting in defaults where !members.contains(where: { $0.name == setting.name }) {
            members.append(setting)
        }
        return .object(members)
    }

    /// The query to put after the postback URL: our names, and the network's own tokens exactly as
    /// it wants them, never percent-encoded. Nil when the URL has to stay bare.
    public func postbackQuery(for network: Network) -> String? {
        guard calls == .tokens else { return nil }
        let pairs = Self.meanings.compactMap { parameter, meaning -> String? in
            guard let token = token(parameter, meaning, network.payoutUnit) else { return nil }
            return "\(network.spelling(of: parameter))=\(token)"
        }
        return pairs.isEmpty ? nil : pairs.joined(separator: "&")
    }

    /// One amount is enough: in the unit that the network's setting asks for.
    private func token(
        _ parameter: PostbackParameter, _ meaning: String, _ unit: Network.PayoutUnit
    ) -> String? {
        if parameter == .payout, unit == .minor { return self["payout_minor"] ?? self["payout"] }
        if parameter == .payoutMinor, unit == .minor || self["payout"] != nil { return nil }
        return self[meaning]
    }

    /// Sentences for whoever sets the network up, the most important first.
    public var advice: [String] {
        var advice: [String] = []
        if confidence == .low {
            advice.append(
                "not all of this template is verified: compare it with the postback page of your "
                    + "account before you rely on it")
        }
        advice += callAdvice
        if let clickIDPlace {
            advice.append(
                "click_id_param can't be filled in (\(clickIDPlace)): put {click_id} into the "
                    + "offer's URL yourself")
        }
        if calls != .unknown, self["payout"] == nil, self["payout_minor"] == nil {
            advice.append(
                "no token for the amount is known: add payout=12.50 to the URL, or the offer's "
                    + "payout counts")
        }
        if calls == .tokens, self["status"] == nil, !statusMap.isEmpty {
            let words = statusMap.map { "\($0.word) = \($0.status.rawValue)" }
            advice.append(
                "there is no token for the status: use one URL for each, and write its word into "
                    + "it, as in status=\(statusMap[0].word) (\(words.joined(separator: ", ")))")
        }
        if !senders.isEmpty {
            advice.append(
                "its calls are said to come from \(senders.joined(separator: ", ")); "
                    + "allowed_ips can refuse all others")
        }
        if let notes { advice.append(notes) }
        return advice
    }

    private var callAdvice: [String] {
        let names = tokens.map(\.text).joined(separator: ", ")
        switch calls {
        case .tokens:
            return method == "POST" ? ["it calls the URL with POST"] : []
        case .ownQuery:
            return [
                "give it the postback URL as it is: it adds its own parameters (\(names)), which "
                    + "the network's parameters setting translates"
            ]
        case .ownForm:
            return [
                "give it the postback URL as it is: it POSTs a form with its own fields "
                    + "(\(names)), which the network's parameters setting translates"
            ]
        case .ownJSON:
            return [
                "give it the postback URL as it is: it POSTs a JSON document, in which the "
                    + "network's parameters setting finds the values (\(names))"
            ]
        case .unknown:
            return [
                "its tokens are not known: add ?cid=…&payout=…&currency=…&status=…&txid=… to the "
                    + "postback URL with those that your account's postback page names"
            ]
        }
    }

    /// The template as the API shows it.
    public var document: JSONValue {
        var members = [
            JSONMember(name: "key", value: .string(key.text)),
            JSONMember(name: "name", value: .string(name)),
            JSONMember(name: "confidence", value: .string(confidence.rawValue)),
            JSONMember(name: "method", value: .string(method)),
            JSONMember(
                name: "tokens",
                value: .object(
                    tokens.map { JSONMember(name: $0.meaning, value: .string($0.text)) })),
        ]
        members += settings.filter { $0.name != "template" }
        members += [
            JSONMember(name: "source_ips", value: .array(senders.map { .string($0) })),
            JSONMember(name: "postback_notes", value: .array(advice.map { .string($0) })),
            JSONMember(name: "evidence", value: .array(evidence.map { .string($0) })),
        ]
        return .object(members)
    }
}

extension NetworkTemplate.Calls {
    fileprivate var usesOwnNames: Bool {
        switch self {
        case .ownQuery, .ownForm, .ownJSON: true
        case .tokens, .unknown: false
        }
    }
}

extension Network {
    /// A name that means this parameter here: the canonical one, unless the network uses that one
    /// for something else.
    func spelling(of parameter: PostbackParameter) -> String {
        let names =
            [parameter.rawValue] + (parameters[parameter.rawValue] ?? []) + parameter.aliases
        return names.first { dialect[$0].contains { $0.parameter == parameter } }
            ?? parameter.rawValue
    }
}

/// What a template does for a source: the settings it fills in, the campaign URL's query in the
/// source's own language, and what the operator has to know or do beside it.
extension SourceTemplate {
    /// The members of a source's document that the template gives values to, all but its key and
    /// name.
    /// - Parameter account: values of the operator's account by their names.
    public func settings(_ account: [String: String]) -> [JSONMember] {
        [
            JSONMember(name: "template", value: .string(key.text)),
            JSONMember(
                name: "external_id_param", value: .string(orNull: clickID?.parameter)),
            JSONMember(name: "cost_param", value: .string(orNull: cost?.parameter)),
            JSONMember(
                name: "params",
                value: .object(
                    parameters.enumerated().map {
                        JSONMember(
                            name: $0.element.parameter, value: .string("var\($0.offset + 1)"))
                    })),
            JSONMember(
                name: "destinations", value: .array(destination(account).map { [$0] } ?? [])),
        ]
    }

    /// The destination's document: kept but not enabled while an account value is missing.
    public func destination(_ account: [String: String]) -> JSONValue? {
        destinationMembers(account).map(JSONValue.object)
    }

    private func destinationMembers(_ account: [String: String]) -> [JSONMember]? {
        guard let call else { return nil }
        return [
            JSONMember(name: "key", value: .string(key.text)),
            JSONMember(name: "method", value: .string(call.method)),
            JSONMember(
                name: "url", value: .string(AccountPlaceholder.fill(call.url, account, in: .url))),
            JSONMember(
                name: "headers", value: AccountPlaceholder.fill(.object(call.headers), account)),
            JSONMember(name: "body", value: AccountPlaceholder.fill(call.body, account)),
            JSONMember(
                name: "enabled", value: .bool(isComplete(account))),
        ]
            + call.extras.map {
                JSONMember(name: $0.name, value: AccountPlaceholder.fill($0.value, account))
            }
    }

    /// A source's document with what the template gives it; a member that the document has, null
    /// included, stays as it is.
    public func filling(_ document: JSONValue) -> JSONValue {
        guard case .object(var members) = document else { return document }
        let defaults =
            [
                JSONMember(name: "key", value: .string(key.text)),
                JSONMember(name: "name", value: .string(name)),
            ] + settings(Self.account(of: document))
        for setting in defaults where !members.contains(where: { $0.name == setting.name }) {
            members.append(setting)
        }
        return .object(members)
    }

    /// The document of a source of this template after account values were changed by a patch: its
    /// call is made anew with all of them. What the operator changed in it stays, with the new
    /// secrets in place of the old ones; so does what it is told of (statuses, events).
    /// - Parameter account: the values as they are from now on.
    public func refilling(_ document: JSONValue, account: JSONValue) -> JSONValue {
        guard case .object(var members) = document else { return document }
        let values = Self.account(of: ["account": account])
        guard let fresh = destinationMembers(values),
            let place = members.firstIndex(where: { $0.name == "destinations" })
        else { return document }
        var destinations = members[place].value.arrayValue ?? []
        if let index = destinations.firstIndex(where: { $0["key"]?.stringValue == key.text }) {
            destinations[index] = renewed(
                destinations[index], Self.account(of: document), fresh, values)
        } else {
            destinations.append(.object(fresh))
        }
        members[place].value = .array(destinations)
        return .object(members)
    }

    private func renewed(
        _ destination: JSONValue, _ before: [String: String], _ fresh: [JSONMember],
        _ values: [String: String]
    ) -> JSONValue {
        let original = destinationMembers(before).flatMap(Self.asKept)
        let secrets = AccountSecrets(
            before.map { Source.AccountValue(name: $0.key, value: $0.value) })
        return fresh.reduce(destination) { renewed, member in
            var member = member
            let current = destination[member.name] ?? .null
            let isOwn = current != original?[member.name]
            if member.name == "enabled" {
                // What waited for values goes on with them; what somebody stopped does not.
                if isOwn, isComplete(values) { member.value = current }
            } else if isOwn {
                let masked = secrets.masked(current)
                member.value =
                    masked.stringValue.map {
                        .string(
                            AccountPlaceholder.fill(
                                $0, values, in: member.name == "url" ? .url : .text))
                    } ?? AccountPlaceholder.fill(masked, values)
            }
            return renewed.replacing(member.name, by: member)
        }
    }

    private func isComplete(_ account: [String: String]) -> Bool {
        (call?.needs ?? []).allSatisfy { account[$0.name] != nil }
    }

    /// A destination as a source's document has it, with all defaults.
    private static func asKept(_ members: [JSONMember]) -> JSONValue? {
        let source = try? Source(
            // One that no source could have is nobody's original.
            document: ["key": "original", "destinations": [.object(members)]])
        return source?.document["destinations"]?.arrayValue?.first
    }

    /// The account's values in a source's document; what is no text is refused when it is read.
    private static func account(of document: JSONValue) -> [String: String] {
        var account: [String: String] = [:]
        for member in document["account"]?.objectValue ?? [] {
            account[member.name] = member.value.stringValue
        }
        return account
    }

    /// What a source's `account` holds that this template does not ask for.
    public func complaints(_ account: JSONValue?) -> [FieldError] {
        let names = (call?.needs ?? []).map(\.name)
        return (account?.objectValue ?? []).filter { !names.contains($0.name) }.map { member in
            let hint = NearestName.suggestion(for: member.name, among: names)
            return FieldError(
                "account.\(member.name)",
                "is not a value that template \"\(key)\" asks for"
                    + (hint.map { "; did you mean \"\($0)\"?" }
                        ?? (names.isEmpty ? "" : "; it asks for \(names.joined(separator: ", "))")))
        }
    }

    /// What the destination still waits for.
    public func missing(in source: Source) -> [Need] {
        (call?.needs ?? []).filter { need in !source.account.contains { $0.name == need.name } }
    }

    /// What belongs after the campaign URL, with the source's macros exactly as it wants them,
    /// never percent-encoded. Nil when the platform appends everything itself.
    public func campaignQuery(for source: Source) -> String? {
        var pairs: [String] = []
        for macro in [clickID, cost].compactMap(\.self) + parameters {
            let isUsed =
                macro.parameter == source.externalIDParameter
                || macro.parameter == source.costParameter
                || source.parameters.contains { $0.name == macro.parameter }
            if isUsed, let text = macro.text { pairs.append("\(macro.parameter)=\(text)") }
        }
        return pairs.isEmpty ? nil : pairs.joined(separator: "&")
    }

    /// Sentences for whoever sets the source up, the most important first.
    public func advice(missing: [Need]) -> [String] {
        var advice: [String] = []
        if !missing.isEmpty {
            advice.append(
                "conversions are not reported yet: the destination is disabled until account has "
                    + missing.map(\.name).joined(separator: ", "))
        }
        if confidence == .low {
            advice.append(
                "not all of this template is verified: compare it with the tracking page of your "
                    + "account before you rely on it")
        }
        if call == nil {
            advice.append(
                "no postback address is known: add a destination with the one of your account")
        }
        if let clickID, clickID.text == nil {
            advice.append(
                "its click ID arrives in \(clickID.parameter): either it adds the parameter "
                    + "itself, or its macro is not known and your account's tracking page names it")
        }
        if let costUnit {
            advice.append(
                "its cost is in \(costUnit): give campaigns \"cost\": {\"model\": \"param\"} to "
                    + "take it from the URL, and the source that currency")
        }
        if let hashing { advice.append("hashing: \(hashing)") }
        if let notes { advice.append(notes) }
        return advice
    }

    /// The template as the API shows it.
    public var document: JSONValue {
        let query = [clickID, cost].compactMap(\.self) + parameters
        var members = [
            JSONMember(name: "key", value: .string(key.text)),
            JSONMember(name: "name", value: .string(name)),
            JSONMember(name: "confidence", value: .string(confidence.rawValue)),
            JSONMember(
                name: "macros",
                value: .object(
                    query.map { JSONMember(name: $0.parameter, value: .string(orNull: $0.text)) })),
            JSONMember(name: "account_needs", value: Self.document(call?.needs ?? [])),
        ]
        members += settings([:]).filter { $0.name != "template" }
        members += [
            JSONMember(
                name: "template_notes",
                value: .array(advice(missing: []).map { .string($0) })),
            JSONMember(name: "evidence", value: .array(evidence.map { .string($0) })),
        ]
        return .object(members)
    }

    /// Names with their meanings.
    public static func document(_ needs: [Need]) -> JSONValue {
        .object(needs.map { JSONMember(name: $0.name, value: .string($0.meaning)) })
    }
}

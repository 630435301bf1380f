/// What a destination is told in: its own template, or JSON of a fixed form with a signature.
extension Destination {
    public enum Kind: String, CaseIterable, Sendable { case postback, webhook }

    /// What its calls need beside what is rendered.
    public var auth: OutboundRequest.Auth {
        switch kind {
        case .postback: .none
        case .webhook: .webhook
        }
    }

    /// More than one while a receiver changes over to another.
    static let webhookSecretsMax = 4
    private static let secretsName = "secrets"
    private static let countName = "secrets_set"

    static func webhookSecrets(_ reader: inout DocumentReader, _ kind: Kind) -> [WebhookSecret] {
        reader.ignore(countName)
        let texts = reader.array(secretsName, max: webhookSecretsMax)
        switch kind {
        case .postback:
            if !texts.isEmpty { reader.fail(secretsName, "belong to \"kind\": \"webhook\" only") }
            return []
        case .webhook:
            if texts.isEmpty, reader.value(secretsName)?.arrayValue ?? [] == [] {
                reader.fail(secretsName, "are required")
            }
            var secrets: [WebhookSecret] = []
            for (index, text) in texts.enumerated() {
                if let secret = text.stringValue.flatMap({ WebhookSecret($0) }) {
                    secrets.append(secret)
                } else {
                    reader.fail("\(secretsName)[\(index)]", WebhookSecret.rule)
                }
            }
            return secrets
        }
    }

    /// With the secrets: as they are kept.
    var secretMembers: [JSONMember] {
        switch kind {
        case .postback: []
        case .webhook:
            [
                JSONMember(
                    name: Self.secretsName, value: .array(webhookSecrets.map { .string($0.text) }))
            ]
        }
    }

    /// A source's or campaign's document without secrets: as it is shown.
    ///
    /// - Parameter revealed: the secrets that were made for it just now, which are told this once.
    public static func shown(_ document: JSONValue, revealing revealed: Set<String> = [])
        -> JSONValue
    {
        document.mappingWebhooks { webhook in
            guard let secrets = webhook[secretsName]?.arrayValue,
                !secrets.contains(where: { revealed.contains($0.stringValue ?? "") })
            else { return webhook }
            return webhook.replacing(
                secretsName, by: JSONMember(name: countName, value: .integer(secrets.count)))
        }
    }

    /// A document that replaces `existing`, with the secrets that this was shown without; webhooks
    /// that have none yet get one that `makeSecret` makes.
    ///
    /// - Returns: and the secrets that were made.
    public static func completed(
        _ document: JSONValue, replacing existing: [Destination], makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) {
        var made: Set<String> = []
        let completed = document.mappingWebhooks { webhook in
            guard (webhook[secretsName]?.arrayValue ?? []).isEmpty,
                webhook[secretsName]?.isNull ?? true
                    || webhook[secretsName]?.arrayValue?.isEmpty == true
            else { return webhook }
            let key = webhook["key"]?.stringValue
            let kept = existing.first { $0.key.text == key && $0.kind == .webhook }
            var secrets = kept?.webhookSecrets.map(\.text) ?? []
            if secrets.isEmpty {
                secrets = [makeSecret()]
                made.formUnion(secrets)
            }
            return webhook.replacing(
                secretsName,
                by: JSONMember(name: secretsName, value: .array(secrets.map { .string($0) })))
        }
        return (completed, made)
    }
}

extension JSONValue {
    fileprivate func mappingWebhooks(_ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(var members) = self,
            let index = members.firstIndex(where: { $0.name == "destinations" }),
            case .array(let destinations) = members[index].value
        else { return self }
        members[index].value = .array(
            destinations.map {
                $0["kind"]?.stringValue == Destination.Kind.webhook.rawValue ? change($0) : $0
            })
        return .object(members)
    }

    /// With this member in place of the one of that name, or at the end.
    fileprivate func replacing(_ name: String, by member: JSONMember) -> JSONValue {
        guard case .object(var members) = self else { return self }
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index] = member
        } else {
            members.append(member)
        }
        return .object(members)
    }
}

/// What a destination is told in: its own template, or JSON of a fixed form with a signature.
extension Destination {
    public enum Kind: String, CaseIterable, Sendable { case postback, webhook }

    /// What its calls need beside what is rendered.
    public var auth: OutboundRequest.Auth {
        switch kind {
        case .postback: oauth == nil ? .none : .oauth
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

    /// As it's shown: with the number of its secrets.
    ///
    /// - Parameter revealed: the secrets that were made for it just now, which are told this once.
    static func shownWebhook(_ webhook: JSONValue, revealing revealed: Set<String>) -> JSONValue {
        guard let secrets = webhook[secretsName]?.arrayValue,
            !secrets.contains(where: { revealed.contains($0.stringValue ?? "") })
        else { return webhook }
        return webhook.replacing(
            secretsName, by: JSONMember(name: countName, value: .integer(secrets.count)))
    }

    /// With the secrets of the one that it replaces, where it says none, or one that is made.
    static func completedWebhook(
        _ webhook: JSONValue, replacing existing: Destination?, made: inout Set<String>,
        makeSecret: () -> String
    ) -> JSONValue {
        guard
            webhook[secretsName]?.isNull ?? true
                || webhook[secretsName]?.arrayValue?.isEmpty == true
        else { return webhook }
        var secrets = existing?.webhookSecrets.map(\.text) ?? []
        if secrets.isEmpty {
            secrets = [makeSecret()]
            made.formUnion(secrets)
        }
        return webhook.replacing(
            secretsName,
            by: JSONMember(name: secretsName, value: .array(secrets.map { .string($0) })))
    }
}

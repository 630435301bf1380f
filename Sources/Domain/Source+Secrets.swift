/// A source's document as it's shown, without the secrets of its account, and as it comes back.
extension Source {
    /// - Parameter revealed: the secrets that were made for it just now, which are told this once.
    public func shown(revealing revealed: Set<String>) -> JSONValue {
        let secrets = AccountSecrets(account)
        let shown = document.mapping("account") { account in
            .object(
                (account.objectValue ?? []).map { member in
                    AccountSecrets.isSecret(member.name)
                        ? JSONMember(name: member.name, value: .string(SecretMask.text)) : member
                })
        }
        return Destination.shown(
            shown.mappingDestinations { destination in
                Self.filledMembers.reduce(destination) { $0.mapping($1, secrets.masked) }
            }, revealing: revealed)
    }

    /// A document that replaces `existing`, with the secrets that this was shown without, and with
    /// account values where its destinations name them.
    ///
    /// - Returns: and the secrets that were made for its webhooks.
    public static func completed(
        _ document: JSONValue, replacing existing: Source?, makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) {
        let document = existing?.restoringAccount(in: document) ?? document
        var values: [String: String] = [:]
        for member in document["account"]?.objectValue ?? [] {
            values[member.name] = member.value.stringValue.nonEmpty
        }
        let filled = document.mappingDestinations { destination in
            filledMembers.reduce(destination) { destination, name in
                destination.mapping(name) { member in
                    guard name == "url", let url = member.stringValue else {
                        return AccountPlaceholder.fill(member, values)
                    }
                    return .string(AccountPlaceholder.fill(url, values, in: .url))
                }
            }
        }
        return Destination.completed(
            filled, replacing: existing?.destinations ?? [], makeSecret: makeSecret)
    }

    /// A document of the same template, with the account values that it only says back.
    public func restoringAccount(in document: JSONValue) -> JSONValue {
        guard template?.text == document["template"]?.stringValue else { return document }
        return document.mapping("account") { given in
            guard let members = given.objectValue else { return given }
            return .object(
                members.map { member in
                    guard member.value == .string(SecretMask.text),
                        let kept = account.first(where: { $0.name == member.name })
                    else { return member }
                    return JSONMember(name: member.name, value: .string(kept.value))
                })
        }
    }

    /// A patch without the account values that it only says back.
    public static func withoutMasks(_ patch: JSONValue) -> JSONValue {
        patch.mapping("account") { account in
            guard let members = account.objectValue else { return account }
            return .object(members.filter { $0.value != .string(SecretMask.text) })
        }
    }

    /// Where a template puts account values.
    private static let filledMembers = ["url", "headers", "body", "oauth"]
}

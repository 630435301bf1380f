/// Documents of sources and campaigns as they are shown, without secrets, and as they come back.
extension Destination {
    /// - Parameter revealed: the secrets that were made for it just now, which are told this once.
    public static func shown(_ document: JSONValue, revealing revealed: Set<String> = [])
        -> JSONValue
    {
        document.mappingDestinations { destination in
            let shown = destination.mapping("headers", shownHeaders)
            return isWebhook(shown)
                ? shownWebhook(shown, revealing: revealed) : OAuthCredential.shown(in: shown)
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
        let completed = document.mappingDestinations { destination in
            let key = destination["key"]?.stringValue
            let kept = existing.first { $0.key.text == key }
            let restored = destination.mapping("headers") { headers in
                restoredHeaders(headers, kept?.headers ?? [])
            }
            return isWebhook(restored)
                ? completedWebhook(restored, replacing: kept, made: &made, makeSecret: makeSecret)
                : OAuthCredential.completed(restored, replacing: kept?.oauth)
        }
        return (completed, made)
    }

    private static func shownHeaders(_ headers: JSONValue) -> JSONValue {
        .object(
            (headers.objectValue ?? []).map { header in
                JSONMember(
                    name: header.name,
                    value: header.value.stringValue.map {
                        .string(SecretHeader.shown(header.name, $0))
                    } ?? header.value)
            })
    }

    /// A value that says no more than what was shown of it stays what it was.
    private static func restoredHeaders(_ headers: JSONValue, _ kept: [Header]) -> JSONValue {
        guard let members = headers.objectValue else { return headers }
        return .object(
            members.map { member in
                guard
                    let old = kept.first(where: {
                        $0.name.lowercased() == member.name.lowercased()
                    }), member.value == .string(SecretHeader.shown(old.name, old.text))
                else { return member }
                return JSONMember(name: member.name, value: .string(old.text))
            })
    }

    private static func isWebhook(_ destination: JSONValue) -> Bool {
        destination["kind"]?.stringValue == Kind.webhook.rawValue
    }
}

extension OAuthCredential {
    fileprivate static func shown(in destination: JSONValue) -> JSONValue {
        destination.mapping(name) { oauth in
            guard oauth.objectValue != nil else { return oauth }
            var oauth = oauth
            for secret in secretNames {
                // A placeholder says what is missing, and is no secret.
                guard let text = oauth[secret]?.stringValue,
                    AccountPlaceholder.names(in: text).isEmpty
                else { continue }
                oauth = oauth.replacing(
                    secret, by: JSONMember(name: secret, value: .string(SecretMask.text)))
            }
            return oauth
        }
    }

    /// Secrets that are left out or masked stay what they were, as long as they are sent where they
    /// were meant to be sent.
    fileprivate static func completed(_ destination: JSONValue, replacing kept: OAuthCredential?)
        -> JSONValue
    {
        guard let kept else { return destination }
        return destination.mapping(name) { oauth in
            guard oauth["token_url"]?.stringValue == kept.tokenURL else { return oauth }
            var oauth = oauth
            for (secret, value) in zip(secretNames, [kept.clientSecret, kept.refreshToken]) {
                let given = oauth[secret] ?? .null
                guard given == .null || given == .string(SecretMask.text) else { continue }
                oauth = oauth.replacing(
                    secret, by: JSONMember(name: secret, value: .string(value)))
            }
            return oauth
        }
    }
}

extension JSONValue {
    /// With each of its destinations changed.
    func mappingDestinations(_ change: (JSONValue) -> JSONValue) -> JSONValue {
        mapping("destinations") { destinations in
            destinations.arrayValue.map { .array($0.map(change)) } ?? destinations
        }
    }

    /// With the member of that name changed, where there is one.
    func mapping(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(var members) = self,
            let index = members.firstIndex(where: { $0.name == name })
        else { return self }
        members[index].value = change(members[index].value)
        return .object(members)
    }

    /// With this member in place of the one of that name, or at the end.
    func replacing(_ name: String, by member: JSONMember) -> JSONValue {
        guard case .object(var members) = self else { return self }
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index] = member
        } else {
            members.append(member)
        }
        return .object(members)
    }
}

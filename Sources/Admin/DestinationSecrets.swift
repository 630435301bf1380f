internal import Domain
internal import Store

// What is shown of sources and campaigns leaves the secrets of their destinations out.

extension Source {
    func shownDocument(revealing made: Set<String>) -> JSONValue { shown(revealing: made) }

    func restoringSecrets(in document: JSONValue) -> JSONValue { restoringAccount(in: document) }

    static func withSecrets(
        _ document: JSONValue, replacing existing: Source?, _ makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) {
        completed(document, replacing: existing, makeSecret: makeSecret)
    }
}

extension Campaign {
    func shownDocument(revealing made: Set<String>) -> JSONValue {
        Destination.shown(document, revealing: made)
    }

    static func withSecrets(
        _ document: JSONValue, replacing existing: Campaign?, _ makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) {
        Destination.completed(
            document, replacing: existing?.destinations ?? [], makeSecret: makeSecret)
    }
}

extension Catalog {
    /// What is not to be shown of what goes to a destination.
    func accountSecrets(of destination: String) -> AccountSecrets {
        let key = EntityKey(String(destination.prefix { $0 != "/" }))
        return AccountSecrets(key.flatMap { sources[$0]?.value.account } ?? [])
    }
}

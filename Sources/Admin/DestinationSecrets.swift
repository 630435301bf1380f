internal import Domain

/// What sources and campaigns do alike about the secrets of their destinations.
protocol HoldingDestinations: ManagedEntity {
    var destinations: [Destination] { get }
}

extension Source: HoldingDestinations {}
extension Campaign: HoldingDestinations {}

extension HoldingDestinations {
    func shownDocument(revealing made: Set<String>) -> JSONValue {
        Destination.shown(document, revealing: made)
    }

    static func withSecrets(
        _ document: JSONValue, replacing existing: Self?, _ makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) {
        Destination.completed(
            document, replacing: existing?.destinations ?? [], makeSecret: makeSecret)
    }
}

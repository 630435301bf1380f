internal import Domain
internal import Store

/// Networks whose documents name a template.
extension Network {
    /// The document of a new network, with what its template gives it.
    static func completed(_ document: JSONValue) -> JSONValue {
        template(of: document)?.filling(document) ?? document
    }

    /// What a patch is merged into: a network that changes its template takes over all that the new
    /// one says, except what the patch says itself.
    static func base(for patch: JSONValue, of existing: JSONValue) -> JSONValue {
        guard let template = template(of: patch), patch["template"] != existing["template"],
            case .object(var members) = existing
        else { return existing }
        let settings = template.settings
        members.removeAll { member in settings.contains { $0.name == member.name } }
        return .object(members + settings)
    }

    private static func template(of document: JSONValue) -> NetworkTemplate? {
        document["template"]?.stringValue.flatMap { NetworkTemplates.named($0) }
    }

    /// Nil for a network without a template, and for one whose template is not known.
    var knownTemplate: NetworkTemplate? {
        template.flatMap { NetworkTemplates.named($0.text) }
    }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        guard let key = document["template"]?.stringValue, EntityKey(key) != nil,
            NetworkTemplates.named(key) == nil
        else { return [] }
        return [FieldError("template", NetworkTemplates.unknown(key))]
    }

    func put(in transaction: LedgerTransaction, _ services: Services, at now: Instant)
        throws(StoreError) -> Stored<Network>
    {
        // The ledger knows no templates.
        if let template, knownTemplate == nil {
            throw .invalid(
                ValidationError("template", NetworkTemplates.unknown(template.text)))
        }
        return try transaction.put(self, newPostbackKey: services.newPostbackKey(), at: now)
    }

    static func readOnlyMembers(
        _ stored: Stored<Network>, _ catalog: Catalog, _ services: Services
    ) -> [JSONMember] {
        let network = stored.value
        let keys = (catalog.postbackKeys[stored.id] ?? []).map {
            PostbackKeyResource.json($0, of: network, services)
        }
        guard let newest = keys.last else { return [] }
        return [
            JSONMember(name: "postback_key", value: newest["key"] ?? .null),
            JSONMember(name: "postback_url", value: newest["url"] ?? .null),
            JSONMember(name: "postback_keys", value: .array(keys)),
            JSONMember(
                name: "postback_notes",
                value: .array((network.knownTemplate?.advice ?? []).map { .string($0) })),
        ]
    }

    /// What the network is to call, with its template's own tokens in place.
    func postbackURL(_ key: PostbackKey, _ services: Services) -> String {
        let query = knownTemplate?.postbackQuery(for: self).map { "?\($0)" } ?? ""
        return services.publicURL("/postback/\(key.text)") + query
    }
}

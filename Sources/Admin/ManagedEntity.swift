internal import Domain
internal import Store

/// What the kinds of entities do differently in the API.
protocol ManagedEntity: CatalogEntity {
    /// `sources`, as in paths.
    static var plural: String { get }
    func put(in transaction: LedgerTransaction, _ services: Services, at now: Instant)
        throws(StoreError) -> Stored<Self>
    /// Members of its JSON that are told, not set.
    static func readOnlyMembers(_ stored: Stored<Self>, _ catalog: Catalog, _ services: Services)
        -> [JSONMember]
    /// What a document names that is not there. For documents with other mistakes too, so that one
    /// answer tells everything; of sound ones the ledger says it.
    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError]
    /// A document with what it leaves to something it names.
    static func completed(_ document: JSONValue) -> JSONValue
    /// What a patch is merged into.
    static func base(for patch: JSONValue, of existing: JSONValue) -> JSONValue
    /// Its document without secrets, but for those that were made just now.
    func shownDocument(revealing made: Set<String>) -> JSONValue
    /// A document that replaces this one, with the secrets that it was shown without.
    func restoringSecrets(in document: JSONValue) -> JSONValue
    /// A document with secrets for what needs some and has none, and those that were made for it.
    static func withSecrets(
        _ document: JSONValue, replacing existing: Self?, _ makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>)
}

extension ManagedEntity {
    func put(in transaction: LedgerTransaction, _ services: Services, at now: Instant)
        throws(StoreError) -> Stored<Self>
    { try transaction.put(self, at: now) }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] { [] }
    static func completed(_ document: JSONValue) -> JSONValue { document }
    static func base(for patch: JSONValue, of existing: JSONValue) -> JSONValue { existing }

    func shownDocument(revealing made: Set<String>) -> JSONValue { document }

    static func withSecrets(
        _ document: JSONValue, replacing existing: Self?, _ makeSecret: () -> String
    ) -> (document: JSONValue, made: Set<String>) { (document, []) }

    func restoringSecrets(in document: JSONValue) -> JSONValue { document }

    /// An error when `value` is the key of nothing that lives.
    static func missing<Target: Entity>(
        _ field: String, _ value: JSONValue?, in index: EntityIndex<Target>
    ) -> [FieldError] {
        guard let text = value?.stringValue, let key = EntityKey(text),
            index[key]?.isArchived ?? true
        else { return [] }
        return [FieldError(field, "there is no \(Target.kind) \"\(text)\"")]
    }

    static func readOnlyMembers(_ stored: Stored<Self>, _ catalog: Catalog, _ services: Services)
        -> [JSONMember]
    { [] }
}

extension Source: ManagedEntity {
    static var plural: String { "sources" }
}

extension Network: ManagedEntity {
    static var plural: String { "networks" }

    func shownDocument(revealing made: Set<String>) -> JSONValue {
        guard let signature, case .object(var members) = document else { return document }
        for index in members.indices where members[index].name == "signature" {
            members[index].value = signature.shownDocument
        }
        return .object(members)
    }

    func restoringSecrets(in document: JSONValue) -> JSONValue {
        signature?.restoringSecret(in: document) ?? document
    }
}

extension Offer: ManagedEntity {
    static var plural: String { "offers" }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        missing("network", document["network"], in: catalog.networks)
    }

    static func readOnlyMembers(
        _ stored: Stored<Offer>, _ catalog: Catalog, _ services: Services
    ) -> [JSONMember] {
        services.capsUsed(stored.value.trafficCaps.map { _ in .offer(stored.id) }, paths: [])
    }
}

extension Lander: ManagedEntity {
    static var plural: String { "landers" }
}

extension SharedFlow: ManagedEntity {
    static var plural: String { "flows" }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        missing(document, under: "", catalog)
    }
}

extension ManagedEntity {
    /// What the document of a flow leads to that isn't there.
    static func missing(_ flow: JSONValue, under prefix: String, _ catalog: Catalog) -> [FieldError]
    {
        var paths = placed(flow["paths"], "\(prefix)paths")
        for (place, rule) in placed(flow["rules"], "\(prefix)rules") {
            paths += placed(rule["paths"], "\(place).paths")
        }
        var errors: [FieldError] = []
        for (place, path) in paths {
            for (place, item) in placed(path["landers"], "\(place).landers") {
                errors += missing("\(place).lander", item["lander"], in: catalog.landers)
            }
            for (place, item) in placed(path["offers"], "\(place).offers") {
                errors += missing("\(place).offer", item["offer"], in: catalog.offers)
            }
        }
        return errors
    }

    private static func placed(_ list: JSONValue?, _ name: String) -> [(String, JSONValue)] {
        (list?.arrayValue ?? []).enumerated().map { ("\(name)[\($0)]", $1) }
    }
}

extension TrackingDomain: ManagedEntity {
    static var plural: String { "domains" }

    static func completed(_ document: JSONValue) -> JSONValue {
        guard case .object(let members) = document, document["key"] == nil,
            let key = defaultKey(document)
        else { return document }
        return .object([JSONMember(name: "key", value: .string(key))] + members)
    }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        missing("campaign", document["campaign"], in: catalog.campaigns)
    }

    static func readOnlyMembers(
        _ stored: Stored<TrackingDomain>, _ catalog: Catalog, _ services: Services
    ) -> [JSONMember] {
        // Whatever speaks TLS for the public URL does so for the other hosts.
        let scheme = services.publicURL("/").hasPrefix("https:") ? "https" : "http"
        return [JSONMember(name: "url", value: .string("\(scheme)://\(stored.value.host.text)/"))]
    }
}

extension Campaign: ManagedEntity {
    static var plural: String { "campaigns" }

    /// Another cost model keeps nothing of the one before.
    static func base(for patch: JSONValue, of existing: JSONValue) -> JSONValue {
        guard let model = patch["cost"]?["model"], model != existing["cost"]?["model"],
            case .object(var members) = existing
        else { return existing }
        members.removeAll { $0.name == "cost" }
        return .object(members)
    }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        var errors = missing("source", document["source"], in: catalog.sources)
        if case .string = document["flow"] {
            errors += missing("flow", document["flow"], in: catalog.flows)
        } else if let flow = document["flow"] {
            errors += missing(flow, under: "flow.", catalog)
        }
        return errors
    }

    static func readOnlyMembers(
        _ stored: Stored<Campaign>, _ catalog: Catalog, _ services: Services
    ) -> [JSONMember] {
        let url = services.publicURL("/c/\(stored.value.key)")
        let query = catalog.sources[stored.value.source]?.value.campaignQuery
        return [
            JSONMember(name: "url", value: .string(url)),
            JSONMember(
                name: "url_with_tokens", value: .string(orNull: query.map { "\(url)?\($0)" })),
        ]
            + services.capsUsed(
                stored.value.trafficCaps.map { _ in .campaign(stored.id) },
                paths: (catalog.flow(of: stored.value)?.cappedPaths ?? []).map {
                    (stored.id, $0.name)
                })
    }
}

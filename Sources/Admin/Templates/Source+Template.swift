internal import Domain
internal import Store

/// Sources whose documents name a template.
extension Source {
    /// The document of a new source, with what its template gives it.
    static func completed(_ document: JSONValue) -> JSONValue {
        template(of: document)?.filling(document) ?? document
    }

    /// What a patch is merged into: a source that changes its template takes over all that the new
    /// one says, and one that changes account values gets its call anew; except what the patch says
    /// itself.
    static func base(for patch: JSONValue, of existing: JSONValue) -> JSONValue {
        let patch = withoutMasks(patch)
        let account = (existing["account"] ?? .object([])).merged(with: patch["account"] ?? [:])
        if patch["template"] == nil || patch["template"] == existing["template"] {
            guard patch["account"] != nil, let template = template(of: existing) else {
                return existing
            }
            return template.refilling(existing, account: account)
        }
        guard let template = template(of: patch), case .object(var members) = existing else {
            return existing
        }
        // The other platform's account is another one.
        let own = patch["account"] ?? .object([])
        let settings = template.filling(["template": .string(template.key.text), "account": own])
        let fresh = (settings.objectValue ?? []).filter { $0.name != "key" && $0.name != "name" }
        members.removeAll { member in fresh.contains { $0.name == member.name } }
        return .object(members + fresh)
    }

    private static func template(of document: JSONValue) -> SourceTemplate? {
        document["template"]?.stringValue.flatMap { SourceTemplates.named($0) }
    }

    /// Nil for a source without a template, and for one whose template is not known.
    var knownTemplate: SourceTemplate? {
        template.flatMap { SourceTemplates.named($0.text) }
    }

    /// What belongs after its campaigns' URLs.
    var campaignQuery: String? { knownTemplate?.campaignQuery(for: self) }

    static func missingReferences(_ document: JSONValue, _ catalog: Catalog) -> [FieldError] {
        guard let key = document["template"]?.stringValue, EntityKey(key) != nil else { return [] }
        guard let template = SourceTemplates.named(key) else {
            return [FieldError("template", SourceTemplates.unknown(key))]
        }
        return template.complaints(document["account"])
    }

    func put(in transaction: LedgerTransaction, _ services: Services, at now: Instant)
        throws(StoreError) -> Stored<Source>
    {
        // The ledger knows no templates.
        if let template {
            guard let knownTemplate else {
                throw .invalid(
                    ValidationError("template", SourceTemplates.unknown(template.text)))
            }
            let complaints = knownTemplate.complaints(document["account"])
            if !complaints.isEmpty { throw .invalid(ValidationError(complaints)) }
        }
        return try transaction.put(self, at: now)
    }

    static func readOnlyMembers(
        _ stored: Stored<Source>, _ catalog: Catalog, _ services: Services
    ) -> [JSONMember] {
        guard let template = stored.value.knownTemplate else { return [] }
        let missing = template.missing(in: stored.value)
        return [
            JSONMember(name: "campaign_query", value: .string(orNull: stored.value.campaignQuery)),
            JSONMember(name: "account_needs", value: SourceTemplate.document(missing)),
            JSONMember(
                name: "template_notes",
                value: .array(template.advice(missing: missing).map { .string($0) })),
        ]
    }
}

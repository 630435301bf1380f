internal import Domain
internal import Store

/// Create, list, show, replace, merge and archive: the same for every kind of entity.
enum EntityResource<Value: ManagedEntity> {
    static var routes: [Route] {
        let list = "/\(Value.plural)"
        let one = "/\(Value.plural)/{}"
        return [
            Route("GET", list, Self.list), Route("POST", list, create),
            Route("GET", one, show), Route("PUT", one, replace), Route("PATCH", one, merge),
            Route("DELETE", one, archive),
        ]
    }

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor() ?? 0
        let showsArchived = query.flag("archived")
        let catalog = call.catalog
        let items = catalog[keyPath: Value.place].all
            .filter { $0.id.rawValue > cursor && (showsArchived || !$0.isArchived) }
            .prefix(limit + 1)
        return .done(
            .page(items, limit: limit, cursor: { $0.id.rawValue }) {
                json($0, catalog, call.services)
            })
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let catalog = call.catalog
        guard let stored = try catalog[keyPath: Value.place][key(call)] else { throw missing(call) }
        return .done(APIResponse(json(stored, catalog, call.services)))
    }

    @Sendable private static func create(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let document = try call.document()
        return .write { transaction throws(StoreError) in
            let (value, made) = try parse(
                Value.completed(document), replacing: nil, transaction.catalog, call)
            if let taken = transaction.catalog[keyPath: Value.place][value.key] {
                throw .conflict(
                    "there is a \(Value.kind) \"\(value.key)\" already"
                        + (taken.isArchived ? ", archived; PUT brings it back" : ""))
            }
            return try put(value, call, transaction, status: 201, revealing: made)
        }
    }

    @Sendable private static func replace(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        guard let key = EntityKey(call.parameter()) else { throw Problem("key", EntityKey.rule) }
        let document = try keyed(try call.document(), key)
        return .write { transaction throws(StoreError) in
            // As of now: the secrets that it is shown without may have changed a moment ago.
            let shown = transaction.catalog[keyPath: Value.place][key]?.value
            let (value, made) = try parse(
                Value.completed(shown?.restoringSecrets(in: document) ?? document),
                replacing: shown, transaction.catalog, call)
            guard let existing = transaction.catalog[keyPath: Value.place][key] else {
                return try put(value, call, transaction, status: 201, revealing: made)
            }
            // Replacing with the same changes nothing, the time of the last change included.
            if !existing.isArchived, existing.value.document == value.document {
                return .done(APIResponse(json(existing, transaction.catalog, call.services)))
            }
            return try put(value, call, transaction, status: 200, revealing: made)
        }
    }

    @Sendable private static func merge(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let key = try key(call)
        let patch = try call.document()
        guard patch.objectValue != nil else { throw Problem("", "must be a JSON object") }
        _ = try keyed(patch, key)
        return .write { transaction throws(StoreError) in
            guard let existing = transaction.catalog[keyPath: Value.place][key] else {
                throw .notFound("there is no \(Value.kind) \"\(key)\"")
            }
            guard !existing.isArchived else {
                throw .conflict("\(Value.kind) \"\(key)\" is archived; PUT brings it back")
            }
            let base = Value.base(for: patch, of: existing.value.document)
            let (value, made) = try parse(
                base.merged(with: patch), replacing: existing.value, transaction.catalog, call)
            if value.document == existing.value.document {
                return .done(APIResponse(json(existing, transaction.catalog, call.services)))
            }
            return try put(value, call, transaction, status: 200, revealing: made)
        }
    }

    @Sendable private static func archive(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let key = try key(call)
        return .write { transaction throws(StoreError) in
            let stored = try transaction.archive(
                key, of: Value.self, at: call.services.now())
            return .done(APIResponse(json(stored, transaction.catalog, call.services)))
        }
    }

    private static func put(
        _ value: Value, _ call: Call, _ transaction: LedgerTransaction, status: Int,
        revealing made: Set<String>
    ) throws(StoreError) -> Work {
        let stored = try value.put(in: transaction, call.services, at: call.services.now())
        var response = APIResponse(
            json(stored, transaction.catalog, call.services, revealing: made), status: status)
        if status == 201 {
            response.headers.append(("Location", "/api/v1/\(Value.plural)/\(value.key)"))
        }
        return .done(response)
    }

    private static func missing(_ call: Call) -> Problem {
        Problem(.notFound, "there is no \(Value.kind) \"\(call.parameter())\"")
    }

    /// A text that can't be a key names nothing.
    private static func key(_ call: Call) throws(Problem) -> EntityKey {
        guard let key = EntityKey(call.parameter()) else { throw missing(call) }
        return key
    }

    /// The document with the path's key in it, which it may leave out but not contradict.
    private static func keyed(_ document: JSONValue, _ key: EntityKey) throws(Problem)
        -> JSONValue
    {
        guard case .object(var members) = document else { return document }
        if let given = document["key"], given != .null {
            guard given == .string(key.text) else {
                throw Problem("key", "is fixed once made: leave it out, or send \"\(key)\"")
            }
            return document
        }
        members.removeAll { $0.name == "key" }
        members.insert(JSONMember(name: "key", value: .string(key.text)), at: 0)
        return .object(members)
    }

    private static func parse(
        _ document: JSONValue, replacing existing: Value?, _ catalog: Catalog, _ call: Call
    ) throws(StoreError) -> (value: Value, made: Set<String>) {
        let (document, made) = Value.withSecrets(
            document, replacing: existing, call.services.newWebhookSecret)
        do throws(ValidationError) {
            return (try Value(document: document), made)
        } catch {
            throw .invalid(
                ValidationError(error.errors + Value.missingReferences(document, catalog)))
        }
    }

    private static func json(
        _ stored: Stored<Value>, _ catalog: Catalog, _ services: Services,
        revealing made: Set<String> = []
    ) -> JSONValue {
        var members = [JSONMember(name: "id", value: .integer(stored.id.rawValue))]
        members += stored.value.shownDocument(revealing: made).objectValue ?? []
        members += Value.readOnlyMembers(stored, catalog, services)
        members += [
            JSONMember(name: "created_at", value: stored.createdAt.json),
            JSONMember(name: "updated_at", value: stored.updatedAt.json),
            JSONMember(name: "archived_at", value: stored.archivedAt?.json ?? .null),
        ]
        return .object(members)
    }
}

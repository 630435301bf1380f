internal import Domain
internal import Reports
internal import Store

/// `/costs`: corrections of what clicks cost, as layers over what was recorded.
enum CostResource {
    static let routes = [
        Route("GET", "/costs", list), Route("POST", "/costs", add),
        Route("GET", "/costs/{}", show), Route("DELETE", "/costs/{}", remove),
        Route("POST", "/costs/{}/restore", restore),
    ]

    /// Layers of one request: all of them hold, or none.
    static let batchMax = 1000

    /// Newest first: that is the order in which they lie over one another.
    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let campaign = query.entity("campaign", in: call.catalog.campaigns)
        let showsRemoved = query.flag("removed")
        return .read { reader throws(StoreError) in
            try reader.costLayers(
                of: campaign, showingRemoved: showsRemoved, limit: limit, cursor: cursor
            ).response { (item) throws(StoreError) in json(item, clicks: nil) }
        }
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let id = try id(call)
        return .read { reader throws(StoreError) in
            guard let stored = try reader.costLayer(id) else {
                throw .notFound("there is no cost layer \(id)")
            }
            let clicks = try CampaignReport.clicks(of: [stored], reader)[id] ?? [:]
            return APIResponse(json(stored, clicks: sum(clicks)))
        }
    }

    /// One, or an array of them, of which the later lie over the earlier.
    @Sendable private static func add(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let document = try call.document()
        let isDryRun = query.flag("dry_run")
        let now = call.services.now()
        let catalog = call.catalog
        // Not on the loop: a time zone's file may have to be read, and clicks counted.
        return .prepare { reader throws(StoreError) in
            var stored: [StoredCostLayer] = []
            for layer in try layers(document, catalog) {
                guard let campaign = catalog.campaigns[layer.campaign] else { continue }
                stored.append(
                    StoredCostLayer(
                        id: Int64(-1 - stored.count), campaignID: campaign.id, layer: layer,
                        createdAt: now, removedAt: nil))
            }
            let clicks = try CampaignReport.clicks(of: stored, reader)
            let drafts = stored.map { Draft(stored: $0, clicks: clicks[$0.id] ?? [:]) }
            let isOne = document.arrayValue == nil
            if isDryRun { return .done(answer(drafts, isOne: isOne, status: 200)) }
            return .write { [drafts] transaction throws(StoreError) in
                var added: [Draft] = []
                for draft in drafts {
                    let stored = try transaction.insert(
                        draft.stored.layer, clicks: draft.clicks, at: now)
                    added.append(Draft(stored: stored, clicks: draft.clicks))
                }
                return .done(answer(added, isOne: isOne, status: 201))
            }
        }
    }

    private struct Draft: Sendable {
        let stored: StoredCostLayer
        /// Of each day.
        let clicks: [Day: Int64]
    }

    private static func layers(_ document: JSONValue, _ catalog: Catalog) throws(StoreError)
        -> [CostLayer]
    {
        let items = document.arrayValue ?? [document]
        guard (1...batchMax).contains(items.count) else {
            throw .invalid(ValidationError("", "must be one to \(batchMax) cost layers"))
        }
        var layers: [CostLayer] = []
        var errors: [FieldError] = []
        for (index, item) in items.enumerated() {
            do throws(ValidationError) {
                layers.append(try CostLayer(document: item) { defaults(of: $0, catalog) })
            } catch {
                errors += error.errors.map { problem in
                    let place = document.arrayValue == nil ? "" : "[\(index)]"
                    let dot = place.isEmpty || problem.field.isEmpty ? "" : "."
                    return FieldError(place + dot + problem.field, problem.message)
                }
            }
        }
        guard errors.isEmpty else { throw .invalid(ValidationError(errors)) }
        return layers
    }

    /// Of archived campaigns too: bills come late.
    private static func defaults(of key: EntityKey, _ catalog: Catalog) -> CostLayer.Defaults? {
        guard let campaign = catalog.campaigns[key]?.value,
            let source = catalog.sources[campaign.source]?.value
        else { return nil }
        return CostLayer.Defaults(
            currency: campaign.cost.currency ?? source.currency,
            variables: catalog.variables(of: source))
    }

    @Sendable private static func remove(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let id = try id(call)
        return .write { transaction throws(StoreError) in
            let removed = try transaction.removeCostLayer(id, at: call.services.now())
            return .done(APIResponse(json(removed, clicks: nil)))
        }
    }

    @Sendable private static func restore(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let id = try id(call)
        return .write { transaction throws(StoreError) in
            .done(APIResponse(json(try transaction.restoreCostLayer(id), clicks: nil)))
        }
    }

    private static func id(_ call: Call) throws(Problem) -> Int64 {
        guard let id = Int64(call.parameter()), id > 0 else {
            throw Problem(.notFound, "there is no cost layer \"\(call.parameter())\"")
        }
        return id
    }

    // MARK: JSON

    private static func answer(_ drafts: [Draft], isOne: Bool, status: Int) -> APIResponse {
        let items = drafts.map { json($0.stored, clicks: sum($0.clicks)) }
        return APIResponse(isOne && items.count == 1 ? items[0] : .array(items), status: status)
    }

    private static func sum(_ clicks: [Day: Int64]) -> Int64 { clicks.values.reduce(0, +) }

    /// - Parameter clicks: how many it is about; lists don't count them.
    private static func json(_ stored: StoredCostLayer, clicks: Int64?) -> JSONValue {
        var members = [
            JSONMember(name: "id", value: stored.id > 0 ? .integer(stored.id) : .null)
        ]
        members += stored.layer.document.objectValue ?? []
        members.append(
            JSONMember(
                name: "range",
                value: [
                    "from": stored.layer.from.start.json, "to": stored.layer.to.start.json,
                ]))
        if let clicks { members.append(JSONMember(name: "clicks", value: .integer(clicks))) }
        members += [
            JSONMember(name: "created_at", value: stored.createdAt.json),
            JSONMember(name: "removed_at", value: stored.removedAt?.json ?? .null),
        ]
        return .object(members)
    }
}

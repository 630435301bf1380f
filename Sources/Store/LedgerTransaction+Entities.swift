public import Domain
internal import SQLite

extension LedgerTransaction {
    /// Creates it, or replaces the one with its key; an archived one lives again.
    /// - Throws: `.invalid` when it names what is not there, or contradicts others.
    public func put<Value: CatalogEntity>(_ value: Value, at now: Instant) throws(StoreError)
        -> Stored<Value>
    {
        try value.check(in: catalog)
        noteCatalogChange()
        let existing = catalog[keyPath: Value.place][value.key]
        let stored = try sql { () throws(SQLiteError) in
            try EntityTable<Value>(connection: connection).put(value, existing: existing, at: now)
        }
        catalog[keyPath: Value.place].set(stored)
        try Value.noteSaved(stored, in: self, at: now)
        return stored
    }

    /// Creates or replaces a network.
    /// - Parameter newPostbackKey: becomes part of the postback URL of a network that has none yet.
    public func put(_ network: Network, newPostbackKey: String, at now: Instant)
        throws(StoreError) -> Stored<Network>
    {
        let stored = try put(network, at: now)
        if catalog.postbackKeys[stored.id]?.isEmpty ?? true {
            try insert(PostbackKey(text: newPostbackKey, createdAt: now), of: stored.id)
        }
        return stored
    }

    /// Archives it.
    /// - Throws: `.conflict` while living entities need it.
    public func archive<Value: CatalogEntity>(
        _ key: EntityKey, of kind: Value.Type, at now: Instant
    ) throws(StoreError) -> Stored<Value> {
        guard let stored = catalog[keyPath: Value.place][key] else {
            throw .notFound("there is no \(Value.kind) \"\(key)\"")
        }
        let users = Value.users(of: key, in: catalog)
        if let first = users.first {
            throw .conflict(
                "\(Value.kind) \"\(key)\" is used by \(first)"
                    + (users.count > 1 ? " and \(users.count - 1) more" : ""))
        }
        if stored.isArchived { return stored }
        noteCatalogChange()
        let archived = try sql { () throws(SQLiteError) in
            try EntityTable<Value>(connection: connection).archive(stored, at: now)
        }
        catalog[keyPath: Value.place].set(archived)
        return archived
    }

    /// Adds the version that new clicks of the campaign will point at, if what decides is not what
    /// it was.
    func noteFlowVersion(of campaign: Stored<Campaign>, at now: Instant)
        throws(StoreError)
    {
        guard let flow = catalog.flow(of: campaign.value) else {
            preconditionFailure("campaign \(campaign.value.key) was saved without its flow")
        }
        let document = campaign.value.decisionDocument(flow)
        if catalog.flowVersions[campaign.id]?.document == document { return }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO flow_version (campaign_id, document, created_at_us) "
                    + "VALUES (?1, ?2, ?3)",
                [
                    .integer(campaign.id.rawValue), .text(document.encoded()),
                    .integer(now.micros),
                ])
            return connection.lastInsertRowID
        }
        catalog.flowVersions[campaign.id] = FlowVersion(id: id, document: document)
    }

    /// Gives campaigns from before versions were kept their first one. It begins and commits.
    func noteMissingFlowVersions() throws(StoreError) {
        let missing = catalog.campaigns.all.filter { catalog.flowVersions[$0.id] == nil }
        if missing.isEmpty { return }
        try begin()
        for campaign in missing { try noteFlowVersion(of: campaign, at: campaign.updatedAt) }
        try commit()
    }
}

public import Domain
internal import SQLite

extension LedgerTransaction {
    /// Creates or replaces a source.
    public func put(_ source: Source, at now: Instant) throws(StoreError) -> Stored<Source> {
        let stored = try store(source, existing: catalog.sources[source.key], at: now)
        catalog.sources.set(stored)
        return stored
    }

    /// Creates or replaces a network.
    /// - Parameter newPostbackKey: becomes part of the postback URL of a network that has none yet.
    public func put(_ network: Network, newPostbackKey: String, at now: Instant)
        throws(StoreError) -> Stored<Network>
    {
        let stored = try store(network, existing: catalog.networks[network.key], at: now)
        catalog.networks.set(stored)
        if catalog.postbackKeys[stored.id]?.isEmpty ?? true {
            try insert(PostbackKey(text: newPostbackKey, createdAt: now), of: stored.id)
        }
        // Its click ID parameter is part of its offers' landing URLs.
        for offer in catalog.offers.all where offer.value.network == network.key {
            let url: URLTemplate
            do {
                url = try offer.value.landingURL(network: network)
            } catch {
                throw .invalid(
                    ValidationError(
                        "click_id_param", "offer \(offer.value.key) needs it: its URL carries none")
                )
            }
            try noteVersion(of: offer, url: url, at: now)
        }
        return stored
    }

    /// Creates or replaces an offer.
    public func put(_ offer: Offer, at now: Instant) throws(StoreError) -> Stored<Offer> {
        guard let network = catalog.networks[offer.network], !network.isArchived else {
            throw .invalid(
                ValidationError("network", "there is no network \"\(offer.network)\""))
        }
        let url: URLTemplate
        do {
            url = try offer.landingURL(network: network.value)
        } catch {
            throw .invalid(error)
        }
        let stored = try store(offer, existing: catalog.offers[offer.key], at: now)
        catalog.offers.set(stored)
        try noteVersion(of: stored, url: url, at: now)
        return stored
    }

    /// Creates or replaces a campaign.
    public func put(_ campaign: Campaign, at now: Instant) throws(StoreError) -> Stored<Campaign> {
        var errors: [FieldError] = []
        if catalog.sources[campaign.source]?.isArchived ?? true {
            errors.append(FieldError("source", "there is no source \"\(campaign.source)\""))
        }
        for (pathIndex, path) in campaign.flow.paths.enumerated() {
            for (index, item) in path.offers.enumerated()
            where catalog.offers[item.offer]?.isArchived ?? true {
                errors.append(
                    FieldError(
                        "flow.paths[\(pathIndex)].offers[\(index)].offer",
                        "there is no offer \"\(item.offer)\""))
            }
        }
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
        let stored = try store(campaign, existing: catalog.campaigns[campaign.key], at: now)
        catalog.campaigns.set(stored)
        return stored
    }

    /// Archives a source. It can't be while a campaign sends its visitors' money there.
    public func archiveSource(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<Source>
    {
        let stored = try find(catalog.sources, key)
        try refuse(
            stored,
            usedBy: catalog.campaigns.all.filter { $0.value.source == key && !$0.isArchived })
        let archived = try archive(stored, at: now)
        catalog.sources.set(archived)
        return archived
    }

    /// Archives a network. Its postbacks are still received: conversions come late.
    public func archiveNetwork(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<Network>
    {
        let stored = try find(catalog.networks, key)
        try refuse(
            stored, usedBy: catalog.offers.all.filter { $0.value.network == key && !$0.isArchived })
        let archived = try archive(stored, at: now)
        catalog.networks.set(archived)
        return archived
    }

    /// Archives an offer. It can't be while a campaign's flow leads to it.
    public func archiveOffer(_ key: EntityKey, at now: Instant) throws(StoreError) -> Stored<Offer>
    {
        let stored = try find(catalog.offers, key)
        try refuse(
            stored,
            usedBy: catalog.campaigns.all.filter { campaign in
                !campaign.isArchived
                    && campaign.value.flow.paths.contains { path in
                        path.offers.contains { $0.offer == key }
                    }
            })
        let archived = try archive(stored, at: now)
        catalog.offers.set(archived)
        return archived
    }

    /// Archives a campaign: its URL answers 404 from then on.
    public func archiveCampaign(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<Campaign>
    {
        let archived = try archive(try find(catalog.campaigns, key), at: now)
        catalog.campaigns.set(archived)
        return archived
    }

    private func find<Value>(_ index: EntityIndex<Value>, _ key: EntityKey) throws(StoreError)
        -> Stored<Value>
    {
        guard let stored = index[key] else {
            throw .notFound("there is no \(Value.kind) \"\(key)\"")
        }
        return stored
    }

    private func refuse<Value, User>(_ stored: Stored<Value>, usedBy users: [Stored<User>])
        throws(StoreError)
    {
        guard let first = users.first else { return }
        throw .conflict(
            "\(Value.kind) \"\(stored.value.key)\" is used by \(User.kind) \"\(first.value.key)\""
                + (users.count > 1 ? " and \(users.count - 1) more" : ""))
    }

    private func store<Value>(_ value: Value, existing: Stored<Value>?, at now: Instant)
        throws(StoreError) -> Stored<Value>
    {
        noteCatalogChange()
        return try sql { () throws(SQLiteError) in
            try EntityTable<Value>(connection: connection).put(value, existing: existing, at: now)
        }
    }

    private func archive<Value>(_ stored: Stored<Value>, at now: Instant) throws(StoreError)
        -> Stored<Value>
    {
        if stored.isArchived { return stored }
        noteCatalogChange()
        return try sql { () throws(SQLiteError) in
            try EntityTable<Value>(connection: connection).archive(stored, at: now)
        }
    }

    /// Finds or adds the wording that new clicks of the offer will point at.
    private func noteVersion(of offer: Stored<Offer>, url: URLTemplate, at now: Instant)
        throws(StoreError)
    {
        guard let networkID = catalog.networks[offer.value.network]?.id else {
            preconditionFailure("offer \(offer.value.key) was saved without its network")
        }
        let known = catalog.offerVersions.values.first {
            $0.offerID == offer.id && $0.networkID == networkID && $0.url == url.text
        }
        if let known {
            catalog.currentVersions[offer.id] = known
            return
        }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO offer_version (offer_id, network_id, url, created_at_us) "
                    + "VALUES (?1, ?2, ?3, ?4)",
                [
                    .integer(offer.id.rawValue), .integer(networkID.rawValue), .text(url.text),
                    .integer(now.micros),
                ])
            return connection.lastInsertRowID
        }
        let version = OfferVersion(
            id: id, offerID: offer.id, networkID: networkID, url: url.text)
        catalog.offerVersions[id] = version
        catalog.currentVersions[offer.id] = version
    }
}

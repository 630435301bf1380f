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
        // One that was archived since may stay: it is passed over.
        if let overflow = offer.overflowOffer, catalog.offers[overflow] == nil {
            throw .invalid(
                ValidationError("overflow_offer", "there is no offer \"\(overflow)\""))
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
        switch campaign.flow {
        case .own(let flow): errors += missing(flow, under: "flow.")
        case .shared(let key):
            if catalog.flows[key]?.isArchived ?? true {
                errors.append(FieldError("flow", "there is no flow \"\(key)\""))
            }
        }
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
        let stored = try store(campaign, existing: catalog.campaigns[campaign.key], at: now)
        catalog.campaigns.set(stored)
        try noteFlowVersion(of: stored, at: now)
        return stored
    }

    /// Creates or replaces a lander.
    public func put(_ lander: Lander, at now: Instant) throws(StoreError) -> Stored<Lander> {
        let stored = try store(lander, existing: catalog.landers[lander.key], at: now)
        catalog.landers.set(stored)
        try noteVersion(of: stored, at: now)
        return stored
    }

    /// Creates or replaces a shared flow; the campaigns that use it follow it from now on.
    public func put(_ flow: SharedFlow, at now: Instant) throws(StoreError) -> Stored<SharedFlow> {
        let errors = missing(flow.flow, under: "")
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
        let stored = try store(flow, existing: catalog.flows[flow.key], at: now)
        catalog.flows.set(stored)
        for campaign in catalog.campaigns.all where campaign.value.flow == .shared(flow.key) {
            try noteFlowVersion(of: campaign, at: now)
        }
        return stored
    }

    /// Creates or replaces a domain. No two that live are of the same host.
    public func put(_ domain: TrackingDomain, at now: Instant) throws(StoreError)
        -> Stored<TrackingDomain>
    {
        var errors: [FieldError] = []
        if let key = domain.campaign, catalog.campaigns[key]?.isArchived ?? true {
            errors.append(FieldError("campaign", "there is no campaign \"\(key)\""))
        }
        let other = catalog.domains.all.first {
            !$0.isArchived && $0.value.host == domain.host && $0.value.key != domain.key
        }
        if let other {
            errors.append(
                FieldError(
                    "host", "\(domain.host.text) is domain \"\(other.value.key)\" already"))
        }
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
        let stored = try store(domain, existing: catalog.domains[domain.key], at: now)
        catalog.domains.set(stored)
        return stored
    }

    /// Archives a domain: its host is unknown from then on, or every host is served where it was the
    /// last one.
    public func archiveDomain(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<TrackingDomain>
    {
        let archived = try archive(try find(catalog.domains, key), at: now)
        catalog.domains.set(archived)
        return archived
    }

    /// What a flow leads to that isn't there.
    private func missing(_ flow: Flow, under prefix: String) -> [FieldError] {
        flow.offers.filter { catalog.offers[$0.key]?.isArchived ?? true }
            .map { FieldError(prefix + $0.place, "there is no offer \"\($0.key)\"") }
            + flow.landers.filter { catalog.landers[$0.key]?.isArchived ?? true }
            .map { FieldError(prefix + $0.place, "there is no lander \"\($0.key)\"") }
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

    /// Archives an offer. It can't be while a flow leads to it.
    public func archiveOffer(_ key: EntityKey, at now: Instant) throws(StoreError) -> Stored<Offer>
    {
        let stored = try find(catalog.offers, key)
        try refuse(stored) { $0.offers.contains { $0.key == key } }
        let archived = try archive(stored, at: now)
        catalog.offers.set(archived)
        return archived
    }

    /// Archives a lander. It can't be while a flow leads to it.
    public func archiveLander(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<Lander>
    {
        let stored = try find(catalog.landers, key)
        try refuse(stored) { $0.landers.contains { $0.key == key } }
        let archived = try archive(stored, at: now)
        catalog.landers.set(archived)
        return archived
    }

    /// Archives a shared flow. It can't be while a campaign uses it.
    public func archiveFlow(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<SharedFlow>
    {
        let stored = try find(catalog.flows, key)
        try refuse(
            stored,
            usedBy: catalog.campaigns.all.filter {
                $0.value.flow == .shared(key) && !$0.isArchived
            })
        let archived = try archive(stored, at: now)
        catalog.flows.set(archived)
        return archived
    }

    /// Archives a campaign: its URL answers 404 from then on. It can't be while a domain leads to it.
    public func archiveCampaign(_ key: EntityKey, at now: Instant) throws(StoreError)
        -> Stored<Campaign>
    {
        let stored = try find(catalog.campaigns, key)
        try refuse(
            stored,
            usedBy: catalog.domains.all.filter { $0.value.campaign == key && !$0.isArchived })
        let archived = try archive(stored, at: now)
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

    /// Refuses while a living campaign's own flow or a living shared one leads to it.
    private func refuse<Value>(_ stored: Stored<Value>, leads: (Flow) -> Bool) throws(StoreError) {
        try refuse(
            stored,
            usedBy: catalog.campaigns.all.filter { campaign in
                guard !campaign.isArchived, case .own(let flow) = campaign.value.flow else {
                    return false
                }
                return leads(flow)
            })
        try refuse(
            stored, usedBy: catalog.flows.all.filter { !$0.isArchived && leads($0.value.flow) })
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

    /// Finds or adds the wording that new clicks of the lander will point at.
    private func noteVersion(of lander: Stored<Lander>, at now: Instant) throws(StoreError) {
        let url = lander.value.url.text
        let known = catalog.landerVersions.values.first {
            $0.landerID == lander.id && $0.url == url
        }
        if let known {
            catalog.currentLanderVersions[lander.id] = known
            return
        }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO lander_version (lander_id, url, created_at_us) VALUES (?1, ?2, ?3)",
                [.integer(lander.id.rawValue), .text(url), .integer(now.micros)])
            return connection.lastInsertRowID
        }
        let version = LanderVersion(id: id, landerID: lander.id, url: url)
        catalog.landerVersions[id] = version
        catalog.currentLanderVersions[lander.id] = version
    }

    /// Adds the version that new clicks of the campaign will point at, if what decides is not what
    /// it was.
    private func noteFlowVersion(of campaign: Stored<Campaign>, at now: Instant)
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

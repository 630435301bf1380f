public import Domain

/// An entity of the catalog: where it stands there, and what it has to do with the others.
public protocol CatalogEntity: Entity {
    static var place: WritableKeyPath<Catalog, EntityIndex<Self>> { get }
    /// Living entities that need the one with the key, each as `campaign "summer"`: it can't be
    /// archived meanwhile.
    static func users(of key: EntityKey, in catalog: Catalog) -> [String]
    /// - Throws: `.invalid` when it names what is not there, or contradicts others.
    func check(in catalog: Catalog) throws(StoreError)
    /// What follows from its being there now.
    static func noteSaved(_ stored: Stored<Self>, in tx: LedgerTransaction, at now: Instant)
        throws(StoreError)
}

extension CatalogEntity {
    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] { [] }
    public func check(in catalog: Catalog) throws(StoreError) {}
    public static func noteSaved(_ stored: Stored<Self>, in tx: LedgerTransaction, at now: Instant)
        throws(StoreError)
    {}
}

extension Source: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<Source>> { \.sources }

    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.campaigns.users { $0.source == key }
    }
}

extension Network: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<Network>> { \.networks }

    /// Once it is archived its postbacks are still received: conversions come late.
    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.offers.users { $0.network == key }
    }

    /// Its click ID parameter is part of its offers' landing URLs.
    public static func noteSaved(
        _ stored: Stored<Network>, in tx: LedgerTransaction, at now: Instant
    ) throws(StoreError) {
        for offer in tx.catalog.offers.all where offer.value.network == stored.value.key {
            let url: URLTemplate
            do {
                url = try offer.value.landingURL(network: stored.value)
            } catch {
                throw .invalid(
                    ValidationError(
                        "click_id_param", "offer \(offer.value.key) needs it: its URL carries none")
                )
            }
            try tx.noteWording(
                OfferVersion(id: 0, offerID: offer.id, networkID: stored.id, url: url.text),
                among: \.offerWordings, at: now)
        }
    }
}

extension Offer: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<Offer>> { \.offers }

    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.users { flow in flow.offers.contains { $0.key == key } }
    }

    public func check(in catalog: Catalog) throws(StoreError) {
        guard let network = catalog.networks[network], !network.isArchived else {
            throw .invalid(
                ValidationError("network", "there is no network \"\(self.network)\""))
        }
        do {
            _ = try landingURL(network: network.value)
        } catch {
            throw .invalid(error)
        }
        // One that was archived since may stay: it is passed over.
        if let overflow = overflowOffer, catalog.offers[overflow] == nil {
            throw .invalid(
                ValidationError("overflow_offer", "there is no offer \"\(overflow)\""))
        }
    }

    public static func noteSaved(
        _ stored: Stored<Offer>, in tx: LedgerTransaction, at now: Instant
    ) throws(StoreError) {
        guard let draft = stored.wording(in: tx.catalog) else {
            preconditionFailure("offer \(stored.value.key) was saved without its network")
        }
        try tx.noteWording(draft, among: \.offerWordings, at: now)
    }
}

extension Lander: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<Lander>> { \.landers }

    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.users { flow in flow.landers.contains { $0.key == key } }
    }

    public static func noteSaved(
        _ stored: Stored<Lander>, in tx: LedgerTransaction, at now: Instant
    ) throws(StoreError) {
        try tx.noteWording(stored.wording, among: \.landerWordings, at: now)
    }
}

extension SharedFlow: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<SharedFlow>> { \.flows }

    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.campaigns.users { $0.flow == .shared(key) }
    }

    public func check(in catalog: Catalog) throws(StoreError) {
        let errors = catalog.missing(flow, under: "")
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
    }

    /// The campaigns that use it follow it from now on.
    public static func noteSaved(
        _ stored: Stored<SharedFlow>, in tx: LedgerTransaction, at now: Instant
    ) throws(StoreError) {
        for campaign in tx.catalog.campaigns.all
        where campaign.value.flow == .shared(stored.value.key) {
            try tx.noteFlowVersion(of: campaign, at: now)
        }
    }
}

extension Campaign: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<Campaign>> { \.campaigns }

    public static func users(of key: EntityKey, in catalog: Catalog) -> [String] {
        catalog.domains.users { $0.campaign == key }
    }

    public func check(in catalog: Catalog) throws(StoreError) {
        var errors: [FieldError] = []
        if catalog.sources[source]?.isArchived ?? true {
            errors.append(FieldError("source", "there is no source \"\(source)\""))
        }
        switch flow {
        case .own(let flow): errors += catalog.missing(flow, under: "flow.")
        case .shared(let key):
            if catalog.flows[key]?.isArchived ?? true {
                errors.append(FieldError("flow", "there is no flow \"\(key)\""))
            }
        }
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
    }

    public static func noteSaved(
        _ stored: Stored<Campaign>, in tx: LedgerTransaction, at now: Instant
    ) throws(StoreError) {
        try tx.noteFlowVersion(of: stored, at: now)
    }
}

extension TrackingDomain: CatalogEntity {
    public static var place: WritableKeyPath<Catalog, EntityIndex<TrackingDomain>> { \.domains }

    /// No two that live are of the same host.
    public func check(in catalog: Catalog) throws(StoreError) {
        var errors: [FieldError] = []
        if let campaign, catalog.campaigns[campaign]?.isArchived ?? true {
            errors.append(FieldError("campaign", "there is no campaign \"\(campaign)\""))
        }
        let other = catalog.domains.all.first {
            !$0.isArchived && $0.value.host == host && $0.value.key != key
        }
        if let other {
            errors.append(
                FieldError("host", "\(host.text) is domain \"\(other.value.key)\" already"))
        }
        if !errors.isEmpty { throw .invalid(ValidationError(errors)) }
    }
}

extension EntityIndex {
    fileprivate func users(_ isUser: (Value) -> Bool) -> [String] {
        all.filter { !$0.isArchived && isUser($0.value) }
            .map { "\(Value.kind) \"\($0.value.key)\"" }
    }
}

extension Catalog {
    /// Living campaigns' own flows and living shared ones that lead somewhere.
    fileprivate func users(_ leads: (Flow) -> Bool) -> [String] {
        campaigns.users { campaign in
            switch campaign.flow {
            case .own(let flow): leads(flow)
            case .shared: false
            }
        } + flows.users { leads($0.flow) }
    }

    /// What a flow leads to that isn't there.
    fileprivate func missing(_ flow: Flow, under prefix: String) -> [FieldError] {
        flow.offers.filter { offers[$0.key]?.isArchived ?? true }
            .map { FieldError(prefix + $0.place, "there is no offer \"\($0.key)\"") }
            + flow.landers.filter { landers[$0.key]?.isArchived ?? true }
            .map { FieldError(prefix + $0.place, "there is no lander \"\($0.key)\"") }
    }
}

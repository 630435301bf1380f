public import Domain

/// All entities, in one immutable value: what routing tables are compiled from and what lists and
/// answers read. The ledger's writer replaces it whole after each committed change.
public struct Catalog: Sendable {
    public var sources = EntityIndex<Source>()
    public var networks = EntityIndex<Network>()
    public var offers = EntityIndex<Offer>()
    public var landers = EntityIndex<Lander>()
    public var flows = EntityIndex<SharedFlow>()
    public var campaigns = EntityIndex<Campaign>()
    public var domains = EntityIndex<TrackingDomain>()
    /// The secret part of postback URLs to its network.
    public internal(set) var networkByPostbackKey: [String: NetworkID] = [:]
    /// The valid ones of each network, oldest first.
    public internal(set) var postbackKeys: [NetworkID: [PostbackKey]] = [:]
    var offerWordings = Wordings<OfferVersion>()
    var landerWordings = Wordings<LanderVersion>()
    /// What decides about each campaign's next visitor.
    public internal(set) var flowVersions: [CampaignID: FlowVersion] = [:]
    /// The reporting currency and the rates to it.
    public internal(set) var rates = ExchangeRates()

    /// What is not called for now.
    public internal(set) var pauses = Pauses()

    /// SHA-256 digests of the API tokens that are valid.
    public internal(set) var tokenDigests: Set<[UInt8]> = []

    public init() {}

    /// Every wording of every offer's URL by its number, and each offer's present one.
    public var offerVersions: [Int64: OfferVersion] { offerWordings.byID }
    public var currentVersions: [OfferID: OfferVersion] { offerWordings.current }
    /// The same of the landers.
    public var landerVersions: [Int64: LanderVersion] { landerWordings.byID }
    public var currentLanderVersions: [LanderID: LanderVersion] { landerWordings.current }

    mutating func add(_ key: PostbackKey, of network: NetworkID) {
        networkByPostbackKey[key.text] = network
        postbackKeys[network, default: []].append(key)
    }

    mutating func remove(_ key: PostbackKey, of network: NetworkID) {
        networkByPostbackKey[key.text] = nil
        postbackKeys[network]?.removeAll { $0 == key }
    }

    /// The entity that a conversion or click of this offer wording belongs to.
    public func offer(ofVersion id: Int64) -> (version: OfferVersion, offer: Stored<Offer>)? {
        guard let version = offerVersions[id], let offer = offers[version.offerID] else {
            return nil
        }
        return (version, offer)
    }

    /// The flow that decides about a campaign's visitors: its own, or the shared one it names.
    public func flow(of campaign: Campaign) -> Flow? {
        switch campaign.flow {
        case .own(let flow): flow
        case .shared(let key): flows[key]?.value.flow
        }
    }

    /// The source's parameter names by the number of their `{varN}`.
    public func variables(of source: Source) -> [Int: String] {
        Dictionary(
            source.parameters.map { ($0.variable, $0.name) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// The secret part of a postback URL.
public struct PostbackKey: Hashable, Sendable {
    public let text: String
    public let createdAt: Instant
}

/// Entities of one kind by key and by number.
public struct EntityIndex<Value: Entity>: Sendable {
    private var byKey: [EntityKey: Stored<Value>] = [:]
    private var keys: [Int64: EntityKey] = [:]

    public init() {}

    public subscript(key: EntityKey) -> Stored<Value>? { byKey[key] }
    public subscript(id: RowID<Value>) -> Stored<Value>? { keys[id.rawValue].flatMap { byKey[$0] } }

    /// All of them, archived ones too, by number.
    public var all: [Stored<Value>] { byKey.values.sorted { $0.id.rawValue < $1.id.rawValue } }

    public mutating func set(_ stored: Stored<Value>) {
        byKey[stored.value.key] = stored
        keys[stored.id.rawValue] = stored.value.key
    }
}

internal import Domain
internal import SQLite

/// One wording of an entity's URL; clicks point at it by its number.
protocol Wording: Hashable, Sendable {
    associatedtype Owner: Entity
    /// 0: not saved yet.
    var id: Int64 { get }
    var owner: RowID<Owner> { get }
    func numbered(_ id: Int64) -> Self
    /// Takes `values`, and then when it was made.
    static var insertSQL: String { get }
    var values: [Value] { get }
}

/// All wordings of one kind: by number, by what they say, and each owner's present one.
struct Wordings<Version: Wording>: Sendable {
    private(set) var byID: [Int64: Version] = [:]
    private(set) var current: [RowID<Version.Owner>: Version] = [:]
    /// By the same without a number.
    private var ids: [Version: Int64] = [:]

    mutating func add(_ version: Version) {
        byID[version.id] = version
        // Should there be two that say the same, the older one is used.
        let draft = version.numbered(0)
        ids[draft] = min(version.id, ids[draft] ?? version.id)
    }

    /// Makes the one that says the same the owner's present one. False when there is none.
    mutating func setCurrent(_ draft: Version) -> Bool {
        current[draft.owner] = ids[draft.numbered(0)].flatMap { byID[$0] }
        return current[draft.owner] != nil
    }
}

extension OfferVersion: Wording {
    static let insertSQL =
        "INSERT INTO offer_version (offer_id, network_id, url, created_at_us) "
        + "VALUES (?1, ?2, ?3, ?4)"

    var values: [Value] {
        [.integer(offerID.rawValue), .integer(networkID.rawValue), .text(url)]
    }

    var owner: OfferID { offerID }

    func numbered(_ id: Int64) -> OfferVersion {
        OfferVersion(id: id, offerID: offerID, networkID: networkID, url: url)
    }
}

extension LanderVersion: Wording {
    static let insertSQL =
        "INSERT INTO lander_version (lander_id, url, created_at_us) VALUES (?1, ?2, ?3)"

    var values: [Value] { [.integer(landerID.rawValue), .text(url)] }

    var owner: LanderID { landerID }

    func numbered(_ id: Int64) -> LanderVersion {
        LanderVersion(id: id, landerID: landerID, url: url)
    }
}

extension Stored<Offer> {
    /// What new clicks of it are to point at; nil where its network or its URL can't be used.
    func wording(in catalog: Catalog) -> OfferVersion? {
        // Saving checks both, and says what is wrong.
        guard let network = catalog.networks[value.network],
            let url = try? value.landingURL(network: network.value)
        else { return nil }
        return OfferVersion(id: 0, offerID: id, networkID: network.id, url: url.text)
    }
}

extension Stored<Lander> {
    /// What new clicks of it are to point at.
    var wording: LanderVersion { LanderVersion(id: 0, landerID: id, url: value.url.text) }
}

extension LedgerTransaction {
    /// Finds or adds the wording that new clicks of its owner will point at.
    func noteWording<Version: Wording>(
        _ draft: Version, among place: WritableKeyPath<Catalog, Wordings<Version>>, at now: Instant
    ) throws(StoreError) {
        if catalog[keyPath: place].setCurrent(draft) { return }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(Version.insertSQL, draft.values + [.integer(now.micros)])
            return connection.lastInsertRowID
        }
        catalog[keyPath: place].add(draft.numbered(id))
        _ = catalog[keyPath: place].setCurrent(draft)
    }
}

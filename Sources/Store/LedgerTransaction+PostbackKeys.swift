public import Domain
internal import SQLite

/// A network's postback keys can be changed without losing a call: the new one is valid beside the
/// old one until that is removed.
extension LedgerTransaction {
    /// Valid at once.
    public static let postbackKeysMax = 2

    public func addPostbackKey(_ text: String, to network: EntityKey, at now: Instant)
        throws(StoreError) -> PostbackKey
    {
        let (id, keys) = try postbackKeys(of: network)
        guard keys.count < Self.postbackKeysMax else {
            throw .conflict(
                "network \"\(network)\" has \(keys.count) valid keys: remove the older one first")
        }
        // The newest is the one with the latest time, also within a microsecond.
        let newest = keys.last?.createdAt.advanced(by: .microseconds(1)) ?? now
        let key = PostbackKey(text: text, createdAt: max(now, newest))
        try insert(key, of: id)
        noteCatalogChange()
        return key
    }

    /// Calls with that key are answered `key_unknown` from then on.
    public func removePostbackKey(_ text: String, of network: EntityKey) throws(StoreError)
        -> PostbackKey
    {
        let (id, keys) = try postbackKeys(of: network)
        guard let key = keys.first(where: { $0.text == text }) else {
            throw .notFound("network \"\(network)\" has no such postback key")
        }
        guard keys.count > 1 else {
            throw .conflict("it is the only key of network \"\(network)\": add another one first")
        }
        try sql { () throws(SQLiteError) in
            try connection.run("DELETE FROM postback_key WHERE key = ?1", [.text(text)])
        }
        catalog.remove(key, of: id)
        noteCatalogChange()
        return key
    }

    func insert(_ key: PostbackKey, of network: NetworkID) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO postback_key (key, network_id, created_at_us) VALUES (?1, ?2, ?3)",
                [
                    .text(key.text), .integer(network.rawValue),
                    .integer(key.createdAt.micros),
                ])
        }
        catalog.add(key, of: network)
    }

    private func postbackKeys(of network: EntityKey) throws(StoreError)
        -> (NetworkID, [PostbackKey])
    {
        guard let stored = catalog.networks[network] else {
            throw .notFound("there is no network \"\(network)\"")
        }
        return (stored.id, catalog.postbackKeys[stored.id] ?? [])
    }
}

internal import Domain
internal import Store

/// The secret parts of a network's postback URLs: at most two are valid, so that one can be
/// exchanged while calls come in.
enum PostbackKeyResource {
    static let routes = [
        Route("POST", "/networks/{}/postback-keys", add),
        Route("DELETE", "/networks/{}/postback-keys/{}", remove),
    ]

    @Sendable private static func add(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let network = try network(call)
        return .write { transaction throws(StoreError) in
            let key = try transaction.addPostbackKey(
                call.services.newPostbackKey(), to: network, at: call.services.now())
            return answer(key, of: network, transaction, call, status: 201)
        }
    }

    @Sendable private static func remove(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let network = try network(call)
        let text = call.parameter(1)
        return .write { transaction throws(StoreError) in
            let key = try transaction.removePostbackKey(text, of: network)
            return answer(key, of: network, transaction, call, status: 200)
        }
    }

    static func json(_ key: PostbackKey, of network: Network, _ services: Services) -> JSONValue {
        [
            "key": .string(key.text), "url": .string(network.postbackURL(key, services)),
            "created_at": key.createdAt.json,
        ]
    }

    private static func answer(
        _ key: PostbackKey, of network: EntityKey, _ transaction: LedgerTransaction, _ call: Call,
        status: Int
    ) -> Work {
        guard let network = transaction.catalog.networks[network]?.value else {
            preconditionFailure("network \(network) is gone")
        }
        return .done(APIResponse(json(key, of: network, call.services), status: status))
    }

    private static func network(_ call: Call) throws(Problem) -> EntityKey {
        guard let key = EntityKey(call.parameter()) else {
            throw Problem(.notFound, "there is no network \"\(call.parameter())\"")
        }
        return key
    }
}

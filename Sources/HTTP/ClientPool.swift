/// The kept-alive connections nobody uses at the moment.
///
/// Bounded per endpoint and in all; the oldest goes when there is one too many. It only keeps
/// account: whoever takes a connection out closes it.
struct ClientPool {
    private let countMax: Int
    private let perEndpointMax: Int
    /// In each, the longest idle first. No empty lists.
    private var idle: [ClientRequest.Endpoint: [ClientConnection]] = [:]
    private(set) var count = 0

    init(countMax: Int, perEndpointMax: Int) {
        self.countMax = max(0, countMax)
        self.perEndpointMax = max(0, perEndpointMax)
    }

    /// Keeps `connection`. Returns the one that is to be closed for it, which may be itself.
    mutating func put(_ connection: ClientConnection) -> ClientConnection? {
        guard countMax > 0, perEndpointMax > 0 else { return connection }
        // Each way to the list is found once: the endpoint's name is hashed and compared for it.
        if let slot = idle.index(forKey: connection.endpoint),
            idle.values[slot].count == perEndpointMax
        {
            let oldest = idle.values[slot].removeFirst()
            idle.values[slot].append(connection)
            return oldest
        }
        let removed = count == countMax ? takeOldest() : nil
        idle[connection.endpoint, default: []].append(connection)
        count += 1
        return removed
    }

    /// The most recently used connection to `endpoint` that satisfies `isAllowed`: it is the least
    /// likely to have been closed by the server meanwhile. None whose time is up.
    mutating func take(
        _ endpoint: ClientRequest.Endpoint, at now: UInt64,
        where isAllowed: (ClientConnection) -> Bool
    ) -> ClientConnection? {
        guard count > 0, let slot = idle.index(forKey: endpoint),
            let position = idle.values[slot].lastIndex(where: {
                $0.idleDeadlineNanos > now && isAllowed($0)
            })
        else { return nil }
        return remove(at: slot, position)
    }

    /// Looks at every connection; called only when all that the client may open are open.
    mutating func takeOldest() -> ClientConnection? {
        guard
            let oldest = idle.values.compactMap(\.first)
                .min(by: { $0.idleSinceNanos < $1.idleSinceNanos })
        else { return nil }
        remove(oldest)
        return oldest
    }

    mutating func takeExpired(at now: UInt64) -> [ClientConnection] {
        let expired = idle.values.flatMap { $0.filter { $0.idleDeadlineNanos <= now } }
        for connection in expired { remove(connection) }
        return expired
    }

    mutating func takeAll() -> [ClientConnection] {
        defer {
            idle.removeAll()
            count = 0
        }
        return idle.values.flatMap(\.self)
    }

    var nextDeadlineNanos: UInt64? {
        idle.values.lazy.flatMap(\.self).map(\.idleDeadlineNanos).min()
    }

    /// False when it isn't here.
    @discardableResult
    mutating func remove(_ connection: ClientConnection) -> Bool {
        guard let slot = idle.index(forKey: connection.endpoint),
            let position = idle.values[slot].lastIndex(where: { $0 === connection })
        else { return false }
        _ = remove(at: slot, position)
        return true
    }

    // In place: a copy of the list would cost an allocation for each request.
    private mutating func remove(
        at slot: Dictionary<ClientRequest.Endpoint, [ClientConnection]>.Index, _ position: Int
    ) -> ClientConnection {
        let connection = idle.values[slot].remove(at: position)
        if idle.values[slot].isEmpty { idle.remove(at: slot) }
        count -= 1
        return connection
    }
}

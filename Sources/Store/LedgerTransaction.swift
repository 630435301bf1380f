public import Domain
internal import SQLite

/// What a job can read and write; valid only while the job runs, on the ledger writer's thread.
public final class LedgerTransaction {
    let connection: Connection
    let clicks: ClickReader
    let statements: LedgerStatements
    /// The entities as this transaction sees them.
    public internal(set) var catalog: Catalog
    private(set) var catalogChanged = false
    private var queuedOrigins: Set<String> = []
    private var probedOrigins: Set<String> = []
    private var cancelled: Set<DeliveryID> = []
    /// What counts towards limits since the transaction began, and does not any more.
    private(set) var counted: [CountedConversion] = []
    /// Calls to keys that never existed, since the transaction began.
    var strayCount: Int64 = 0

    init(_ connection: Connection, clicks: ClickReader) throws(StoreError) {
        self.connection = connection
        self.clicks = clicks
        do {
            statements = try LedgerStatements(connection)
        } catch {
            throw StoreError(error)
        }
        catalog = try Self.loadCatalog(connection)
        catalog.tokenDigests = try validTokenDigests()
    }

    /// Reads a click of any day. A day file that can't be read fails this job only.
    public func click(_ rowID: ClickRowID) throws(StoreError) -> Click? {
        do {
            return try clicks.click(rowID)
        } catch {
            throw .unreadable(error.description)
        }
    }

    /// Runs `body` and undoes all that it wrote: what it returns is what would happen.
    public func rehearse<Value>(
        _ body: (LedgerTransaction) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        let originsBefore = queuedOrigins
        let probedBefore = probedOrigins
        let cancelledBefore = cancelled
        defer {
            queuedOrigins = originsBefore
            probedOrigins = probedBefore
            cancelled = cancelledBefore
        }
        var outcome: Value?
        let result = try attempt { (tx) throws(StoreError) -> Never in
            outcome = try body(tx)
            throw .conflict("only rehearsed")
        }
        if let outcome { return outcome }
        switch result {
        case .failure(let error): throw error
        }
    }

    // MARK: For the writer

    func begin() throws(StoreError) {
        catalogChanged = false
        strayCount = 0
        counted.removeAll()
        try sql { () throws(SQLiteError) in try connection.begin() }
    }

    func commit() throws(StoreError) {
        try sql { () throws(SQLiteError) in
            if strayCount > 0 { try forgetOldStrays() }
            try connection.commit()
        }
    }

    /// Runs one job; if it fails, undoes what it did and leaves what the others did.
    func attempt<Value>(
        _ body: (LedgerTransaction) throws(StoreError) -> Value
    ) throws(StoreError) -> Result<Value, StoreError> {
        let catalogBefore = catalog
        let changedBefore = catalogChanged
        let straysBefore = strayCount
        let countedBefore = counted.count
        let result = try sql { () throws(SQLiteError) in
            try connection.attempt { () throws(StoreError) in try body(self) }
        }
        if case .failure = result {
            catalog = catalogBefore
            catalogChanged = changedBefore
            strayCount = straysBefore
            counted.removeSubrange(countedBefore...)
        }
        return result
    }

    func takeQueuedOrigins() -> Set<String> {
        defer { queuedOrigins.removeAll() }
        return queuedOrigins
    }

    func takeProbedOrigins() -> Set<String> {
        defer { probedOrigins.removeAll() }
        return probedOrigins
    }

    func takeCancelled() -> Set<DeliveryID> {
        defer { cancelled.removeAll() }
        return cancelled
    }

    func checkpoint() throws(StoreError) {
        try sql { () throws(SQLiteError) in _ = try connection.walCheckpoint() }
        // Readers of finished days must not keep them from being sealed.
        clicks.closeAll()
    }

    /// Somebody moved or removed the file.
    var hasMoved: Bool { connection.hasMoved }
    var cacheBytes: Int64 { connection.cacheBytes }

    func close() {
        clicks.closeAll()
        connection.close()
    }

    func note(_ conversion: CountedConversion) { counted.append(conversion) }
    func noteCatalogChange() { catalogChanged = true }
    func noteQueued(origin: String) { queuedOrigins.insert(origin) }
    func noteProbed(origin: String) { probedOrigins.insert(origin) }
    func noteCancelled(_ id: DeliveryID) { cancelled.insert(id) }

    /// Runs SQL, with its failures as the store's.
    func sql<Value>(_ body: () throws(SQLiteError) -> Value) throws(StoreError) -> Value {
        do {
            return try body()
        } catch {
            throw StoreError(error)
        }
    }

    // MARK: Loading

    private static func loadCatalog(_ connection: Connection) throws(StoreError) -> Catalog {
        // Documents name time zones.
        TimeZoneRules.useSource(TimeZones.system)
        var catalog = Catalog()
        catalog.sources = try EntityTable(connection: connection).load()
        catalog.networks = try EntityTable(connection: connection).load()
        catalog.offers = try EntityTable(connection: connection).load()
        catalog.landers = try EntityTable(connection: connection).load()
        catalog.flows = try EntityTable(connection: connection).load()
        catalog.campaigns = try EntityTable(connection: connection).load()
        catalog.domains = try EntityTable(connection: connection).load()
        do {
            try connection.rows(
                "SELECT key, network_id, created_at_us FROM postback_key ORDER BY created_at_us, key"
            ) { (row) throws(SQLiteError) in
                catalog.add(
                    PostbackKey(text: row.text(0), createdAt: Instant(micros: row.int64(2))),
                    of: NetworkID(row.int64(1)))
            }
            try connection.rows("SELECT id, offer_id, network_id, url FROM offer_version") {
                (row) throws(SQLiteError) in
                catalog.offerWordings.add(
                    OfferVersion(
                        id: row.int64(0), offerID: OfferID(row.int64(1)),
                        networkID: NetworkID(row.int64(2)), url: row.text(3)))
            }
            try connection.rows("SELECT id, lander_id, url FROM lander_version") {
                (row) throws(SQLiteError) in
                catalog.landerWordings.add(
                    LanderVersion(
                        id: row.int64(0), landerID: LanderID(row.int64(1)), url: row.text(2)))
            }
            try connection.rows(
                "SELECT max(id), campaign_id, document FROM flow_version GROUP BY campaign_id"
            ) { (row) throws(SQLiteError) in
                // What can't be read is no known wording: the next change writes it anew.
                guard let document = try? JSONValue(parsing: row.text(2)) else { return }
                catalog.flowVersions[CampaignID(row.int64(1))] = FlowVersion(
                    id: row.int64(0), document: document)
            }
            catalog.rates = try loadRates(connection)
            catalog.pauses = try loadPauses(connection)
        } catch {
            throw StoreError(error)
        }
        for offer in catalog.offers.all {
            guard let wording = offer.wording(in: catalog) else {
                // Only a database edited by hand gets here.
                throw .storage("offer \(offer.value.key) has no usable network or URL")
            }
            _ = catalog.offerWordings.setCurrent(wording)
        }
        for lander in catalog.landers.all {
            _ = catalog.landerWordings.setCurrent(lander.wording)
        }
        return catalog
    }
}

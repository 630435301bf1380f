internal import Domain
internal import SQLite

/// One day's file, open for writing on the click writer's thread.
final class ClickFile {
    let day: Day
    private let connection: Connection
    private let insertClick: Statement
    private let addTotal: Statement
    private let landerClicks: LanderClickTable
    private let addWay: Statement
    private var texts: TextTable
    private(set) var isInTransaction = false
    /// Sums of the open transaction, written once at its end.
    private var totals: [TotalKey: Total] = [:]
    private var ways: [WayKey: Int64] = [:]

    private struct TotalKey: Hashable {
        let slot: Int64
        let campaignID: Int64
        let currency: UInt32
    }

    private struct WayKey: Hashable {
        let slot: Int64
        let way: ClickWay
    }

    private struct Total {
        var clicks: Int64 = 0
        var units: Int64 = 0
        var nanos: Int64 = 0
        var bots: Int64 = 0
    }

    /// Opens or makes the day's file.
    init(_ day: Day, in directory: DataDirectory, synchronous: Connection.Synchronous)
        throws(StoreError)
    {
        self.day = day
        do {
            // Checkpoints are the writer's to time (`checkpoint`), beside a bound for bad days.
            connection = try Connection(
                path: directory.clickFilePath(day), mode: .create,
                options: Connection.Options(
                    synchronous: synchronous, cacheKibibytes: 8192, autocheckpointPages: 4000))
            _ = try ClickSchema.migrator.migrate(connection)
            insertClick = try connection.prepare(
                """
                INSERT OR IGNORE INTO click
                    (id, campaign_id, path, offer_version, cost_nanos, currency, external_id, ip,
                     user_agent, referrer, parameter_names, parameter_values, flow_version, rule,
                     lander_version, visit, device, place, visitor, visit_number)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                    ?18, ?19, ?20)
                """)
            addTotal = try connection.prepare(
                """
                INSERT INTO click_total
                    (slot, campaign_id, currency, clicks, cost_units, cost_nanos, bots)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks,
                    cost_units = cost_units + excluded.cost_units,
                    cost_nanos = cost_nanos + excluded.cost_nanos, bots = bots + excluded.bots
                """)
            addWay = try connection.prepare(
                """
                INSERT INTO click_way
                    (slot, campaign_id, flow_version, rule, path, offer_version, clicks)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks
                """)
            texts = try TextTable(connection)
            landerClicks = try LanderClickTable(connection)
        } catch let error as SQLiteError {
            throw StoreError(error)
        } catch let error as MigrationError {
            throw .storage(error.description)
        } catch {
            throw .storage("\(error)")
        }
    }

    /// The newest row's ID, so that no ID is issued twice.
    func newestRowID() throws(SQLiteError) -> ClickRowID? {
        try connection.int64("SELECT max(id) FROM click").flatMap { ClickRowID(rawValue: $0) }
    }

    func begin() throws(SQLiteError) {
        guard !isInTransaction else { return }
        try connection.begin()
        isInTransaction = true
    }

    /// Inserts within the open transaction. A row that is already there is left alone: after a
    /// failed commit nobody can say whether it was kept, so everything is inserted again.
    func insert(_ click: NewClick, arena: UnsafeRawBufferPointer) throws(SQLiteError) {
        insertClick.bind(1, click.rowID.rawValue)
        insertClick.bind(2, click.campaignID.rawValue)
        insertClick.bind(3, Int64(click.path))
        insertClick.bind(4, click.offerVersion)
        insertClick.bind(5, click.costNanos)
        insertClick.bind(6, click.costNanos == nil ? nil : Int64(click.currency.rawValue))
        insertClick.bind(7, orNull: arena[click.externalID])
        insertClick.bind(9, try texts.id(of: arena[click.userAgent]))
        insertClick.bind(10, try texts.id(of: arena[click.referrer]))
        insertClick.bind(11, try texts.id(of: arena[click.parameterNames]))
        insertClick.bind(12, orNull: arena[click.parameterValues])
        insertClick.bind(13, click.flowVersion)
        insertClick.bind(14, Int64(click.rule))
        insertClick.bind(15, click.landerVersion)
        insertClick.bind(16, click.visit.stored)
        insertClick.bind(17, try texts.id(of: arena[click.device]))
        insertClick.bind(18, try texts.id(of: arena[click.place]))
        insertClick.bind(19, click.visitor.map { Int64(bitPattern: $0.rawValue) })
        insertClick.bind(20, click.visitNumber)
        try withStoredBytes(of: click.ip) { (ip) throws(SQLiteError) in
            insertClick.bind(8, orNull: ip)
            try insertClick.run()
        }
        guard connection.changes == 1 else { return }
        let key = TotalKey(
            slot: click.rowID.instant.micros / Self.slotMicros,
            campaignID: click.campaignID.rawValue,
            currency: click.costNanos == nil || click.visit != .visitor
                ? 0 : click.currency.rawValue)
        guard click.visit == .visitor else {
            // No click: it counts here and nowhere else.
            totals[key, default: Total()].bots += 1
            return
        }
        if click.landerVersion != nil { landerClicks.noteView(click.rowID, of: click.campaignID) }
        let (units, nanos) = (click.costNanos ?? 0).quotientAndRemainder(dividingBy: 1_000_000_000)
        var total = totals[key] ?? Total()
        total.clicks += 1
        total.units += units
        total.nanos += nanos
        totals[key] = total
        if click.countsTowardsCaps {
            ways[WayKey(slot: key.slot, way: click.way), default: 0] += 1
        }
    }

    /// As for a click: one that is already there is left alone.
    func insert(_ landerClick: LanderClick) throws(SQLiteError) {
        try landerClicks.insert(landerClick)
    }

    /// 4 or 16 bytes in network order, without an allocation; none for none.
    private func withStoredBytes(
        of ip: IPAddress?, _ body: (UnsafeRawBufferPointer) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        guard let ip else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        var bits = ip.bits.bigEndian
        let used = ip.isIPv4 ? 12..<16 : 0..<16
        var failure: SQLiteError?
        withUnsafeBytes(of: &bits) { bytes in
            do throws(SQLiteError) {
                try body(UnsafeRawBufferPointer(rebasing: bytes[used]))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    static let slotMicros = QuarterHour.micros

    /// On disk when it returns.
    func commit() throws(SQLiteError) {
        for (key, total) in totals {
            addTotal.bind(1, key.slot)
            addTotal.bind(2, key.campaignID)
            addTotal.bind(3, Int64(key.currency))
            addTotal.bind(4, total.clicks)
            addTotal.bind(5, total.units)
            addTotal.bind(6, total.nanos)
            addTotal.bind(7, total.bots)
            try addTotal.run()
        }
        for (key, clicks) in ways {
            addWay.bind(1, key.slot)
            addWay.bind(2, key.way.campaignID.rawValue)
            addWay.bind(3, key.way.flowVersion)
            addWay.bind(4, Int64(key.way.rule))
            addWay.bind(5, Int64(key.way.path))
            addWay.bind(6, key.way.offerVersion)
            addWay.bind(7, clicks)
            try addWay.run()
        }
        try landerClicks.writeTotals()
        try connection.commit()
        totals.removeAll(keepingCapacity: true)
        ways.removeAll(keepingCapacity: true)
        landerClicks.forgetTotals()
        isInTransaction = false
    }

    /// Writes and syncs something that changes nothing: whether the disk takes it is the question.
    func probe() throws(SQLiteError) {
        try connection.execute("PRAGMA user_version = \(ClickSchema.migrator.newestVersion)")
    }

    /// Somebody moved or removed it: what is committed from now on would be found by nobody.
    var hasMoved: Bool { connection.hasMoved }

    /// Moves what the log holds into the file, if no reader is in the way.
    func checkpoint() throws(SQLiteError) { _ = try connection.walCheckpoint() }

    /// Closes for good a file whose day is long over. False while a reader still has it open.
    func seal() throws(SQLiteError) -> Bool {
        do {
            try connection.seal()
            return true
        } catch {
            if error.isBusy { return false }
            throw error
        }
    }

    /// Closes without another word to the disk that failed; an open transaction is undone.
    func close() { connection.close() }
}

extension UnsafeRawBufferPointer {
    /// The bytes that a click keeps in its batch's arena.
    subscript(_ bytes: NewClick.Bytes) -> UnsafeRawBufferPointer {
        let start = Int(bytes.start)
        let end = start + Int(bytes.count)
        precondition(end <= count, "a click's bytes \(start)..<\(end) lie outside its arena")
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}

extension Statement {
    /// NULL for no bytes: it needs no space in the row.
    func bind(_ index: Int32, orNull bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { bindNull(index) } else { bind(index, bytes: bytes) }
    }
}

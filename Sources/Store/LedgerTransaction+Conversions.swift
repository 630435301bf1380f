public import Domain
internal import SQLite

/// A delivery before it has a number.
public struct NewDelivery: Sendable {
    public let destination: String
    public let request: OutboundRequest
    /// Set when it can never be sent: it is then kept as dead, for people to see why.
    public let deadReason: String?
    /// From the commit to the first attempt.
    public let delaySeconds: Int

    public init(
        destination: String, request: OutboundRequest, deadReason: String?, delaySeconds: Int = 0
    ) {
        self.destination = destination
        self.request = request
        self.deadReason = deadReason
        self.delaySeconds = delaySeconds
    }
}

extension LedgerTransaction {
    /// Calls of keys that never existed which are kept: the newest ones.
    public static let strayPostbacksMax: Int64 = 1000

    /// Keeps a received call with its verdict.
    /// - Parameters:
    ///   - networkID: nil for a key that never existed; only the newest of those are kept.
    ///   - root: the call that this one repeats.
    public func insert(
        _ postback: Postback, networkID: NetworkID?, clickRowID: ClickRowID?,
        conversionID: ConversionID?, verdict: PostbackVerdict, message: String,
        replayOf root: PostbackID? = nil
    ) throws(StoreError) -> PostbackID {
        var headers: [UInt8] = []
        for header in postback.headers {
            PackedTexts.append(header.name.utf8, to: &headers)
            PackedTexts.append(header.value, to: &headers)
        }
        return try sql { () throws(SQLiteError) in
            let insert = statements.insertPostback
            insert.bind(1, postback.receivedAt.micros)
            insert.bind(2, networkID?.rawValue)
            insert.bind(3, clickRowID?.rawValue)
            insert.bind(4, conversionID?.rawValue)
            insert.bind(5, text: verdict.rawValue)
            insert.bind(6, text: message)
            insert.bind(7, blob: postback.sender?.storedBytes)
            insert.bind(8, text: postback.method)
            insert.bind(9, blob: postback.target)
            insert.bind(10, blob: headers)
            insert.bind(11, blob: postback.body)
            insert.bind(12, root?.rawValue)
            try insert.run()
            let id = PostbackID(connection.lastInsertRowID)
            if networkID == nil { strayCount += 1 }
            return id
        }
    }

    /// The newest conversion of an identity.
    public func conversion(
        clickRowID: ClickRowID, event: String, transactionID: String, isTest: Bool
    ) throws(StoreError) -> Conversion? {
        try sql { () throws(SQLiteError) in
            let find = statements.findConversion
            defer { find.reset() }
            find.bind(1, clickRowID.rawValue)
            find.bind(2, text: event)
            find.bind(3, text: transactionID)
            find.bind(4, isTest)
            return try find.step() ? try ConversionRow.read(find) : nil
        }
    }

    /// Whether no other conversion of its click came before it. Test calls don't count.
    public func isFirstConversion(_ conversion: Conversion) throws(StoreError) -> Bool {
        try sql { () throws(SQLiteError) in
            let first = try connection.int64(
                "SELECT min(id) FROM conversion WHERE click_row_id = ?1 AND is_test = 0",
                [.integer(conversion.click.rowID.rawValue)])
            return first.map { $0 >= conversion.id.rawValue } ?? true
        }
    }

    /// Keeps a new conversion and gives it its number. Its revision comes after the call that made
    /// it: `insertRevision`.
    /// - Parameter conversion: its `id` does not matter.
    public func insertConversion(_ conversion: Conversion) throws(StoreError) -> Conversion {
        try sql { () throws(SQLiteError) in
            ConversionRow.bind(conversion, to: statements.insertConversion)
            try statements.insertConversion.run()
            let id = ConversionID(connection.lastInsertRowID)
            try count(conversion)
            return conversion.with(id: id)
        }
    }

    /// Keeps a known conversion's new state. Its revision comes after the call that made it:
    /// `insertRevision`.
    /// - Parameter conversion: with the new state and the new revision's number.
    public func update(_ conversion: Conversion) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            if let before = try storedConversion(conversion.id) {
                try count(before, isRemoved: true)
                try count(conversion)
            }
            let update = statements.updateConversion
            update.bind(1, conversion.id.rawValue)
            update.bind(2, text: conversion.status.rawValue)
            update.bind(3, text: conversion.networkStatus)
            update.bind(4, conversion.payout.nanos)
            update.bind(5, text: conversion.payout.currency.code)
            update.bind(6, Int64(conversion.revision))
            update.bind(7, text: ConversionRow.extrasText(conversion.extras))
            ConversionRow.bind(conversion.reporting, to: update, at: 8)
            ConversionRow.bind(conversion.cost, to: update, at: 11)
            try update.run()
        }
    }

    /// A conversion in the state of one of its revisions, and that; nil when there is no such one.
    public func conversion(_ id: ConversionID, asOf revision: Int) throws(StoreError)
        -> (conversion: Conversion, revision: ConversionRevision)?
    {
        try sql { () throws(SQLiteError) in
            guard let conversion = try storedConversion(id),
                let known = try ConversionRow.revisions(of: id, connection)
                    .first(where: { $0.number == revision })
            else { return nil }
            return (conversion.asOf(known), known)
        }
    }

    private func storedConversion(_ id: ConversionID) throws(SQLiteError) -> Conversion? {
        let find = statements.conversionByID
        defer { find.reset() }
        find.bind(1, id.rawValue)
        return try find.step() ? try ConversionRow.read(find) : nil
    }

    /// Keeps a conversion's present state as its newest revision.
    ///
    /// - Parameter notSent: the destinations that are not told of it.
    public func insertRevision(
        of conversion: Conversion, at: Instant, by postbackID: PostbackID,
        notSent: [NotSent] = []
    ) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            let insert = statements.insertRevision
            insert.bind(1, conversion.id.rawValue)
            insert.bind(2, Int64(conversion.revision))
            insert.bind(3, text: conversion.status.rawValue)
            insert.bind(4, text: conversion.networkStatus)
            insert.bind(5, conversion.payout.nanos)
            insert.bind(6, text: conversion.payout.currency.code)
            insert.bind(7, at.micros)
            insert.bind(8, postbackID.rawValue)
            ConversionRow.bind(conversion.reporting, to: insert, at: 9)
            insert.bind(12, text: ConversionRow.notSentText(notSent))
            try insert.run()
        }
    }

    /// Queues what a destination is to be told of a conversion's newest revision; due once its
    /// destination's delay is over.
    public func insert(_ delivery: NewDelivery, of conversion: Conversion, at now: Instant)
        throws(StoreError)
    {
        try sql { () throws(SQLiteError) in
            let request = delivery.request
            let insert = statements.insertDelivery
            let state: Delivery.State = delivery.deadReason == nil ? .waiting : .dead
            insert.bind(1, conversion.id.rawValue)
            insert.bind(2, Int64(conversion.revision))
            insert.bind(3, text: delivery.destination)
            insert.bind(4, text: state.rawValue)
            insert.bind(5, text: delivery.deadReason)
            insert.bind(6, now.advanced(by: .seconds(delivery.delaySeconds)).micros)
            insert.bind(7, now.micros)
            insert.bind(8, text: request.origin)
            insert.bind(9, text: request.method.rawValue)
            insert.bind(10, text: request.url)
            insert.bind(11, text: DeliveryRow.headersText(request.headers))
            insert.bind(12, blob: request.body)
            insert.bind(13, Int64(request.success.statuses.lowerBound))
            insert.bind(14, Int64(request.success.statuses.upperBound))
            insert.bind(15, text: request.success.bodyContains)
            insert.bind(16, request.allowsPrivate)
            insert.bind(17, text: request.success.bodyField?.document.encoded())
            insert.bind(18, Int64(delivery.delaySeconds))
            insert.bind(19, text: DeliveryRow.authText(request.auth))
            try insert.run()
        }
        if delivery.deadReason == nil { noteQueued(origin: delivery.request.origin) }
    }

    /// Once for all strays of a transaction: they are the internet's noise, and must not cost what a
    /// network's calls need.
    func forgetOldStrays() throws(SQLiteError) {
        try connection.run(
            "INSERT INTO counter (name, value) VALUES ('stray_postbacks', ?1) "
                + "ON CONFLICT DO UPDATE SET value = value + excluded.value",
            [.integer(strayCount)])
        try connection.run(
            """
            DELETE FROM postback WHERE network_id IS NULL AND id <= (
                SELECT id FROM postback WHERE network_id IS NULL ORDER BY id DESC
                LIMIT 1 OFFSET ?1)
            """, [.integer(Self.strayPostbacksMax)])
    }
}

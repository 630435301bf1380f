public import Domain
internal import SQLite

/// What follows from an attempt.
public enum AttemptOutcome: Sendable, Equatable {
    case delivered
    case retry(at: Instant)
    /// Given up, with the reason.
    case dead(String)
}

/// What an attempt came to, with what is needed of its delivery to keep that.
public struct DeliveryResult: Sendable, Equatable {
    public let id: DeliveryID
    public let destination: String
    public let convertedAt: Instant
    public let attempt: Attempt
    public let outcome: AttemptOutcome

    public init(of delivery: Delivery, _ attempt: Attempt, outcome: AttemptOutcome) {
        id = delivery.id
        destination = delivery.destination
        convertedAt = delivery.convertedAt
        self.attempt = attempt
        self.outcome = outcome
    }
}

extension LedgerTransaction {
    /// Keeps attempts and what follows from them. A delivery that was cancelled meanwhile stays so,
    /// unless the receiver took this last call.
    ///
    /// An attempt that was recorded before, as its number tells, changes nothing: after a commit
    /// that may or may not have reached the disk, the same may be recorded again.
    public func record(_ results: [DeliveryResult]) throws(StoreError) {
        try sql { () throws(SQLiteError) in
            var acceptances = Acceptances()
            for result in results where try record(result) {
                if result.outcome == .delivered { acceptances.add(result) }
            }
            try acceptances.keep(with: statements.countAcceptances)
        }
    }

    /// - Returns: whether it was new.
    private func record(_ result: DeliveryResult) throws(SQLiteError) -> Bool {
        let attempt = result.attempt
        let update: Statement
        switch result.outcome {
        case .delivered:
            update = statements.acceptDelivery
            update.bind(3, attempt.at.micros)
        case .retry(let at):
            update = statements.updateDelivery
            update.bind(3, at.micros)
            update.bind(4, text: Delivery.State.waiting.rawValue)
            update.bind(5, text: attempt.error)
        case .dead(let reason):
            update = statements.updateDelivery
            update.bind(3, attempt.at.micros)
            update.bind(4, text: Delivery.State.dead.rawValue)
            update.bind(5, text: reason)
        }
        update.bind(1, result.id.rawValue)
        update.bind(2, Int64(attempt.number))
        try update.run()
        guard connection.changes == 1 else { return false }
        let insert = statements.insertAttempt
        insert.bind(1, result.id.rawValue)
        insert.bind(2, Int64(attempt.number))
        insert.bind(3, attempt.at.micros)
        insert.bind(4, attempt.status.map { Int64($0) })
        insert.bind(5, Int64(attempt.milliseconds))
        insert.bind(6, text: attempt.error)
        insert.bind(7, blob: attempt.excerpt)
        try insert.run()
        return true
    }

    /// Makes a delivery due at once, whatever its state, and has its host called even if that has
    /// failed lately.
    ///
    /// - Returns: the delivery as it is now.
    /// - Throws: `.notFound`; `.conflict` for one that was delivered, because its receiver has been
    ///   told, and for one that was dead from the start: what is kept of it is no whole request.
    public func retry(_ id: DeliveryID, at now: Instant) throws(StoreError) -> Delivery {
        var probed: Set<String> = []
        try retry(id, at: now, probing: &probed)
        return try delivery(id)
    }

    /// As one of many.
    ///
    /// - Parameter probed: origins of those before it: their hosts are not called once more, nor is
    ///   any beyond `probedMax` before its time.
    public func retry(_ id: DeliveryID, at now: Instant, probing probed: inout Set<String>)
        throws(StoreError)
    {
        let delivery = try self.delivery(id)
        switch delivery.state {
        case .delivered:
            throw .conflict("delivery \(id) was delivered already")
        case .dead where delivery.wasNeverComplete:
            throw .conflict(
                "delivery \(id) can't be sent: \(delivery.reason ?? "it is incomplete")")
        case .waiting, .dead, .cancelled: break
        }
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE delivery SET state = 'waiting', reason = NULL, due_at_us = ?2 WHERE id = ?1",
                [.integer(id.rawValue), .integer(now.micros)])
        }
        let origin = delivery.request.origin
        noteQueued(origin: origin)
        if probed.count < Self.probedMax, probed.insert(origin).inserted {
            noteProbed(origin: origin)
        }
    }

    static let probedMax = 10_000

    /// Ends a waiting delivery. A call that is in flight at this moment may still arrive.
    ///
    /// - Throws: `.notFound`; `.conflict` for one that is not waiting.
    public func cancel(_ id: DeliveryID) throws(StoreError) -> Delivery {
        let delivery = try self.delivery(id)
        guard delivery.state == .waiting else {
            throw .conflict("delivery \(id) is \(delivery.state.rawValue), not waiting")
        }
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE delivery SET state = 'cancelled', reason = 'cancelled by hand' WHERE id = ?1",
                [.integer(id.rawValue)])
        }
        noteCancelled(id)
        return try self.delivery(id)
    }

    /// Ends a delivery that was waiting when it was listed; one that has been tried or changed since
    /// stays as it is.
    public func giveUp(_ overdue: OverdueDelivery, reason: String, at now: Instant)
        throws(StoreError)
    {
        try sql { () throws(SQLiteError) in
            // The time of its end, by which it's told from one that was dead from the start.
            try connection.run(
                """
                UPDATE delivery SET state = 'dead', reason = ?2, due_at_us = ?3
                WHERE id = ?1 AND state = 'waiting' AND due_at_us = ?4 AND attempt_count = ?5
                """,
                [
                    .integer(overdue.id.rawValue), .text(reason), .integer(now.micros),
                    .integer(overdue.dueAt.micros), .integer(Int64(overdue.attemptCount)),
                ])
        }
        noteCancelled(overdue.id)
    }

    /// Gives a delivery another request, and makes it due at once.
    ///
    /// - Returns: the delivery as it is now.
    public func replace(_ id: DeliveryID, by rendered: NewDelivery, at now: Instant)
        throws(StoreError) -> Delivery
    {
        let request = rendered.request
        try sql { () throws(SQLiteError) in
            try connection.run(
                """
                UPDATE delivery SET state = 'waiting', reason = NULL, due_at_us = ?2, origin = ?3,
                    method = ?4, url = ?5, headers = ?6, body = ?7, success_min = ?8,
                    success_max = ?9, success_text = ?10, success_json = ?11, allow_private = ?12,
                    auth = ?13
                WHERE id = ?1
                """,
                [
                    .integer(id.rawValue), .integer(now.micros), .text(request.origin),
                    .text(request.method.rawValue), .text(request.url),
                    .text(DeliveryRow.headersText(request.headers)),
                    request.body.map { .blob($0) } ?? .null,
                    .integer(Int64(request.success.statuses.lowerBound)),
                    .integer(Int64(request.success.statuses.upperBound)),
                    request.success.bodyContains.map { .text($0) } ?? .null,
                    request.success.bodyField.map { .text($0.document.encoded()) } ?? .null,
                    .integer(request.allowsPrivate ? 1 : 0),
                    DeliveryRow.authText(request.auth).map { .text($0) } ?? .null,
                ])
        }
        // What the dispatcher has in memory is the old request.
        noteCancelled(id)
        noteQueued(origin: request.origin)
        noteProbed(origin: request.origin)
        return try self.delivery(id)
    }

    /// - Throws: `.notFound`.
    public func delivery(_ id: DeliveryID) throws(StoreError) -> Delivery {
        let found = try sql { () throws(SQLiteError) in
            try connection.first(
                "SELECT \(DeliveryRow.columns) FROM delivery WHERE id = ?1",
                [.integer(id.rawValue)]
            ) { (row) throws(SQLiteError) in try DeliveryRow.read(row) }
        }
        guard let found else { throw .notFound("there is no delivery \(id)") }
        return found
    }
}

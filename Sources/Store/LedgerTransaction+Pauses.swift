public import Domain
internal import SQLite

/// Destinations and hosts that are not called for now.
extension LedgerTransaction {
    /// What waits for it stays as it is; no delivery is touched, however many wait.
    ///
    /// - Throws: `.conflict` for what is paused already, and beyond `Pauses.lastingMax`.
    public func pause(_ scope: Pause.Scope, reason: String, at now: Instant) throws(StoreError)
        -> Pause
    {
        if let lasting = catalog.pauses.lasting.first(where: { $0.scope == scope }) {
            throw .conflict(
                "\(scope.name) is paused already, since \(lasting.pausedAt.rfc3339) by pause "
                    + "\(lasting.id)")
        }
        guard catalog.pauses.lasting.count < Pauses.lastingMax else {
            throw .conflict("more than \(Pauses.lastingMax) pauses at a time can't be kept")
        }
        let id = try sql { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO pause (scope, name, reason, paused_at_us) VALUES (?1, ?2, ?3, ?4)",
                [.text(scope.kind), .text(scope.name), .text(reason), .integer(now.micros)])
            return connection.lastInsertRowID
        }
        try pausesChanged()
        return Pause(id: id, scope: scope, reason: reason, pausedAt: now, resumedAt: nil)
    }

    /// Ends a pause.
    ///
    /// - Throws: `.notFound`; `.conflict` for one that ended before.
    public func resume(_ id: Int64, at now: Instant) throws(StoreError) -> Pause {
        let found = try sql { () throws(SQLiteError) in
            try connection.first("\(Self.pauses) WHERE id = ?1", [.integer(id)]) {
                (row) throws(SQLiteError) in try Self.readPause(row)
            }
        }
        guard let found else { throw .notFound("there is no pause \(id)") }
        if let ended = found.resumedAt {
            throw .conflict("pause \(id) ended at \(ended.rfc3339)")
        }
        try sql { () throws(SQLiteError) in
            try connection.run(
                "UPDATE pause SET resumed_at_us = ?2 WHERE id = ?1",
                [.integer(id), .integer(now.micros)])
            try connection.run(
                """
                DELETE FROM pause WHERE resumed_at_us IS NOT NULL AND id <= (
                    SELECT id FROM pause WHERE resumed_at_us IS NOT NULL
                    ORDER BY id DESC LIMIT 1 OFFSET ?1)
                """, [.integer(Int64(Pauses.endedMax))])
        }
        try pausesChanged()
        return Pause(
            id: id, scope: found.scope, reason: found.reason, pausedAt: found.pausedAt,
            resumedAt: now)
    }

    private func pausesChanged() throws(StoreError) {
        noteCatalogChange()
        catalog.pauses = try sql { () throws(SQLiteError) in try Self.loadPauses(connection) }
    }

    static func loadPauses(_ connection: Connection) throws(SQLiteError) -> Pauses {
        Pauses(
            try connection.rows("\(pauses) ORDER BY id") { (row) throws(SQLiteError) in
                try readPause(row)
            })
    }

    private static let pauses =
        "SELECT id, scope, name, reason, paused_at_us, resumed_at_us FROM pause"

    private static func readPause(_ row: Statement) throws(SQLiteError) -> Pause {
        let scope: Pause.Scope =
            switch row.text(1) {
            case "destination": .destination(row.text(2))
            case "host": .host(row.text(2))
            default: throw .corrupt("pause \(row.int64(0)) can't be read")
            }
        return Pause(
            id: row.int64(0), scope: scope, reason: row.text(3),
            pausedAt: Instant(micros: row.int64(4)),
            resumedAt: row.optionalInt64(5).map { Instant(micros: $0) })
    }
}

extension Pause.Scope {
    fileprivate var kind: String {
        switch self {
        case .destination: "destination"
        case .host: "host"
        }
    }

    fileprivate var name: String {
        switch self {
        case .destination(let name), .host(let name): name
        }
    }
}

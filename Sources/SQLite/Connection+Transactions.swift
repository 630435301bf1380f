internal import CSQLite

extension Connection {
    public enum TransactionKind: Sendable {
        /// Takes the write lock at once, so that it can't be refused halfway.
        case immediate
        /// One unchanging view of the database for several reads.
        case deferred
    }

    public func begin(_ kind: TransactionKind = .immediate) throws(SQLiteError) {
        switch kind {
        case .immediate: try run(.beginImmediate)
        case .deferred: try run(.beginDeferred)
        }
    }

    /// - Throws: `SQLiteError`; the transaction may then still be open and must be rolled back.
    public func commit() throws(SQLiteError) { try run(.commit) }

    /// Undoes the open transaction, if there is one: SQLite has already done so itself after some
    /// failures (a full disk, an I/O error).
    public func rollBack() throws(SQLiteError) {
        if isInTransaction { try run(.rollBack) }
    }

    /// Commits what `body` did, or undoes all of it and throws what it threw.
    public func transaction<Value>(
        _ kind: TransactionKind = .immediate, _ body: () throws(SQLiteError) -> Value
    ) throws(SQLiteError) -> Value {
        try begin(kind)
        do {
            let value = try body()
            try commit()
            return value
        } catch {
            // The first failure is the one to report; a roll-back that fails leaves the
            // connection in a transaction, and the next `begin` says so.
            try? rollBack()
            throw error
        }
    }

    /// Keeps what `body` did within the open transaction, or undoes just that and returns its error.
    /// May be nested.
    ///
    /// - Throws: `SQLiteError` if the savepoint itself failed, or if SQLite has undone the whole
    ///   transaction: then everything since `begin` is lost, not only this body's part.
    public func attempt<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(SQLiteError) -> Result<Value, Failure> {
        try run(.savepoint)
        let result: Result<Value, Failure>
        do throws(Failure) {
            result = .success(try body())
        } catch {
            result = .failure(error)
        }
        guard isInTransaction else {
            throw SQLiteError(
                extendedCode: SQLITE_ABORT | 2 << 8,
                message: "the whole transaction was undone after a failure inside it")
        }
        switch result {
        case .success: try run(.release)
        case .failure:
            try run(.rollBackToSavepoint)
            try run(.release)
        }
        return result
    }
}

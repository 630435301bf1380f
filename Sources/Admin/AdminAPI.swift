public import Store

/// The administration API without HTTP around it: the server's handler and commands that opened
/// the data directory themselves call the same functions.
///
/// Whoever calls `handle` may do everything: tokens are checked before, by `AdminHandler`.
public final class AdminAPI: Sendable {
    let ledger: Ledger
    let readers: Readers
    let quickReaders: Readers
    let services: Services

    /// - Parameter quickReaders: for what takes a moment, so that it doesn't wait behind reports.
    public init(ledger: Ledger, readers: Readers, quickReaders: Readers, services: Services) {
        self.ledger = ledger
        self.readers = readers
        self.quickReaders = quickReaders
        self.services = services
    }

    /// Answers one call. `completion` is called once, on any thread, perhaps before this returns;
    /// what the answer tells of is on disk by then, and holds for every click that comes after it.
    ///
    /// The caller's thread only parses; files are read on the readers' threads and written by the
    /// ledger's.
    public func handle(
        _ request: APIRequest, completion: @escaping @Sendable (APIResponse) -> Void
    ) {
        do throws(Problem) {
            run(try plan(request), completion: completion)
        } catch {
            if error.kind == .methodNotAllowed, request.method == "OPTIONS" {
                let allow = ("Allow", error.allowed.joined(separator: ", "))
                return completion(APIResponse(status: 204, headers: [allow], body: []))
            }
            completion(error.response)
        }
    }

    private func plan(_ request: APIRequest) throws(Problem) -> Work {
        let (route, parameters) = try Router.find(request, in: Routes.all)
        var query = QueryReader(request.query)
        let work = try route.action(
            Call(api: self, request: request, parameters: parameters), &query)
        try query.finish()
        return work
    }

    private func run(_ work: Work, completion: @escaping @Sendable (APIResponse) -> Void) {
        switch work {
        case .done(let response): completion(response)
        case .read(let body):
            prepare(readers, { reader throws(StoreError) in .done(try body(reader)) }, completion)
        case .glance(let body):
            prepare(
                quickReaders, { reader throws(StoreError) in .done(try body(reader)) }, completion)
        case .prepare(let body): prepare(readers, body, completion)
        case .wait(let body): body(completion)
        case .write(let body):
            // Strong: a job that was taken is answered.
            ledger.perform(body) { result in
                switch result {
                case .success(let next): self.run(next, completion: completion)
                case .failure(let error): completion(Problem(error).response)
                }
            }
        }
    }

    private func prepare(
        _ readers: Readers,
        _ body: @escaping @Sendable (LedgerReader) throws(StoreError) -> Work,
        _ completion: @escaping @Sendable (APIResponse) -> Void
    ) {
        readers.read(within: Readers.answerSecondsMax) { (reader) throws(StoreError) in
            do throws(StoreError) {
                return try body(reader)
            } catch {
                if reader.hasTimedOut { return Work.done(Problem.tookTooLong.response) }
                switch error {
                case .invalid, .notFound, .conflict: return Work.done(Problem(error).response)
                // Thrown on, so that the reader closes its files.
                case .storage, .unreadable: throw error
                }
            }
        } finished: { result in
            switch result {
            case .success(let next): self.run(next, completion: completion)
            case .failure(let error): completion(Problem(error).response)
            }
        }
    }
}

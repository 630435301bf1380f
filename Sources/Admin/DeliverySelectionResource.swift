internal import Domain
internal import Store

/// Retries or cancels all deliveries of a selection by one call, or by several with a `limit`: each
/// then says where the next one goes on.
///
/// Only deliveries that were there when the first call came are meant, so that it ends though new
/// ones come and retried ones fail again meanwhile. It is no transaction: a call that is cut short
/// has changed some of them, and may be made again.
enum DeliverySelectionResource {
    static let routes = [
        Route("POST", "/deliveries/retry", retry), Route("POST", "/deliveries/cancel", cancel),
    ]

    /// Deliveries of one job of the ledger: postbacks wait meanwhile.
    private static let jobMax = 200
    /// That one read looks for.
    private static let readMax = 1000
    /// The greatest `limit`.
    private static let limitMax = 100_000

    @Sendable private static func retry(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        try change(.retry(rendering: query.flag("render")), call, &query)
    }

    @Sendable private static func cancel(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        try change(.cancel, call, &query)
    }

    private static func change(
        _ change: DeliverySelection.Change, _ call: Call, _ query: inout QueryReader
    ) throws(Problem) -> Work {
        let limit = query.limit(default: .max, max: limitMax)
        let cursor = query.selectionCursor()
        let isDryRun = query.flag("dry_run")
        let isAll = query.flag("all")
        var filter = query.deliveries(call.services.clickIDs)
        if filter.isEmpty, !isAll {
            query.fail("", "must select deliveries, by state=dead for example, or say all=1")
        }
        if let state = filter.states.first, !change.states.contains(state) {
            query.fail(
                "state",
                "must be \(change.states.map(\.rawValue).joined(separator: ", ")) here: a delivery "
                    + "that is \(state.rawValue) stays so")
        }
        if filter.states.isEmpty { filter.states = change.usualStates }
        return .prepare { [filter] reader throws(StoreError) in
            let last: Int64
            if let cursor { last = cursor.last } else { last = try reader.newestDelivery() }
            let selection = DeliverySelection(
                change: change, filter: filter, last: last, call: call)
            let after = cursor?.after ?? 0
            return isDryRun
                ? try count(selection, after: after, reader)
                : try next(selection, after: after, limit: limit, Done(), reader)
        }
    }

    private static func count(
        _ selection: DeliverySelection, after: Int64, _ reader: LedgerReader
    ) throws(StoreError) -> Work {
        let count = try reader.deliveryCount(
            selection.filter, after: after, through: selection.last)
        var done = Done()
        // By today's template it may be complete: that is found out only by rendering it.
        let refused = selection.change == .retry(rendering: false) ? count.incomplete : 0
        (done.changed, done.refused) = (count.all - refused, refused)
        return .done(done.response(next: nil, isDryRun: true))
    }

    /// Finds the next ones; as many as one read looks for, and no more than `limit`.
    private static func next(
        _ selection: DeliverySelection, after: Int64, limit: Int, _ done: Done,
        _ reader: LedgerReader
    ) throws(StoreError) -> Work {
        let page = try reader.deliveryIDs(
            selection.filter, after: after, through: selection.last, limit: min(limit, readMax))
        return work(
            selection, page.items[...], next: page.nextCursor, limit: limit - page.items.count,
            done)
    }

    private static func work(
        _ selection: DeliverySelection, _ ids: ArraySlice<DeliveryID>, next cursor: Int64?,
        limit: Int, _ done: Done
    ) -> Work {
        if ids.isEmpty {
            guard let cursor else { return .done(done.response(next: nil, isDryRun: false)) }
            if limit > 0 {
                return .prepare { reader throws(StoreError) in
                    try next(selection, after: cursor, limit: limit, done, reader)
                }
            }
            let left = SelectionCursor(after: cursor, last: selection.last)
            return .done(done.response(next: left, isDryRun: false))
        }
        let part = ids.prefix(jobMax)
        return .write { transaction throws(StoreError) in
            var done = done
            for id in part { try apply(selection, id, &done, transaction) }
            return work(
                selection, ids.dropFirst(part.count), next: cursor, limit: limit, done)
        }
    }

    private static func apply(
        _ selection: DeliverySelection, _ id: DeliveryID, _ done: inout Done,
        _ transaction: LedgerTransaction
    ) throws(StoreError) {
        do throws(StoreError) {
            try selection.apply(id, probed: &done.probed, transaction)
            done.changed += 1
        } catch {
            let reason: String
            switch error {
            // Nothing of this job is kept.
            case .storage: throw error
            case .conflict(let text), .notFound(let text), .unreadable(let text): reason = text
            case .invalid(let invalid): reason = "\(invalid)"
            }
            done.refused += 1
            if done.refusals.count < Done.refusalsMax {
                done.refusals.append([
                    "delivery": .integer(id.rawValue), "message": .string(reason),
                ])
            }
        }
    }

    private struct Done: Sendable {
        var changed = 0
        var refused = 0
        /// Of the first ones.
        var refusals: [JSONValue] = []
        /// Origins that are called on account of this call.
        var probed: Set<String> = []

        static let refusalsMax = 20

        func response(next: SelectionCursor?, isDryRun: Bool) -> APIResponse {
            APIResponse([
                "dry_run": .bool(isDryRun), "changed": .integer(changed),
                "refused": .integer(refused), "refusals": .array(refusals),
                "next_cursor": next.map { .string($0.text) } ?? .null,
            ])
        }
    }
}

/// Which deliveries are changed, and how.
private struct DeliverySelection: Sendable {
    enum Change: Equatable {
        case retry(rendering: Bool)
        case cancel

        /// In which states a delivery can be changed.
        var states: [Delivery.State] {
            switch self {
            case .retry: [.waiting, .dead, .cancelled]
            case .cancel: [.waiting]
            }
        }

        /// Without the cancelled ones: nobody means them by "all that goes to X", but who asks for
        /// just those.
        var usualStates: [Delivery.State] {
            switch self {
            case .retry: [.waiting, .dead]
            case .cancel: [.waiting]
            }
        }
    }

    let change: Change
    let filter: DeliveryFilter
    /// The newest that is meant.
    let last: Int64
    let call: Call

    func apply(
        _ id: DeliveryID, probed: inout Set<String>, _ transaction: LedgerTransaction
    ) throws(StoreError) {
        let services = call.services
        switch change {
        case .retry(rendering: true):
            _ = try services.rules.renderAgain(id, in: transaction, now: services.now())
        case .retry(rendering: false):
            // A host that fails is asked once for all of them.
            try transaction.retry(id, at: services.now(), probing: &probed)
        case .cancel:
            _ = try transaction.cancel(id)
        }
    }
}

/// How far a selection is done: past one delivery, of those up to another.
private struct SelectionCursor: Sendable {
    let after: Int64
    let last: Int64

    init(after: Int64, last: Int64) {
        self.after = after
        self.last = last
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let after = Int64(parts[0]), let last = Int64(parts[1]),
            after > 0, last >= after
        else { return nil }
        self.init(after: after, last: last)
    }

    var text: String { "\(after)-\(last)" }
}

extension QueryReader {
    fileprivate mutating func selectionCursor() -> SelectionCursor? {
        guard let text = text("cursor") else { return nil }
        guard let cursor = SelectionCursor(text) else {
            fail("cursor", "must be the next_cursor of the call before")
            return nil
        }
        return cursor
    }
}

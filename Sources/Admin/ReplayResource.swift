internal import Domain
internal import Store

/// Judges kept calls again by today's rules: one, or a selection in bounded batches.
enum ReplayResource {
    static let routes = [
        Route("POST", "/postbacks/replay", replaySelection),
        Route("POST", "/postbacks/{}/replay", replayOne),
    ]

    /// Calls of one job of the ledger: postbacks wait meanwhile.
    private static let jobMax = 50
    /// Calls of a rehearsal, which is one job: later calls would not see else what earlier ones came
    /// to. Where more are asked for, the page ends early.
    private static let rehearsedMax = 200

    @Sendable private static func replayOne(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let text = call.parameter()
        guard let number = Int64(text), number > 0 else {
            throw Problem(.notFound, "there is no postback \"\(text)\"")
        }
        let replay = Replay(call, isDryRun: query.flag("dry_run"))
        return .write { transaction throws(StoreError) in
            let outcome = try replay.rehearsed(in: transaction) { (tx) throws(StoreError) in
                try replay.rules.replay(PostbackID(number), in: tx, now: replay.now)
            }
            return .done(APIResponse(replay.json(outcome)))
        }
    }

    /// Oldest first, `limit` calls of the selection, and a cursor where there are more.
    @Sendable private static func replaySelection(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let replay = Replay(call, isDryRun: query.flag("dry_run"))
        let filter = PostbackResource.filter(call, &query)
        if filter.isEmpty, query.errors.isEmpty {
            query.fail("verdict", "or another filter is required: it says which calls to replay")
        }
        return .prepare { reader throws(StoreError) in
            let page = try reader.replayable(
                filter, limit: replay.isDryRun ? min(limit, rehearsedMax) : limit, cursor: cursor)
            return work(replay, page.items[...], [], nextCursor: page.nextCursor)
        }
    }

    private static func work(
        _ replay: Replay, _ ids: ArraySlice<PostbackID>, _ done: [JSONValue], nextCursor: Int64?
    ) -> Work {
        if ids.isEmpty { return .done(.page(done, nextCursor: nextCursor)) }
        let part = replay.isDryRun ? ids : ids.prefix(jobMax)
        return .write { transaction throws(StoreError) in
            let items = try replay.rehearsed(in: transaction) { (tx) throws(StoreError) in
                var items: [JSONValue] = []
                for id in part { items.append(try replay.item(id, in: tx)) }
                return items
            }
            return work(
                replay, ids.dropFirst(part.count), done + items, nextCursor: nextCursor)
        }
    }
}

/// How calls are judged again, and how that is shown.
struct Replay: Sendable {
    let rules: any PostbackRules
    let now: Instant
    let isDryRun: Bool

    init(_ call: Call, isDryRun: Bool) {
        rules = call.services.rules
        now = call.services.now()
        self.isDryRun = isDryRun
    }

    func rehearsed<Value>(
        in tx: LedgerTransaction,
        _ body: (LedgerTransaction) throws(StoreError) -> Value
    ) throws(StoreError) -> Value { isDryRun ? try tx.rehearse(body) : try body(tx) }

    /// One of several: what is wrong with it is told in its place.
    func item(_ id: PostbackID, in tx: LedgerTransaction) throws(StoreError) -> JSONValue {
        do throws(StoreError) {
            return json(try rules.replay(id, in: tx, now: now))
        } catch {
            switch error {
            case .storage: throw error
            case .unreadable, .invalid, .notFound, .conflict:
                return [
                    "postback": .integer(id.rawValue), "dry_run": .bool(isDryRun),
                    "error": .string(error.description),
                ]
            }
        }
    }

    func json(_ outcome: ReplayOutcome) -> JSONValue {
        [
            "postback": .integer(outcome.original.id.rawValue),
            "dry_run": .bool(isDryRun),
            "old": [
                "verdict": .string(outcome.original.verdict),
                "message": .string(outcome.original.message),
                "conversion": .string(orNull: outcome.original.conversionID?.description),
            ],
            "new": .object(outcome.now.members(isDryRun: isDryRun)),
            "change": outcome.now.change?.json ?? .null,
        ]
    }
}

extension PostbackOutcome {
    /// `verdict`, `message`, `postback`, `conversion` and `revision`.
    ///
    /// - Parameter isDryRun: what was undone has no number.
    func members(isDryRun: Bool) -> [JSONMember] {
        let isNew = change.map { $0.before == nil } ?? false
        return [
            JSONMember(name: "verdict", value: .string(verdict.rawValue)),
            JSONMember(name: "message", value: .string(message)),
            JSONMember(
                name: "postback",
                value: isDryRun ? .null : postbackID.map { .integer($0.rawValue) } ?? .null),
            JSONMember(
                name: "conversion",
                value: .string(orNull: isDryRun && isNew ? nil : conversionID?.description)),
            JSONMember(name: "revision", value: revision.map { .integer($0) } ?? .null),
        ]
    }
}

extension PostbackOutcome.Change {
    var json: JSONValue {
        [
            "before": before?.json ?? .null, "after": after.json,
            "deliveries": .array(destinations.map { .string($0) }),
        ]
    }
}

extension ConversionState {
    fileprivate var json: JSONValue {
        ["status": .string(status.rawValue), "payout": payout.document]
    }
}

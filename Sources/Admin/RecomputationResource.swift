internal import Domain
internal import Store

/// Converts recorded amounts anew by the rates known now, because somebody asks for it: a changed
/// rate alone rewrites nothing.
enum RecomputationResource {
    static let routes = [
        Route("GET", "/rates/recompute", list), Route("POST", "/rates/recompute", recompute),
    ]

    /// Conversions of one job of the ledger: postbacks wait meanwhile.
    private static let jobMax = 200

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        return .read { reader throws(StoreError) in
            try reader.recomputations(limit: limit, cursor: cursor).response {
                (item) throws(StoreError) in json(item)
            }
        }
    }

    /// Oldest first, `limit` conversions of those converted within a range of times, and a cursor
    /// where there are more.
    @Sendable private static func recompute(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let run = Run(
            reporting: try RateResource.reporting(call), from: query.from(), to: query.to(),
            at: call.services.now(), isDryRun: query.flag("dry_run"))
        return .prepare { reader throws(StoreError) in
            let page = try reader.conversionIDs(
                from: run.from, to: run.to, limit: limit, cursor: cursor)
            return work(
                run, page.items[...], Done(), examined: page.items.count,
                nextCursor: page.nextCursor)
        }
    }

    private struct Run: Sendable {
        let reporting: Currency
        let from: Instant?
        let to: Instant?
        let at: Instant
        let isDryRun: Bool
    }

    private struct Done: Sendable {
        /// The number under which it is kept; nil before the first job, and for a dry run.
        var operation: Int64?
        var items: [RecomputedConversion] = []
    }

    private static func work(
        _ run: Run, _ ids: ArraySlice<ConversionID>, _ done: Done, examined: Int,
        nextCursor: Int64?
    ) -> Work {
        if ids.isEmpty {
            return .done(response(run, done, examined: examined, nextCursor: nextCursor))
        }
        let part = ids.prefix(jobMax)
        return .write { transaction throws(StoreError) in
            var done = done
            if !run.isDryRun, done.operation == nil {
                done.operation = try transaction.beginRecomputation(
                    reporting: run.reporting, from: run.from, to: run.to, at: run.at)
            }
            done.items += try transaction.recompute(
                part, reporting: run.reporting, operation: done.operation)
            return work(
                run, ids.dropFirst(part.count), done, examined: examined, nextCursor: nextCursor)
        }
    }

    private static func response(
        _ run: Run, _ done: Done, examined: Int, nextCursor: Int64?
    ) -> APIResponse {
        var operation = members(
            id: done.operation, at: run.at, run.reporting, from: run.from, to: run.to,
            examined: Int64(examined), changed: Int64(done.items.count))
        operation.append(JSONMember(name: "dry_run", value: .bool(run.isDryRun)))
        return APIResponse([
            "operation": .object(operation), "items": .array(done.items.map(json)),
            "next_cursor": nextCursor.map { .string(String($0)) } ?? .null,
        ])
    }

    private static func members(
        id: Int64?, at: Instant, _ reporting: Currency, from: Instant?, to: Instant?,
        examined: Int64, changed: Int64
    ) -> [JSONMember] {
        [
            JSONMember(name: "id", value: id.map { .integer($0) } ?? .null),
            JSONMember(name: "at", value: at.json),
            JSONMember(name: "reporting_currency", value: .string(reporting.code)),
            JSONMember(name: "from", value: from?.json ?? .null),
            JSONMember(name: "to", value: to?.json ?? .null),
            JSONMember(name: "examined", value: .integer(examined)),
            JSONMember(name: "changed", value: .integer(changed)),
        ]
    }

    private static func json(_ item: Recomputation) -> JSONValue {
        .object(
            members(
                id: item.id, at: item.at, item.reporting, from: item.from, to: item.to,
                examined: item.examined, changed: item.changed))
    }

    private static func json(_ item: RecomputedConversion) -> JSONValue {
        [
            "conversion": .string(item.conversionID.description),
            "payout": item.payout.document, "revisions": .integer(item.revisions),
            "before": item.before?.json ?? .null, "after": item.after?.json ?? .null,
        ]
    }
}

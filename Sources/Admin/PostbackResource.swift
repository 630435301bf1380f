internal import Domain
internal import Store

/// Received calls, byte for byte, with their verdicts.
enum PostbackResource {
    static let routes = [
        Route("GET", "/postbacks", list), Route("GET", "/postbacks/{}", show),
        Route("POST", "/postbacks/{}/reject", reject),
    ]

    /// Which calls a list or a replay is about.
    static func filter(_ call: Call, _ query: inout QueryReader) -> PostbackFilter {
        var filter = PostbackFilter()
        filter.from = query.from()
        filter.to = query.to()
        filter.network = query.entity("network", in: call.catalog.networks)
        filter.verdict = query.choice("verdict", PostbackVerdict.self)?.rawValue
        filter.clickRowID = query.clickRowID(call.services.clickIDs)
        filter.conversionID = query.conversionID()
        filter.isWaiting = query.flag("waiting")
        return filter
    }

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let filter = filter(call, &query)
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            try reader.postbacks(filter, limit: limit, cursor: cursor)
                .response { (item) throws(StoreError) in try reader.json(item, presenter) }
        }
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let text = call.parameter()
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            guard let number = Int64(text), let postback = try reader.postback(PostbackID(number))
            else { throw .notFound("there is no postback \"\(text)\"") }
            return APIResponse(try reader.json(postback, presenter))
        }
    }

    /// Of a parked call: it waits no longer.
    @Sendable private static func reject(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let text = call.parameter()
        guard let number = Int64(text) else {
            throw Problem(.notFound, "there is no postback \"\(text)\"")
        }
        let presenter = Presenter(call)
        return .write { transaction throws(StoreError) in
            let rejected = try transaction.rejectParked(
                PostbackID(number), at: call.services.now())
            // From the same transaction: an answer that can't be made undoes the change.
            var click = presenter.namedClick(of: rejected)
            if click == nil, let rowID = rejected.clickRowID {
                click = try transaction.click(rowID)?.identity
            }
            return .done(APIResponse(presenter.postback(rejected, click: click)))
        }
    }
}

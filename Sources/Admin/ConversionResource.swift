internal import Domain
internal import Store

/// What networks reported.
enum ConversionResource {
    static let routes = [
        Route("GET", "/conversions", list), Route("GET", "/conversions/{}", show),
    ]

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let catalog = call.catalog
        var filter = ConversionFilter()
        filter.from = query.from()
        filter.to = query.to()
        filter.campaign = query.entity("campaign", in: catalog.campaigns)
        filter.network = query.entity("network", in: catalog.networks)
        filter.status = query.choice("status", ConversionStatus.self)
        // Events are kept in one case.
        filter.event = query.text("event").map(EventName.normalized)
        filter.transactionID = query.text("transaction_id")
        filter.externalID = query.bytes("external_id")
        filter.clickRowID = query.clickRowID(call.services.clickIDs)
        let presenter = Presenter(call)
        return .read { [filter] reader throws(StoreError) in
            try reader.conversions(filter, limit: limit, cursor: cursor)
                .response { (item) throws(StoreError) in try reader.json(item, presenter) }
        }
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let text = call.parameter()
        let at = query.instant("at")
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            guard let id = ConversionID(text), let conversion = try reader.conversion(id) else {
                throw .notFound("there is no conversion \"\(text)\"")
            }
            guard let at else { return APIResponse(try reader.json(conversion, presenter)) }
            let revisions = try reader.revisions(of: id)
            // Revisions are numbered as they became known; a clock set back does not undo one.
            guard let count = revisions.lastIndex(where: { $0.at <= at }).map({ $0 + 1 }) else {
                throw .notFound("conversion \(id) was not known at \(at.rfc3339)")
            }
            let known = Array(revisions.prefix(count))
            return APIResponse(presenter.conversion(conversion.asOf(known[count - 1]), known))
        }
    }
}

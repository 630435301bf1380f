internal import Domain
internal import Store

/// Outbound postbacks with their attempts.
enum DeliveryResource {
    static let routes = [
        Route("GET", "/deliveries", list), Route("GET", "/deliveries/{}", show),
        Route("POST", "/deliveries/{}/retry", retry),
        Route("POST", "/deliveries/{}/cancel", cancel),
    ]

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor()
        let filter = query.deliveries(call.services.clickIDs)
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            try reader.deliveries(filter, limit: limit, cursor: cursor)
                .response { (item) throws(StoreError) in try reader.json(item, presenter) }
        }
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let id = try id(call)
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            guard let delivery = try reader.delivery(id) else {
                throw .notFound("there is no delivery \(id)")
            }
            return APIResponse(try reader.json(delivery, presenter))
        }
    }

    @Sendable private static func retry(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let renders = query.flag("render")
        return try change(call) { transaction, id throws(StoreError) in
            let now = call.services.now()
            return renders
                ? try call.services.rules.renderAgain(id, in: transaction, now: now)
                : try transaction.retry(id, at: now)
        }
    }

    @Sendable private static func cancel(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        try change(call) { transaction, id throws(StoreError) in try transaction.cancel(id) }
    }

    /// Answers with the delivery as the change left it, not as a quick receiver has made it since.
    private static func change(
        _ call: Call,
        _ body:
            @escaping @Sendable (LedgerTransaction, DeliveryID) throws(StoreError) -> Delivery
    ) throws(Problem) -> Work {
        let id = try id(call)
        let presenter = Presenter(call)
        return .write { transaction throws(StoreError) in
            // From the same transaction: an answer that can't be made undoes the change.
            let changed = try body(transaction, id)
            return .done(
                APIResponse(presenter.delivery(changed, try transaction.attempts(of: id))))
        }
    }

    private static func id(_ call: Call) throws(Problem) -> DeliveryID {
        guard let number = Int64(call.parameter()) else {
            throw Problem(.notFound, "there is no delivery \"\(call.parameter())\"")
        }
        return DeliveryID(number)
    }
}

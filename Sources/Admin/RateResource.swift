internal import Domain
internal import Store

/// Exchange rates to the reporting currency, and amounts converted anew by them.
enum RateResource {
    static let routes =
        [
            Route("GET", "/rates", list), Route("PUT", "/rates", put),
            Route("DELETE", "/rates/{}/{}", remove),
        ] + RecomputationResource.routes

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor() ?? 0
        let rates = call.catalog.rates
        let text = query.text("currency")
        let currency = text.flatMap { Currency($0) }
        if text != nil, currency == nil {
            query.fail("currency", "must be an ISO 4217 currency code such as USD")
        }
        // Not on the loop: there may be very many.
        return .read { _ in
            // Sorted by it, so that a page goes on where the one before ended whatever came between.
            let items = (currency.map { rates.rates(of: $0) } ?? rates.all)
                .drop { place($0) <= cursor }
            return page(
                items.prefix(limit), rates.reporting,
                nextCursor: items.count > limit ? items.prefix(limit).last.map(place) : nil)
        }
    }

    /// More than zero, and in the order of currency and day.
    private static func place(_ rate: ExchangeRate) -> Int64 {
        // Days begin with the year 0, some 720,000 days before 1970.
        Int64(rate.currency.rawValue) << 32 | (Int64(rate.day.number) + 1_000_000)
    }

    @Sendable private static func put(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let reporting = try reporting(call)
        let document = try call.document()
        let now = call.services.now()
        return .prepare { _ throws(StoreError) in
            let rates: [ExchangeRate]
            do throws(ValidationError) {
                rates = try ExchangeRate.list(document, reporting: reporting)
            } catch {
                throw .invalid(error)
            }
            return .write { transaction throws(StoreError) in
                try transaction.put(rates, reporting: reporting, at: now)
                return .done(page(rates[...], reporting, nextCursor: nil))
            }
        }
    }

    @Sendable private static func remove(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        guard let currency = Currency(call.parameter()), let day = Day(call.parameter(1)) else {
            throw Problem(
                .notFound,
                "there is no exchange rate at that path: it is /rates/USD/2026-11-20, say")
        }
        return .write { transaction throws(StoreError) in
            let removed = try transaction.removeRate(of: currency, on: day)
            return .done(APIResponse(removed.document))
        }
    }

    /// - Throws: `.conflict` while there is none.
    static func reporting(_ call: Call) throws(Problem) -> Currency {
        guard let reporting = call.catalog.rates.reporting else {
            throw Problem(
                .conflict,
                "no reporting currency is set: PUT {\"reporting_currency\":\"EUR\"} to /settings "
                    + "first")
        }
        return reporting
    }

    private static func page(
        _ rates: ArraySlice<ExchangeRate>, _ reporting: Currency?, nextCursor: Int64?
    ) -> APIResponse {
        APIResponse([
            "reporting_currency": .string(orNull: reporting?.code),
            "items": .array(rates.map(\.document)),
            "next_cursor": nextCursor.map { .string(String($0)) } ?? .null,
        ])
    }
}

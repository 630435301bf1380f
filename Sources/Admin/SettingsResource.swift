internal import Domain
internal import Store

/// What the operator sets for the whole installation while it runs.
enum SettingsResource {
    static let routes = [
        Route("GET", "/settings", show), Route("PUT", "/settings", replace),
    ]

    private static let reportingCurrency = "reporting_currency"

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        .done(APIResponse(json(call.catalog.rates.reporting)))
    }

    @Sendable private static func replace(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let currency = try currency(try call.document())
        let now = call.services.now()
        return .write { transaction throws(StoreError) in
            try transaction.setReportingCurrency(currency, at: now)
            return .done(APIResponse(json(currency)))
        }
    }

    private static func currency(_ document: JSONValue) throws(Problem) -> Currency? {
        guard let members = document.objectValue else { throw Problem("", "must be a JSON object") }
        for member in members where member.name != reportingCurrency {
            throw Problem(
                member.name, "is not a known field; there is only \"\(reportingCurrency)\"")
        }
        switch document[reportingCurrency] {
        case nil: throw Problem(reportingCurrency, "is required; null means none")
        case .null: return nil
        case .string(let text):
            if let currency = Currency(text) { return currency }
            throw Problem(reportingCurrency, "must be an ISO 4217 currency code such as EUR")
        case .bool, .number, .array, .object:
            throw Problem(
                reportingCurrency, "must be an ISO 4217 currency code such as EUR, or null")
        }
    }

    private static func json(_ currency: Currency?) -> JSONValue {
        .object([JSONMember(name: reportingCurrency, value: .string(orNull: currency?.code))])
    }
}

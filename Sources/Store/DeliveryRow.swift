internal import Domain
internal import SQLite

/// How a delivery lies in its row.
enum DeliveryRow {
    static let columns = """
        id, conversion_id, revision, destination, state, reason, due_at_us, converted_at_us,
        attempt_count, origin, method, url, headers, body, success_min, success_max, success_text,
        allow_private, success_json, delay_seconds, auth
        """

    static func read(_ row: Statement) throws(SQLiteError) -> Delivery {
        let success = (Int(row.int64(14)), Int(row.int64(15)))
        guard let state = Delivery.State(rawValue: row.text(4)),
            let method = Destination.Method(rawValue: row.text(10)), success.0 <= success.1,
            let auth = OutboundRequest.Auth(
                rawValue: row.optionalText(20) ?? OutboundRequest.Auth.none.rawValue)
        else { throw .corrupt("delivery \(row.int64(0)) can't be read") }
        let request = OutboundRequest(
            origin: row.text(9), method: method, url: row.text(11), headers: headers(row.text(12)),
            body: row.optionalBlob(13),
            success: SuccessRule(
                statuses: success.0...success.1, bodyContains: row.optionalText(16),
                bodyField: try bodyField(row.optionalText(18), delivery: row.int64(0))),
            allowsPrivate: row.bool(17), auth: auth)
        return Delivery(
            id: DeliveryID(row.int64(0)), conversionID: ConversionID(row.int64(1)),
            revision: Int(row.int64(2)), destination: row.text(3), state: state,
            reason: row.optionalText(5), dueAt: Instant(micros: row.int64(6)),
            convertedAt: Instant(micros: row.int64(7)), request: request,
            attemptCount: Int(row.int64(8)), delaySeconds: Int(clamping: row.int64(19)))
    }

    /// A rule that can't be read must not become no rule: a refusal would count as taken.
    private static func bodyField(_ text: String?, delivery: Int64) throws(SQLiteError)
        -> SuccessRule.BodyField?
    {
        guard let text else { return nil }
        // Why it can't be parsed would say no more than that it can't.
        guard let document = try? JSONValue(parsing: text),
            let field = SuccessRule.BodyField(document: document)
        else { throw .corrupt("the success rule of delivery \(delivery) can't be read") }
        return field
    }

    /// Nil for none, as most are.
    static func authText(_ auth: OutboundRequest.Auth) -> String? {
        auth == .none ? nil : auth.rawValue
    }

    static func headersText(_ headers: [OutboundRequest.Header]) -> String {
        JSONValue.array(headers.map { [.string($0.name), .string($0.value)] }).encoded()
    }

    private static func headers(_ text: String) -> [OutboundRequest.Header] {
        if text == "[]" { return [] }
        // We wrote it; headers that can't be read are none.
        let pairs = (try? JSONValue(parsing: text))?.arrayValue ?? []
        return pairs.compactMap { pair in
            guard let items = pair.arrayValue, items.count == 2, let name = items[0].stringValue,
                let value = items[1].stringValue
            else { return nil }
            return OutboundRequest.Header(name: name, value: value)
        }
    }
}

internal import Domain
internal import Store

/// Conversions that are entered by hand or from a file: each row has its own verdict.
enum EntryResource {
    static let rowsMax = 1000
    /// Rows of one job of the ledger: postbacks wait meanwhile.
    private static let jobMax = 50

    static let routes = [Route("POST", "/conversions", enter)]

    @Sendable private static func enter(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let networkID = query.entity("network", in: call.catalog.networks)
        let entry = Entry(
            rules: call.services.rules, now: call.services.now(),
            network: networkID.flatMap { call.catalog.networks[$0]?.value.key },
            suppressesOutbound: query.flag("suppress_outbound"), isDryRun: query.flag("dry_run"))
        return work(entry, try rows(try call.document())[...], [])
    }

    private static func rows(_ document: JSONValue) throws(Problem) -> [JSONValue] {
        let list = document.arrayValue ?? [document]
        guard (1...rowsMax).contains(list.count) else {
            throw Problem("", "must have 1 to \(rowsMax) rows")
        }
        var rows: [JSONValue] = []
        var errors: [FieldError] = []
        for (index, item) in list.enumerated() {
            let place = document.arrayValue == nil ? "" : "[\(index)]"
            guard let members = item.objectValue else {
                errors.append(FieldError(place, "must be a JSON object"))
                continue
            }
            var flat: [JSONMember] = []
            for member in members {
                if let scalars = scalars(member) {
                    flat += scalars
                } else {
                    let field = place.isEmpty ? member.name : "\(place).\(member.name)"
                    errors.append(FieldError(field, "must be a string, a number or a boolean"))
                }
            }
            rows.append(.object(flat))
        }
        if !errors.isEmpty { throw Problem(ValidationError(errors)) }
        return rows
    }

    /// A payout may be written as it is read back, with its currency. Nil for other nested values.
    private static func scalars(_ member: JSONMember) -> [JSONMember]? {
        switch member.value {
        case .null, .bool, .number, .string: return [member]
        case .array: return nil
        case .object(let parts):
            guard member.name == "payout", parts.count == 2, let amount = parts.first,
                amount.name == "amount", let currency = member.value["currency"]?.stringValue,
                let text = amount.value.stringValue
            else { return nil }
            return [
                JSONMember(name: "payout", value: .string(text)),
                JSONMember(name: "currency", value: .string(currency)),
            ]
        }
    }

    private static func work(_ entry: Entry, _ rows: ArraySlice<JSONValue>, _ done: [JSONValue])
        -> Work
    {
        if rows.isEmpty {
            return .done(
                APIResponse(["dry_run": .bool(entry.isDryRun), "items": .array(done)]))
        }
        // A rehearsal is one job, or later rows would not see what earlier ones came to.
        let part = entry.isDryRun ? rows : rows.prefix(jobMax)
        return .write { transaction throws(StoreError) in
            let items = try entry.items(part, in: transaction)
            return work(entry, rows.dropFirst(part.count), done + items)
        }
    }
}

private struct Entry: Sendable {
    let rules: any PostbackRules
    let now: Instant
    let network: EntityKey?
    let suppressesOutbound: Bool
    let isDryRun: Bool

    /// Rows keep their place in the request.
    func items(_ rows: ArraySlice<JSONValue>, in tx: LedgerTransaction) throws(StoreError)
        -> [JSONValue]
    {
        let run: (LedgerTransaction) throws(StoreError) -> [JSONValue] = {
            (tx) throws(StoreError) in
            var items: [JSONValue] = []
            for (index, row) in zip(rows.indices, rows) {
                let members = try outcome(row, in: tx).members(isDryRun: isDryRun)
                items.append(
                    .object([JSONMember(name: "index", value: .integer(index))] + members))
            }
            return items
        }
        return isDryRun ? try tx.rehearse(run) : try run(tx)
    }

    /// A day of clicks that can't be read is the trouble of its rows only.
    private func outcome(_ row: JSONValue, in tx: LedgerTransaction) throws(StoreError)
        -> PostbackOutcome
    {
        do throws(StoreError) {
            return try rules.enter(
                row, network: network, suppressesOutbound: suppressesOutbound, in: tx, now: now)
        } catch {
            switch error {
            case .unreadable:
                return PostbackOutcome(
                    verdict: .storageUnavailable, message: error.description)
            case .storage, .invalid, .notFound, .conflict: throw error
            }
        }
    }
}

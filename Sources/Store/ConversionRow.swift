internal import Domain
internal import SQLite

/// How a conversion lies in its row.
enum ConversionRow {
    static let columns = """
        id, click_row_id, event, transaction_id, is_test, ordinal, campaign_id, source_id,
        network_id, offer_id, status, network_status, payout_nanos, currency, revision,
        converted_at_us, extras, external_id, cost_nanos, cost_currency, parameters, ip,
        user_agent, referrer, path, offer_version, reporting_nanos, reporting_currency,
        reporting_rate_nanos, own_cost_rule, flow_version, rule, lander_version,
        visit, device, place
        """

    /// - Throws: `SQLiteError` for a row that holds what we never write.
    static func read(_ row: Statement) throws(SQLiteError) -> Conversion {
        guard let rowID = ClickRowID(rawValue: row.int64(1)),
            let status = ConversionStatus(rawValue: row.text(10)),
            let currency = Currency(row.text(13))
        else { throw .corrupt("conversion \(row.int64(0)) can't be read") }
        let packed = row.withBytes(20) { PackedTexts.unpack($0) }
        let click = Click(
            rowID: rowID, campaignID: CampaignID(row.int64(6)),
            externalID: row.optionalBlob(17),
            cost: row.optionalInt64(18).flatMap { nanos in
                Currency(row.text(19)).map { Money(nanos: nanos, currency: $0) }
            },
            parameters: parameters(packed),
            ip: row.optionalBlob(21).flatMap { IPAddress(storedBytes: $0) },
            userAgent: row.blob(22), referrer: row.blob(23),
            flowVersion: row.optionalInt64(30), rule: row.optionalInt64(31).map { Int($0) },
            path: Int(row.int64(24)), landerVersion: row.optionalInt64(32),
            offerVersion: row.int64(25), visit: VisitKind(stored: row.optionalInt64(33)),
            device: row.withBytes(34) { Device(packed: $0) },
            place: row.withBytes(35) { Place(packed: $0) })
        return Conversion(
            id: ConversionID(row.int64(0)), click: click, sourceID: SourceID(row.int64(7)),
            networkID: NetworkID(row.int64(8)), offerID: OfferID(row.int64(9)),
            event: row.text(2), transactionID: row.text(3), ordinal: Int(row.int64(5)),
            status: status, networkStatus: row.optionalText(11),
            payout: Money(nanos: row.int64(12), currency: currency),
            extras: extras(row.optionalText(16)),
            convertedAt: Instant(micros: row.int64(15)), isTest: row.bool(4),
            revision: Int(row.int64(14)), reporting: reporting(row, at: 26),
            costRule: try costRule(row, at: 29))
    }

    /// A conversion that forgot what it costs would come cheap: better it can't be read.
    private static func costRule(_ row: Statement, at column: Int32) throws(SQLiteError)
        -> ConversionCost?
    {
        guard let text = row.optionalText(column) else { return nil }
        guard let rule = ConversionCost(text: text) else {
            throw .corrupt("the cost of conversion \(row.int64(0)) can't be read")
        }
        return rule
    }

    /// In their order.
    static func revisions(of id: ConversionID, _ connection: Connection) throws(SQLiteError)
        -> [ConversionRevision]
    {
        try connection.rows(
            """
            SELECT number, status, network_status, payout_nanos, currency, at_us, postback_id,
                reporting_nanos, reporting_currency, reporting_rate_nanos, not_sent
            FROM conversion_revision WHERE conversion_id = ?1 ORDER BY number
            """, [.integer(id.rawValue)]
        ) { (row) throws(SQLiteError) in
            guard let status = ConversionStatus(rawValue: row.text(1)),
                let currency = Currency(row.text(4))
            else { throw .corrupt("a revision of \(id) can't be read") }
            return ConversionRevision(
                number: Int(row.int64(0)), status: status, networkStatus: row.optionalText(2),
                payout: Money(nanos: row.int64(3), currency: currency),
                at: Instant(micros: row.int64(5)), postbackID: PostbackID(row.int64(6)),
                reporting: reporting(row, at: 7), notSent: notSent(row.optionalText(10)))
        }
    }

    static func notSentText(_ items: [NotSent]) -> String? {
        if items.isEmpty { return nil }
        return JSONValue.array(
            items.map { [.string($0.destination), .string($0.reason)] }
        ).encoded()
    }

    private static func notSent(_ text: String?) -> [NotSent] {
        guard let text else { return [] }
        // We wrote it; what can't be read is only an explanation.
        let pairs = (try? JSONValue(parsing: text))?.arrayValue ?? []
        return pairs.compactMap { pair in
            guard let items = pair.arrayValue, items.count == 2,
                let destination = items[0].stringValue, let reason = items[1].stringValue
            else { return nil }
            return NotSent(destination: destination, reason: reason)
        }
    }

    /// An amount, its currency and its rate in three columns.
    static func reporting(_ row: Statement, at column: Int32) -> ReportingAmount? {
        guard let nanos = row.optionalInt64(column), let code = row.optionalText(column + 1),
            let currency = Currency(code), let rate = row.optionalInt64(column + 2)
        else { return nil }
        return ReportingAmount(
            money: Money(nanos: nanos, currency: currency), rateNanos: rate)
    }

    static func bind(_ reporting: ReportingAmount?, to statement: Statement, at index: Int32) {
        statement.bind(index, reporting?.money.nanos)
        statement.bind(index + 1, text: reporting?.money.currency.code)
        statement.bind(index + 2, reporting?.rateNanos)
    }

    static func bind(_ conversion: Conversion, to statement: Statement) {
        let click = conversion.click
        statement.bind(1, click.rowID.rawValue)
        statement.bind(2, text: conversion.event)
        statement.bind(3, text: conversion.transactionID)
        statement.bind(4, conversion.isTest)
        statement.bind(5, Int64(conversion.ordinal))
        statement.bind(6, click.campaignID.rawValue)
        statement.bind(7, conversion.sourceID.rawValue)
        statement.bind(8, conversion.networkID.rawValue)
        statement.bind(9, conversion.offerID.rawValue)
        statement.bind(10, text: conversion.status.rawValue)
        statement.bind(11, text: conversion.networkStatus)
        statement.bind(12, conversion.payout.nanos)
        statement.bind(13, text: conversion.payout.currency.code)
        statement.bind(14, conversion.convertedAt.micros)
        statement.bind(15, text: extrasText(conversion.extras))
        statement.bind(16, blob: click.externalID)
        statement.bind(17, click.cost?.nanos)
        statement.bind(18, text: click.cost?.currency.code)
        var packed: [UInt8] = []
        for parameter in click.parameters {
            PackedTexts.append(parameter.name.utf8, to: &packed)
            PackedTexts.append(parameter.value, to: &packed)
        }
        statement.bind(19, blob: packed)
        statement.bind(20, blob: click.ip?.storedBytes)
        statement.bind(21, blob: click.userAgent)
        statement.bind(22, blob: click.referrer)
        statement.bind(23, Int64(click.path))
        statement.bind(24, click.offerVersion)
        bind(conversion.reporting, to: statement, at: 25)
        statement.bind(28, text: conversion.costRule?.text)
        bind(conversion.cost, to: statement, at: 29)
        statement.bind(31, click.flowVersion)
        statement.bind(32, click.rule.map { Int64($0) })
        statement.bind(33, click.landerVersion)
        statement.bind(34, click.visit.stored)
        statement.bind(35, text: click.device.map { String(decoding: $0.packed, as: UTF8.self) })
        statement.bind(36, text: click.place.map { String(decoding: $0.packed, as: UTF8.self) })
    }

    static func bind(_ cost: Money?, to statement: Statement, at index: Int32) {
        statement.bind(index, cost?.nanos)
        statement.bind(index + 1, text: cost?.currency.code)
    }

    static func values(_ reporting: ReportingAmount?) -> [Value] {
        [
            .optional(reporting?.money.nanos), .optional(reporting?.money.currency.code),
            .optional(reporting?.rateNanos),
        ]
    }

    /// Nil when there are none.
    static func extrasText(_ extras: [String?]) -> String? {
        if extras.allSatisfy({ $0 == nil }) { return nil }
        return JSONValue.array(extras.map { .string(orNull: $0) }).encoded()
    }

    private static func extras(_ text: String?) -> [String?] {
        // We wrote it; where it can't be read there are no extras to show.
        guard let text, let items = (try? JSONValue(parsing: text))?.arrayValue else { return [] }
        return items.map(\.stringValue)
    }

    private static func parameters(_ packed: [[UInt8]]) -> [Click.Parameter] {
        stride(from: 0, to: packed.count - 1, by: 2).map { index in
            Click.Parameter(
                name: String(decoding: packed[index], as: UTF8.self), value: packed[index + 1])
        }
    }
}

extension SQLiteError {
    /// A row that holds what this program never writes.
    static func corrupt(_ message: String) -> SQLiteError {
        SQLiteError(extendedCode: mismatch, message: message)
    }

    var isOurCorrupt: Bool { extendedCode == Self.mismatch }

    /// SQLITE_MISMATCH, which SQLite itself has no cause for in STRICT tables.
    private static let mismatch: Int32 = 20
}
